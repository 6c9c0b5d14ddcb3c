"""A title's own ladder, and why it is so, as a document that pages and people read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from matinee.media.foretold import Lesson, Start
from matinee.media.hull import CLOSEST, JND
from matinee.media.ladder import Ladder, Rung
from matinee.media.title_ladder import SizeCurve, Spot, beside, instead, spots_of


@dataclass(frozen=True, slots=True)
class Fitted:
    """What was found of one ladder.

    ``curves`` have what is known at last, ``taken`` are the rungs by their names with what they
    are likely to be or, after ``rounds``, are. ``sample`` counts the chunks that were measured,
    ``anchors`` those of them that were encoded as they ship. ``per_shot`` names the rungs whose
    shots have CRFs of their own. ``start`` is what the search began with, None: with nothing;
    ``held`` whether that came true. ``lesson`` is what later titles may learn of it.
    """

    curves: tuple[SizeCurve, ...]
    taken: tuple[Spot, ...]
    sample: int
    anchors: int
    rounds: int
    per_shot: frozenset[str]
    start: Start | None = None
    held: bool = True
    lesson: Lesson | None = None


def hull_json(ladder: Ladder, fitted: Fitted, preset: str, every: int) -> dict[str, Any]:
    """All that decided. Bits a second are rounded to whole ones, VMAF to two decimals.

    Args:
        ladder: The ladder that asked.
        fitted: What was found.
        preset: That of the proxies.
        every: Of a proxy's frames one in so many was scored.
    """
    spots = spots_of(fitted.curves)
    start, is_foretold = fitted.start, fitted.start is not None and fitted.held
    return {
        "ladder": ladder.name,
        "family": fitted.curves[0].rung.family,
        "preset": fitted.curves[0].rung.preset,
        "fixed_crf": ladder.crf,
        "target": ladder.target_vmaf,
        "apart": JND,
        "closest": CLOSEST,
        "slowest": ladder.slowest,
        "proxy": {"preset": preset, "every": every, "chunks": fitted.sample},
        **({"start": {"titles": start.titles, "held": fitted.held}} if start else {}),
        "anchors": fitted.anchors,
        "rounds": fitted.rounds,
        "sizes": [_size(curve, spots, is_foretold=is_foretold) for curve in fitted.curves],
        "rungs": [
            {
                "rung": f"video-{spot.rung.name}",
                **({"preset": spot.rung.preset} if ladder.cpu_budget else {}),
                **_spot(spot),
                "per_shot": spot.rung.name in fitted.per_shot,
                "beside": [_spot(one) for one in beside(spots, spot)],
                "instead": [_spot(one) for one in instead(spots, spot)],
            }
            for spot in fitted.taken
        ],
    }


def _size(curve: SizeCurve, spots: Sequence[Spot], *, is_foretold: bool) -> dict[str, Any]:
    own = [spot for spot in spots if spot.size == curve.size]
    return {
        "width": curve.rung.width,
        "height": curve.rung.height,
        "proxies": [] if is_foretold else [_point(spot) for spot in curve.proxies()],
        "curve": [_point(spot) for spot in own],
    }


def _point(spot: Spot) -> dict[str, Any]:
    return {
        "crf": spot.rung.crf,
        "bits_per_second": round(spot.rate),
        "vmaf": round(spot.quality, 2),
    }


def _spot(spot: Spot) -> dict[str, Any]:
    return {"width": spot.rung.width, "height": spot.rung.height, **_point(spot)}


def rungs_of(document: Mapping[str, Any], candidates: Sequence[Rung]) -> list[Rung]:
    """The rungs that a document names, of the rungs that there could be."""
    sizes = {(rung.width, rung.height): rung for rung in candidates}
    return [
        replace(
            sizes[one["width"], one["height"]],
            name=one["rung"].removeprefix("video-"),
            crf=float(one["crf"]),
            preset=one.get("preset", candidates[0].preset),
        )
        for one in document["rungs"]
    ]
