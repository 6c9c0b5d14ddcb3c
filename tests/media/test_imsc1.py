"""Subtitles as IMSC1: what another reader of TTML understands is what was meant."""

import re
from fractions import Fraction
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matinee.media.imsc1 import PROFILE, imsc1_document
from matinee.media.subtitles import Cue, safe_text
from matinee.media.ttml import parse_ttml

LETTERS = st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp"])
TEXT = st.text(LETTERS, min_size=1)
TAGS = st.sampled_from(["<i>", "</i>", "<b>", "</b>", "<u>", "</u>", "<v Ann>", "\n"])
MARKED = st.lists(TEXT | TAGS).map(lambda parts: safe_text("".join(parts)))
TIMES = st.integers(0, 10**7).map(lambda ms: Fraction(ms, 1000))


def words(text: str) -> str:
    """Without voices and classes, which TTML has no word for, and without blank ends."""
    kept = re.sub(r"</?(?:v|c|lang|ruby|rt)\b[^>]*>", "", text)
    return " ".join(kept.split())


def spoken(cue: Cue) -> str:
    plain = re.sub(r"<[^>]*>", "", cue.text)
    return "".join(plain.split())


@given(st.lists(st.tuples(TIMES, st.integers(1, 9000), MARKED), max_size=4))
def test_it_is_read_as_it_was_meant(given_cues: list[tuple[Fraction, int, str]]) -> None:
    cues = [Cue(at, at + Fraction(ms, 1000), text) for at, ms, text in given_cues]
    cues = [cue for cue in cues if spoken(cue)]

    found = parse_ttml(imsc1_document(cues, "en").encode(), "document")

    assert [(cue.start, cue.end) for cue in found] == [(cue.start, cue.end) for cue in cues]
    assert [spoken(cue) for cue in found] == [spoken(cue) for cue in cues]


def test_slant_weight_underline_and_lines_are_kept() -> None:
    cue = Cue(Fraction(1), Fraction(2), "<i>One</i> &amp; <b>two</b>\n<u>three</u> &lt;4")

    (found,) = parse_ttml(imsc1_document([cue], "de").encode(), "document")

    assert words(found.text) == words(cue.text)
    assert found.text.count("\n") == 1


@pytest.mark.parametrize(
    ("settings", "region", "align"),
    [
        ("", "bottom", "center"),
        ("line:10%", "top", "center"),
        ("line:90% align:start", "bottom", "start"),
        ("line:0 align:right", "top", "right"),
        ("line:-1 align:middle", "bottom", "center"),
    ],
)
def test_a_cue_keeps_its_side_and_height(settings: str, region: str, align: str) -> None:
    document = imsc1_document([Cue(Fraction(0), Fraction(1), "x", settings)], "en")
    root = ET.fromstring(document)  # noqa: S314  # our own
    tts = "{http://www.w3.org/ns/ttml#styling}"
    (paragraph,) = root.iter("{http://www.w3.org/ns/ttml}p")

    assert (paragraph.get("region"), paragraph.get(f"{tts}textAlign")) == (region, align)
    assert root.get("{http://www.w3.org/ns/ttml#parameter}profile") == PROFILE
    assert root.get("{http://www.w3.org/XML/1998/namespace}lang") == "en"


def test_an_unknown_language_is_not_named() -> None:
    root = ET.fromstring(imsc1_document([], "und"))  # noqa: S314

    assert root.get("{http://www.w3.org/XML/1998/namespace}lang") == ""
