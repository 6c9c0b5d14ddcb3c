"""Which encode of each shot: the shots' hulls, one price of a bit for all, the title's own hull.

- A shot has some encodes, each with its bits and its loss. The loss of frames is the sum of
  ``1 / (VMAF + 1)``: it adds up over shots, and gives the harmonic mean of the title's VMAF.
- For a sum that is separable, the best choice has one slope for all shots (constant slope; Everett
  1963): each shot takes the encode that is least in ``bits + price * loss``.
- So the title's own hull is the shots' hulls put together, step by step, the steps that buy most
  first. Its corners are the best that can be had for their bits; between two corners one shot
  differs.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from matinee.media.curves import Point, frontier, upper_hull

JND = 6.0
"""Points of VMAF that most people can tell apart."""

CLOSEST = 2.0
"""Rungs need be no closer than this factor in bits, whatever is seen: Apple's authoring
specification for HLS has 1.5 to 2."""

STEP = (JND, CLOSEST)
"""From one rung to the next: points of VMAF, or that factor in bits where it is further."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One encode of a shot. ``number`` is its place among the shot's encodes."""

    bits: float
    loss: float
    number: int


@dataclass(frozen=True, slots=True)
class ShotCurve:
    """A shot's encodes: how many frames it has, and the choices that are worth their bits.

    Of growing bits and falling loss, convex.
    """

    frames: int
    choices: tuple[Choice, ...]


@dataclass(frozen=True, slots=True)
class Allocation:
    """A choice for every shot of a title: places in each shot's ``choices``."""

    places: tuple[int, ...]
    bits: float
    loss: float
    frames: int

    @property
    def quality(self) -> float:
        """The harmonic mean of the title's VMAF."""
        return harmonic_mean(self.loss, self.frames)


class OutOfReach(ValueError):
    """No choice of encodes is as good, or as small."""


def loss_of(quality: float, frames: int) -> float:
    """The loss of frames whose harmonic mean of VMAF is ``quality``."""
    return frames / (quality + 1)


def harmonic_mean(loss: float, frames: int) -> float:
    """The harmonic mean of VMAF of frames with that loss."""
    return frames / loss - 1


def shot_curve(points: Sequence[Point], frames: int) -> ShotCurve:
    """A shot's curve from its encodes: bits, and the harmonic mean of VMAF.

    Args:
        points: One or more, in any order; what is not on their hull is never chosen.
        frames: How many frames the shot has.
    """
    lost = [Point(p.size, -loss_of(p.quality, frames)) for p in points]
    numbers = {point: number for number, point in reversed(list(enumerate(lost)))}
    return ShotCurve(
        frames, tuple(Choice(p.size, -p.quality, numbers[p]) for p in upper_hull(lost))
    )


def at_price(shots: Sequence[ShotCurve], price: float) -> Allocation:
    """The choice with the least ``bits + price * loss``; of equals, the one with fewer bits."""
    places = tuple(
        min(range(len(shot.choices)), key=lambda n: _cost(shot.choices[n], price)) for shot in shots
    )
    return _allocation(shots, places)


def _cost(choice: Choice, price: float) -> tuple[float, float]:
    return choice.bits + price * choice.loss, choice.bits


def _allocation(shots: Sequence[ShotCurve], places: Sequence[int]) -> Allocation:
    chosen = [shot.choices[place] for shot, place in zip(shots, places, strict=True)]
    return Allocation(
        tuple(places),
        math.fsum(choice.bits for choice in chosen),
        math.fsum(choice.loss for choice in chosen),
        sum(shot.frames for shot in shots),
    )


def title_hull(shots: Sequence[ShotCurve]) -> Iterator[Allocation]:
    """The title's hull, from the least bits to the least loss; one shot changes at a time."""
    steps = sorted(
        (
            (_gain(before, after), number, place)
            for number, shot in enumerate(shots)
            for place, (before, after) in enumerate(pairwise(shot.choices), 1)
        ),
        key=lambda step: (-step[0], step[1], step[2]),
    )
    places = [0] * len(shots)
    first = _allocation(shots, places)
    yield first
    bits, loss = first.bits, first.loss
    for _, number, place in steps:
        before, after = shots[number].choices[place - 1 : place + 1]
        bits += after.bits - before.bits
        loss += after.loss - before.loss
        places[number] = place
        yield Allocation(tuple(places), bits, loss, first.frames)


def _gain(before: Choice, after: Choice) -> float:
    """How much less loss for each bit more."""
    return (before.loss - after.loss) / (after.bits - before.bits)


def for_quality(shots: Sequence[ShotCurve], quality: float) -> Allocation:
    """The first allocation of the title's hull that is as good.

    It costs at most one shot's step more than the best of all that are as good.

    Raises:
        OutOfReach: none is.
    """
    for allocation in title_hull(shots):
        if allocation.quality >= quality:
            return allocation
    raise OutOfReach(f"no choice of encodes has a VMAF of {quality:g}")


def for_bits(shots: Sequence[ShotCurve], bits: float) -> Allocation:
    """The last allocation of the title's hull that is as small.

    Raises:
        OutOfReach: none is.
    """
    best = None
    for allocation in title_hull(shots):
        if allocation.bits > bits:
            break
        best = allocation
    if best is None:
        raise OutOfReach(f"no choice of encodes has {bits:g} bits or fewer")
    return best


@dataclass(frozen=True, slots=True)
class Place:
    """Where a rung belongs: its coded size, the title's VMAF there, and its bits."""

    size: tuple[int, int]
    quality: float
    bits: float


def corners(title: Iterable[Allocation]) -> list[Point]:
    """Bits and quality of each allocation."""
    return [Point(allocation.bits, allocation.quality) for allocation in title]


def spread(
    points: Iterable[Point], bottom: float, top: float, step: tuple[float, float] = STEP,
    count: int | None = None,
) -> list[float]:  # fmt: skip
    """Qualities from ``bottom`` to ``top`` that are evenly far from one to the next.

    As few as are no further apart than one ``step``, or ``count``. A step is so many points of VMAF
    or such a factor in bits, whichever is further; it is counted stretch by stretch along the hull,
    so that across a bend two places may be a little further apart in both.
    """
    hull = [point for point in frontier([*points]) if bottom <= point.quality <= top]
    far = [0.0]
    for before, after in pairwise(hull):
        seen = (after.quality - before.quality) / step[0]
        carried = math.log(after.size / before.size) / math.log(step[1])
        far.append(far[-1] + min(seen, carried))
    if len(hull) < 2 or count == 1:
        return [top] * (count or 1)
    steps = max(1, math.ceil(far[-1] - 1e-9)) if count is None else max(1, count - 1)
    wanted = np.linspace(0, far[-1], steps + 1)
    qualities: list[float] = np.interp(wanted, far, [point.quality for point in hull]).tolist()
    return [*qualities[:-1], top]


def place_rungs(
    titles: Mapping[tuple[int, int], Sequence[Point]], lowest: float, highest: float,
    step: tuple[float, float] = STEP,
) -> list[Place]:  # fmt: skip
    """Rungs from ``lowest`` VMAF to ``highest``, as few as lie no further apart than ``step``.

    They are spread evenly; where the sizes do not reach as low or as high, over what they reach.
    Each is as good as its place asks, at the coded size and the corner that need the fewest bits
    for that. Rungs grow in bits and in quality; places that one corner fills are one.

    Args:
        titles: The corners of the title's hull at each coded size.
        lowest: VMAF of the smallest rung.
        highest: VMAF of the largest, at least ``lowest``.
        step: See ``spread``.
    """
    every = [point for title in titles.values() for point in title]
    reached = [point.quality for point in every]
    low, high = max(lowest, min(reached)), min(highest, max(reached))
    wanted = spread(every, low, high, step)
    return list(_growing(_cheapest(titles, quality) for quality in wanted))


def _cheapest(titles: Mapping[tuple[int, int], Sequence[Point]], quality: float) -> Place:
    """The size and the corner with the fewest bits that are as good."""
    found = [
        Place(size, point.quality, point.size)
        for size, title in titles.items()
        for point in title
        if point.quality >= quality - 1e-9
    ]
    return min(found, key=lambda place: (place.bits, -place.quality, place.size))


def _growing(places: Iterable[Place]) -> Iterator[Place]:
    """Without rungs that are the same as the one before."""
    before: Place | None = None
    for place in places:
        if before is None or (place.bits > before.bits and place.quality > before.quality):
            before = place
            yield place
