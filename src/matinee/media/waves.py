"""Which shots are encoded next as they ship, and at which CRFs, until a target is met.

Shots are encoded in waves, a few first: what is found of them places the curves of the others, so
that most are right the first time. Then as few as possible are encoded again.
"""

import math
from collections.abc import Collection, Iterator, Mapping, Sequence

from matinee.media.choice import (
    CLOSE,
    Chosen,
    Goal,
    Range,
    allowed,
    choose,
    mean_of,
    on_slope,
    trimmed,
)
from matinee.media.shot_models import Measured, ShotModel

WAVES = (8, 3, 1)
"""One shot in so many is in each wave; the last one has all that are left."""

SURER = 0.25
"""How far above its floor a shot is aimed that is encoded again, in VMAF."""

SPARING = 0.5
"""The same of a shot that gives bits back: the step is long, so what comes of it is less sure."""

SMALL = 2
"""What changes a shot's CRF by fewer steps is not worth an encode, where it keeps its floor."""

REACH = 4
"""How far from the CRF that suits all shots best one may go so that others can stay, in steps."""

LONGEST = 8
"""How many steps higher than it was a CRF may be, where no encode of the shot is higher."""

GROWTH = 1.4
"""How many more shots may change, each time that fewer were not enough."""


def waves_of(shots: int) -> list[list[int]]:
    """The numbers of the shots of each wave, ascending; each wave is spread over the film."""
    count = math.ceil(shots / WAVES[0])
    first = [(2 * n + 1) * shots // (2 * count) for n in range(count)]
    digits = max(1, (shots - 1).bit_length())
    others = sorted(set(range(shots)) - set(first), key=lambda n: f"{n:0{digits}b}"[::-1])
    left, waves = [*first, *others], []
    for share in WAVES:
        size = math.ceil(shots / share)
        waves.append(sorted(left[:size]))
        left = left[size:]
    return [wave for wave in waves if wave]


def next_choice(
    models: Sequence[ShotModel], points: Mapping[int, Measured], goal: Goal, bounds: Range
) -> Chosen:
    """A CRF for every shot; what is encoded already stays where it keeps its floor.

    So the others make up for what it has too much or too little.

    Args:
        models: They know ``points``.
        points: The encodes of some shots, by number.
        goal: What is to be reached.
        bounds: CRFs that may be taken.
    """
    ranges = [
        [points[number]]
        if number in points and points[number].worst >= floor
        else allowed(model, floor, bounds)
        for number, (model, floor) in enumerate(zip(models, goal.floors, strict=True))
    ]
    return _chosen(models, ranges, goal)


def corrected(
    models: Sequence[ShotModel], points: Sequence[Measured], goal: Goal, bounds: Range
) -> Chosen:
    """The choice after all shots were encoded: as few as it takes change.

    Those below their floor may always change. Where the mean would still be off, those change with
    them that are furthest from where the best choice for all would have them. Where no choice
    is likely to be good enough, only those below their floor are tried again; all, where none is.

    Args:
        models: They know ``points``.
        points: The shots' encodes as they are now.
        goal: What is to be reached.
        bounds: CRFs that may be taken.
    """
    floors = tuple(floor + SURER for floor in goal.floors)
    fresh = choose(models, Goal(goal.quality, floors, goal.above), bounds)
    pairs = list(zip(points, goal.floors, strict=True))
    low = [number for number, (point, floor) in enumerate(pairs) if point.worst < floor]
    others = sorted(
        set(range(len(points))) - set(low),
        key=lambda n: (-abs(fresh.crfs[n] - points[n].crf), n),
    )
    ranges = [
        _range(*each, bounds) for each in zip(models, points, fresh.crfs, floors, strict=True)
    ]
    tried: list[Chosen] = []
    most = goal.quality + CLOSE - goal.above
    for count in _counts(len(others)):
        free = {*low, *others[:count]}
        chosen = _chosen(models, _some(ranges, points, free), goal)
        if goal.quality + goal.above / 2 <= chosen.quality <= most:
            return chosen
        tried.append(chosen)
    enough = [one for one in tried if one.quality >= goal.quality]
    if not enough:
        return tried[0] if low else fresh
    return min(enough, key=lambda one: max(one.quality, most))


def _range(
    model: ShotModel, point: Measured, best: float, floor: float, bounds: Range
) -> list[Measured]:
    """What a shot may change to: near to its best CRF, and what it has is kept or left behind."""
    step = bounds.step
    high = max(point.crf + LONGEST * step, *(one.crf for one in model.finals))
    best = min(best, high)
    near = [
        one
        for one in allowed(model, floor, bounds)
        if abs(one.crf - best) <= REACH * step
        and one.crf <= high
        and (one.crf <= point.crf or one.worst >= floor + SPARING - SURER)
        and (
            abs(one.crf - point.crf) >= SMALL * step or one.crf == point.crf or point.worst < floor
        )
    ]
    return near or [model.at(best)]


def _some(
    ranges: Sequence[Sequence[Measured]], points: Sequence[Measured], free: Collection[int]
) -> list[Sequence[Measured]]:
    return [
        own if number in free else [point]
        for number, (own, point) in enumerate(zip(ranges, points, strict=True))
    ]


def _counts(most: int) -> Iterator[int]:
    """Ascending from 0 to ``most``; one by one at first."""
    count = 0
    while count < most:
        yield count
        count = max(count + 1, int(count * GROWTH))
    yield most


def _chosen(
    models: Sequence[ShotModel], ranges: Sequence[Sequence[Measured]], goal: Goal
) -> Chosen:
    points, slope = on_slope(models, ranges, goal)
    points = trimmed(models, ranges, points, goal)
    bits = math.fsum(one.bits for one in points)
    return Chosen(tuple(one.crf for one in points), bits, mean_of(models, points), slope)
