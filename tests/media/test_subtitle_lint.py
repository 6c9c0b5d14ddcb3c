"""Subtitle lint: what is mended loses nothing that a viewer could read; all else is told."""

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matinee.media.subtitle_lint import FASTEST, SAID, Linted, lint, visible
from matinee.media.subtitles import Cue, Subtitles, parse_webvtt, write_webvtt

RATE = Fraction(24_000, 1001)
END = Fraction(60)
FEW = settings(max_examples=50)
FRAME = 1 / RATE
TEXTS = st.sampled_from(["A word", "Two\nlines of <i>it</i>", "<i> </i>", "", "&nbsp;", "x" * 90])
PLACES = st.sampled_from(["", "", "line:0", "line:10% align:start"])
TIMES = st.integers(-9_000, 70_000).map(lambda ms: Fraction(ms, 1000)) | st.fractions(
    -5, 65, max_denominator=90_000
)


@st.composite
def cues(draw: st.DrawFn) -> Cue:
    start = draw(TIMES)
    lasts = draw(st.sampled_from([Fraction(0), Fraction(-1), Fraction(1, 50)]) | TIMES)
    return Cue(start, start + lasts, draw(TEXTS), draw(PLACES))


TRACKS = st.lists(cues(), max_size=12).map(lambda found: Subtitles(tuple(found), ("REGION\nid:a",)))


def linted(track: Subtitles) -> Linted:
    return lint(track, END, RATE, "en")


def kinds(track: Subtitles, language: str = "en") -> dict[str, bool]:
    return {one.kind: one.is_mended for one in lint(track, END, RATE, language).remarks}


def track(*cues: tuple[float, float, str] | Cue) -> Subtitles:
    return Subtitles(
        tuple(
            one if isinstance(one, Cue) else Cue(Fraction(one[0]), Fraction(one[1]), one[2])
            for one in cues
        )
    )


def milliseconds(time: Fraction) -> int:
    return round(time * 1000)


@FEW
@given(track=TRACKS)
def test_what_is_published_is_in_order_within_the_film_and_shows_something(
    track: Subtitles,
) -> None:
    found = linted(track).subtitles

    assert list(found.cues) == sorted(found.cues, key=lambda cue: (cue.start, cue.end))
    for cue in found.cues:
        assert 0 <= cue.start < cue.end <= END
        assert visible(cue.text).strip()
    assert found.header == track.header


@FEW
@given(track=TRACKS)
def test_nothing_that_could_be_read_is_lost(track: Subtitles) -> None:
    readable = [
        (cue.text, cue.settings)
        for cue in track.cues
        if cue.start < cue.end
        and visible(cue.text).strip()
        and milliseconds(max(Fraction(0), cue.start)) < milliseconds(min(END, cue.end))
    ]

    assert sorted((c.text, c.settings) for c in linted(track).subtitles.cues) == sorted(readable)


@FEW
@given(track=TRACKS)
def test_no_time_is_moved_but_to_a_border_or_by_less_than_a_frame(track: Subtitles) -> None:
    before = sorted(
        (max(Fraction(0), cue.start), cue.text, cue.settings, min(END, cue.end))
        for cue in track.cues
    )

    for cue in linted(track).subtitles.cues:
        ends = [
            end
            for start, text, settings, end in before
            if (start, text, settings) == (cue.start, cue.text, cue.settings)
        ]
        assert any(Fraction(0) <= end - cue.end < FRAME for end in ends)


@FEW
@given(track=TRACKS)
def test_doing_it_twice_changes_nothing_more(track: Subtitles) -> None:
    once = linted(track)
    twice = linted(once.subtitles)

    assert twice.subtitles == once.subtitles
    assert not any(remark.is_mended for remark in twice.remarks)
    left = [remark for remark in once.remarks if not remark.is_mended]
    assert list(twice.remarks) == left


@FEW
@given(track=TRACKS)
def test_what_is_written_is_read_back_and_every_cue_lasts(track: Subtitles) -> None:
    """W3C WebVTT 4.1: the end time must be greater than the start time."""
    found = linted(track).subtitles
    written = parse_webvtt(write_webvtt(found), "film.vtt")

    assert len(written.cues) == len(found.cues)
    assert all(cue.start < cue.end for cue in written.cues)


@FEW
@given(track=TRACKS)
def test_remarks_count_cues_and_can_be_told(track: Subtitles) -> None:
    for remark in linted(track).remarks:
        assert 1 <= remark.cues <= len(track.cues)
        assert (remark.kind, remark.is_mended) in SAID
        assert str(remark.cues) in remark.told() and "{" not in remark.told()
        assert remark.as_json()["told"] == remark.told()


@pytest.mark.parametrize(
    ("cues", "found"),
    [
        ([(1, 3, "One"), (3, 5, "Two")], {}),
        ([(3, 5, "Two"), (1, 3, "One")], {"order": True}),
        ([(1, 3, "<b></b>")], {"empty": True}),
        ([(3, 3, "Now")], {"empty": True}),
        ([(-1, 3, "Early")], {"before_begin": True}),
        ([(58, 61, "Late")], {"beyond_end": True}),
        ([(61, 63, "Too late")], {"beyond_end": True}),
        ([(1, 3, "One"), (2, 4, "Two")], {"overlap": False}),
        ([(1, 3, "Both"), (1, 4, "at once")], {}),
        ([(1, 3.03, "One"), (3, 5, "Two")], {"overlap": True}),
        ([(1, 1.5, "Short")], {"too_short": False}),
        ([(1, 9, "Long")], {"too_long": False}),
        ([(1, 3, "x" * (2 * FASTEST))], {}),
        ([(1, 3, "x" * (2 * FASTEST + 1))], {"reading_speed": False}),
        ([(1, 3, "<i>" + "x" * (2 * FASTEST) + "</i>")], {}),
    ],
)
def test_each_fault_is_named(cues: list[tuple[float, float, str]], found: dict[str, bool]) -> None:
    assert kinds(track(*cues)) == found


def test_cues_with_places_of_their_own_may_be_seen_together() -> None:
    sign = Cue(Fraction(2), Fraction(4), "BAKERY", "line:0")

    assert kinds(track((1, 3, "One"), sign)) == {}
    assert kinds(track(replace(sign, settings=""), (1, 3, "One"))) == {
        "order": True, "overlap": False,
    }  # fmt: skip


def test_languages_with_dense_scripts_are_read_more_slowly() -> None:
    read = track((1, 2, "字" * 12))

    assert kinds(read, "zh-Hant") == {"reading_speed": False}
    assert kinds(read, "ko") == {}
    assert kinds(read, "ja") == {"reading_speed": False}


def test_a_remark_says_where_and_how_far() -> None:
    (remark,) = linted(track((10, 11, "x" * 31), (20, 21, "x" * 25))).remarks

    assert (
        remark.told() == "too fast to read, up to 31 characters a second: 2 cues from 10.000 s on"
    )
    assert remark.as_json() == {
        "kind": "reading_speed", "cues": 2, "first": 10.0, "mended": False, "most": 31.0,
        "told": remark.told(),
    }  # fmt: skip
