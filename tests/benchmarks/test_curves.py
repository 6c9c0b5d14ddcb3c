"""BD-rate: known values, and what must hold for any two curves."""

import pytest
from benchmarks.curves import CurvesApart, Point, bd_rate
from hypothesis import given
from hypothesis import strategies as st

# Rates and PSNR of the example in the manual of the package `bjontegaard`; with its method
# "pchip" that package gives the value below.
ANCHOR = [(9487.76, 40.037), (4593.60, 38.615), (2486.44, 36.845), (1358.24, 34.851)]
TEST = [(9787.80, 40.121), (4469.00, 38.651), (2451.52, 36.970), (1356.24, 34.987)]
KNOWN = -4.417485350589045


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
