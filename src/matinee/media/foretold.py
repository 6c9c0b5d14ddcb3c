"""What earlier titles foretell of a new one: its curves at every size, from proxies at one.

From one size to another, and from a proxy to what ships, bits and VMAF change much alike in films
that are alike. So a title whose proxies of one size are known has its other curves from those of
the titles that are nearest to it; what ships then puts them where they belong (ADR 38).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from matinee.media.hull import JND
from matinee.media.ladder import Rung
from matinee.media.shot_models import Measured, Shift, ShotModel, between
from matinee.media.title_ladder import SizeCurve, Spot

ENOUGH = 3
"""So many earlier titles foretell; fewer tell nothing, more are not asked."""

DIGITS = 4
"""After the point, of what is kept of a shift."""

Size = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Lesson:
    """What one earlier title teaches.

    ``base`` are its proxies of one size, over all of it, two points or more; ``sizes`` what it is
    as it ships, at every coded size, two points or more. Bits are those of a second; of the worst
    shot nothing is told.
    """

    base: tuple[Measured, ...]
    sizes: Mapping[Size, tuple[Measured, ...]]


@dataclass(frozen=True, slots=True)
class Start:
    """What a search begins with: how far each size lies from the base, at a few CRFs.

    ``titles`` counts those that it is the mean of.
    """

    titles: int
    shifts: Mapping[Size, tuple[tuple[float, Shift], ...]]

    def models(self, size: Size, base: Sequence[ShotModel]) -> list[ShotModel]:
        """The curves of shots at a size, by theirs of the base."""
        return [
            ShotModel(
                model.frames,
                tuple(shift.of(model.at(crf)) for crf, shift in self.shifts[size]),
            )
            for model in base
        ]

    def as_json(self) -> dict[str, Any]:
        """For a step's parameters."""
        return {
            "titles": self.titles,
            "sizes": [
                [*size, [[crf, shift.bits, shift.quality] for crf, shift in shifts]]
                for size, shifts in self.shifts.items()
            ],
        }


def curves_from(start: Start, rungs: Sequence[Rung], base: Sequence[ShotModel]) -> list[SizeCurve]:
    """The curves of a title at every size that a rung may have, by its shots' curves at one."""
    return [SizeCurve(rung, tuple(start.models((rung.width, rung.height), base))) for rung in rungs]


def holds(before: Sequence[SizeCurve], after: Sequence[SizeCurve]) -> bool:
    """Whether what was foretold came true: within ``JND`` in VMAF, on the mean of what ships."""
    off = [
        abs(old.at(final.crf).quality - final.quality)
        for was, now in zip(before, after, strict=True)
        for old, new in zip(was.models, now.models, strict=True)
        for final in new.finals
    ]
    return not off or fmean(off) <= JND


def start_of(document: Mapping[str, Any]) -> Start:
    """The start that ``as_json`` gave."""
    return Start(
        document["titles"],
        {
            (width, height): tuple((crf, Shift(bits, q, q)) for crf, bits, q in shifts)
            for width, height, shifts in document["sizes"]
        },
    )


def lesson_of(base: SizeCurve, curves: Sequence[SizeCurve], crfs: Sequence[float]) -> Lesson:
    """What a title teaches whose shots were measured at every size, as far as that is believed."""
    sizes = {
        curve.size: tuple(_point(curve.at(crf)) for crf in crfs if curve.knows(crf))
        for curve in curves
    }
    return Lesson(_proxies(base), sizes)


def _proxies(curve: SizeCurve) -> tuple[Measured, ...]:
    return tuple(_point(spot) for spot in curve.proxies())


def _point(spot: Spot) -> Measured:
    return Measured(spot.rung.crf, spot.rate, spot.quality, spot.quality)


def lesson_json(lesson: Lesson) -> dict[str, Any]:
    """A lesson as documents keep it."""
    return {
        "base": _points_json(lesson.base),
        "sizes": [[*size, _points_json(points)] for size, points in lesson.sizes.items()],
    }


def read_lesson(document: Mapping[str, Any]) -> Lesson:
    """The lesson that ``lesson_json`` gave."""
    sizes = {(width, height): _points(points) for width, height, points in document["sizes"]}
    return Lesson(_points(document["base"]), sizes)


def _points_json(points: Sequence[Measured]) -> list[list[float]]:
    return [[one.crf, round(one.bits), round(one.quality, 2)] for one in points]


def _points(document: Sequence[Sequence[float]]) -> tuple[Measured, ...]:
    return tuple(Measured(crf, bits, quality, quality) for crf, bits, quality in document)


def foretold(lessons: Sequence[Lesson], base: SizeCurve) -> Start:
    """The start of a title with this base, from those lessons that are nearest.

    All lessons, of which there are some, have the same sizes.
    """
    own = _proxies(base)
    nearest = sorted(lessons, key=lambda one: _distance(one.base, own))[:ENOUGH]
    every = [_shifts(one) for one in nearest]
    return Start(
        len(nearest),
        {
            size: tuple(
                (crf, _mean([shifts[size][crf] for shifts in every]))
                for crf in sorted(set.intersection(*(set(shifts[size]) for shifts in every)))
            )
            for size in nearest[0].sizes
        },
    )


def _shifts(lesson: Lesson) -> dict[Size, dict[float, Shift]]:
    base = ShotModel(1, lesson.base)
    return {
        size: {one.crf: between(base.at(one.crf), one) for one in points}
        for size, points in lesson.sizes.items()
    }


def _mean(shifts: Sequence[Shift]) -> Shift:
    bits = round(fmean(one.bits for one in shifts), DIGITS)
    quality = round(fmean(one.quality for one in shifts), DIGITS)
    return Shift(bits, quality, quality)


def _distance(one: Sequence[Measured], other: Sequence[Measured]) -> float:
    """How unlike two titles are: of the same CRFs, in the logarithm of bits and logit of VMAF."""
    shifts = [between(a, b) for a, b in zip(one, other, strict=True)]
    return math.fsum(shift.bits**2 + shift.quality**2 for shift in shifts)
