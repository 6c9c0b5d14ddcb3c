"""A store in which bad objects are not there: what works with it makes them again, in their place.

Who watches meanwhile still gets what lies there; each is replaced in one step.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

from matinee.core.errors import ObjectMissing
from matinee.core.ids import Digest
from matinee.ports.store import UNTYPED, ObjectStore, Stored


class HiddenObjects(ObjectStore):
    """Hides objects of another store until they are written again.

    Args:
        store: The store.
        hidden: The keys; those that were written again are taken out.
    """

    def __init__(self, store: ObjectStore, hidden: set[str]) -> None:
        self._store, self._hidden = store, hidden

    @property
    def is_local(self) -> bool:
        """As the store's."""
        return self._store.is_local

    async def write(
        self, key: str, content: bytes | Path, *, media_type: str = UNTYPED, changes: bool = False,
        digest: Digest | None = None,
    ) -> None:  # fmt: skip
        """Store it; it is hidden no longer."""
        await self._store.write(key, content, media_type=media_type, changes=changes, digest=digest)
        self._hidden.discard(key)

    async def read(self, key: str) -> bytes:
        """The whole object, unless it is hidden."""
        return await self._store.read(self._seen(key))

    async def size(self, key: str) -> int | None:
        """Its size, unless it is hidden."""
        return None if key in self._hidden else await self._store.size(key)

    async def look(self, key: str) -> Stored | None:
        """Its size and tag, unless it is hidden."""
        return None if key in self._hidden else await self._store.look(key)

    async def stream(self, key: str, start: int, end: int, tag: str) -> AsyncIterator[bytes]:
        """Its bytes, unless it is hidden."""
        return await self._store.stream(self._seen(key), start, end, tag)

    async def as_file(self, key: str, scratch: Path) -> Path:
        """A file of it, unless it is hidden."""
        return await self._store.as_file(self._seen(key), scratch)

    async def delete(self, key: str) -> None:
        """Remove it, unless it is hidden: then it goes when it is written again."""
        if key not in self._hidden:
            await self._store.delete(key)

    async def prove(self, key: str, pace: Callable[[int], None]) -> tuple[Digest, int]:
        """Its digest and size, unless it is hidden."""
        return await self._store.prove(self._seen(key), pace)

    async def prove_each(self, keys: Sequence[str]) -> list[tuple[Digest, int] | None]:
        """Digests and sizes; None of what is hidden."""
        seen = [key for key in keys if key not in self._hidden]
        found = dict(zip(seen, await self._store.prove_each(seen), strict=True))
        return [found.get(key) for key in keys]

    def _seen(self, key: str) -> str:
        if key in self._hidden:
            raise ObjectMissing(f"object {key} is damaged")
        return key
