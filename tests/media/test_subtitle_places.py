"""Subtitles stay at the height and side that their file gives them."""

import re
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matinee.media.imsc1 import imsc1_document
from matinee.media.subtitle_formats import read_subtitles
from matinee.media.subtitle_places import of_key, of_overrides, of_region
from matinee.media.subtitles import Subtitles, parse_webvtt, write_webvtt

SETTING = re.compile(
    r"(line:(0|50%)|position:\d{1,3}(\.\d+)?%|align:(left|right|start|end))?"
    r"( (position:\d{1,3}(\.\d+)?%|align:(left|right|start|end)))*"
)
SRT = "1\n00:00:01,000 --> 00:00:02,000\n{\\an8}BAKERY\n\n2\n00:00:03,000 --> 00:00:04,000\nBread\n"
ASS = """[V4+ Styles]
Format: Name, Fontname, Alignment
Style: Default,Arial,2
Style: Sign,Arial,8

[Events]
Format: Layer, Start, End, Style, Text
Dialogue: 0,0:00:01.00,0:00:02.00,Sign,BAKERY
Dialogue: 0,0:00:03.00,0:00:04.00,Default,Bread
Dialogue: 0,0:00:05.00,0:00:06.00,Sign,{\\an1\\i1}Low and left
"""
SSA = ASS.replace("[V4+ Styles]", "[V4 Styles]").replace("Sign,Arial,8", "Sign,Arial,6")
TTML = """<tt xmlns="http://www.w3.org/ns/ttml" xmlns:tts="http://www.w3.org/ns/ttml#styling">
<head><styling><style xml:id="l" tts:textAlign="left"/></styling><layout>
<region xml:id="top" tts:origin="10% 5%" tts:extent="80% 20%" tts:displayAlign="before"/>
<region xml:id="low"><style tts:origin="10% 10%"/><style tts:extent="80% 80%"/>
<style tts:displayAlign="after"/></region></layout></head>
<body><div region="low"><p begin="1s" end="2s" region="top">BAKERY</p>
<p begin="3s" end="4s">Bread</p><p begin="5s" end="6s" style="l">Left</p></div></body></tt>"""


def places(text: str, kind: str) -> dict[str, str]:
    found = read_subtitles(text.encode(), kind, "film")
    return {re.sub(r"</?[ibu]>", "", cue.text): cue.settings for cue in found.cues}


def test_subrip_keeps_the_key_on_the_pad() -> None:
    assert places(SRT, "srt") == {"BAKERY": "line:0", "Bread": ""}


@pytest.mark.parametrize("text", [ASS, SSA], ids=["ass", "ssa"])
def test_substation_alpha_keeps_the_places_of_styles_and_lines(text: str) -> None:
    assert places(text, "ass") == {"BAKERY": "line:0", "Bread": "", "Low and left": "align:left"}


def test_ttml_keeps_the_height_of_regions_and_the_side() -> None:
    assert places(TTML, "ttml") == {
        "BAKERY": "line:0", "Bread": "", "Left": "position:10% align:left",
    }  # fmt: skip


@pytest.mark.parametrize(("text", "kind"), [(SRT, "srt"), (ASS, "ass"), (TTML, "ttml")])
def test_places_go_on_into_both_forms(text: str, kind: str) -> None:
    found = read_subtitles(text.encode(), kind, "film")
    again = parse_webvtt(write_webvtt(Subtitles(found.cues)), "film.vtt")
    document = imsc1_document(found.cues, "en")

    assert [cue.settings for cue in again.cues] == [cue.settings for cue in found.cues]
    assert 'region="top" tts:textAlign="center">BAKERY' in document
    assert 'region="bottom" tts:textAlign="center">Bread' in document


LENGTH = st.fractions(-999, 999, max_denominator=100).map(lambda f: f"{float(f):.2f}%")
PAIR = st.tuples(LENGTH, LENGTH).map(" ".join) | st.sampled_from(["", "auto", "3c 4c", "1%"])


@given(
    region=st.fixed_dictionaries(
        {},
        optional={
            "origin": PAIR, "extent": PAIR,
            "displayAlign": st.sampled_from(["before", "center", "after", "x"]),
        },
    ),
    align=st.sampled_from(["", "center", "left", "right", "start", "end", "x y"]),
)  # fmt: skip
def test_any_region_gives_settings_that_webvtt_has(region: dict[str, str], align: str) -> None:
    settings = of_region(region, align)

    assert SETTING.fullmatch(settings)
    for share in re.findall(r"position:([\d.]+)%", settings):
        assert 0 <= Fraction(share) <= 100


@given(text=st.text(st.sampled_from("{}\\an0189i ")), key=st.integers(0, 99))
def test_any_override_gives_settings_that_webvtt_has(text: str, key: int) -> None:
    for settings in (of_overrides(text), of_key("an", key), of_key("a", key)):
        assert SETTING.fullmatch(settings)
