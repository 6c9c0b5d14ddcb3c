"""Checks of WebVTT segments and thumbnail sheets, each file read once."""

import re
from collections.abc import Sequence
from fractions import Fraction

from matinee.core.errors import SubtitlesInvalid
from matinee.media.conformance_report import Library
from matinee.media.subtitles import parse_webvtt

_TIMESTAMP_MAP = re.compile(r"^X-TIMESTAMP-MAP=(.*)$", re.MULTILINE)
_LOCAL = re.compile(r"LOCAL:(?:(\d{2,4}):)?(\d{2}):(\d{2})\.(\d{3})")
_MPEGTS = re.compile(r"MPEGTS:(\d{1,12})")


def check_webvtt(library: Library, path: str, start: Fraction, end: Fraction) -> int | None:
    """Check one WebVTT segment (RFC 8216bis section 3.1.4); its size, or None if it is not there.

    Every cue must overlap ``[start, end)``: a cue over a border stands in both segments.
    """
    data = library.bytes_of(path)
    if data is None:
        return None
    try:
        text = data.decode()
        cues = parse_webvtt(text, path).cues
    except (SubtitlesInvalid, UnicodeDecodeError) as error:
        library.note("text.damaged", path, str(error))
        return len(data)
    shift = _shift(text)
    for cue in cues:
        if cue.end + shift <= start or cue.start + shift >= end or cue.end <= cue.start:
            library.note(
                "text.cue",
                path,
                f"cue {float(cue.start):.3f}-{float(cue.end):.3f} s in the segment "
                f"{float(start):.3f}-{float(end):.3f} s",
            )
    return len(data)


def _shift(text: str) -> Fraction:
    """Seconds from cue times to film times."""
    header = _TIMESTAMP_MAP.search(text.partition("\n\n")[0])
    local, mpegts = (p.search(header[1]) if header else None for p in (_LOCAL, _MPEGTS))
    if local is None or mpegts is None:
        return Fraction(0)
    hours, minutes, seconds, thousandths = (int(part or 0) for part in local.groups())
    begin = Fraction(((hours * 60 + minutes) * 60 + seconds) * 1000 + thousandths, 1000)
    return Fraction(int(mpegts[1]), 90_000) - begin


def jpeg_size(data: bytes) -> tuple[int, int] | None:
    """Width and height of a JPEG picture (ITU-T T.81 annex B), or None if it is not one."""
    if data[:3] != b"\xff\xd8\xff":
        return None
    at = 2
    while at + 9 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = data[at + 5 : at + 7], data[at + 7 : at + 9]
            return int.from_bytes(width, "big"), int.from_bytes(height, "big")
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return None


def check_sheets(
    library: Library, paths: Sequence[str], wanted: tuple[int, int] | None
) -> dict[str, int]:
    """Check that thumbnail sheets are JPEG pictures of the ``wanted`` size; gives bytes of each."""
    sizes = {}
    for path in paths:
        data = library.bytes_of(path)
        if data is None:
            continue
        sizes[path] = len(data)
        found = jpeg_size(data)
        if found is None:
            library.note("thumbnails.damaged", path, "not a JPEG picture")
        elif wanted is not None and found != wanted:
            library.note(
                "thumbnails.size", path, f"{found[0]}x{found[1]}, not {wanted[0]}x{wanted[1]}"
            )
    return sizes
