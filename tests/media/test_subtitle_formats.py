"""Subtitle files of every kind become cues with the text that they show, and nothing else."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matinee.core.errors import SubtitlesInvalid
from matinee.media.subtitle_formats import FORMATS, LARGEST, parse_subtitles
from matinee.media.subtitles import parse_webvtt, write_webvtt

ASS_HEAD = """[Script Info]
ScriptType: v4.00+

[V4+ Styles]
Format: Name, Fontname, Fontsize
Style: Default,Arial,16

[Fonts]
fontname: evil.ttf
Dialogue: 0,0:00:01.00,0:00:02.00,Default,,0,0,0,,in no events

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
"""
TTML = """<?xml version="1.0" encoding="utf-8"?>
<tt xmlns="http://www.w3.org/ns/ttml" xmlns:tts="http://www.w3.org/ns/ttml#styling"
    xmlns:ttp="http://www.w3.org/ns/ttml#parameter" {parameters} xml:lang="en">
<head><styling><style xml:id="slanted" tts:fontStyle="italic"/></styling></head>
<body><div>{cues}</div></body></tt>"""


def read(text: str | bytes, kind: str, rate: Fraction = Fraction(25)) -> list[tuple[object, ...]]:
    data = text.encode() if isinstance(text, str) else text
    found = parse_subtitles(data, kind, "film", rate=rate)
    return [(float(cue.start), float(cue.end), cue.text) for cue in found.cues]


def srt(*cues: str) -> str:
    return "\n\n".join(cues) + "\n"


CUE = "1\n00:00:01,250 --> 00:00:02,500\nText"
AS_CUE = (1.25, 2.5, "Text")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (srt(CUE), [AS_CUE]),
        (srt(CUE).replace("\n", "\r\n"), [AS_CUE]),
        (srt(CUE).replace(",", "."), [AS_CUE]),
        (srt(CUE).replace("00:00:01,250 --> 00:00:02,500", "00:01,250 -> 00:02,500"), [AS_CUE]),
        (srt(CUE.removeprefix("1\n")), [AS_CUE]),
        (srt("1\n00:00:01,250 --> 00:00:02,500 X1:10 X2:20\nText"), [AS_CUE]),
        (srt("1\n00:00:01,250 --> 00:00:02,500\nA\n\nB", "2\n00:00:03,0 --> 00:00:04,0\nC"),
         [(1.25, 2.5, "A\nB"), (3.0, 4.0, "C")]),
        (srt("2\n00:00:05,000 --> 00:00:06,000\nLate", CUE), [AS_CUE, (5.0, 6.0, "Late")]),
        (srt(CUE, "2\n00:00:02,000 --> 00:00:02,000\nNone", "3\n00:00:09,000 --> 00:00:08,000\nX"),
         [AS_CUE]),
        (srt(CUE, "2\n00:00:01,500 --> 00:00:02,000\nOver"), [AS_CUE, (1.5, 2.0, "Over")]),
        (srt('1\n00:00:01,250 --> 00:00:02,500\n{\\an8}<font color="red">Te</font>xt'), [AS_CUE]),
        (srt("1\n00:00:01,250 --> 00:00:02,500\n1984\n<i>Text</i>", "2\n0:0:3,0 --> 0:0:4,0\n7\n8"),
         [(1.25, 2.5, "1984\n<i>Text</i>"), (3.0, 4.0, "7\n8")]),
        (srt("1\n00:00:01,250 --> 00:00:02,500\n<script src=x>a < b"),
         [(1.25, 2.5, "&lt;script src=x&gt;a &lt; b")]),
    ],
)  # fmt: skip
def test_subrip_as_people_write_it(text: str, expected: list[tuple[object, ...]]) -> None:
    assert read(text, "srt") == expected


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("plain", "plain"),
        ("two\\Nlines\\nand\\hmore", "two\nlines\nand\u00a0more"),
        ("{\\i1}slant{\\i0} {\\b700}bold{\\b0}", "<i>slant</i> <b>bold</b>"),
        ("{\\pos(1,2)\\fad(1,2)\\blur3}soft", "soft"),
        ("{\\p1}m 0 0 l 100 0 100 100{\\p0}after", "after"),
        ("{\\k20}ka{\\k30}ra{\\kf10}oke", "karaoke"),
        ("a, comma, and <b> as words & more", "a, comma, and &lt;b&gt; as words &amp; more"),
        ("{\\i1}open", "<i>open</i>"),
        ("{\\i1\\r}upright", "<i></i>upright"),
        ("{an unclosed brace", "{an unclosed brace"),
    ],
)
def test_the_text_of_an_ass_line_is_what_is_said(line: str, shown: str) -> None:
    event = f"Dialogue: 0,0:00:01.25,0:00:02.50,Default,,0,0,0,,{line}\n"

    assert read(ASS_HEAD + event, "ass") == [(1.25, 2.5, shown)]


def test_ass_drawings_comments_and_layers_are_no_text_of_their_own() -> None:
    spoken = "Dialogue: 0,0:00:01.25,0:00:02.50,Default,,0,0,0,,Sign\n"
    drawn = "Dialogue: 0,0:00:01.25,0:00:02.50,Default,,0,0,0,,{\\p1}m 0 0 l 9 9{\\p0}\n"
    comment = "Comment: 0,0:00:01.25,0:00:02.50,Default,,0,0,0,,template\n"

    assert read(ASS_HEAD + drawn + spoken + spoken + comment, "ass") == [(1.25, 2.5, "Sign")]


def test_ssa_has_its_fields_in_another_order() -> None:
    text = (
        "[Events]\nFormat: Marked, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text"
        "\nDialogue: Marked=0,0:00:01.25,0:00:02.50,Default,,0000,0000,0000,,Text\n"
    )
    assert read(text, "ass") == [AS_CUE]


@pytest.mark.parametrize(
    ("parameters", "times", "span"),
    [
        ("", 'begin="00:00:01.250" end="00:00:02.500"', (1.25, 2.5)),
        ("", 'begin="1.25s" dur="1250ms"', (1.25, 2.5)),
        ('ttp:frameRate="24"', 'begin="00:00:01:06" end="60f"', (1.25, 2.5)),
        ('ttp:frameRate="24" ttp:frameRateMultiplier="1000 1001"', 'begin="0s" end="24f"',
         (0.0, 1.001)),
        ('ttp:tickRate="10000000"', 'begin="12500000t" end="25000000t"', (1.25, 2.5)),
        ("", 'begin="0.5m" end="0.01h"', (30.0, 36.0)),
    ],
)  # fmt: skip
def test_ttml_times(parameters: str, times: str, span: tuple[float, float]) -> None:
    text = TTML.format(parameters=parameters, cues=f"<p {times}>Text</p>")

    assert read(text, "ttml") == [(*span, "Text")]


@pytest.mark.parametrize(
    ("cue", "shown"),
    [
        ("two<br/>lines", "two\nlines"),
        ("  white\n   space  ", "white space"),
        ('<span style="slanted">slant</span> ed', "<i>slant</i> ed"),
        ('<span tts:fontWeight="bold">bold</span>', "<b>bold</b>"),
        ("a &lt; b &amp; &lt;script&gt;", "a &lt; b &amp; &lt;script&gt;"),
        ('<metadata href="file:///etc/passwd"/>Text', "Text"),
    ],
)
def test_ttml_text(cue: str, shown: str) -> None:
    text = TTML.format(parameters="", cues=f'<p begin="1s" end="2s">{cue}</p>')

    assert read(text, "ttml") == [(1.0, 2.0, shown)]


def test_ttml_times_are_counted_from_the_parents() -> None:
    text = TTML.format(parameters="", cues='<p begin="1s" end="9s">Text</p>').replace(
        "<div>", '<div begin="10s" end="15s">'
    )
    assert read(text, "ttml") == [(11.0, 15.0, "Text")]


def test_timed_spans_are_cues_of_their_own() -> None:
    cue = '<p begin="1s" end="5s"><span begin="0s" end="1s">A</span><span begin="2s">B</span></p>'
    assert read(TTML.format(parameters="", cues=cue), "ttml") == [(1.0, 2.0, "A"), (3.0, 5.0, "B")]


def test_several_ttml_documents_are_one_track() -> None:
    one, two = (
        TTML.format(parameters="", cues=f'<p begin="{n}s" end="{n + 1}s">{n}</p>') for n in (1, 2)
    )
    assert read(one + "\n" + two, "ttml") == [(1.0, 2.0, "1"), (2.0, 3.0, "2")]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("<tt", "not well-formed"),
        ("<html/>", "its root is html"),
        ('<!DOCTYPE tt SYSTEM "file:///etc/passwd"><tt/>', "DOCTYPE"),
        ('<!DOCTYPE tt [<!ENTITY a "b">]><tt>&a;</tt>', "DOCTYPE"),
        ("<tt>" + "<div>" * 100 + "</div>" * 100 + "</tt>", "deep"),
        (TTML.format(parameters="", cues='<p begin="soon" end="2s">x</p>'), "the time 'soon'"),
        (TTML.format(parameters="", cues=""), "no subtitle in it"),
    ],
)
def test_ttml_that_is_none_is_refused(text: str, fault: str) -> None:
    with pytest.raises(SubtitlesInvalid, match=fault):
        read(text, "ttml")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{25}{50}Text\n", [(1.0, 2.0, "Text")]),
        ("{1}{1}50\n{50}{100}Two|lines\n", [(1.0, 2.0, "Two\nlines")]),
        ("{25}{50}{y:i}Slant\n", [(1.0, 2.0, "<i>Slant</i>")]),
        ("{25}{50}{c:$0000ff}a < b\n", [(1.0, 2.0, "a &lt; b")]),
    ],
)
def test_microdvd_counts_in_frames(text: str, expected: list[tuple[object, ...]]) -> None:
    assert read(text, "microdvd") == expected


@pytest.mark.parametrize(
    ("data", "kind", "fault"),
    [
        (b"just words", "srt", "no subtitle in it can be read as srt"),
        (b"\x00\x00\x01\xba" + bytes(40), "microdvd", "pictures of text"),
        (b"", "srt", "no subtitle in it"),
        (b"#EXTM3U\nhttp://127.0.0.1/canary", "srt", "no subtitle in it"),
        (b"ffconcat version 1.0\nfile /etc/passwd", "ass", "no subtitle in it"),
        (b"x" * (LARGEST + 1), "srt", "too many"),
    ],
    ids=["words", "vobsub", "empty", "playlist", "script", "huge"],
)
def test_what_is_no_subtitle_file_is_refused(data: bytes, kind: str, fault: str) -> None:
    with pytest.raises(SubtitlesInvalid, match=fault) as met:
        read(data, kind)
    assert str(met.value).startswith("film: ")


PIECES = st.sampled_from(
    [CUE, "{\\p1}", "[Events]", "Dialogue: 0,0:00:01.00,0:00:02.00,a,,0,0,0,,b{\\i1}",
     "{1}{2}a|b", "<tt>", "<p begin='1s' end='2s'>", "</p>", "</tt>", "WEBVTT", "\n", "-->", "&x;",
     "00:00:01.000 --> 00:00:02.000", "</i>", "<b>"]
)  # fmt: skip


@given(text=st.lists(PIECES | st.text(max_size=9)).map("\n".join))
@pytest.mark.parametrize("kind", sorted(set(FORMATS.values())))
def test_any_text_is_refused_or_gives_cues_that_can_be_written(text: str, kind: str) -> None:
    try:
        found = parse_subtitles(text.encode("utf-8", "replace"), kind, "film")
    except SubtitlesInvalid:
        return
    again = parse_webvtt(write_webvtt(found), "film")

    if kind != "webvtt":
        assert again.cues == found.cues


@given(data=st.binary(max_size=200))
@pytest.mark.parametrize("kind", sorted(set(FORMATS.values())))
def test_any_bytes_are_refused_or_read(data: bytes, kind: str) -> None:
    try:
        parse_subtitles(data, kind, "film")
    except SubtitlesInvalid:
        return
