"""Which CRF each shot of a rung takes: a constant slope over its shots, and no shot below a floor.

- Among the CRFs at which a shot keeps its floor, all shots take what a bit buys as much at
  (constant slope: ``media/hull.py``), so that the rung's goal is met with the fewest bits.
- A shot that keeps its floor at no CRF takes its best one.
- Bit rate caps are not weighed here: they hold in every encode that was measured, so they are in
  the curves.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from matinee.media.codecs.codec import Demand
from matinee.media.curves import Point
from matinee.media.hull import (
    JND,
    Allocation,
    Choice,
    OutOfReach,
    ShotCurve,
    for_quality,
    harmonic_mean,
    loss_of,
    shot_curve,
    title_hull,
)
from matinee.media.ladder import Rung
from matinee.media.shot_models import Measured, ShotModel

MOST_WORSE = JND
"""Without a target: how much worse than at the ladder's CRF a shot may be, in VMAF."""

WORTH = 1e-3
"""The share of bits that a choice has to save, without a target, to be taken."""

CLOSE = 0.5
"""How far above its target a rung may be before its shots are chosen again, in VMAF."""

UNCAPPED = 60_000_000
"""Bits per second that no encode needs which is worth a comparison."""

BEST = 99.99
"""A mean that nothing is asked to be above: pictures that are alike have 100, or nearly."""

TRIMS = 8
"""How many shots at most give back what is too much."""


@dataclass(frozen=True, slots=True)
class Range:
    """The CRFs that a codec may be given: from ``low`` to ``high``, whole multiples of ``step``."""

    low: float
    high: float
    step: float


def range_of(rung: Rung, lowest: float = 0.0) -> Range:
    """The CRFs of a rung's codec, from ``lowest`` up."""
    low, high = rung.coding.crf
    return Range(max(float(low), lowest), high, rung.coding.crf_step)


def uncapped(rung: Rung) -> Rung:
    """The rung without a cap that anything comes near to, and the level for that."""
    bufsize = 2 * UNCAPPED
    demand = Demand(
        rung.width, rung.height, rung.rate, bufsize, rung.reference_frames, rung.profile
    )
    return replace(rung, maxrate=UNCAPPED, bufsize=bufsize, level=rung.coding.level(demand))


@dataclass(frozen=True, slots=True)
class Goal:
    """What a rung is to reach: the harmonic mean of its VMAF, and the floor of each of its shots.

    ``above`` is added to the mean that is aimed at, as encodes never are quite what was guessed.
    """

    quality: float
    floors: tuple[float, ...]
    above: float = 0.0


@dataclass(frozen=True, slots=True)
class Chosen:
    """The CRF of every shot, and what is likely to come of it.

    ``slope`` is how many bits the next VMAF point of the rung's mean costs; None: none is left.
    """

    crfs: tuple[float, ...]
    bits: float
    quality: float
    slope: float | None


def target_goal(target: float, margin: float, shots: int, above: float) -> Goal:
    """A mean of ``target``, and no shot more than ``margin`` below it."""
    return Goal(target, (target - margin,) * shots, above)


def fixed_goal(models: Sequence[ShotModel], crf: float) -> Goal:
    """As good as with one CRF for all shots, and no shot much worse."""
    alike = [model.at(crf) for model in models]
    floors = tuple(one.worst - MOST_WORSE for one in alike)
    return Goal(mean_of(models, alike), floors)


def mean_of(models: Sequence[ShotModel], points: Sequence[Measured]) -> float:
    """The harmonic mean of VMAF over all frames."""
    loss = math.fsum(
        loss_of(point.quality, model.frames) for model, point in zip(models, points, strict=True)
    )
    return harmonic_mean(loss, sum(model.frames for model in models))


def grid(model: ShotModel, bounds: Range) -> list[float]:
    """The CRFs that a shot may take, ascending, as far as its curve is believed."""
    low, high = max(bounds.low, model.span[0]), min(bounds.high, model.span[1])
    first, last = math.ceil(low / bounds.step), math.floor(high / bounds.step)
    return [number * bounds.step for number in range(first, last + 1)]


def allowed(model: ShotModel, floor: float, bounds: Range) -> list[Measured]:
    """What a shot may take; never empty."""
    points = [model.at(crf) for crf in grid(model, bounds)]
    good = [point for point in points if point.worst >= floor]
    return good or [max(points, key=lambda one: (one.worst, one.quality, -one.bits))]


def stepped(crf: float, steps: Sequence[float], bounds: Range) -> tuple[float, ...]:
    """The CRF of every shot, so far from one that is for all."""
    return tuple(min(bounds.high, max(bounds.low, crf + step)) for step in steps)


def choose(models: Sequence[ShotModel], goal: Goal, bounds: Range) -> Chosen:
    """A CRF for every shot: the goal is met with the fewest bits, or come as near to as it goes.

    By a constant slope; then what the last step has too much is given back, where shots can do with
    less. That matters in short films, whose steps are large.
    """
    ranges = [
        allowed(model, floor, bounds) for model, floor in zip(models, goal.floors, strict=True)
    ]
    chosen, slope = on_slope(models, ranges, goal)
    chosen = trimmed(models, ranges, chosen, goal)
    return Chosen(
        tuple(one.crf for one in chosen),
        math.fsum(one.bits for one in chosen),
        mean_of(models, chosen),
        slope,
    )


def on_slope(
    models: Sequence[ShotModel], ranges: Sequence[Sequence[Measured]], goal: Goal
) -> tuple[list[Measured], float | None]:
    """The shots' points at one slope, and that slope; ``ranges`` are what each shot may take."""
    curves = [
        shot_curve([Point(one.bits, one.quality) for one in points], model.frames)
        for model, points in zip(models, ranges, strict=True)
    ]
    try:
        found = for_quality(curves, min(goal.quality + goal.above, BEST))
    except OutOfReach:
        *_, found = title_hull(curves)
    chosen = [
        points[curve.choices[place].number]
        for points, curve, place in zip(ranges, curves, found.places, strict=True)
    ]
    return chosen, _slope(curves, found)


def trimmed(
    models: Sequence[ShotModel], ranges: Sequence[Sequence[Measured]],
    chosen: Sequence[Measured], goal: Goal,
) -> list[Measured]:  # fmt: skip
    """Points of fewer bits for a few shots, as far as the goal is met; a hull passes them over."""
    taken = list(chosen)
    most = sum(model.frames for model in models) / (min(goal.quality + goal.above, BEST) + 1)
    for _ in range(TRIMS):
        slack = most - math.fsum(
            loss_of(p.quality, m.frames) for m, p in zip(models, taken, strict=True)
        )
        if slack <= 0:
            break
        savings = []
        for number, (model, points) in enumerate(zip(models, ranges, strict=True)):
            own = taken[number]
            loss = loss_of(own.quality, model.frames) + slack
            fewer = [p for p in points if loss_of(p.quality, model.frames) <= loss]
            best = min(fewer, key=lambda one: one.bits, default=own)
            savings.append((own.bits - best.bits, -number, best))
        saved, number, best = max(savings, key=lambda one: one[:2])
        if saved <= 0:
            break
        taken[-number] = best
    return taken


def _slope(curves: Sequence[ShotCurve], found: Allocation) -> float | None:
    """Bits for a point of the mean, by the cheapest step that is left."""
    steps = [
        (after.bits - before.bits) / (before.loss - after.loss)
        for curve, place in zip(curves, found.places, strict=True)
        for before, after in _step(curve.choices, place)
    ]
    if not steps:
        return None
    # A point of the mean is so much loss, at the mean that there is.
    return min(steps) * found.frames / (found.quality + 1) ** 2


def _step(choices: Sequence[Choice], place: int) -> list[tuple[Choice, Choice]]:
    return [(choices[place], choices[place + 1])] if place + 1 < len(choices) else []


def lack_of(models: Sequence[ShotModel], points: Sequence[Measured], goal: Goal) -> float:
    """How far encodes as they ship are below a goal, in VMAF: the mean, and every floor; 0: not."""
    below = [floor - point.worst for point, floor in zip(points, goal.floors, strict=True)]
    return math.fsum(max(0.0, one) for one in (goal.quality - mean_of(models, points), *below))


def as_found(
    models: Sequence[ShotModel], points: Sequence[Measured], slope: float | None
) -> Chosen:
    """Encodes that are there, as a choice."""
    return Chosen(
        tuple(point.crf for point in points),
        math.fsum(point.bits for point in points),
        mean_of(models, points),
        slope,
    )


@dataclass(frozen=True, slots=True)
class Neighbour:
    """What another CRF would give a shot, beside the one that was taken."""

    crf: float
    bits: float
    quality: float


def neighbours(model: ShotModel, crf: float, bounds: Range, apart: float = 1.0) -> list[Neighbour]:
    """The CRFs one and two steps to either side, as they are likely to be."""
    wanted = [crf + n * apart for n in (-2, -1, 1, 2)]
    inside = grid(model, bounds)
    found = [model.at(one) for one in wanted if inside and inside[0] <= one <= inside[-1]]
    return [Neighbour(one.crf, one.bits, one.quality) for one in found]


def choose_as_fixed(models: Sequence[ShotModel], crf: float, bounds: Range) -> tuple[Chosen, Goal]:
    """As good as one CRF for all shots, in fewer bits or the same; and the goal."""
    goal = fixed_goal(models, crf)
    chosen = choose(models, goal, bounds)
    alike = math.fsum(model.at(crf).bits for model in models)
    if chosen.bits < alike * (1 - WORTH):
        return chosen, goal
    return Chosen((crf,) * len(models), alike, goal.quality, chosen.slope), goal
