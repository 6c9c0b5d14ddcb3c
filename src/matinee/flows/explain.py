"""Explain: which settings the shots of a package have, and why, from its report and its order."""

from collections.abc import Mapping, Sequence
from typing import Any

from matinee.core.errors import NotFound
from matinee.flows.order import ordered_profile
from matinee.media.codecs import CODECS
from matinee.media.ladder import Ladder
from matinee.ports.catalog import Package


def explanation_json(
    package: Package, report: Mapping[str, Any], rung: str | None = None, shot: int | None = None
) -> dict[str, Any]:
    """All that is known of a package's settings; its form is docs/reference/json.md.

    Args:
        package: The package.
        report: Its report.
        rung: Only this rung's (``720p`` or ``video-720p``).
        shot: Only this shot's, from 1.

    Raises:
        NotFound: the package has no such rung or shot.
    """
    names = [one["name"] for one in report["renditions"] if one["type"] == "video"]
    wanted = names if rung is None else [_name_of(rung, names)]
    hulls = [hull for one in report.get("hulls", ()) if (hull := _of_hull(one, wanted))["rungs"]]
    ladders = _ladders(package)
    own = {spot["rung"]: spot["crf"] for hull in hulls for spot in hull["rungs"]}
    choices = [
        _choice(one if rung is None else _as_of(one, wanted[0], own, ladders), shot)
        for one in report.get("choices", ())
        if {one["rung"], *one["followers"]} & set(wanted)
    ]
    searched = {name for one in choices for name in (one["rung"], *one["followers"])} | own.keys()
    fixed = []
    for name in wanted:
        if name not in searched:
            ladder = _ladder_of(name, ladders)
            fixed.append({
                "rung": name,
                "ladder": ladder.name if ladder else None,
                "crf": ladder.crf if ladder else None,
                "preset": _preset_of(name, ladder) if ladder else None,
            })  # fmt: skip
    return {
        "title": package.title,
        "package": package.id,
        "frame_rate": report["plan"]["frame_rate"],
        "fixed": fixed,
        "hulls": hulls,
        "choices": choices,
        "film_grain": _grain(report, wanted),
    }


def _grain(report: Mapping[str, Any], wanted: Sequence[str]) -> dict[str, Any] | None:
    """The grain of the film and the strength of each rung that has it made anew, or could have."""
    told = report.get("film_grain") or {}
    strengths = {one["name"]: one.get("film_grain") or 0 for one in report["renditions"]}
    asked = told.get("rungs", {})
    rungs = {name: strengths[name] for name in wanted if strengths[name] or name in asked}
    if not rungs:
        return None
    found = {name: told.get(name) for name in ("noise", "halved")}
    return {**found, "places": list(told.get("places", ())), "rungs": rungs}


def _name_of(rung: str, names: Sequence[str]) -> str:
    for name in names:
        if rung in (name, name.removeprefix("video-")):
            return name
    raise NotFound(f"there is no rung {rung!r}", f"rungs are: {', '.join(names)}")


def _of_hull(hull: Mapping[str, Any], wanted: Sequence[str]) -> dict[str, Any]:
    """A ladder's hull with some of its rungs."""
    return {**hull, "rungs": [one for one in hull["rungs"] if one["rung"] in wanted]}


def _as_of(
    choice: Mapping[str, Any], rung: str, own: Mapping[str, float], ladders: Sequence[Ladder]
) -> Mapping[str, Any]:
    """A choice as one of its rungs has it; ``own`` are the CRFs of rungs that come from the title.

    What is told of curves stays: it is of what was measured.
    """
    ladder = _ladder_of(rung, ladders)
    if rung not in own or ladder is None or choice["target"] is not None:
        return choice
    low, high = CODECS[ladder.codec].crf
    apart = own[rung] - choice["fixed_crf"]
    shots = [{**s, "crf": min(high, max(low, s["crf"] + apart))} for s in choice["shots"]]
    others = [one for one in (*choice["followers"], choice["rung"]) if one != rung]
    return {**choice, "rung": rung, "followers": others, "shots": shots}


def _choice(choice: Mapping[str, Any], shot: int | None) -> dict[str, Any]:
    """A ladder's choice with its shots numbered, all of them or one."""
    shots = [{"shot": number, **one} for number, one in enumerate(choice["shots"], 1)]
    if shot is not None and not 1 <= shot <= len(shots):
        raise NotFound(f"there is no shot {shot}", f"shots are numbered from 1 to {len(shots)}")
    return {**choice, "shots": shots if shot is None else [shots[shot - 1]]}


def _ladders(package: Package) -> Sequence[Ladder]:
    order = package.settings.get("order")
    return ordered_profile(order).ladders if order else ()


def _preset_of(name: str, ladder: Ladder) -> str:
    """That of a rendition: what came of a budget, or the ladder's."""
    return dict(ladder.presets).get(name.removeprefix("video-"), ladder.preset)


def _ladder_of(name: str, ladders: Sequence[Ladder]) -> Ladder | None:
    """The ladder of a rendition: the one whose family its name begins with."""
    for ladder in sorted(ladders, key=lambda one: -len(one.family)):
        if name.startswith(f"video-{ladder.family}-" if ladder.family else "video-"):
            return ladder
    return None
