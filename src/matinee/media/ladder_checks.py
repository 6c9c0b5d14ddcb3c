"""What a ladder file says of its codec and its settings, checked."""

from functools import partial
from typing import Any

from matinee.core.errors import LadderInvalid
from matinee.media.codecs import CODECS

USUAL_DEPTH = 8
"""Bits of a sample, where a ladder does not say."""

SETTINGS = ("fixed", "per-shot", "per-title", "auto")
"""``auto`` is ``per-title`` or ``fixed``, as the film is long enough."""

TARGETS = (20, 99)
"""VMAF that a ladder may aim at; above, it does not tell pictures apart."""


BUDGETS = (0.5, 10.0)
"""Processor time that rungs may take, beside what they would by their ladder's preset."""

AUTO, OFF = "auto", "off"
"""Film grain as the film has it, and none."""


def require(name: str, holds: bool, fault: str) -> None:
    """Refuse a ladder, unless it holds.

    Raises:
        LadderInvalid: it does not.
    """
    if not holds:
        raise LadderInvalid(f"ladder {name}: {fault}")


def check_codec(name: str, video: dict[str, Any]) -> None:
    """The codec and what depends on it; fills in the profile."""
    demand = partial(require, name)
    known = ", ".join(CODECS)
    demand(video["codec"] in CODECS, f"codec {video['codec']!r} is not known; {known} are")
    codec, depth = CODECS[video["codec"]], video.get("depth", USUAL_DEPTH)
    depths = " or ".join(map(str, codec.profiles))
    demand(depth in codec.profiles, f"{codec.label} has a depth of {depths} bits, not {depth}")
    profiles = codec.profiles[depth]
    video["profile"] = video.get("profile", profiles[0])
    demand(
        video["profile"] in profiles,
        f"profile {video['profile']!r} is not one of {codec.label}'s: {', '.join(profiles)}",
    )
    demand(
        video["preset"] in codec.presets,
        f"preset {video['preset']!r} is not one of {codec.encoder.removeprefix('lib')}'s",
    )
    low, high = codec.crf
    demand(low <= video["crf"] <= high, f"crf {video['crf']:g} is not from {low} to {high}")
    has_room = depth == 10 and codec.colours is not None
    video.setdefault("hdr", has_room)
    demand(
        has_room or not video["hdr"],
        f"{codec.label} of {depth} bits has no high dynamic range; {_bright()} of 10 have",
    )


def _bright() -> str:
    """The codecs that tell enough of colours."""
    return " and ".join(codec.label for codec in CODECS.values() if codec.colours)


def check_settings(name: str, video: dict[str, Any]) -> None:
    """What is said of settings that are searched; a target asks for such per shot."""
    demand = partial(require, name)
    has_target = "target_vmaf" in video
    video.setdefault("settings", SETTINGS[has_target])
    demand(
        video["settings"] in SETTINGS,
        f"settings {video['settings']!r} are not {', '.join(SETTINGS[:-1])} or {SETTINGS[-1]}",
    )
    for key in ("target_vmaf", "shot_margin"):
        if key in video:
            is_searched = video["settings"] in ("per-shot", "per-title")
            demand(is_searched, f"{key} is for settings per-shot or per-title")
            video[key] = float(video[key])
    is_per_title = video["settings"] in ("per-title", "auto")
    demand(
        is_per_title or "slowest_kbps" not in video,
        "slowest_kbps is for settings per-title or auto",
    )
    demand(10 <= video.get("slowest_kbps", 10) <= 5000, "slowest_kbps is not from 10 to 5000")
    low, high = TARGETS
    demand(low <= video.get("target_vmaf", low) <= high, f"target_vmaf is not from {low} to {high}")
    demand(0.1 <= video.get("shot_margin", 1) <= 20, "shot_margin is not from 0.1 to 20")
    demand(has_target or "shot_margin" not in video, "shot_margin is for a ladder with target_vmaf")


def check_budget(name: str, video: dict[str, Any]) -> None:
    """A processor budget is for codecs of whose presets it was measured what they save."""
    if "cpu_budget" not in video:
        return
    demand = partial(require, name)
    (low, high), codec = BUDGETS, CODECS[video["codec"]]
    video["cpu_budget"] = float(video["cpu_budget"])
    demand(low <= video["cpu_budget"] <= high, f"cpu_budget is not from {low:g} to {high:g}")
    known = ", ".join(codec.preset_bits)
    demand(bool(known), f"cpu_budget is not for {codec.label}: what its presets save is not known")
    is_known = video["preset"] in codec.preset_bits
    demand(is_known, f"cpu_budget is for preset {known}, not {video['preset']}")


def check_grain(name: str, video: dict[str, Any]) -> None:
    """Film grain: a strength, or a word for one; stays where it is ``AUTO`` or above 0.

    With a target of VMAF nothing is left to find out.
    """
    demand = partial(require, name)
    asked = video.pop("film_grain", OFF)
    codec = CODECS[video["codec"]]
    if asked in (OFF, 0):
        return
    able = " and ".join(one.label for one in CODECS.values() if one.film_grain)
    demand(codec.film_grain is not None, f"{codec.label} tells no film grain; {able} does")
    low, high = codec.film_grain or (0, 0)
    is_strength = isinstance(asked, int) and low <= asked <= high
    demand(
        asked == AUTO or is_strength,
        f"film_grain {asked!r} is not {AUTO!r}, {OFF!r} or from {low} to {high}",
    )
    demand(
        asked == AUTO or "target_vmaf" not in video,
        "film_grain and target_vmaf exclude each other: VMAF takes grain for a part of the film",
    )
    if "target_vmaf" not in video:
        video["film_grain"] = asked
