"""What a package was ordered with, kept beside it, so that all of it can be made again."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path, PurePath
from typing import Any

from matinee.media.encryption import FIRST, Encryption
from matinee.media.ladder import Box, Ladder, Rung, SoundRates, family_of
from matinee.media.loudness import Target
from matinee.media.plan import LONGEST
from matinee.media.profile import Profile, SoundForm
from matinee.media.tracks import Sidecar
from matinee.stages.chunks import Proofs
from matinee.stages.package import Renditions

_PLAIN = re.compile(r"\w[\w .,()&'+-]{0,199}")
_WORD = re.compile(r"[A-Za-z0-9-]{1,16}")


def settings_json(request: Any, made: Renditions) -> dict[str, Any]:
    """What a package keeps of how it was made; of encryption, what is no secret.

    That keys were changed is kept of packages in the clear too: old keys never come back.
    """
    return {
        "profile": request.profile.name,
        "ladder": request.profile.ladder_names,
        "scored": request.proofs.scored,
        "order": order_json(request, made),
        **({"encryption": made.keyring.as_json()} if made.keyring else {}),
        **({"key_generation": made.generation} if made.generation > FIRST else {}),
    }


def order_json(request: Any, made: Renditions) -> dict[str, Any]:
    """A request in the form in which a package keeps it, with the presets that were taken."""
    return {
        "profile": profile_json(request.profile, made.film.rungs),
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


def profile_json(profile: Profile, rungs: Sequence[Rung]) -> dict[str, Any]:
    """All of a profile, with the presets that ``rungs`` have."""
    return {
        "name": profile.name,
        "ladders": [asdict(_as_taken(ladder, rungs)) for ladder in profile.ladders],
        "sounds": [asdict(form) for form in profile.sounds],
        "subtitles": list(profile.subtitles),
        "loudness": asdict(profile.loudness) if profile.loudness else None,
        "longest_segment_s": profile.longest_segment_s,
        **({"encryption": asdict(profile.encryption)} if profile.encryption else {}),
    }


def _as_taken(ladder: Ladder, rungs: Sequence[Rung]) -> Ladder:
    """With the preset that a deadline had it take, or those that came of its budget."""
    own = {
        rung.name: rung.preset
        for rung in rungs
        if family_of(rung.codec, rung.depth, rung.profile) == ladder.family
    }
    if ladder.cpu_budget is not None:
        return replace(ladder, presets=tuple(own.items()))
    return replace(ladder, preset=next(reversed(own.values()), ladder.preset))


def safe_name(file: str) -> str:
    """The name of a sidecar, where it is a plain one; else what it says of language and kind."""
    name = PurePath(file).name
    if _PLAIN.fullmatch(name):
        return name
    words = [word for word in PurePath(file).name.split(".")[1:] if _WORD.fullmatch(word)]
    return ".".join(["sidecar", *words[-4:]])


def ordered_profile(order: Mapping[str, Any]) -> Profile:
    """The profile of an order."""
    kept = order["profile"]
    return Profile(
        kept["name"],
        tuple(_ladder(one) for one in kept["ladders"]),
        tuple(_sound_form(one) for one in kept["sounds"]),
        tuple(kept.get("subtitles") or ("webvtt",)),
        Target(**kept["loudness"]) if kept.get("loudness") else None,
        kept.get("longest_segment_s", int(LONGEST)),
        Encryption(**kept["encryption"]) if kept.get("encryption") else None,
    )


def _ladder(kept: Mapping[str, Any]) -> Ladder:
    boxes = tuple(Box(**box) for box in kept["boxes"])
    presets = tuple((name, preset) for name, preset in kept.get("presets", ()))
    sound = SoundRates(**kept["sound"])
    return Ladder(**{**kept, "boxes": boxes, "sound": sound, "presets": presets})


def _sound_form(kept: Mapping[str, Any]) -> SoundForm:
    layouts, pictures = tuple(kept["layouts"]), tuple(kept["pictures"])
    rates = SoundRates(**kept["rates"])
    return SoundForm(**{**kept, "rates": rates, "layouts": layouts, "pictures": pictures})


def proofs_of(order: Mapping[str, Any]) -> Proofs:
    """How much was proved."""
    return Proofs(signed=order["signed"], scored=order["scored"])


def sidecars_of(order: Mapping[str, Any], files: Sequence[Path]) -> tuple[Sidecar, ...]:
    """The subtitle files, which lie at ``files`` now."""
    return tuple(
        Sidecar(str(file), one["language"])
        for file, one in zip(files, order["sidecars"], strict=True)
    )
