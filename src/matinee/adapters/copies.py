"""Places that may have a second copy of an asset."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

from matinee.assets.asset import Asset
from matinee.assets.files import digest_of_file
from matinee.core.errors import LibraryError, MatineeError
from matinee.core.ids import Digest
from matinee.ports.copies import Copies, Originals
from matinee.ports.store import ObjectStore

LOCAL_BYTES_A_SECOND = 200e6
REMOTE_BYTES_A_SECOND = 20e6
"""About how fast a disk and another service give bytes: prices of copies weigh them only."""


class OtherKeys(Copies):
    """The same bytes at another key of the library, as two titles may share a segment.

    Args:
        store: The library's objects.
        places: The keys of assets.
    """

    name = "another key of the library"

    def __init__(
        self,
        store: ObjectStore,
        places: Callable[[Sequence[Digest]], Mapping[Digest, Sequence[str]]],
    ) -> None:
        self._store, self._places = store, places

    async def offer(self, asset: Asset) -> float | None:
        return asset.size_bytes / LOCAL_BYTES_A_SECOND if len(await self._keys(asset)) > 1 else None

    async def fetch(self, asset: Asset, folder: Path) -> Path | None:
        for key in await self._keys(asset):
            try:
                digest, _ = await self._store.prove(key, lambda _: None)
                if digest == asset.digest:
                    return await self._store.as_file(key, folder)
            except LibraryError:
                continue
        return None

    async def _keys(self, asset: Asset) -> Sequence[str]:
        found = await asyncio.to_thread(self._places, [asset.digest])
        return found.get(asset.digest, ())


class KeptOriginals(Copies):
    """The path or address from which a source came, as long as its bytes are still the same.

    Args:
        originals: Where sources came from.
        fetch: A local file of a place's bytes; see ``adapters.places``.
    """

    name = "its original"

    def __init__(self, originals: Originals, fetch: Callable[[str, Path], Awaitable[Path]]) -> None:
        self._originals, self._fetch = originals, fetch

    async def offer(self, asset: Asset) -> float | None:
        for place in await asyncio.to_thread(self._originals.of, asset.digest):
            if "://" in place:
                return asset.size_bytes / REMOTE_BYTES_A_SECOND
            if await asyncio.to_thread(_has_size, Path(place), asset.size_bytes):
                return asset.size_bytes / LOCAL_BYTES_A_SECOND
        return None

    async def fetch(self, asset: Asset, folder: Path) -> Path | None:
        for place in await asyncio.to_thread(self._originals.of, asset.digest):
            try:
                file = await self._fetch(place, folder)
                digest, _ = await asyncio.to_thread(digest_of_file, file)
            except (MatineeError, OSError):
                continue
            if digest == asset.digest:
                return file
        return None


def _has_size(path: Path, size: int) -> bool:
    try:
        return path.is_file() and path.stat().st_size == size
    except OSError:
        return False
