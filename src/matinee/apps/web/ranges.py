"""Byte ranges and conditional requests (RFC 9110, sections 13 and 14), as pure functions."""

import re
from dataclasses import dataclass

_ONE_RANGE = re.compile(r"bytes=[ \t]*(?:(\d{1,19})-(\d{0,19})|-(\d{1,19}))[ \t]*", re.IGNORECASE)


class RangeUnsatisfiable(ValueError):
    """The range lies wholly outside the file: 416."""


@dataclass(frozen=True, slots=True)
class ByteSpan:
    """Bytes ``[start, end)`` of a file."""

    start: int
    end: int

    def __len__(self) -> int:
        return self.end - self.start


def wanted_span(
    range_header: str | None, if_range: str | None, tag: str, size: int
) -> ByteSpan | None:
    """The span that a request asks for, or None for the whole file.

    A header that is no single byte range is ignored, as section 14.2 allows; so is one whose
    ``If-Range`` names other bytes than ``tag`` (weak tags and dates never match).

    Raises:
        RangeUnsatisfiable: the range begins at or after the end, or is a suffix of no bytes.
    """
    if range_header is None or (if_range is not None and if_range.strip() != tag):
        return None
    asked = _ONE_RANGE.fullmatch(range_header.strip())
    if asked is None:
        return None
    first, last, suffix = asked.groups()
    if suffix is not None:
        span = ByteSpan(max(0, size - int(suffix)), size)
    elif last and int(last) < int(first):
        return None
    else:
        span = ByteSpan(int(first), min(size, int(last) + 1) if last else size)
    if span.start >= span.end:
        raise RangeUnsatisfiable(range_header)
    return span


def entity_tag_matches(if_none_match: str | None, tag: str) -> bool:
    """Whether ``If-None-Match`` names ``tag`` (weak comparison) or is ``*``."""
    if if_none_match is None:
        return False
    named = [candidate.strip().removeprefix("W/") for candidate in if_none_match.split(",")]
    return tag in named or named == ["*"]
