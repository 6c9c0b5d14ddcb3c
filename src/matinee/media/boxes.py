"""ISO base media file format boxes (ISO/IEC 14496-12 clause 4.2): find them, read their fields.

Every offset is checked against the enclosing box before a byte is read, so hostile bytes end in
:class:`BoxError` and in nothing else.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from matinee.core.errors import ToolError


class BoxError(ToolError):
    """Bytes that should be ISO BMFF boxes are cut short or contradict themselves."""

    code: ClassVar[str] = "boxes.damaged"
    retryable: ClassVar[bool] = False


@dataclass(frozen=True, slots=True)
class Box:
    """Where one box lies: header at ``start``, content in ``[body, end)``."""

    kind: str
    start: int
    body: int
    end: int

    @property
    def size(self) -> int:
        """Bytes, header included."""
        return self.end - self.start


class Fields:
    """Reads big-endian fields of a box one after the other."""

    __slots__ = ("_at", "_data", "_end", "_kind")

    def __init__(self, data: bytes, box: Box, skip: int = 0) -> None:
        self._data, self._kind = data, box.kind
        self._at, self._end = box.body + skip, min(box.end, len(data))

    @property
    def left(self) -> int:
        """Bytes not read yet."""
        return max(self._end - self._at, 0)

    def take(self, count: int) -> bytes:
        """The next ``count`` bytes.

        Raises:
            BoxError: when the box ends before.
        """
        if count > self._end - self._at:
            raise BoxError(f"box {self._kind!r} ends before its fields, at byte {self._end}")
        taken = self._data[self._at : self._at + count]
        self._at += count
        return taken

    def unsigned(self, count: int) -> int:
        """An unsigned integer of ``count`` bytes."""
        return int.from_bytes(self.take(count), "big")

    def signed(self, count: int) -> int:
        """A two's complement integer of ``count`` bytes."""
        return int.from_bytes(self.take(count), "big", signed=True)

    def full_box(self) -> tuple[int, int]:
        """Version and flags of a FullBox."""
        word = self.unsigned(4)
        return word >> 24, word & 0xFFFFFF


def boxes(data: bytes, start: int = 0, end: int | None = None) -> Iterator[Box]:
    """The boxes that lie one after the other in ``[start, end)``, in order.

    Raises:
        BoxError: when a box is shorter than its header or reaches past ``end``.
    """
    limit = len(data) if end is None else min(end, len(data))
    at = start
    while at < limit:
        if limit - at < 8:
            raise BoxError(f"{limit - at} stray bytes at {at} where a box should begin")
        size, kind, header = (
            int.from_bytes(data[at : at + 4], "big"),
            data[at + 4 : at + 8].decode("latin-1"),
            8,
        )
        if size == 1:
            if limit - at < 16:
                raise BoxError(f"box {kind!r} at {at} has no room for its large size")
            size, header = int.from_bytes(data[at + 8 : at + 16], "big"), 16
        elif size == 0:  # to the end of the file: top level only
            if end is not None:
                raise BoxError(f"box {kind!r} at {at} has no size")
            size = limit - at
        if size < header or size > limit - at:
            raise BoxError(f"box {kind!r} at {at} says {size} bytes, {limit - at} are there")
        yield Box(kind, at, at + header, at + size)
        at += size


def children(data: bytes, parent: Box, skip: int = 0) -> Iterator[Box]:
    """The boxes inside ``parent``, after ``skip`` bytes of its own fields."""
    if parent.body + skip > parent.end:
        raise BoxError(f"box {parent.kind!r} at {parent.start} is too short for its fields")
    return boxes(data, parent.body + skip, parent.end)


def find(data: bytes, parent: Box | None, *path: str) -> Box | None:
    """The first box at ``path`` below ``parent`` (None: the top level), or None."""
    for kind in path:
        inside = boxes(data) if parent is None else children(data, parent)
        parent = next((box for box in inside if box.kind == kind), None)
        if parent is None:
            return None
    return parent


def require(data: bytes, parent: Box | None, *path: str) -> Box:
    """Like :func:`find`, for a box that must be there.

    Raises:
        BoxError: when it is not.
    """
    box = find(data, parent, *path)
    if box is None:
        raise BoxError(f"no box {'/'.join(path)}" + (f" in {parent.kind!r}" if parent else ""))
    return box
