"""Where bytes are kept."""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from matinee.core.ids import Digest

UNTYPED = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class Stored:
    """What a store says of an object: its size, and a tag that no other bytes at its key have."""

    size_bytes: int
    tag: str


class ObjectStore(Protocol):
    """Objects by key, ``/``-separated, relative, never with ``..``.

    An object appears whole or not at all: a reader never meets half of one, whenever a writer
    dies. Writing a key again replaces it in one step.

    Every method raises ``LibraryError`` when the store cannot be used: ``LibraryFull`` and
    ``LibraryUnreachable`` where trying again may help.
    """

    @property
    def is_local(self) -> bool:
        """Whether objects are files of this machine, so that nothing need be fetched."""
        ...

    async def write(
        self, key: str, content: bytes | Path, *, media_type: str = UNTYPED, changes: bool = False,
        digest: Digest | None = None,
    ) -> None:  # fmt: skip
        """Store ``content`` (a path is streamed, in bounded memory).

        A bucket tells those who fetch the object its ``media_type``, and whether its key may have
        other bytes later (``changes``) or never.

        Raises:
            ObjectDamaged: the bytes are not those of ``digest``; the object does not appear.
        """
        ...

    async def read(self, key: str) -> bytes:
        """The whole object.

        Raises:
            ObjectMissing: no such object.
        """
        ...

    async def size(self, key: str) -> int | None:
        """Its size in bytes, or None when there is no such object."""
        ...

    async def look(self, key: str) -> Stored | None:
        """Its size and tag, or None when there is no such object."""
        ...

    async def stream(self, key: str, start: int, end: int, tag: str) -> AsyncIterator[bytes]:
        """Bytes ``[start, end)`` of the object that ``look`` gave ``tag`` of, in small pieces.

        The store has answered when this returns; what breaks off later is taken up again.

        Raises:
            ObjectMissing: no such object, or another one by now.
        """
        ...

    async def as_file(self, key: str, scratch: Path) -> Path:
        """A local file with the object's bytes, to be read only.

        It is the object itself where the store is a folder, else a copy below ``scratch``.

        Raises:
            ObjectMissing: no such object.
        """
        ...

    async def delete(self, key: str) -> None:
        """Remove the object; nothing happens when there is none."""
        ...

    async def prove(self, key: str, pace: Callable[[int], None]) -> tuple[Digest, int]:
        """Read the whole object, in large pieces and bounded memory: its digest and its size.

        ``pace`` is called, in any thread, with how many bytes each piece has; it may wait.

        Raises:
            ObjectMissing: no such object.
        """
        ...

    async def prove_each(self, keys: Sequence[str]) -> list[tuple[Digest, int] | None]:
        """What ``prove`` gives of each of a few objects, in their order; None where there is none.

        They are read one after the other, so that small ones cost little more than being read.
        """
        ...


@dataclass(frozen=True, slots=True)
class Listed:
    """An object of a listing; ``changed_at`` is the store's own time of its last writing."""

    key: str
    size_bytes: int
    changed_at: datetime


class ListedStore(ObjectStore, Protocol):
    """A store that can say what it has."""

    def listed(self, folder: str) -> AsyncIterator[Listed]:
        """Every object below a folder, in no order; nothing for a folder that is not there."""
        ...

    async def folders(self, folder: str) -> Sequence[str]:
        """The folders right below a folder, ordered."""
        ...
