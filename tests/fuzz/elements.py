"""The parts of a film's file, as far as a container's syntax shows them: boxes, elements, pages."""

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass

BOXES_OF_BOXES = frozenset(
    {b"moov", b"trak", b"mdia", b"minf", b"stbl", b"edts", b"dinf", b"moof", b"traf", b"mvex",
     b"udta"}
)  # fmt: skip
MASTERS = frozenset(
    {0x18538067, 0x1549A966, 0x1654AE6B, 0xAE, 0xE0, 0xE1, 0x1F43B675, 0xA0, 0x1C53BB6B, 0xBB,
     0xB7, 0x114D9B74, 0x4DBB, 0x1254C367, 0x7373}
)  # fmt: skip
"""EBML elements that hold elements: Segment, Info, Tracks, Cluster, Cues and their kin."""

PACKET = 188


@dataclass(frozen=True, slots=True)
class Element:
    """``[start, end)`` of the file, its size field ``[size_at, body)``, how deep it lies."""

    start: int
    end: int
    size_at: int
    body: int
    depth: int


def elements(data: bytes, name: str) -> list[Element]:
    """The parts of a film by the ending of its name; none where nothing is known of the syntax."""
    kind = name.rpartition(".")[2]
    if kind in ("mp4", "mov"):
        return list(_boxes(data, 0, len(data), 0))
    if kind in ("mkv", "webm"):
        return list(_ebml(data, 0, len(data), 0))
    if kind == "ts":
        return [Element(s, s + PACKET, s, s + 4, 0) for s in range(0, len(data) - 187, PACKET)]
    if kind in ("ogv", "mpg"):
        marks = rb"OggS" if kind == "ogv" else rb"\x00\x00\x01[\xba-\xff]"
        starts = [match.start() for match in re.finditer(marks, data, re.DOTALL)]
        ends = [*starts[1:], len(data)]
        return [Element(s, e, s + 4, s + 6, 0) for s, e in zip(starts, ends, strict=True)]
    if kind == "avi":
        return list(_chunks(data, 0, len(data), 0))
    return []


def _boxes(data: bytes, start: int, end: int, depth: int) -> Iterator[Element]:
    while start + 8 <= end:
        size, kind = struct.unpack_from(">I4s", data, start)
        if size < 8 or start + size > end:
            return
        yield Element(start, start + size, start, start + 8, depth)
        if kind in BOXES_OF_BOXES:
            yield from _boxes(data, start + 8, start + size, depth + 1)
        start += size


def _chunks(data: bytes, start: int, end: int, depth: int) -> Iterator[Element]:
    while start + 8 <= end:
        kind, size = struct.unpack_from("<4sI", data, start)
        stop = min(end, start + 8 + size)
        yield Element(start, stop, start + 4, start + 8, depth)
        if kind in (b"RIFF", b"LIST"):
            yield from _chunks(data, start + 12, stop, depth + 1)
        start = stop + size % 2


def _ebml(data: bytes, start: int, end: int, depth: int) -> Iterator[Element]:
    while start + 2 <= end and data[start]:
        width = 9 - data[start].bit_length()
        size_at = start + width
        if width > 4 or size_at >= end or not data[size_at]:
            return
        size_width = 9 - data[size_at].bit_length()
        body = size_at + size_width
        size = int.from_bytes(data[size_at:body], "big") & ((1 << 7 * size_width) - 1)
        stop = min(end, body + size)
        yield Element(start, stop, size_at, body, depth)
        if int.from_bytes(data[start:size_at], "big") in MASTERS:
            yield from _ebml(data, body, stop, depth + 1)
        start = stop
