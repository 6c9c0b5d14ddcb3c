"""Presets by a processor budget."""

import math
from dataclasses import replace
from fractions import Fraction
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.media.test_ladder import picture
from tests.media.test_title_ladder import FEWER

from matinee.core.errors import ProfileInvalid
from matinee.ladders import load_ladder
from matinee.media.budget import budgeted, within_budget
from matinee.media.estimate import encode_cost
from matinee.media.ladder import Rung, fit_all
from matinee.media.ladder_checks import BUDGETS
from matinee.media.profile import profile_of
from matinee.profiles import load_profile

SIZES = ((256, 144), (426, 240), (640, 360), (854, 480), (1280, 720))


def rung(size: tuple[int, int], codec: str = "h264", preset: str = "medium") -> Rung:
    width, height = size
    return Rung(
        f"{height}p",
        width,
        height,
        Fraction(24),
        codec,
        preset,
        23,
        3_000_000,
        6_000_000,
        "4",
        3,
        1,
    )


def cost_of(rungs: list[Rung]) -> float:
    return math.fsum(map(encode_cost, rungs))


def bits_of(rungs: list[Rung]) -> float:
    """As BD-rate counts them: the mean of their logarithms."""
    return math.fsum(math.log(one.coding.preset_bits[one.preset]) for one in rungs) / len(rungs)


ladders = st.lists(st.sampled_from(SIZES), min_size=1, max_size=6)
budgets = st.floats(*BUDGETS)


@FEWER
@given(ladders, budgets, st.sampled_from(["h264", "av1"]))
def test_a_budget_is_kept(sizes: list[tuple[int, int]], budget: float, codec: str) -> None:
    before = [rung(size, codec, {"h264": "medium", "av1": "6"}[codec]) for size in sizes]
    after = within_budget(before, budget)

    cheapest = [
        min(encode_cost(replace(one, preset=name)) for name in one.coding.preset_bits)
        for one in before
    ]
    allowed = max(budget * cost_of(before), math.fsum(cheapest))
    assert cost_of(after) <= allowed * (1 + 1e-6)
    assert [replace(one, preset="") for one in after] == [replace(o, preset="") for o in before]


@FEWER
@given(ladders, st.floats(1, BUDGETS[1]), st.floats(1, BUDGETS[1]))
def test_more_buys_no_less(sizes: list[tuple[int, int]], one: float, other: float) -> None:
    rungs = [rung(size) for size in sizes]
    low, high = sorted([one, other])

    # A larger budget may buy one dear thing in place of cheap ones; never by much.
    assert bits_of(within_budget(rungs, high)) <= bits_of(within_budget(rungs, low)) + 0.01


@pytest.mark.parametrize("budget", [0.6, 1.0, 1.25, 1.5, 2.0])
def test_hardly_anything_is_better(budget: float) -> None:
    """Against all combinations of presets that the budget allows."""
    rungs = [rung(size) for size in SIZES[1:]]
    allowed = budget * cost_of(rungs)
    least = 0.0 if budget < 1 else encode_cost(rungs[0])
    names = [
        name
        for name in rungs[0].coding.preset_bits
        if encode_cost(replace(rungs[0], preset=name)) >= least
    ]
    every = (
        [replace(one, preset=name) for one, name in zip(rungs, taken, strict=True)]
        for taken in product(names, repeat=len(rungs))
    )
    best = min(bits_of(one) for one in every if cost_of(one) <= allowed * (1 + 1e-9))

    assert bits_of(within_budget(rungs, budget)) <= best + 0.01


@FEWER
@given(ladders, st.floats(1, BUDGETS[1]))
def test_nothing_becomes_worse_by_a_budget(sizes: list[tuple[int, int]], budget: float) -> None:
    rungs = [rung(size) for size in sizes]

    for before, after in zip(rungs, within_budget(rungs, budget), strict=True):
        assert encode_cost(after) >= encode_cost(before)
    assert within_budget(rungs, 1.0) == rungs


def test_small_rungs_are_served_first() -> None:
    presets = [one.preset for one in within_budget([rung(size) for size in SIZES], 1.25)]
    order = list(rung(SIZES[0]).coding.presets)

    places = [order.index(preset) for preset in presets]
    assert places == sorted(places, reverse=True)
    assert places[0] > places[-1]


def test_each_ladder_of_a_film_has_its_own() -> None:
    standard, av1 = load_ladder("standard"), load_ladder("av1")
    plain = fit_all([standard, av1], picture(1280, 720), Fraction(24))
    found = budgeted([standard.with_budget(2), av1], plain)

    own = [one for one in plain if one.family == standard.family]
    assert [one for one in found if one.family == ""] == within_budget(own, 2)
    assert [one for one in found if one.family == "av1"] == [
        one for one in plain if one.family == "av1"
    ]
    assert budgeted([standard.with_budget(2).with_settings("per-title")], own) == tuple(own)


def test_a_ladder_without_known_presets_has_none() -> None:
    fast = replace(load_ladder("standard"), preset="ultrafast")

    assert fast.with_budget(2).cpu_budget is None
    assert load_profile("web").with_budget(2).ladders[0].cpu_budget == 2
    with pytest.raises(ProfileInvalid, match="none of its ladders"):
        profile_of(fast).with_budget(2)
    assert profile_of(fast).with_budget(None) == profile_of(fast)
