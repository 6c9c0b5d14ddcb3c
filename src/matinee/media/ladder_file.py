"""Ladder files: TOML, as docs/reference/ladders.md has it."""

import tomllib
from collections.abc import Mapping
from dataclasses import asdict
from functools import partial
from types import MappingProxyType
from typing import Any

from matinee.core.errors import LadderInvalid
from matinee.media.codecs import CODECS
from matinee.media.codecs.codec import USUAL_B_FRAMES
from matinee.media.ladder import Box, Ladder, SoundRates
from matinee.media.ladder_checks import (
    check_budget,
    check_codec,
    check_grain,
    check_settings,
    require,
)

REFERENCE_FRAMES = 3
"""Where a ladder does not say how many."""


def parse_ladder(name: str, text: str) -> Ladder:
    """Read a ladder file (TOML; see docs/reference/ladders.md).

    Raises:
        LadderInvalid: not TOML, a field missing, unknown or out of range; names the field.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise LadderInvalid(f"ladder {name}: {error}", "see `matinee publish --help`") from error
    video = _fields(
        name, "video", document.get("video"),
        {"codec": str, "preset": str, "crf": (int, float), "threads": int},
        {
            "reference_frames": int, "depth": int, "profile": str, "own_size": bool, "hdr": bool,
            "settings": str, "target_vmaf": (int, float), "shot_margin": (int, float),
            "slowest_kbps": int, "film_grain": (int, str), "cpu_budget": (int, float),
        },
    )  # fmt: skip
    sound = _fields(
        name, "audio", document.get("audio"),
        {"mono_kbps": int, "stereo_kbps": int, "per_channel_kbps": int},
    )  # fmt: skip
    rungs = document.get("rung")
    if not isinstance(rungs, list) or not rungs:
        raise LadderInvalid(f"ladder {name}: no [[rung]]", "a ladder needs at least one rung")
    unknown = document.keys() - {"description", "video", "rung", "audio"}
    if unknown:
        raise LadderInvalid(f"ladder {name}: unknown table {min(unknown)!r}")
    kinds = {"name": str, "width": int, "height": int, "maxrate_kbps": int}
    boxes = [Box(**_fields(name, f"rung {n}", rung, kinds)) for n, rung in enumerate(rungs, 1)]
    video["crf"] = float(video["crf"])  # 23 and 23.0 are one setting
    video.setdefault("reference_frames", REFERENCE_FRAMES)
    check_codec(name, video)
    check_settings(name, video)
    check_grain(name, video)
    check_budget(name, video)
    video["b_frames"] = CODECS[video["codec"]].b_frames.get(video["profile"], USUAL_B_FRAMES)
    ladder = Ladder(name=name, boxes=tuple(boxes), sound=SoundRates(**sound), **video)
    _check(ladder)
    return ladder


def _fields(
    ladder: str, where: str, table: Any, kinds: Mapping[str, Any],
    optional: Mapping[str, Any] = MappingProxyType({}),
) -> dict[str, Any]:  # fmt: skip
    if not isinstance(table, dict):
        raise LadderInvalid(f"ladder {ladder}: [{where}] is missing")
    for key in table.keys() - kinds.keys() - optional.keys():
        raise LadderInvalid(f"ladder {ladder}: [{where}] has an unknown field {key!r}")
    for key, kind in {**kinds, **optional}.items():
        if key not in table:
            if key in optional:
                continue
            raise LadderInvalid(f"ladder {ladder}: [{where}] lacks {key!r}")
        value = table[key]
        if isinstance(value, bool) != (kind is bool) or not isinstance(value, kind):
            raise LadderInvalid(f"ladder {ladder}: [{where}] {key} = {value!r} is of a wrong type")
    return dict(table)


def _check(ladder: Ladder) -> None:
    demand = partial(require, ladder.name)
    demand(1 <= ladder.reference_frames <= 16, "reference_frames is not from 1 to 16")
    demand(1 <= ladder.threads <= 16, "threads is not from 1 to 16")
    for kbps in asdict(ladder.sound).values():
        demand(8 <= kbps <= 512, f"a sound of {kbps} kbit/s is not from 8 to 512")
    names = [box.name for box in ladder.boxes]
    demand(len(set(names)) == len(names), "two rungs have one name")
    for box in ladder.boxes:
        safe = box.name.isascii() and box.name.replace("-", "").isalnum()
        demand(safe, f"rung name {box.name!r} is not letters, digits and hyphens")
        demand(box.width >= 16 and box.height >= 16, f"rung {box.name} is smaller than 16x16")
        demand(box.width <= 8192 and box.height <= 8192, f"rung {box.name} is over 8192 wide")
        demand(box.maxrate_kbps >= 10, f"rung {box.name} has a maxrate under 10 kbit/s")
    areas = [box.width * box.height for box in ladder.boxes]
    demand(areas == sorted(areas), "rungs are not in growing order")
