"""Frames, seconds and spans."""

from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matinee.core.time import FrameSpan, as_text, covers, time_of_frame

RATES = st.sampled_from(
    [Fraction(24000, 1001), Fraction(25), Fraction(30000, 1001), Fraction(60000, 1001)]
)


def spans_at(borders: list[int]) -> list[FrameSpan]:
    return [FrameSpan(start, end) for start, end in pairwise(borders)]


def borders() -> st.SearchStrategy[list[int]]:
    inner = st.sets(st.integers(min_value=1, max_value=500), min_size=1, max_size=20)
    return inner.map(lambda found: [0, *sorted(found)])


@given(start=st.integers(0, 10**9), length=st.integers(1, 10**9))
def test_a_span_has_as_many_frames_as_lie_in_it(start: int, length: int) -> None:
    assert len(FrameSpan(start, start + length)) == length


@given(start=st.integers(-(10**12), 10**12), end=st.integers(-(10**12), 10**12))
def test_a_span_holds_at_least_one_frame_and_none_before_the_film(start: int, end: int) -> None:
    if 0 <= start < end:
        assert len(FrameSpan(start, end)) > 0
    else:
        with pytest.raises(ValueError, match="no frames"):
            FrameSpan(start, end)


@given(borders=borders())
def test_spans_that_meet_cover_the_film(borders: list[int]) -> None:
    assert covers(spans_at(borders), borders[-1])


@given(borders=borders(), data=st.data())
def test_a_missing_a_doubled_or_a_moved_span_does_not_cover(
    borders: list[int], data: st.DataObject
) -> None:
    spans = spans_at(borders)
    place = data.draw(st.integers(0, len(spans) - 1))
    longer = FrameSpan(spans[place].start, spans[place].end + 1)

    assert not covers(spans[:place] + spans[place + 1 :], borders[-1])
    assert not covers([*spans[: place + 1], *spans[place:]], borders[-1])
    assert not covers([*spans[:place], longer, *spans[place + 1 :]], borders[-1])
    if len(spans) > 1:
        assert not covers(reversed(spans), borders[-1])


@given(borders=borders(), other=st.integers(0, 1000))
def test_spans_cover_no_other_count_of_frames(borders: list[int], other: int) -> None:
    assert covers(spans_at(borders), other) == (other == borders[-1])


def test_no_spans_cover_a_film_without_frames() -> None:
    assert covers([], 0)
    assert not covers([], 1)


@given(frame=st.integers(0, 10**7), rate=RATES)
def test_times_of_frames_are_exact(frame: int, rate: Fraction) -> None:
    assert time_of_frame(frame, rate) * rate == frame
    assert time_of_frame(frame + 1, rate) - time_of_frame(frame, rate) == 1 / rate


@given(value=st.fractions())
def test_a_fraction_is_read_back_from_its_text(value: Fraction) -> None:
    assert Fraction(as_text(value)) == value


@given(value=st.fractions(), by=st.integers(1, 1000))
def test_equal_fractions_have_one_text(value: Fraction, by: int) -> None:
    same = Fraction(value.numerator * by, value.denominator * by)

    assert as_text(same) == as_text(value)


def test_whole_numbers_keep_their_denominator() -> None:
    assert as_text(Fraction(25)) == "25/1"
    assert as_text(Fraction(-3, 6)) == "-1/2"
