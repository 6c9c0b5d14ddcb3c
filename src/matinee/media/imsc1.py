"""Subtitles as IMSC1 text (W3C TTML Profiles for Internet Media Subtitles and Captions 1.0.1).

A segment is one document, the only sample of an ISO BMFF segment (ISO/IEC 14496-30, ``stpp``).
Slant, weight and underline are kept, the side and the height of a cue, and its line breaks; voices
and classes are not.
"""

import re
from collections.abc import Iterator, Sequence
from fractions import Fraction
from html import escape, unescape

from matinee.media.boxes import Box, BoxError, boxes, children, require
from matinee.media.cmaf import InitSegment, read_segment
from matinee.media.subtitles import Cue

PROFILE = "http://www.w3.org/ns/ttml/profile/imsc1/text"
_STYLES = {
    "i": 'tts:fontStyle="italic"', "b": 'tts:fontWeight="bold"',
    "u": 'tts:textDecoration="underline"',
}  # fmt: skip
_ALIGNS = {"start": "start", "left": "left", "end": "end", "right": "right"}
_REGIONS = {"bottom": "after", "top": "before"}
_PIECE = re.compile(r"<(/?)([^>]*)>|([^<]+)|<")
_LINE = re.compile(r"\bline:(-?\d+(?:\.\d+)?)(%?)")
_NOT_XML = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_ALIGN = re.compile(r"\balign:(\w+)")

UPPER = 50
"""Per cent of the picture's height above which a cue stands in the upper region."""


def imsc1_document(cues: Sequence[Cue], language: str) -> str:
    """One document; times are those of the cues."""
    regions = "".join(
        f'<region xml:id="{name}" tts:origin="10% 10%" tts:extent="80% 80%"'
        f' tts:displayAlign="{align}"/>'
        for name, align in _REGIONS.items()
    )
    paragraphs = "".join(map(_paragraph, cues))
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<tt xmlns="http://www.w3.org/ns/ttml"'
        ' xmlns:ttp="http://www.w3.org/ns/ttml#parameter"'
        ' xmlns:tts="http://www.w3.org/ns/ttml#styling"'
        f' ttp:profile="{PROFILE}" ttp:timeBase="media" xml:space="preserve"'
        f' xml:lang="{escape(language if language != "und" else "")}">'
        f"<head><layout>{regions}</layout></head>"
        f"<body><div>{paragraphs}</div></body></tt>\n"
    )


def _paragraph(cue: Cue) -> str:
    align = _ALIGN.search(cue.settings)
    side = _ALIGNS.get(align[1], "center") if align else "center"
    return (
        f'<p begin="{_clock(cue.start)}" end="{_clock(cue.end)}" region="{_region(cue)}"'
        f' tts:textAlign="{side}">{"".join(_text(cue.text))}</p>'
    )


def _region(cue: Cue) -> str:
    line = _LINE.search(cue.settings)
    if line is None:
        return "bottom"
    place = float(line[1])
    is_high = place < UPPER if line[2] else place >= 0
    return "top" if is_high else "bottom"


def _clock(time: Fraction) -> str:
    minutes, rest = divmod(round(time * 1000), 60_000)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{rest // 1000:02d}.{rest % 1000:03d}"


def _text(text: str) -> Iterator[str]:
    """WebVTT's cue text as TTML's; every span that is opened is closed."""
    opened: list[str] = []
    for piece in _PIECE.finditer(text):
        name = re.split(r"[.\s]", (piece[2] or "").lower(), maxsplit=1)[0]
        if piece[3]:
            plain = escape(unescape(piece[3]), quote=False)
            yield "".join(filter(_is_xml, plain)).replace("\n", "<br/>")
        elif piece[1] and name in opened:
            while True:
                yield "</span>"
                if opened.pop() == name:
                    break
        elif not piece[1] and name in _STYLES:
            opened.append(name)
            yield f"<span {_STYLES[name]}>"
    yield "</span>" * len(opened)


def _is_xml(character: str) -> bool:
    """Whether XML 1.0 has the character (section 2.2)."""
    return _NOT_XML.match(character) is None


def with_document(segment: bytes, init: InitSegment, document: bytes) -> bytes:
    """The segment with another document as its only sample; its times stay.

    Raises:
        BoxError: it is no segment of one sample.
    """
    sample, *others = read_segment(segment, init).samples
    if others:
        raise BoxError(f"{len(others) + 1} samples in a segment of subtitles")
    traf = require(segment, None, "moof", "traf")
    tfhd = _box("tfhd", (0x020000).to_bytes(4, "big") + init.track_id.to_bytes(4, "big"))
    tfdt = _copied(segment, next(box for box in children(segment, traf) if box.kind == "tfdt"))
    mfhd = _copied(segment, require(segment, None, "moof", "mfhd"))
    sizes = sample.duration.to_bytes(4, "big") + len(document).to_bytes(4, "big")

    def moof(offset: int) -> bytes:
        head = (0x000301).to_bytes(4, "big") + (1).to_bytes(4, "big")
        trun = _box("trun", head + offset.to_bytes(4, "big") + sizes)
        return _box("moof", mfhd + _box("traf", tfhd + tfdt + trun))

    front = b"".join(_copied(segment, box) for box in boxes(segment) if box.kind == "styp")
    return front + moof(len(moof(0)) + 8) + _box("mdat", document)


def _box(kind: str, content: bytes) -> bytes:
    return (len(content) + 8).to_bytes(4, "big") + kind.encode() + content


def _copied(data: bytes, box: Box) -> bytes:
    return data[box.start : box.end]
