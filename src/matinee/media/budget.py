"""A processor budget: presets by which a ladder's rungs need the fewest bits for it (ADR 39).

Where rungs lie evenly by what viewers can tell, a percent of bits is worth as much at a small rung
as at a large one; and the mean of the logarithms of bits is what BD-rate measures along a ladder. A
small rung's percent costs less. So budgets are spent there first.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from matinee.media.estimate import encode_cost
from matinee.media.ladder import Ladder, Rung


@dataclass(frozen=True, slots=True)
class _Choice:
    """A preset of one rung: processor seconds of a frame, and the logarithm of its bits."""

    preset: str
    cost: float
    bits: float


@dataclass(frozen=True, slots=True)
class _Raise:
    """From one preset of a rung (by its place) to the next one that is worth it."""

    place: int
    to: _Choice
    cost: float
    saved: float


def within_budget(rungs: Sequence[Rung], budget: float) -> list[Rung]:
    """The rungs with the presets that save the most bits for a processor budget.

    All together they take at most ``budget`` times what they would take by the presets that they
    have; or as little as presets that are known allow, where that is more. With a budget of 1 or
    more, none is worse off than by the preset that it has.

    Args:
        rungs: Of one ladder, in any order.
        budget: Beside what they take as they are, 1 being as much.
    """
    every = [_worthwhile(rung, only_slower=budget >= 1) for rung in rungs]
    allowed = budget * math.fsum(map(encode_cost, rungs))
    taken = [choices[0] for choices in every]
    spent = math.fsum(choice.cost for choice in taken)
    raises = [
        _Raise(place, after, after.cost - before.cost, before.bits - after.bits)
        for place, choices in enumerate(every)
        for before, after in pairwise(choices)
    ]
    # Of one rung they come in order, as each is worth less than the one before.
    stopped: set[int] = set()
    for one in sorted(raises, key=lambda each: -each.saved / each.cost):
        if one.place in stopped:
            continue
        if spent + one.cost <= allowed * (1 + 1e-9):
            taken[one.place], spent = one.to, spent + one.cost
        else:
            stopped.add(one.place)
    return [replace(rung, preset=one.preset) for rung, one in zip(rungs, taken, strict=True)]


def _worthwhile(rung: Rung, *, only_slower: bool) -> list[_Choice]:
    """The presets on the lower hull of bits over cost, cheapest first."""
    least = encode_cost(rung) if only_slower else 0.0
    known = [
        _Choice(preset, encode_cost(replace(rung, preset=preset)), math.log(bits))
        for preset, bits in rung.coding.preset_bits.items()
    ]
    choices = sorted((one for one in known if one.cost >= least), key=lambda one: one.cost)
    hull: list[_Choice] = []
    for one in choices:
        if hull and one.bits >= hull[-1].bits:
            continue
        while len(hull) > 1 and _slope(hull[-2], one) >= _slope(hull[-2], hull[-1]):
            hull.pop()
        hull.append(one)
    return hull


def _slope(one: _Choice, other: _Choice) -> float:
    """Bits that are saved for a second more."""
    return (one.bits - other.bits) / (other.cost - one.cost)


def budgeted(ladders: Sequence[Ladder], rungs: Sequence[Rung]) -> tuple[Rung, ...]:
    """The rungs of a film, with presets by the budgets of those ladders whose rungs they are.

    Rungs that are still to be chosen stay as they are: see ``stages.title_ladder``.
    """
    found = list(rungs)
    for ladder in ladders:
        if ladder.cpu_budget is None or ladder.is_per_title:
            continue
        places = [
            place
            for place, rung in enumerate(rungs)
            if rung.family == ladder.family and rung.hdr is None
        ]
        own = _with_presets([rungs[place] for place in places], ladder)
        for place, rung in zip(places, own, strict=True):
            found[place] = rung
    return tuple(found)


def _with_presets(rungs: Sequence[Rung], ladder: Ladder) -> list[Rung]:
    """By what came of the ladder's budget before, or now."""
    kept = dict(ladder.presets)
    if rungs and all(rung.name in kept for rung in rungs):
        return [replace(rung, preset=kept[rung.name]) for rung in rungs]
    assert ladder.cpu_budget is not None
    return within_budget(rungs, ladder.cpu_budget)
