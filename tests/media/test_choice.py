"""The CRF of every shot, against all that could be chosen."""

from itertools import pairwise, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matinee.media.choice import (
    Goal,
    Range,
    allowed,
    choose,
    choose_as_fixed,
    mean_of,
    neighbours,
    on_slope,
    stepped,
    target_goal,
)
from matinee.media.codecs import CODECS
from matinee.media.shot_models import Measured, ShotModel

BOUNDS = Range(24, 26, 0.5)
"""Five CRFs, so that everything can be tried."""


@st.composite
def models(draw: st.DrawFn) -> ShotModel:
    """A shot that needs fewer bits and looks worse the higher its CRF is."""
    best = draw(st.floats(40, 99))
    worse = [draw(st.floats(0.2, 12)), draw(st.floats(0.2, 12))]
    bits = draw(st.floats(2e4, 2e6))
    fewer = [draw(st.floats(1.2, 4)), draw(st.floats(1.2, 4))]
    gap = draw(st.floats(0, 8))
    points = [
        (18.0, bits, best),
        (26.0, bits / fewer[0], best - worse[0]),
        (34.0, bits / fewer[0] / fewer[1], best - worse[0] - worse[1]),
    ]
    proxies = tuple(Measured(crf, size, vmaf, vmaf - gap) for crf, size, vmaf in points)
    return ShotModel(draw(st.integers(24, 300)), proxies)


TITLE = st.lists(models(), min_size=1, max_size=3)
FEWER = settings(max_examples=40)


@FEWER
@given(title=TITLE, quality=st.floats(20, 99), depth=st.floats(0, 15))
def test_a_goal_is_met_within_one_step_of_the_best_of_all(
    title: list[ShotModel], quality: float, depth: float
) -> None:
    goal = Goal(quality, (quality - depth,) * len(title))
    ranges = [
        allowed(model, floor, BOUNDS) for model, floor in zip(title, goal.floors, strict=True)
    ]
    every = [
        (sum(point.bits for point in points), mean_of(title, points)) for points in product(*ranges)
    ]
    slope, _ = on_slope(title, ranges, goal)
    bits, mean = sum(one.bits for one in slope), mean_of(title, slope)
    found = choose(title, goal, BOUNDS)
    good = [size for size, vmaf in every if vmaf >= quality + 1e-9]

    assert not any(size < bits - 1e-6 and vmaf > mean + 1e-9 for size, vmaf in every)
    assert found.bits <= bits + 1e-6
    if good:
        assert found.quality >= quality - 1e-9
        widest = max(max(p.bits for p in r) - min(p.bits for p in r) for r in ranges)
        assert found.bits <= min(good) + widest + 1e-6
    else:
        assert found.quality >= max(vmaf for _, vmaf in every) - 1e-6
    if good and len(title) == 1:
        assert found.bits == pytest.approx(min(good))


@FEWER
@given(title=TITLE, low=st.floats(20, 98), more=st.floats(0, 20))
def test_at_one_slope_more_bits_are_never_less_quality(
    title: list[ShotModel], low: float, more: float
) -> None:
    floors = (0.0,) * len(title)
    ranges = [allowed(model, 0.0, BOUNDS) for model in title]
    less, better = (on_slope(title, ranges, Goal(goal, floors))[0] for goal in (low, low + more))

    assert all(b.crf <= a.crf for a, b in zip(less, better, strict=True))
    assert all(b.bits >= a.bits - 1e-6 for a, b in zip(less, better, strict=True))
    assert mean_of(title, better) >= mean_of(title, less) - 1e-9


@FEWER
@given(title=TITLE, target=st.floats(30, 95), margin=st.floats(0.1, 10))
def test_no_shot_is_below_its_floor_that_can_be_above(
    title: list[ShotModel], target: float, margin: float
) -> None:
    goal = target_goal(target, margin, len(title), 0.1)
    found = choose(title, goal, BOUNDS)

    for model, crf in zip(title, found.crfs, strict=True):
        best = max(model.at(one).worst for one in (24.0, 24.5, 25.0, 25.5, 26.0))
        assert model.at(crf).worst >= min(best, target - margin) - 1e-9


@FEWER
@given(title=TITLE)
def test_without_a_target_it_is_as_good_as_one_crf_in_no_more_bits(title: list[ShotModel]) -> None:
    crf = 25.0
    alike = [model.at(crf) for model in title]
    found, goal = choose_as_fixed(title, crf, Range(18, 34, 0.5))

    assert found.quality >= mean_of(title, alike) - 1e-9
    assert goal.quality == pytest.approx(mean_of(title, alike))
    assert found.bits <= sum(one.bits for one in alike) + 1e-6


def test_neighbours_lie_around_what_was_taken() -> None:
    proxies = (Measured(20, 4e5, 96, 95), Measured(28, 1e5, 88, 86))
    model = ShotModel(100, proxies)
    found = neighbours(model, 24.0, Range(1, 51, 0.5))

    assert [one.crf for one in found] == [22, 23, 25, 26]
    assert all(a.bits > b.bits and a.quality > b.quality for a, b in pairwise(found))
    assert [one.crf for one in neighbours(model, 16.0, Range(1, 51, 1))] == [17, 18]


def test_a_codec_of_whole_crfs_is_given_no_others() -> None:
    model = ShotModel(100, (Measured(20, 4e5, 96, 95), Measured(28, 1e5, 88, 86)))

    assert choose([model], Goal(91.3, (0.0,)), Range(1, 63, 1)).crfs[0] % 1 == 0
    assert all(codec.crf_step in (0.5, 1) for codec in CODECS.values())


def test_steps_stay_within_what_a_codec_has() -> None:
    assert stepped(30, (-2.5, 0, 40, -40), Range(1, 51, 0.5)) == (27.5, 30, 51, 1)
