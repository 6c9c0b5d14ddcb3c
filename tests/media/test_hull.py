"""Hulls and choices, against all that could be chosen."""

from collections.abc import Sequence
from itertools import pairwise, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matinee.media.curves import Point
from matinee.media.hull import (
    JND,
    OutOfReach,
    ShotCurve,
    at_price,
    corners,
    for_bits,
    for_quality,
    harmonic_mean,
    loss_of,
    place_rungs,
    shot_curve,
    title_hull,
)

CLOUD = st.lists(
    st.builds(Point, st.integers(1, 60).map(float), st.integers(5, 99).map(float)), min_size=1,
    max_size=5,
)  # fmt: skip
TITLE = st.lists(st.tuples(CLOUD, st.integers(24, 100)), min_size=1, max_size=4)

Title = list[tuple[list[Point], int]]


def curves(title: Title) -> list[ShotCurve]:
    return [shot_curve(points, frames) for points, frames in title]


def every(title: Title) -> list[Point]:
    """Bits and harmonic mean of all that could be chosen, on the hulls or not."""
    frames = sum(count for _, count in title)
    return [
        Point(
            sum(point.size for point in chosen),
            harmonic_mean(
                sum(loss_of(p.quality, n) for p, (_, n) in zip(chosen, title, strict=True)), frames
            ),
        )
        for chosen in product(*(points for points, _ in title))
    ]


@given(title=TITLE)
def test_no_choice_of_all_beats_a_corner_of_the_hull(title: Title) -> None:
    found = list(title_hull(curves(title)))

    for corner in found:
        for other in every(title):
            assert not (other.size < corner.bits - 1e-6 and other.quality >= corner.quality + 1e-6)
            assert not (other.size <= corner.bits - 1e-6 and other.quality > corner.quality + 1e-6)
    for before, after in pairwise(found):
        assert after.bits > before.bits
        assert after.quality > before.quality
        assert sum(a != b for a, b in zip(before.places, after.places, strict=True)) == 1


@given(title=TITLE)
def test_each_further_bit_buys_less(title: Title) -> None:
    found = list(title_hull(curves(title)))
    gains = [(a.loss - b.loss) / (b.bits - a.bits) for a, b in pairwise(found)]

    assert all(after <= before * (1 + 1e-6) for before, after in pairwise(gains))


@given(title=TITLE)
def test_the_sums_are_those_of_what_is_chosen(title: Title) -> None:
    shots = curves(title)
    for corner in title_hull(shots):
        chosen = [shot.choices[n] for shot, n in zip(shots, corner.places, strict=True)]
        points = [title[n][0][c.number] for n, c in enumerate(chosen)]
        assert corner.bits == pytest.approx(sum(p.size for p in points))
        assert corner.loss == pytest.approx(
            sum(loss_of(p.quality, f) for p, (_, f) in zip(points, title, strict=True))
        )


@given(title=TITLE, price=st.floats(0, 1e5))
def test_one_price_gives_the_least_cost_of_all(title: Title, price: float) -> None:
    found = at_price(curves(title), price)
    least = min(p.size + price * loss_of(p.quality, found.frames) for p in every(title))

    assert found.bits + price * found.loss == pytest.approx(least, rel=1e-9, abs=1e-6)


@given(title=TITLE, quality=st.floats(1, 100))
def test_a_target_is_met_within_one_step_of_the_best(title: Title, quality: float) -> None:
    shots = curves(title)
    good = [p.size for p in every(title) if p.quality >= quality + 1e-9]
    try:
        found = for_quality(shots, quality)
    except OutOfReach:
        assert not good
        return

    assert found.quality >= quality
    largest = max((b.bits - a.bits for shot in shots for a, b in pairwise(shot.choices)), default=0)
    assert found.bits <= min(good, default=found.bits) + largest + 1e-6


@given(title=TITLE, bits=st.floats(0, 300))
def test_a_budget_is_kept_and_used_up_to_one_step(title: Title, bits: float) -> None:
    shots = curves(title)
    try:
        found = for_bits(shots, bits)
    except OutOfReach:
        assert all(p.size > bits - 1e-6 for p in every(title))
        return

    assert found.bits <= bits
    following = [a for a in title_hull(shots) if a.bits > found.bits + 1e-9]
    assert not following or following[0].bits > bits


@given(cloud=CLOUD, frames=st.integers(1, 500))
def test_a_shot_of_one_choice_after_the_other_is_convex(cloud: list[Point], frames: int) -> None:
    curve = shot_curve(cloud, frames)

    assert all(
        loss_of(cloud[c.number].quality, frames) == pytest.approx(c.loss) for c in curve.choices
    )
    assert [c.bits for c in curve.choices] == sorted({c.bits for c in curve.choices})
    assert curve.choices[-1].loss == pytest.approx(loss_of(max(p.quality for p in cloud), frames))


SIZES = ((320, 180), (640, 360), (1280, 720))
EVERYWHERE = 1 + 1e-9
"""A factor in bits that is never further than a step of VMAF."""


def sized(seeds: Sequence[Sequence[Point]]) -> dict[tuple[int, int], list[Point]]:
    return {
        size: corners(title_hull([shot_curve(points, 48)]))
        for size, points in zip(SIZES, seeds, strict=False)
    }


@given(
    seeds=st.lists(CLOUD, min_size=1, max_size=3), lowest=st.integers(10, 60),
    reach=st.integers(0, 50), apart=st.integers(2, 12),
)  # fmt: skip
def test_rungs_are_the_cheapest_for_their_places_and_grow(
    seeds: list[list[Point]], lowest: int, reach: int, apart: int
) -> None:
    titles = sized(seeds)
    every_corner = [(size, a) for size, title in titles.items() for a in title]
    highest = lowest + reach

    rungs = place_rungs(titles, lowest, highest, (apart, EVERYWHERE))

    assert rungs
    assert all(a.bits < b.bits and a.quality < b.quality for a, b in pairwise(rungs))
    assert len(rungs) <= reach / apart + 2
    for rung in rungs:
        assert any(
            size == rung.size and a.size == rung.bits and a.quality == rung.quality
            for size, a in every_corner
        )
        better = [a for _, a in every_corner if a.quality > rung.quality + 1e-6]
        assert all(a.size >= rung.bits - 1e-6 for a in better)
    best = max(a.quality for _, a in every_corner)
    assert rungs[-1].quality >= min(highest, best) - 1e-6


def test_places_are_no_further_apart_than_asked_where_the_hull_is_fine() -> None:
    fine = [Point(1.05**n, 20 + 0.5 * n) for n in range(150)]

    rungs = place_rungs(sized([fine]), 30, 92, (JND, EVERYWHERE))

    assert len(rungs) == 12
    assert all(b.quality - a.quality <= 6.5 for a, b in pairwise(rungs))
    assert rungs[0].quality == pytest.approx(30, abs=0.5)
    assert rungs[-1].quality == pytest.approx(92, abs=0.5)


def test_where_quality_is_cheap_rungs_are_a_factor_in_bits_apart() -> None:
    steep = [Point(1.01**n, 20 + 0.5 * n) for n in range(150)]

    rungs = place_rungs(sized([steep]), 20, 94)

    assert len(rungs) == 4, "1.01 to the 148th is 4.4, more than two doublings"
    assert all(b.bits <= 1.02 * 2 * a.bits for a, b in pairwise(rungs))
