"""What choosing per shot would gain."""

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from matinee.core.time import FrameSpan
from matinee.media.choice import Range
from matinee.media.comparison import Encode, Part
from matinee.media.headroom import cost_of_steps, every_rung, headroom, rungs_instead
from matinee.media.hull import CLOSEST, JND

PARTS = [Part(FrameSpan(30 * n, 30 * n + 30), 30 * n) for n in range(6)]
CRFS = (16.0, 22.0, 28.0, 34.0, 40.0)


def encodes(
    hard: list[float], falls: Callable[[float], float], size: tuple[int, int] = (640, 360),
    top: float = 99.0,
) -> list[Encode]:  # fmt: skip
    """Shots that are so hard; the score falls with CRF, in hard shots as ``falls`` says."""
    every = np.repeat(hard, 30)
    steepness = np.array([falls(one) for one in every])
    pixels = size[0] * size[1] / 640 / 360
    return [
        Encode(
            name=f"CRF {crf:g}", width=size[0], height=size[1], crf=crf, is_own=crf == 22,
            sizes=(2000 * pixels**0.75 * every * 2 ** (-(crf - 22) / 6)).astype(np.int64),
            scores=top - steepness * (crf - 10) ** 1.5 / 8,
        )
        for crf in CRFS
    ]  # fmt: skip


def test_shots_that_are_alike_gain_nothing() -> None:
    found = headroom(encodes([2.0] * 6, lambda _: 1.0), PARTS)

    assert found is not None
    assert found.crf_per_shot == pytest.approx(0, abs=0.05)
    assert found.free == pytest.approx(found.crf_per_shot, abs=1e-9)


def test_shots_that_fall_differently_gain_by_a_crf_of_their_own() -> None:
    found = headroom(encodes([1, 8, 1, 8, 2, 4], lambda hard: 2.5 / hard), PARTS)

    assert found is not None
    assert found.crf_per_shot < -1


def test_a_size_for_each_shot_is_never_worse() -> None:
    small = encodes([1, 8, 1, 8, 2, 4], lambda hard: 0.5 / hard, (320, 180), top=70)
    large = encodes([1, 8, 1, 8, 2, 4], lambda hard: hard / 4)

    found = headroom([*small, *large], PARTS)

    assert found is not None
    assert found.free <= found.crf_per_shot + 1e-9 <= 0.2


def test_rungs_lie_one_jnd_apart_and_use_the_size_that_is_cheapest_there() -> None:
    small = encodes([2.0] * 6, lambda _: 0.4, (320, 180), top=75)
    large = encodes([2.0] * 6, lambda _: 1.2)

    found = headroom([*small, *large], PARTS)

    assert found is not None
    gaps = [b.quality - a.quality for a, b in pairwise(found.places) if a.size == b.size]
    assert gaps and all(gap <= JND + 1 for gap in gaps)
    assert found.places[0].size == (320, 180)
    assert found.places[-1].size == (640, 360)


def test_files_and_curves_of_two_crfs_have_none() -> None:
    side = encodes([1.0] * 6, lambda _: 1.0)

    assert headroom([replace(one, crf=None) for one in side], PARTS) is None
    assert headroom(side[:2], PARTS) is None


BOUNDS = Range(10, 46, 0.5)


def steps_cost(own: list[Encode], proxies: list[Encode], every: int = 1) -> float:
    found = cost_of_steps(own, proxies, PARTS, 28.0, BOUNDS, every)
    assert found is not None
    return found


def test_steps_that_its_own_curves_choose_lose_little_and_others_lose_more() -> None:
    own = encodes([1.0, 8, 1, 8, 2, 4], lambda one: 2.5 / one)
    twice = [replace(one, sizes=2 * one.sizes) for one in own]
    alike = encodes([3.0] * 6, lambda _: 1.0)
    one_crf = headroom(own, PARTS)

    assert one_crf is not None
    without = 100 * (1 / (1 + one_crf.crf_per_shot / 100) - 1)
    assert 0 <= steps_cost(own, own) + 0.02 < without / 2
    assert steps_cost(own, twice) == pytest.approx(steps_cost(own, own), abs=0.1)
    assert steps_cost(own, alike) == pytest.approx(without, abs=0.1)


def test_two_proxies_and_few_scores_choose_nearly_as_well() -> None:
    own = encodes([1.0, 8, 1, 8, 2, 4], lambda one: 2.5 / one)

    lost = steps_cost(own, [own[0], own[4]], every=7)

    assert lost < steps_cost(own, own) + 1


def test_without_curves_nothing_is_lost() -> None:
    own = encodes([2.0] * 6, lambda _: 1.0)

    assert cost_of_steps(own[:2], own, PARTS, 28.0, BOUNDS) is None


def both_sizes() -> list[Encode]:
    small = encodes([2.0] * 6, lambda _: 0.4, (320, 180), top=75)
    return [*small, *encodes([2.0] * 6, lambda _: 1.2)]


def test_rungs_in_place_of_a_ladder_reach_as_low_and_as_high_and_lie_a_step_apart() -> None:
    side = both_sizes()
    peer = [replace(side[3], sizes=2 * side[3].sizes), replace(side[6], sizes=2 * side[6].sizes)]

    found = rungs_instead(every_rung(side, PARTS), peer)

    assert found[0].bits <= peer[0].bits
    assert found[-1].quality >= max(one.quality for one in peer)
    assert found[0].quality > peer[0].quality, "what costs nothing more is not given away"
    assert all(a.bits < b.bits and a.quality < b.quality for a, b in pairwise(found))
    assert all(
        b.quality - a.quality <= JND + 1 or b.bits <= 1.1 * CLOSEST * a.bits
        for a, b in pairwise(found)
    )


def test_a_rung_in_place_of_another_names_the_crf_that_gives_it() -> None:
    side = encodes([2.0] * 6, lambda _: 1.2)
    peer = [replace(one, sizes=one.sizes * 1) for one in side]

    found = rungs_instead(every_rung(side, PARTS), peer)

    assert (found[0].crf, found[-1].crf) == (CRFS[-1], CRFS[0])
    assert found[-1].bits == pytest.approx(side[0].bits)
    assert found[-1].quality == pytest.approx(side[0].quality)
    assert [one.crf for one in found] == sorted((one.crf for one in found), reverse=True)


def test_a_side_without_curves_has_no_rungs_to_give() -> None:
    side = both_sizes()

    assert every_rung(side[:2], PARTS) == [] == rungs_instead([], side)
