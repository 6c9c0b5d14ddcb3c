"""The segment plan keeps its laws for every list of cuts and every rate."""

import math
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matinee.core.errors import SourceUnsupported
from matinee.core.time import FrameSpan, covers
from matinee.media.plan import (
    CHUNK,
    LONGEST,
    SHORTEST,
    plan_chunks,
    plan_film,
    plan_segments,
    settled,
    shots,
)
from matinee.media.rates import STANDARD_RATES

RATES = st.sampled_from(
    [*STANDARD_RATES, Fraction(1), Fraction(5, 2), Fraction(18)]
) | st.fractions(1, 60, max_denominator=1001)


def shortest_of(rate: Fraction) -> int:
    return math.ceil(SHORTEST * rate)


def longest_of(rate: Fraction) -> int:
    return math.floor(LONGEST * rate)


@st.composite
def films(draw: st.DrawFn) -> tuple[list[int], int, Fraction]:
    """Cuts, frames and rate; cuts cluster as those of real films do."""
    rate = draw(RATES)
    frames = draw(st.integers(1, 4 * longest_of(rate)) | st.integers(1, 3000))
    cuts = draw(st.sets(st.integers(0, frames - 1), max_size=40))
    return sorted(cuts), frames, rate


@settings(deadline=None)
@given(film=films())
def test_segments_cover_the_film(film: tuple[list[int], int, Fraction]) -> None:
    cuts, frames, rate = film

    assert covers(plan_segments(cuts, frames, rate), frames)


@settings(deadline=None)
@given(film=films(), longest_s=st.integers(4, 60))
def test_segments_may_be_as_long_as_a_profile_says(
    film: tuple[list[int], int, Fraction], longest_s: int
) -> None:
    cuts, frames, rate = film
    plan = plan_film(cuts, frames, rate, Fraction(longest_s))
    longest, shortest = max(1, math.floor(longest_s * rate)), shortest_of(rate)

    assert covers(plan.segments, frames)
    assert plan.chunks[0].start == 0 and plan.chunks[-1].end == frames
    assert all(len(segment) <= longest for segment in plan.segments)
    if frames >= shortest and longest >= 2 * shortest:
        assert all(len(segment) >= shortest for segment in plan.segments)


@settings(deadline=None)
@given(film=films())
def test_every_segment_keeps_its_bounds(film: tuple[list[int], int, Fraction]) -> None:
    cuts, frames, rate = film

    segments = plan_segments(cuts, frames, rate)

    assert all(len(segment) / rate <= LONGEST for segment in segments)
    if frames / rate >= SHORTEST:
        assert all(len(segment) / rate >= SHORTEST for segment in segments)
    else:
        assert len(segments) == 1


@settings(deadline=None)
@given(film=films())
def test_a_segment_starts_at_the_last_cut_that_fits(
    film: tuple[list[int], int, Fraction],
) -> None:
    cuts, frames, rate = film
    segments = plan_segments(cuts, frames, rate)

    for before, segment in pairwise(segments):
        latest = min(before.start + longest_of(rate), frames - shortest_of(rate))
        fitting = [cut for cut in cuts if before.start + shortest_of(rate) <= cut <= latest]
        assert segment.start == (max(fitting) if fitting else latest)


@settings(deadline=None)
@given(film=films(), data=st.data())
def test_the_plan_of_a_prefix_is_a_prefix_of_the_plan_but_for_two_segments(
    film: tuple[list[int], int, Fraction], data: st.DataObject
) -> None:
    cuts, frames, rate = film
    shorter = data.draw(st.integers(1, frames))
    whole = plan_segments(cuts, frames, rate)
    prefix = plan_segments([cut for cut in cuts if cut < shorter], shorter, rate)

    assert prefix[:-2] == whole[: max(0, len(prefix) - 2)]


@given(film=films())
def test_chunks_are_whole_segments_and_cover_the_film(
    film: tuple[list[int], int, Fraction],
) -> None:
    cuts, frames, rate = film
    plan = plan_film(cuts, frames, rate)
    borders = {segment.start for segment in plan.segments} | {frames}

    assert covers(plan.chunks, frames)
    assert all({chunk.start, chunk.end} <= borders for chunk in plan.chunks)
    assert plan.frames == frames


@given(film=films())
def test_chunks_are_neither_tiny_nor_huge(film: tuple[list[int], int, Fraction]) -> None:
    cuts, frames, rate = film
    plan = plan_film(cuts, frames, rate)
    enough = math.floor(CHUNK * rate)

    if frames >= enough:
        assert all(len(chunk) >= enough // 2 for chunk in plan.chunks)
    assert all(len(chunk) < enough + longest_of(rate) + enough // 2 for chunk in plan.chunks)


@settings(deadline=None)
@given(film=films())
def test_every_segment_starts_in_one_chunk(film: tuple[list[int], int, Fraction]) -> None:
    cuts, frames, rate = film
    plan = plan_film(cuts, frames, rate)

    starts = [chunk.start + start for chunk in plan.chunks for start in plan.starts_in(chunk)]

    assert starts == [segment.start for segment in plan.segments]
    assert all(plan.starts_in(chunk)[0] == 0 for chunk in plan.chunks)


@given(film=films())
def test_shots_cover_the_film_and_none_is_short(film: tuple[list[int], int, Fraction]) -> None:
    cuts, frames, rate = film

    found = shots(cuts, frames, rate)

    assert covers(found, frames)
    assert {shot.start for shot in found} <= {0, *cuts}
    assert len(found) == 1 or all(len(shot) / rate >= SHORTEST for shot in found)


@pytest.mark.parametrize(
    ("cuts", "frames", "starts"),
    [
        ([], 50, [0]),
        ([], 150, [0]),
        ([], 151, [0, 101]),
        ([], 300, [0, 150]),
        ([], 301, [0, 150, 251]),
        ([60, 100, 140], 200, [0, 140]),
        ([60, 100, 149, 151], 200, [0, 149]),
        ([49, 151], 200, [0, 150]),
        ([50], 151, [0, 50]),
        ([1, 2, 3], 400, [0, 150, 300]),
    ],
)
def test_plans_at_25_frames_a_second(cuts: list[int], frames: int, starts: list[int]) -> None:
    segments = plan_segments(cuts, frames, Fraction(25))

    assert [segment.start for segment in segments] == starts


def test_a_short_rest_goes_with_the_chunk_before() -> None:
    def segments(borders: Sequence[int]) -> list[FrameSpan]:
        return [FrameSpan(a, b) for a, b in pairwise(borders)]

    assert plan_chunks(segments([0, 100, 200, 299]), Fraction(25)) == [FrameSpan(0, 299)]
    assert plan_chunks(segments([0, 100, 200, 300]), Fraction(25)) == [
        FrameSpan(0, 200),
        FrameSpan(200, 300),
    ]
    assert plan_chunks(segments([0, 60]), Fraction(25)) == [FrameSpan(0, 60)]


def test_a_cut_at_the_first_or_after_the_last_frame_changes_nothing() -> None:
    assert plan_segments([0, 90, 500], 500, Fraction(25)) == plan_segments([90], 500, Fraction(25))


@pytest.mark.timeout(2)
@pytest.mark.parametrize("rate", [Fraction(1, 2), Fraction(1, 5), Fraction(1, 6)], ids=str)
def test_a_slide_show_has_a_plan(rate: Fraction) -> None:
    assert covers(plan_segments([3], 40, rate), 40)


@pytest.mark.timeout(2)
@pytest.mark.parametrize("rate", [Fraction(1, 7), Fraction(1, 10), Fraction(1, 60)], ids=str)
def test_a_film_whose_frames_outlast_a_segment_is_planned_or_refused(rate: Fraction) -> None:
    try:
        plan = plan_film([], 20, rate)
    except SourceUnsupported:
        return
    assert covers(plan.segments, 20)


@settings(deadline=None)
@given(film=films(), share=st.fractions(0, 1))
def test_what_is_settled_of_a_films_begin_is_part_of_the_whole_films_plan(
    film: tuple[list[int], int, Fraction], share: Fraction
) -> None:
    cuts, frames, rate = film
    there = max(1, int(frames * share))
    begin = settled(plan_film([cut for cut in cuts if cut < there], there, rate))
    whole = plan_film(cuts, frames, rate)

    if begin is None:
        return
    assert begin.segments == whole.segments[: len(begin.segments)]
    assert begin.chunks[:-1] == whole.chunks[: len(begin.chunks) - 1]
    # Only a film that ends soon after a chunk gives that one its rest.
    last = whole.chunks[len(begin.chunks) - 1]
    assert begin.chunks[-1] == last or last.end == frames
    assert begin.frames == begin.chunks[-1].end < there
