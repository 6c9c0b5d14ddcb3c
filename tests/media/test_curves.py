"""BD-rate: known values, and what must hold for any two curves."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matinee.media.curves import (
    CurvesApart,
    Point,
    bd_quality,
    bd_rate,
    frontier,
    upper_hull,
)

# Rates and PSNR of the example in the manual of the package `bjontegaard`; with its method
# "pchip" that package gives the values below (`bd_rate`, `bd_psnr`).
ANCHOR = [(9487.76, 40.037), (4593.60, 38.615), (2486.44, 36.845), (1358.24, 34.851)]
TEST = [(9787.80, 40.121), (4469.00, 38.651), (2451.52, 36.970), (1356.24, 34.987)]
KNOWN = -4.417485350589045
KNOWN_QUALITY = 0.11969278542479489


def points(pairs: list[tuple[float, float]]) -> list[Point]:
    return [Point(*pair) for pair in pairs]


def test_the_known_example_gives_the_known_value() -> None:
    assert bd_rate(points(ANCHOR), points(TEST)) == pytest.approx(KNOWN, abs=1e-9)


def test_the_order_of_the_points_does_not_matter() -> None:
    mixed = [ANCHOR[2], ANCHOR[0], ANCHOR[3], ANCHOR[1]]

    assert bd_rate(points(mixed), points(TEST)) == pytest.approx(KNOWN, abs=1e-9)


@given(factor=st.floats(min_value=0.1, max_value=10))
def test_a_curve_with_so_many_times_the_bits_has_that_rate(factor: float) -> None:
    larger = [Point(size * factor, quality) for size, quality in ANCHOR]

    assert bd_rate(points(ANCHOR), larger) == pytest.approx((factor - 1) * 100, abs=1e-6)


@given(
    sizes=st.lists(st.floats(min_value=1, max_value=1e6), min_size=4, max_size=6),
    gaps=st.lists(st.floats(min_value=0.1, max_value=10), min_size=4, max_size=6),
)
def test_a_curve_costs_nothing_more_than_itself(sizes: list[float], gaps: list[float]) -> None:
    curve = [
        Point(size, 50 + sum(gaps[:n]))
        for n, (size, _) in enumerate(zip(sizes, gaps, strict=False))
    ]

    assert bd_rate(curve, curve) == pytest.approx(0, abs=1e-9)


def test_two_points_are_a_straight_line() -> None:
    line = [Point(100, 60), Point(400, 80)]
    on_it = [Point(100, 60), Point(200, 70), Point(400, 80)]

    assert bd_rate(line, on_it) == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize(
    "other",
    [
        [Point(1, 90), Point(2, 95)],
        [Point(1, 60)],
        [Point(1, 36), Point(2, 36)],
    ],
)
def test_curves_with_no_quality_in_common_are_refused(other: list[Point]) -> None:
    with pytest.raises(CurvesApart):
        bd_rate(points(ANCHOR), other)


def test_equal_rates_have_a_difference_in_quality() -> None:
    better = [(size, quality + 1.5) for size, quality in ANCHOR]

    assert bd_quality(points(ANCHOR), points(better)) == pytest.approx(1.5, abs=1e-9)
    assert bd_quality(points(ANCHOR), points(TEST)) == pytest.approx(KNOWN_QUALITY, abs=1e-9)


def test_curves_with_no_rate_in_common_have_no_difference_in_quality() -> None:
    with pytest.raises(CurvesApart):
        bd_quality(points(ANCHOR), [Point(1, 40), Point(2, 41)])


CLOUDS = st.lists(
    st.builds(Point, st.integers(1, 40).map(float), st.integers(0, 40).map(float)), min_size=1,
    max_size=9,
)  # fmt: skip


@given(cloud=CLOUDS)
def test_what_costs_more_and_looks_no_better_is_left_out(cloud: list[Point]) -> None:
    beaten = {
        point
        for point in cloud
        for other in cloud
        if other != point and other.size <= point.size and other.quality >= point.quality
    }

    assert frontier(cloud) == sorted(set(cloud) - beaten, key=lambda point: point.size)


@given(cloud=CLOUDS)
def test_the_hull_has_what_is_best_at_some_price_of_a_bit(cloud: list[Point]) -> None:
    """By brute force over all prices at which two points are worth the same."""
    hull = upper_hull(cloud)
    prices = {
        (q.quality - p.quality) / (q.size - p.size) for p in cloud for q in cloud if q.size > p.size
    }
    between = sorted(price for price in prices if price > 0)
    tried = [0.0, *((a + b) / 2 for a, b in pairwise([0.0, *between, 1e9]))]
    best = set()
    for price in tried:
        worth = [point.quality - price * point.size for point in cloud]
        winners = [p for p, w in zip(cloud, worth, strict=True) if w >= max(worth) - 1e-9]
        best.add(min(winners, key=lambda point: point.size))

    assert set(hull) == best
    assert [p.size for p in hull] == sorted({p.size for p in hull})
