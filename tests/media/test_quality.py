"""Pooling of scores."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from matinee.core.time import FrameSpan
from matinee.media.plan import shots
from matinee.media.quality import by_second, pool

SCORES = st.integers(1, 300).flatmap(
    lambda count: arrays(np.float64, count, elements=st.floats(0, 100, width=32))
)


def whole(count: int) -> list[FrameSpan]:
    return [FrameSpan(0, count)]


@settings(deadline=None)
@given(scores=SCORES)
def test_the_pooled_numbers_are_in_order(scores: np.ndarray) -> None:
    pooled = pool(scores, whole(len(scores)))

    assert pooled.minimum <= pooled.p5 + 1e-9
    assert pooled.minimum - 1e-9 <= pooled.harmonic_mean <= pooled.mean + 1e-9
    assert pooled.mean <= scores.max() + 1e-9
    if pooled.p1 is not None:
        assert pooled.minimum - 1e-9 <= pooled.p1 <= pooled.p5 + 1e-9


@settings(deadline=None)
@given(scores=SCORES)
def test_the_lowest_hundredth_needs_a_hundred_frames(scores: np.ndarray) -> None:
    assert (pool(scores, whole(len(scores))).p1 is None) == (len(scores) < 100)


@settings(deadline=None)
@given(scores=SCORES, cuts=st.sets(st.integers(1, 299)))
def test_the_worst_shot_has_the_lowest_mean(scores: np.ndarray, cuts: set[int]) -> None:
    within = [cut for cut in sorted(cuts) if cut < len(scores)]
    found = shots(within, len(scores), Fraction(25))
    means = {shot: float(np.mean(scores[shot.start : shot.end])) for shot in found}

    pooled = pool(scores, found)

    assert pooled.worst_shot_mean == min(means.values()) == means[pooled.worst_shot]


@settings(deadline=None)
@given(score=st.floats(0, 100), count=st.integers(1, 200))
def test_equal_scores_pool_to_themselves(score: float, count: int) -> None:
    pooled = pool(np.full(count, score), whole(count))

    for value in (pooled.mean, pooled.harmonic_mean, pooled.p5, pooled.minimum):
        assert value == pytest.approx(score, abs=1e-9)


def test_pooled_numbers_are_those_of_their_definitions() -> None:
    scores = np.array([0.0, 50.0, 100.0, 99.0])

    pooled = pool(scores, [FrameSpan(0, 2), FrameSpan(2, 4)])

    assert pooled.mean == 62.25
    assert pooled.harmonic_mean == pytest.approx(4 / (1 + 1 / 51 + 1 / 101 + 1 / 100) - 1)
    assert pooled.p5 == pytest.approx(7.5)
    assert (pooled.worst_shot, pooled.worst_shot_mean) == (FrameSpan(0, 2), 25.0)
    assert pooled.as_json()["worst_shot"] == {"start": 0, "end": 2, "mean": 25.0}
    assert pooled.as_json()["p1"] is None


@settings(deadline=None)
@given(scores=SCORES, rate=st.sampled_from([24000 / 1001, 25.0, 30.0, 60.0, 0.5]))
def test_every_second_has_one_mean(scores: np.ndarray, rate: float) -> None:
    means = by_second(scores, rate)

    assert abs(len(means) - len(scores) / rate) < 1 or rate < 1
    assert all(scores.min() - 0.01 <= mean <= scores.max() + 0.01 for mean in means)


def test_seconds_are_cut_at_whole_frames() -> None:
    assert by_second(np.array([10.0] * 25 + [20.0] * 25 + [40.0]), 25.0) == [10, 20, 40]
