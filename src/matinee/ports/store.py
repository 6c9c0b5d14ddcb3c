"""Where bytes are kept."""

from pathlib import Path
from typing import Protocol


class ObjectStore(Protocol):
    """Objects by key, ``/``-separated, relative, never with ``..``.

    An object appears whole or not at all: a reader never meets half of one, whenever a writer
    dies. Writing a key again replaces it in one step.
    """

    async def write(self, key: str, content: bytes | Path) -> None:
        """Store ``content`` (a path is streamed, in bounded memory).

        Raises:
            LibraryError: the store cannot be written (full, read-only, unreachable).
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
