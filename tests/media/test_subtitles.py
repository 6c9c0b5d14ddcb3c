"""WebVTT: what is read is written, shifted, bounded; nothing vanishes or runs backwards."""

import re
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matinee.core.errors import SubtitlesInvalid
from matinee.media.subtitles import (
    Cue,
    Subtitles,
    parse_webvtt,
    safe_text,
    sanitised,
    shifted,
    write_webvtt,
)

LINES = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], include_characters="\t\u2028\x85"),
    min_size=1,
    max_size=12,
).filter(lambda line: "-->" not in line and line.strip(" \t"))
SETTINGS = st.sampled_from(["", "line:10%", "align:start position:0%", "line:-1 vertical:rl"])
MILLISECONDS = st.integers(0, 400_000_000)


@st.composite
def cues(draw: st.DrawFn) -> Cue:
    start = draw(MILLISECONDS)
    end = start + draw(st.integers(1, 100_000))
    text = "\n".join(draw(st.lists(LINES, min_size=1, max_size=3)))
    return Cue(Fraction(start, 1000), Fraction(end, 1000), text, draw(SETTINGS))


@st.composite
def tracks(draw: st.DrawFn) -> Subtitles:
    found = draw(st.lists(cues(), max_size=6))
    header = draw(st.sampled_from([(), ("STYLE\n::cue { color: red }",), ("REGION\nid:top",)]))
    return Subtitles(tuple(sorted(found, key=lambda cue: (cue.start, cue.end))), header)


def read(*blocks: str) -> tuple[Cue, ...]:
    return parse_webvtt("\n\n".join(("WEBVTT", *blocks)), "film.vtt").cues


KNOWN_TAGS = {"c", "i", "b", "u", "ruby", "rt", "v", "lang"}
MARKS = [
    "<i>",
    "</i>",
    "<b",
    ">",
    "<",
    "&",
    "&lt;",
    "<v A&B>",
    "-->",
    "\n",
    "x",
    "<00:01.000>",
    "/",
]

CUE = "00:00:01.000 --> 00:00:02.500\nText"
AS_CUE = Cue(Fraction(1), Fraction(5, 2), "Text")


@given(track=tracks())
def test_what_is_written_is_read(track: Subtitles) -> None:
    assert parse_webvtt(write_webvtt(track), "film.vtt") == track


@given(track=tracks())
def test_writing_what_was_read_changes_nothing(track: Subtitles) -> None:
    text = write_webvtt(track)

    assert write_webvtt(parse_webvtt(text, "film.vtt")) == text


@given(track=tracks(), newline=st.sampled_from(["\r\n", "\r"]), mark=st.booleans())
def test_line_ends_and_byte_order_mark_make_no_difference(
    track: Subtitles, newline: str, mark: bool
) -> None:
    text = ("\ufeff" if mark else "") + write_webvtt(track).replace("\n", newline)

    assert parse_webvtt(text, "film.vtt") == track


@given(track=tracks(), shift=st.fractions(-500, 500, max_denominator=90_000))
def test_a_shift_moves_every_cue_and_back(track: Subtitles, shift: Fraction) -> None:
    moved = shifted(track, shift)

    assert all(
        (after.start - before.start, after.end - before.end, after.text)
        == (shift, shift, before.text)
        for before, after in zip(track.cues, moved.cues, strict=True)
    )
    assert shifted(moved, -shift) == track


@pytest.mark.parametrize(
    ("blocks", "expected"),
    [
        ((CUE,), [AS_CUE]),
        ((f"7\n{CUE}",), [AS_CUE]),
        (("NOTE made by hand", CUE), [AS_CUE]),
        (("NOTE\nover\nlines", CUE, "NOTE at the end"), [AS_CUE]),
        (("00:01.000 --> 00:02.500\nText",), [AS_CUE]),
        (("00:01,000 --> 00:02,500\nText",), [AS_CUE]),
        (("\n\n\n" + CUE + "\n\n\n",), [AS_CUE]),
        (("00:00:01.000 \t--> \t00:00:02.500 \t\nText",), [AS_CUE]),
        (("00:00:01.000 --> 00:00:02.500\n",), [Cue(Fraction(1), Fraction(5, 2), "")]),
        (
            ("100:00:00.000 --> 100:00:01.000\nLate",),
            [Cue(Fraction(360_000), Fraction(360_001), "Late")],
        ),
        (
            ("00:00:01.000 --> 00:00:02.500 line:0 align:end\nText",),
            [Cue(Fraction(1), Fraction(5, 2), "Text", "line:0 align:end")],
        ),
        (("00:00:05.000 --> 00:00:06.000\nB", CUE), [AS_CUE, Cue(Fraction(5), Fraction(6), "B")]),
        (("just text",), []),
        ((), []),
    ],
    ids=repr,
)  # fmt: skip
def test_odd_files_are_read(blocks: tuple[str, ...], expected: list[Cue]) -> None:
    assert list(read(*blocks)) == expected


def test_styles_and_regions_stay_in_front() -> None:
    text = f"WEBVTT - a title\n\nSTYLE\n::cue {{ color: red }}\n\nREGION\nid:a\n\n{CUE}\n"

    track = parse_webvtt(text, "film.vtt")

    assert track.header == ("STYLE\n::cue { color: red }", "REGION\nid:a")
    assert track.cues == (AS_CUE,)


@pytest.mark.parametrize("name", ["NOTEBOOK", "NOTE-1", "NOTES", "NOTE7"])
def test_a_cue_whose_name_begins_like_a_comment_is_a_cue(name: str) -> None:
    """W3C WebVTT 4.1: a comment is NOTE alone or followed by a space or a tab."""
    assert read(f"{name}\n{CUE}") == (AS_CUE,)


def test_a_cue_right_below_the_first_line_is_a_cue() -> None:
    """W3C WebVTT 6.1: the parser ends the header at a line with an arrow."""
    assert parse_webvtt(f"WEBVTT\n{CUE}\n", "film.vtt").cues == (AS_CUE,)


def test_cues_without_a_blank_line_between_them_are_two() -> None:
    """W3C WebVTT 6.1: a line with an arrow ends the cue before it."""
    second = "00:00:03.000 --> 00:00:04.000\nMore"

    assert read(f"{CUE}\n{second}") == (AS_CUE, Cue(Fraction(3), Fraction(4), "More"))


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "the first line is not WEBVTT"),
        ("1\n00:00:01,000 --> 00:00:02,000\nText", "the first line is not WEBVTT"),
        ("\nWEBVTT2", "the first line is not WEBVTT"),
        ("WEBVTTFILE\n\n" + CUE, "the first line is not WEBVTT"),
        ("WEBVTT\n\n00:00:03.000 --> 00:00:02.000\nText", "ends before it starts"),
        ("WEBVTT\n\n00:61:00.000 --> 00:62:00.000\nText", "cannot read the cue times"),
        ("WEBVTT\n\n00:00:01.0 --> 00:00:02.0\nText", "cannot read the cue times"),
        ("WEBVTT\n\n00:00:01.000-->00:00:02.000x\nText", "cannot read the cue times"),
        ("WEBVTT\n\nsoon --> later\nText", "cannot read the cue times"),
        ("WEBVTT\n\n-00:00:01.000 --> 00:00:02.000\nText", "cannot read the cue times"),
    ],
)
def test_what_is_no_webvtt_is_refused_with_the_place(text: str, fault: str) -> None:
    with pytest.raises(SubtitlesInvalid, match=fault) as met:
        parse_webvtt(text, "film.vtt")
    assert str(met.value).startswith("film.vtt: ")


@given(text=st.text(max_size=60) | st.lists(LINES | st.just(CUE) | st.just("")).map("\n".join))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        parse_webvtt("WEBVTT\n\n" + text, "film.vtt")
        parse_webvtt(text, "film.vtt")
    except SubtitlesInvalid:
        return


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
        ('<img src="http://example.org/x">', '&lt;img src="http://example.org/x"&gt;'),
        ("a < b && c > d", "a &lt; b &amp;&amp; c &gt; d"),
        ("this --> that", "this --&gt; that"),
        ("<i>slant", "<i>slant</i>"),
        ("<i><b>crossed</i></b>", "<i><b>crossed</b></i>"),
        ("closed</i> only", "closed only"),
        ("<v Bob>Hello</v> <c.red>you</c>", "<v Bob>Hello</v> <c.red>you</c>"),
        ("karaoke <00:01.500>now", "karaoke <00:01.500>now"),
        ("one &amp; two &lt;3 &nbsp;", "one &amp; two &lt;3 &nbsp;"),
        ("<I onclick=alert(1)>x</I>", "<i onclick=alert(1)>x</i>"),
        ("a\n\n \nb", "a\nb"),
        ("bell\x07 and \x1b[31m", "bell and [31m"),
    ],
)  # fmt: skip
def test_text_can_only_be_text(raw: str, shown: str) -> None:
    assert safe_text(raw) == shown


@given(text=st.text(max_size=80) | st.lists(st.sampled_from(MARKS)).map("".join))
def test_safe_text_is_one_cue_with_known_tags_only_and_stays_as_it_is(text: str) -> None:
    safe = safe_text(text)

    assert safe_text(safe) == safe
    assert "-->" not in safe and "\n\n" not in safe
    tags = re.findall(r"<(/?)([a-z0-9:.]*)", safe)
    assert {name.split(".")[0] for _, name in tags if not name[:1].isdigit()} <= KNOWN_TAGS
    assert not re.search(r"&(?!\w+;|#\w+;)", safe)


@pytest.mark.parametrize(
    "style",
    [
        "@import 'http://example.org/a.css';",
        "::cue { background: url(file:///etc/passwd) }",
        "::cue { background: UR\\4c (x) }",
    ],
)
def test_a_style_that_names_another_file_is_left_out(style: str) -> None:
    kept = sanitised(Subtitles((AS_CUE,), (f"STYLE\n{style}", "STYLE\n::cue { color: red }")))

    assert kept.header == ("STYLE\n::cue { color: red }",)
