from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from matinee.media.bit_rates import BitRate, measured


def test_the_peak_is_of_contiguous_segments_near_the_target_duration() -> None:
    segments = [(1000, Fraction(4)), (500, Fraction(1)), (1000, Fraction(4))]

    assert measured(segments, 4) == BitRate(peak=2400, average=2223)


def test_where_no_set_is_near_the_target_duration_the_average_is_the_peak() -> None:
    assert measured([(1000, Fraction(1))], 6) == BitRate(8000, 8000)


def test_nothing_has_no_bit_rate() -> None:
    assert measured([], 6) == BitRate(0, 0)


@given(
    segments=st.lists(
        st.tuples(st.integers(1, 10**7), st.fractions(Fraction(1, 2), 6)), min_size=1, max_size=20
    )
)
def test_every_segment_near_the_target_stays_below_the_peak(
    segments: list[tuple[int, Fraction]],
) -> None:
    rate = measured(segments, 6)

    assert all(8 * size / length <= rate.peak for size, length in segments if length >= 3)
