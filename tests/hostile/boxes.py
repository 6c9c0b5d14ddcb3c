"""Faults in ISO media files, byte by byte (ISO/IEC 14496-12)."""

import struct
from collections.abc import Iterator

PARENTS = {b"moov", b"trak", b"mdia", b"minf", b"stbl", b"edts", b"dinf", b"moof", b"traf", b"mvex"}


def box(kind: bytes, payload: bytes) -> bytes:
    """A box with a 32-bit size."""
    return struct.pack(">I", len(payload) + 8) + kind + payload


def walk(data: bytes, start: int = 0, end: int | None = None) -> Iterator[tuple[bytes, int, int]]:
    """Kind, begin and end of every box, parents before their children."""
    end = len(data) if end is None else end
    while start + 8 <= end:
        size, kind = struct.unpack_from(">I4s", data, start)
        header = 8
        if size == 1 and start + 16 <= end:
            (size,), header = struct.unpack_from(">Q", data, start + 8), 16
        elif size == 0:
            size = end - start
        if size < header or start + size > end:
            return
        yield kind, start, start + size
        if kind in PARENTS:
            yield from walk(data, start + header, start + size)
        start += size


def span(data: bytes, kind: bytes, number: int = 0) -> tuple[int, int]:
    """Begin and end of the box of that kind, counted from 0."""
    found = [(start, end) for one, start, end in walk(data) if one == kind]
    return found[number]


def poke(data: bytes, kind: bytes, offset: int, value: bytes, number: int = 0) -> bytes:
    """``value`` over the bytes of a box, ``offset`` counted from the begin of its header."""
    start, _ = span(data, kind, number)
    return data[: start + offset] + value + data[start + offset + len(value) :]


def replaced(data: bytes, kind: bytes, new: bytes) -> bytes:
    """``new`` in place of the first such box; all boxes around it change their size.

    Only for a film whose index is behind its packets: their places stay as they are.
    """
    begin, end = span(data, kind)
    changed = bytearray(data)
    for parent, start, stop in walk(data):
        if parent in PARENTS and start < begin and end <= stop:
            struct.pack_into(">I", changed, start, stop - start + len(new) - (end - begin))
    return bytes(changed[:begin]) + new + bytes(changed[end:])


def with_more(data: bytes, parent: bytes, added: bytes) -> bytes:
    """``added`` at the end of the first such box, under the same condition."""
    begin, end = span(data, parent)
    return replaced(data, parent, box(parent, data[begin + 8 : end] + added))


def alias(path: str) -> bytes:
    """A data reference to a file by a Macintosh alias record, as QuickTime wrote it."""
    name = path.rpartition("/")[2].encode()[:63]
    absolute = path.encode() + bytes(len(path) % 2)
    record = (
        bytes(4 + 10) + bytes(1 + 27) + bytes(12)
        + bytes([len(name)]) + name.ljust(63, b"\0") + bytes(16) + struct.pack(">hh", 1, 1)
        + bytes(16) + struct.pack(">hH", 2, len(absolute)) + absolute + struct.pack(">hH", -1, 0)
    )  # fmt: skip
    return box(b"alis", record)
