"""A title's own ladder: which sizes and CRFs become rungs, from the title's hull.

- Each size that a rung may have has curves of bits and VMAF over CRF, of some of the film's shots;
  the best of all sizes is the title's hull over size and CRF.
- Rungs lie evenly along it, each at the size that needs the fewest bits there: from the best that
  is wanted down to what a slow line carries. From one to the next it is ``JND`` in VMAF at most, or
  ``CLOSEST`` in bits where that is further: closer ones cost more bytes than they help viewers.
- VMAF is what a viewer sees: at the film's own size, whatever the rung's is.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise

from matinee.media.choice import Range, grid, mean_of
from matinee.media.curves import Point
from matinee.media.hull import JND, STEP, spread
from matinee.media.ladder import Rung
from matinee.media.shot_models import REACH, Measured, ShotModel, usual_shift

LOWEST = 30.0
"""VMAF of a rung that is still worth having: a smaller one than that is not made."""

TOLERANCE = JND / 2
"""How far from its place a rung may be found, in VMAF, before it is encoded again."""

NEAR = 1.5
"""How far from its place a rung may be put, in VMAF, where a part of it is made already."""


TELLING = Fraction(2, 3)
"""Of the largest rung's height: what is cheap to measure, and tells of all other sizes."""


@dataclass(frozen=True, slots=True)
class Spot:
    """An encode of the title, as it is likely to be. ``rate`` is bits per second.

    ``quality`` is the harmonic mean of VMAF.
    """

    rung: Rung
    rate: float
    quality: float

    @property
    def size(self) -> tuple[int, int]:
        """The coded size."""
        return self.rung.width, self.rung.height


@dataclass(frozen=True, slots=True)
class SizeCurve:
    """What is known of the title at one size: ``models`` of its shots, or of some of them.

    ``rung`` has the ladder's CRF, which all others are counted from.
    """

    rung: Rung
    models: tuple[ShotModel, ...]

    @property
    def size(self) -> tuple[int, int]:
        """The coded size."""
        return self.rung.width, self.rung.height

    @property
    def bounds(self) -> Range:
        """The CRFs that may be taken: not far below the ladder's, where caps hold back bits."""
        low, high = self.rung.coding.crf
        return Range(max(low, self.rung.crf - REACH), high, self.rung.coding.crf_step)

    def at(self, crf: float) -> Spot:
        """What the title is likely to be at that CRF."""
        points = [model.at(crf) for model in self.models]
        return self._spot(crf, points)

    def spots(self) -> list[Spot]:
        """All CRFs that may be taken, as far as the curves are believed, and the ladder's own."""
        crfs = {crf for crf in grid(self.models[0], self.bounds) if self.knows(crf)}
        return [self.at(crf) for crf in sorted({*crfs, self.rung.crf})]

    def proxies(self) -> list[Spot]:
        """What was measured, by proxy."""
        columns = zip(*(model.proxies for model in self.models), strict=True)
        return [self._spot(column[0].crf, column) for column in columns]

    def with_anchors(self, anchors: Sequence[Sequence[Measured]]) -> "SizeCurve":
        """The same, knowing encodes of some of the shots as they ship; () of the others."""
        pairs = zip(self.models, anchors, strict=True)
        models = [model.with_finals(own) for model, own in pairs]
        usual = usual_shift(models)
        return replace(self, models=tuple(replace(one, shift=usual) for one in models))

    def with_whole(self, frames: int, found: Sequence[Measured]) -> "SizeCurve":
        """The whole title in the shape that its shots have, through what was found of it."""
        share = frames / sum(model.frames for model in self.models)
        crfs = [one.crf for one in self.models[0].proxies]
        sampled = [(crf, [model.at(crf) for model in self.models]) for crf in crfs]
        shape = tuple(
            Measured(
                crf,
                share * math.fsum(one.bits for one in points),
                mean_of(self.models, points),
                min(one.worst for one in points),
            )
            for crf, points in sampled
        )
        return replace(self, models=(ShotModel(frames, shape).with_finals(found),))

    def knows(self, crf: float) -> bool:
        """Whether it is believed at that CRF."""
        return all(model.span[0] <= crf <= model.span[1] for model in self.models)

    def _spot(self, crf: float, points: Sequence[Measured]) -> Spot:
        frames = sum(model.frames for model in self.models)
        bits = math.fsum(point.bits for point in points)
        rung = replace(self.rung, crf=crf)
        return Spot(rung, bits / frames * float(rung.rate), mean_of(self.models, points))


def together(curves: Sequence[SizeCurve]) -> list[SizeCurve]:
    """The curves with one shift for the sizes that have no encode of their own as it ships."""
    usual = usual_shift([model for curve in curves for model in curve.models])
    return [
        replace(
            curve,
            models=tuple(
                model if model.shift else replace(model, shift=usual) for model in curve.models
            ),
        )
        for curve in curves
    ]


def spots_of(curves: Iterable[SizeCurve]) -> list[Spot]:
    """Everything that a rung may be."""
    return [spot for curve in curves for spot in curve.spots()]


def place(
    spots: Sequence[Spot], top: float, slowest: float, lowest: float = LOWEST,
    step: tuple[float, float] = STEP,
) -> list[Spot]:  # fmt: skip
    """The title's rungs, growing in bits and in quality.

    Args:
        spots: Everything that a rung may be.
        top: VMAF of the best rung.
        slowest: Bits per second of the smallest, at most, where one is so small.
        lowest: VMAF of the smallest, at least, whatever its bits are.
        step: From one to the next, at most: see ``hull.spread``.
    """
    bottom = min(top, max(lowest, _carried(spots, slowest).quality))
    found: list[Spot] = []
    for quality in spread(_points(spots), bottom, top, step):
        best = cheapest(spots, quality)
        if not found or (best.rate > found[-1].rate and best.quality > found[-1].quality):
            found.append(best)
    return found


def below(spots: Sequence[Spot], best: Spot) -> list[Spot]:
    """The rungs with ``best`` as the best of them, and none that it makes needless."""
    return [s for s in spots if s.quality < best.quality and s.rate < best.rate] + [best]


def cheapest(spots: Sequence[Spot], quality: float) -> Spot:
    """The fewest bits that are as good, of equals the best; the best of all where none is."""
    good = [spot for spot in spots if spot.quality >= quality - 1e-9]
    if not good:
        return max(spots, key=lambda spot: (spot.quality, -spot.rate))
    return min(good, key=lambda spot: (spot.rate, -spot.quality))


def _points(spots: Iterable[Spot]) -> list[Point]:
    return [Point(spot.rate, spot.quality) for spot in spots]


def _carried(spots: Sequence[Spot], slowest: float) -> Spot:
    """The best that a line carries; the smallest of all where it carries none."""
    carried = [spot for spot in spots if spot.rate <= slowest]
    if not carried:
        return min(spots, key=lambda spot: spot.rate)
    return max(carried, key=lambda spot: (spot.quality, -spot.rate))


def named(spots: Sequence[Spot], candidates: Sequence[Rung]) -> list[Spot]:
    """The rungs under names of their own: the best of a size has its name, the next ones numbers.

    ``spots`` are of growing quality; ``candidates`` have the names of all sizes.
    """
    usual = {(rung.width, rung.height): rung.name for rung in candidates}
    taken = {usual[spot.size] for spot in spots}
    counts: dict[str, int] = {}
    found = []
    for spot in reversed(spots):
        name = usual[spot.size]
        counts[name] = number = counts.get(name, 0) + 1
        own = name
        while number > 1 and (own := f"{name}-{number}") in taken:
            counts[name] = number = number + 1
        taken.add(own)
        found.append(replace(spot, rung=replace(spot.rung, name=own)))
    return found[::-1]


def wanted_places(
    spots: Sequence[Spot], found: Sequence[Spot], slowest: float, lowest: float = LOWEST
) -> list[float]:
    """Where rungs belong, in VMAF: evenly far from the best as found to what a slow line carries.

    Args:
        spots: Everything that a rung may be, by what was found.
        found: The rungs as they were found, of growing quality.
        slowest: See ``place``.
        lowest: The same.
    """
    top = found[-1].quality
    carried = _carried(spots, slowest).quality
    bottom = min(top, max(carried, min(lowest, found[0].quality)))
    return spread(_points(spots), bottom, top, count=len(found))


def corrections(spots: Sequence[Spot], found: Sequence[Spot], slowest: float) -> dict[int, Spot]:
    """What takes the place of rungs that are too far from where they belong, by their number.

    The best stays as it is. Arguments as of ``wanted_places``.
    """
    again: dict[int, Spot] = {}
    wanted = wanted_places(spots, found, slowest)
    for number, spot in enumerate(found[:-1]):
        if abs(spot.quality - wanted[number]) > TOLERANCE:
            best = cheapest(spots, wanted[number])
            is_taken = any(_alike(best, one) for one in (*found, *again.values()))
            if not is_taken:
                again[number] = best
    return again


def _alike(one: Spot, other: Spot) -> bool:
    return one.size == other.size and one.rung.crf == other.rung.crf


def ends(spots: Sequence[Spot]) -> list[Spot]:
    """Of each size the best and the least: between them all of it is known."""
    kept = []
    for spot in spots:
        own = [one for one in spots if one.size == spot.size]
        if spot in (own[0], own[-1]):
            kept.append(spot)
    return kept


def near(spot: Spot, others: Sequence[Spot]) -> Spot:
    """One of the others that is as good within ``NEAR`` at the same size, else the spot."""
    alike = [
        one for one in others if one.size == spot.size and abs(one.quality - spot.quality) <= NEAR
    ]
    return min(alike, key=lambda one: abs(one.quality - spot.quality), default=spot)


def growing(found: Sequence[Spot]) -> list[Spot]:
    """The rungs without those that a better one of no more bits makes needless."""
    kept = [found[-1]]
    for spot in reversed(found[:-1]):
        if spot.rate < kept[-1].rate and spot.quality < kept[-1].quality:
            kept.append(spot)
    return kept[::-1]


def instead(spots: Sequence[Spot], taken: Spot) -> list[Spot]:
    """What the other sizes need to be as good, cheapest first; sizes that never are, left out."""
    cheapest: dict[tuple[int, int], Spot] = {}
    for spot in sorted(spots, key=lambda one: one.rate):
        if spot.size != taken.size and spot.quality >= taken.quality - 1e-9:
            cheapest.setdefault(spot.size, spot)
    return list(cheapest.values())


def beside(spots: Sequence[Spot], taken: Spot) -> list[Spot]:
    """The same size two CRFs lower and higher, as far as its curve is believed."""
    wanted = (taken.rung.crf - 2, taken.rung.crf + 2)
    return [spot for spot in spots if spot.size == taken.size and spot.rung.crf in wanted]


def telling(rungs: Sequence[Rung]) -> Rung:
    """The rung that is nearest to ``TELLING``, of two the smaller. ``rungs`` are not empty."""
    wanted = TELLING * max(rung.height for rung in rungs)
    return min(rungs, key=lambda rung: (abs(rung.height - wanted), rung.height))


def sampled(digests: Sequence[str], share: int, least: int, most: int) -> list[int]:
    """The numbers of some of a film's chunks, spread over it: one in ``share``, within bounds.

    The film is divided evenly, and of each part one chunk is taken as its digest falls: by chance,
    and always the same.
    """
    count = min(len(digests), max(least, min(most, -(-len(digests) // share))))
    bounds = [n * len(digests) // count for n in range(count + 1)]
    return [min(range(start, end), key=lambda n: digests[n]) for start, end in pairwise(bounds)]


def unsure(curves: Sequence[SizeCurve], step: float, slowest: float) -> list[int]:
    """The numbers of the curves that may go on to the hull ``step`` above the ladder's CRF.

    Where a curve that is drawn on straight is not beaten by what is known; below what the slowest
    line carries, nobody looks.
    """
    spots = spots_of(curves)
    is_reached = any(spot.rate <= slowest for spot in spots)
    found = []
    for number, curve in enumerate(curves):
        far = curve.at(min(curve.bounds.high, curve.rung.crf + step))
        is_beaten = any(s.rate <= far.rate and s.quality >= far.quality for s in spots)
        if not is_beaten and not (is_reached and far.rate <= slowest):
            found.append(number)
    return found
