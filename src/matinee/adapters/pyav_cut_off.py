"""Whether a film was cut off, told by its head alone: nothing of it is read."""

from bisect import bisect_right
from fractions import Fraction
from pathlib import Path
from typing import Any

import av

HEAD = 64
"""Bytes at the begin of a file that say how long it is."""

NOBODY_KNOWS = 0xFFFFFFFF
"""The length in RIFF of what was not finished, or is too long to be told."""

SEGMENT, EBML = bytes.fromhex("18538067"), bytes.fromhex("1a45dfa3")


def cut_off(container: Any, film: Path) -> str:
    """Where the film ends before its index or header says so; "" where neither tells of it."""
    size = film.stat().st_size
    if container.format.name.startswith("mov"):
        times = [time for s in container.streams if (time := _first_beyond(s, size)) is not None]
        if not times:
            return ""
        lasts = f": by its header it lasts {container.duration / av.time_base:.2f} s"
        return f"the film is cut off at {float(min(times)):.2f} s{lasts}"
    with film.open("rb") as file:
        declared = declared_bytes(file.read(HEAD))
    if declared <= size:
        return ""
    return f"the film is cut off: {size:,} of {declared:,} bytes are there"


def _first_beyond(stream: Any, size: int) -> Fraction | None:
    """The time of the first packet of the index that does not lie within the file."""
    if stream.type not in ("video", "audio") or not (count := len(stream.index_entries)):
        return None
    entries = stream.index_entries  # of a track, in the order in which they lie in the file

    def end(number: int) -> int:
        return int(entries[number].pos + entries[number].size)

    first = bisect_right(range(count), size, key=end)
    return entries[first].timestamp * Fraction(stream.time_base) if first < count else None


def declared_bytes(head: bytes) -> int:
    """How long a file says it is: Matroska (RFC 8794, 9559) and RIFF; 0 where it does not."""
    if head[:4] == b"RIFF":
        told = int.from_bytes(head[4:8], "little")
        return 0 if told >= NOBODY_KNOWS else told + 8
    if head[:4] != EBML:
        return 0
    start, length = _length(head, 4)
    start += length
    if head[start : start + 4] != SEGMENT:
        return 0
    start, length = _length(head, start + 4)
    return start + length if length else 0


def _length(data: bytes, at: int) -> tuple[int, int]:
    """Where a length of EBML ends, and what it is; 0 for one that is unknown."""
    first = data[at] if at < len(data) else 0
    width = 9 - first.bit_length()
    if width > 8:
        return at, 0
    value = int.from_bytes(data[at : at + width], "big") & (1 << 7 * width) - 1
    return at + width, 0 if value == (1 << 7 * width) - 1 else value
