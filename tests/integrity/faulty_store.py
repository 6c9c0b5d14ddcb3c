"""A store whose disk lies: for tests of what is built on stores."""

from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Literal

from matinee.core.errors import LibraryError
from matinee.core.ids import Digest, digest_of
from matinee.ports.store import UNTYPED, Listed, ListedStore, Stored

Fault = Literal["torn", "changing", "unreadable", "exchanged"]


class FaultyStore(ListedStore):
    """Another store, with faults at some keys.

    - ``torn``: what is written arrives in half.
    - ``changing``: bytes change after they were written.
    - ``unreadable``: reading fails, as from a broken sector.
    - ``exchanged``: reading gives another object.

    Args:
        store: The store that is right.
        faults: The faults by key; ``*`` for all others.
        other: The key of the object that is given instead.
    """

    def __init__(self, store: ListedStore, faults: dict[str, Fault], other: str = "") -> None:
        self._store, self.faults, self._other = store, faults, other

    def _fault(self, key: str) -> Fault | None:
        return self.faults.get(key, self.faults.get("*"))

    def _read(self, key: str) -> str:
        if self._fault(key) == "unreadable":
            raise LibraryError(f"cannot read object {key}: Input/output error")
        return self._other if self._fault(key) == "exchanged" else key

    @property
    def is_local(self) -> bool:
        return self._store.is_local

    async def write(
        self, key: str, content: bytes | Path, *, media_type: str = UNTYPED, changes: bool = False,
        digest: Digest | None = None,
    ) -> None:  # fmt: skip
        assert isinstance(content, bytes)
        data = content
        if self._fault(key) == "torn":
            data = data[: len(data) // 2]
        await self._store.write(key, data, media_type=media_type, changes=changes, digest=digest)
        if self._fault(key) == "changing":
            await self._store.write(key, bytes([data[0] ^ 1]) + data[1:], media_type=media_type)

    async def read(self, key: str) -> bytes:
        return await self._store.read(self._read(key))

    async def size(self, key: str) -> int | None:
        return await self._store.size(key)

    async def look(self, key: str) -> Stored | None:
        return await self._store.look(key)

    async def stream(self, key: str, start: int, end: int, tag: str) -> AsyncIterator[bytes]:
        return await self._store.stream(self._read(key), start, end, tag)

    async def as_file(self, key: str, scratch: Path) -> Path:
        return await self._store.as_file(self._read(key), scratch)

    async def delete(self, key: str) -> None:
        await self._store.delete(key)

    async def prove(self, key: str, pace: Callable[[int], None]) -> tuple[Digest, int]:
        data = await self.read(key)
        pace(len(data))
        return digest_of(data), len(data)

    async def prove_each(self, keys: Sequence[str]) -> list[tuple[Digest, int] | None]:
        there = [key for key in keys if await self.size(key) is not None]
        found = {key: await self.prove(key, lambda _: None) for key in there}
        return [found.get(key) for key in keys]

    def listed(self, folder: str) -> AsyncIterator[Listed]:
        return self._store.listed(folder)

    async def folders(self, folder: str) -> Sequence[str]:
        return await self._store.folders(folder)
