"""Chapters lie within the film, in order, each with a title that is only text."""

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from matinee.media.chapters import chapters_json, chapters_webvtt, placed_chapters
from matinee.media.source import Chapter
from matinee.media.subtitles import parse_webvtt

TIMES = st.fractions(-10, 100, max_denominator=1000)
CHAPTERS = st.lists(
    st.builds(Chapter, TIMES, TIMES, st.text(max_size=20)).filter(lambda one: one.start < one.end),
    max_size=5,
).map(lambda found: sorted(found, key=lambda one: (one.start, one.end)))


@given(chapters=CHAPTERS, start=TIMES, duration=st.fractions(Fraction(1, 25), 100))
def test_placed_chapters_lie_within_the_film(
    chapters: list[Chapter], start: Fraction, duration: Fraction
) -> None:
    placed = placed_chapters(chapters, start, duration)

    assert all(0 <= one.start < one.end <= duration for one in placed)
    assert all(one.title.strip() for one in placed)
    assert [one.start for one in placed] == sorted(one.start for one in placed)


@given(chapters=CHAPTERS)
def test_what_players_read_has_every_chapter_and_no_marks(chapters: list[Chapter]) -> None:
    placed = placed_chapters(chapters, Fraction(-10), Fraction(200))
    text = chapters_webvtt(placed)
    cues = parse_webvtt(text, "chapters.vtt").cues

    assert len(cues) == len(placed) == len(chapters_json(placed))
    assert not any("<" in cue.text for cue in cues)


def test_a_chapter_outside_of_the_film_is_none_and_one_without_a_title_has_a_number() -> None:
    chapters = [
        Chapter(Fraction(0), Fraction(1), "before"),
        Chapter(Fraction(1), Fraction(3), ""),
        Chapter(Fraction(3), Fraction(99), " The \n end "),
        Chapter(Fraction(50), Fraction(60), "after"),
    ]
    placed = placed_chapters(chapters, Fraction(1), Fraction(10))

    assert placed == (
        Chapter(Fraction(0), Fraction(2), "Chapter 1"),
        Chapter(Fraction(2), Fraction(10), "The end"),
    )
