"""What a package was ordered with, kept beside it, so that all of it can be made again."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path, PurePath
from typing import Any

from matinee.media.ladder import Box, Ladder, SoundRates
from matinee.media.tracks import Sidecar
from matinee.stages.chunks import Proofs
from matinee.stages.package import Renditions

_PLAIN = re.compile(r"\w[\w .,()&'+-]{0,199}")
_WORD = re.compile(r"[A-Za-z0-9-]{1,16}")


def order_json(request: Any, made: Renditions) -> dict[str, Any]:
    """A request in the form in which a package keeps it, with the preset that was taken."""
    ladder = request.ladder
    if made.film.rungs:
        ladder = replace(ladder, preset=made.film.rungs[0].preset)
    return {
        "ladder": asdict(ladder),
        "signed": request.proofs.signed,
        "scored": request.proofs.scored,
        "accept_damage": request.accept_damage,
        "crop": request.crop,
        "sidecars": [
            {
                "digest": text.origin,
                "name": safe_name(text.plan.sidecar.file),
                "language": text.plan.sidecar.language,
            }
            for text in made.texts.values()
            if text.plan.sidecar is not None
        ],
    }


def safe_name(file: str) -> str:
    """The name of a sidecar, where it is a plain one; else what it says of language and kind."""
    name = PurePath(file).name
    if _PLAIN.fullmatch(name):
        return name
    words = [word for word in PurePath(file).name.split(".")[1:] if _WORD.fullmatch(word)]
    return ".".join(["sidecar", *words[-4:]])


def ladder_of(order: Mapping[str, Any]) -> Ladder:
    """The ladder of an order."""
    ladder = dict(order["ladder"])
    boxes = tuple(Box(**box) for box in ladder.pop("boxes"))
    sound = SoundRates(**ladder.pop("sound"))
    return Ladder(**ladder, boxes=boxes, sound=sound)


def proofs_of(order: Mapping[str, Any]) -> Proofs:
    """How much was proved."""
    return Proofs(signed=order["signed"], scored=order["scored"])


def sidecars_of(order: Mapping[str, Any], files: Sequence[Path]) -> tuple[Sidecar, ...]:
    """The subtitle files, which lie at ``files`` now."""
    return tuple(
        Sidecar(str(file), one["language"])
        for file, one in zip(files, order["sidecars"], strict=True)
    )
