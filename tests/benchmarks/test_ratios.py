"""Pairs of runs and their ratio."""

from itertools import count

import pytest
from benchmarks.ratios import Ratio, ratio_of, take_turns


def test_the_ratio_is_the_median_of_the_pairs_not_of_the_sides() -> None:
    ours, peer = [1.0, 12.0, 30.0], [1.0, 10.0, 20.0]

    assert ratio_of(ours, peer) == Ratio(middle=1.2, lowest=1.0, highest=1.5)


def test_runs_that_are_not_in_pairs_are_refused() -> None:
    with pytest.raises(ValueError, match="shorter"):
        ratio_of([1.0, 2.0], [1.0])


def test_the_arms_take_turns() -> None:
    clock = count(1)
    turns: list[tuple[str, int]] = []
    arms = {"a": lambda: next(clock), "b": lambda: next(clock)}

    results = take_turns(arms, 2, lambda arm, turn: turns.append((arm, turn)))

    assert turns == [("a", 1), ("b", 1), ("a", 2), ("b", 2)]
    assert results == {"a": [1, 3], "b": [2, 4]}
