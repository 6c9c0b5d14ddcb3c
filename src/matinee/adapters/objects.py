"""Objects in a folder, in memory or in a bucket: one code path over ``obstore``.

In a folder an object is written below ``STAGING`` and renamed when it is complete, so a writer that
is killed leaves nothing beside the objects that are served.
"""

import asyncio
import errno
import re
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from obstore.exceptions import BaseError
from obstore.store import LocalStore, MemoryStore
from obstore.store import ObjectStore as Backend

from matinee.core.errors import LibraryError, LibraryFull, ObjectMissing, UsageError
from matinee.ports.store import ObjectStore

PART_BYTES = 8 * 1024 * 1024
"""What is read of a file at a time; S3 takes 10,000 parts, so an object may have 78 GiB."""

PARTS_AT_ONCE = 2
"""One part is read while the other is written; more only cost memory."""

STAGING = "scratch/staging"

NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)

_STAGED = re.compile(r"#\d+$")
_UNSPELLABLE = re.compile(r"[\\\x00-\x1f\x7f\ud800-\udfff]")


class ObstoreObjects(ObjectStore):
    """Keeps objects in any ``obstore`` store.

    A key that could leave the store or that some store could not spell is refused with
    ``UsageError``.

    Args:
        backend: Where the objects lie.
        root: The folder itself when ``backend`` is one, so that an object is a file already.
    """

    def __init__(self, backend: Backend, root: Path | None = None) -> None:
        self._backend = backend
        self._root = root

    async def write(self, key: str, content: bytes | Path) -> None:
        with _failures("write", checked(key)):
            if self._root is None:
                await self._put(key, content)
                return
            staged = f"{STAGING}/{uuid.uuid4().hex}"
            await self._put(staged, content)
            await self._backend.rename_async(staged, key)

    async def _put(self, key: str, content: bytes | Path) -> None:
        await self._backend.put_async(
            key, content, chunk_size=PART_BYTES, max_concurrency=PARTS_AT_ONCE
        )

    async def read(self, key: str) -> bytes:
        with _failures("read", checked(key)), _missing(key):
            found = await self._backend.get_async(key)
            return bytes(await found.bytes_async())

    async def size(self, key: str) -> int | None:
        try:
            with _failures("look up", checked(key)), _missing(key):
                return (await self._backend.head_async(key))["size"]
        except ObjectMissing:
            return None

    async def as_file(self, key: str, scratch: Path) -> Path:
        checked(key)
        if self._root is None:
            return await asyncio.to_thread(self._fetch, key, scratch / key)
        if await self.size(key) is None:
            raise _object_missing(key)
        return self._root / key

    async def delete(self, key: str) -> None:
        try:
            with _failures("delete", checked(key)), _missing(key):
                await self._backend.delete_async(key)
        except ObjectMissing:
            return

    def _fetch(self, key: str, target: Path) -> Path:
        """Copy an object to ``target``, part by part, there whole or not at all."""
        with _failures("read", key), _missing(key):
            found = self._backend.get(key)
        with _failures("copy to scratch", key):
            target.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=target.parent) as staging:
                staged = Path(staging) / "object"
                with staged.open("wb") as file:
                    for part in found.stream(min_chunk_size=PART_BYTES):
                        file.write(part)
                staged.replace(target)
        return target


def folder_objects(root: Path) -> ObstoreObjects:
    """Objects as files below ``root``, which is made when it is not there.

    Raises:
        LibraryError: ``root`` cannot be a folder.
    """
    try:
        root.mkdir(parents=True, exist_ok=True)
        return ObstoreObjects(LocalStore(root), root)
    except (OSError, BaseError) as error:
        raise LibraryError(
            f"cannot keep objects in {root}: {_first_line(error)}",
            "name a folder that can be written",
        ) from error


def memory_objects() -> ObstoreObjects:
    """Objects that last as long as the process."""
    return ObstoreObjects(MemoryStore())


def checked(key: str) -> str:
    """``key`` itself, when every store can spell it and it stays inside the store.

    Raises:
        UsageError: it is absolute; a part is empty, ``.``, ``..`` or like a staging file's name; or
            it has a backslash, a control character or a lone surrogate.
    """
    if fault := _fault(key):
        raise UsageError(
            f"{key!r} is no key of an object: {fault}",
            "a key is a relative path with / between its parts",
        )
    return key


def _fault(key: str) -> str:
    parts = key.split("/")
    if "" in parts:
        return "a part is empty"
    if "." in parts or ".." in parts:
        return "a part is . or .."
    if _UNSPELLABLE.search(key):
        return "it has a backslash, a control character or half a character"
    if any(_STAGED.search(part) for part in parts):
        return "a part ends like a staging file, with # and digits"
    return ""


@contextmanager
def _missing(key: str) -> Iterator[None]:
    """Say in our words that there is no such object."""
    try:
        yield
    except FileNotFoundError as error:
        raise _object_missing(key) from error


@contextmanager
def _failures(verb: str, key: str) -> Iterator[None]:
    """Say in our words what a store or a disk refused."""
    try:
        yield
    except (BaseError, OSError, ValueError) as error:
        if _is_full(error):
            raise LibraryFull(f"cannot {verb} object {key}: no room on the disk") from error
        raise LibraryError(f"cannot {verb} object {key}: {_first_line(error)}") from error


def _is_full(error: BaseException) -> bool:
    """Whether a disk or a quota has no room; ``obstore`` tells the number in its words only."""
    if isinstance(error, OSError) and error.errno in NO_ROOM:
        return True
    return any(f"code: {number}," in str(error) for number in NO_ROOM)


def _object_missing(key: str) -> ObjectMissing:
    return ObjectMissing(
        f"object {key} is not in the store", "publish the film again: what is lost is made again"
    )


def _first_line(error: BaseException) -> str:
    """The message without the debug dump that ``obstore`` puts below it."""
    return str(error).partition("\n")[0] or type(error).__name__
