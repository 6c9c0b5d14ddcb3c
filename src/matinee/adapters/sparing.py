"""A store whose writers and garbage collection do not meet: what is written is spared first."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

from matinee.core.errors import LibraryBusy
from matinee.core.ids import Digest
from matinee.ports.garbage import Spare
from matinee.ports.store import UNTYPED, Listed, ListedStore, Stored

POLL_S = 0.1
PATIENCE_S = 60
"""How long a writer waits until the bytes are gone that were at its key."""


class SparingStore(ListedStore):
    """The store of a library: see ``Spare``."""

    def __init__(self, store: ListedStore, spare: Spare) -> None:
        self._store = store
        self._spare = spare

    @property
    def is_local(self) -> bool:
        return self._store.is_local

    async def write(
        self, key: str, content: bytes | Path, *, media_type: str = UNTYPED, changes: bool = False,
        digest: Digest | None = None,
    ) -> None:  # fmt: skip
        deadline = time.monotonic() + PATIENCE_S
        while not await asyncio.to_thread(self._spare.spare, key):
            if time.monotonic() > deadline:
                raise LibraryBusy(f"garbage collection is removing object {key}")
            await asyncio.sleep(POLL_S)
        await self._store.write(key, content, media_type=media_type, changes=changes, digest=digest)

    async def read(self, key: str) -> bytes:
        return await self._store.read(key)

    async def size(self, key: str) -> int | None:
        return await self._store.size(key)

    async def look(self, key: str) -> Stored | None:
        return await self._store.look(key)

    async def stream(self, key: str, start: int, end: int, tag: str) -> AsyncIterator[bytes]:
        return await self._store.stream(key, start, end, tag)

    async def as_file(self, key: str, scratch: Path) -> Path:
        return await self._store.as_file(key, scratch)

    async def delete(self, key: str) -> None:
        await self._store.delete(key)

    async def prove(self, key: str, pace: Callable[[int], None]) -> tuple[Digest, int]:
        return await self._store.prove(key, pace)

    async def prove_each(self, keys: Sequence[str]) -> list[tuple[Digest, int] | None]:
        return await self._store.prove_each(keys)

    def listed(self, folder: str) -> AsyncIterator[Listed]:
        return self._store.listed(folder)

    async def folders(self, folder: str) -> Sequence[str]:
        return await self._store.folders(folder)
