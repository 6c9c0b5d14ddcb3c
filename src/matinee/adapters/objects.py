"""Objects in a folder, in memory or in a bucket: one code path over ``obstore``.

In a folder an object is written below ``STAGING`` and renamed when it is complete, so a writer that
is killed leaves nothing beside the objects that are served. In a bucket one request makes an object
appear: its only PUT, or the end of its upload in parts; the parts of a killed writer nobody sees.
"""

import asyncio
import hashlib
import re
import tempfile
import uuid
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from obstore.exceptions import BaseError, PreconditionError
from obstore.store import LocalStore, MemoryStore
from obstore.store import ObjectStore as Backend

from matinee.adapters.owners import staged_name
from matinee.adapters.store_failures import first_line, told
from matinee.assets.files import digest_of_file
from matinee.core.errors import LibraryError, ObjectDamaged, ObjectMissing, UsageError
from matinee.core.ids import Digest, digest_of
from matinee.ports.store import UNTYPED, Listed, ListedStore, Stored

PART_BYTES = 8 * 1024 * 1024
"""What is read of a file at a time, and sent to a bucket as one part of an upload."""

MOST_PARTS = 9_000
"""S3 takes 10,000 parts; a file of more than 70 GiB has larger ones."""

PARTS_AT_ONCE = 2
"""In a folder one part is read while the other is written; a bucket gets two at a time."""

PIECE_BYTES = 256 * 1024
"""What is read at a time for somebody who watches."""

HASHED_BYTES = 1 << 20
"""What is read of a file at a time to prove it."""

PAGE = 1000
"""Objects that a listing brings at a time."""

STAGING = "scratch/staging"
IMMUTABLE = "public, max-age=31536000, immutable"
REVALIDATE = "no-cache"

_STAGED = re.compile(r"#\d+$")
_UNSPELLABLE = re.compile(r"[\\\x00-\x1f\x7f\ud800-\udfff]")


class ObstoreObjects(ListedStore):
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

    @property
    def is_local(self) -> bool:
        return self._root is not None

    async def write(
        self, key: str, content: bytes | Path, *, media_type: str = UNTYPED, changes: bool = False,
        digest: Digest | None = None,
    ) -> None:  # fmt: skip
        with _failures("write", checked(key)):
            if self._root is not None:
                await self._write_file(self._root, key, content, digest)
                return
            size = await asyncio.to_thread(_size_of, content)
            part = max(PART_BYTES, -(-size // MOST_PARTS))
            await self._backend.put_async(
                key,
                await _proved(key, content, part, digest) if digest else content,
                attributes={
                    "Content-Type": media_type,
                    "Cache-Control": REVALIDATE if changes else IMMUTABLE,
                },
                chunk_size=part,
                max_concurrency=PARTS_AT_ONCE,
            )

    async def _write_file(
        self, root: Path, key: str, content: bytes | Path, digest: Digest | None
    ) -> None:
        staged = f"{STAGING}/{staged_name(uuid.uuid4().hex)}"
        writing = asyncio.ensure_future(
            self._backend.put_async(
                staged, content, chunk_size=PART_BYTES, max_concurrency=PARTS_AT_ONCE
            )
        )
        try:
            await asyncio.shield(writing)
            if digest is not None:
                await asyncio.to_thread(_check_staged, root / staged, digest, key)
            await self._backend.rename_async(staged, key)
        except BaseException:
            # Who is cancelled waits: the threads that write go on, and would leave it behind.
            await asyncio.gather(writing, return_exceptions=True)
            with suppress(BaseError, OSError):
                await self._backend.delete_async(staged)
            raise

    async def read(self, key: str) -> bytes:
        with _failures("read", checked(key)), _missing(key):
            found = await self._backend.get_async(key)
            return bytes(await found.bytes_async())

    async def size(self, key: str) -> int | None:
        found = await self.look(key)
        return found.size_bytes if found else None

    async def look(self, key: str) -> Stored | None:
        try:
            with _failures("look up", checked(key)), _missing(key):
                found = await self._backend.head_async(key)
        except ObjectMissing:
            return None
        return Stored(found["size"], found["e_tag"] or f'"{found["last_modified"].timestamp():x}"')

    async def stream(self, key: str, start: int, end: int, tag: str) -> AsyncIterator[bytes]:
        checked(key)
        if start >= end:
            return _nothing()
        with _failures("read", key), _missing(key):
            try:
                found = await self._backend.get_async(
                    key, options={"range": (start, end), "if_match": tag}
                )
            except PreconditionError as error:
                raise _object_missing(key) from error

        async def pieces() -> AsyncIterator[bytes]:
            with _failures("read", key), _missing(key):
                async for part in found.stream(min_chunk_size=PIECE_BYTES):
                    for at in range(0, len(part), PIECE_BYTES):
                        yield bytes(part[at : at + PIECE_BYTES])

        return pieces()

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

    async def prove(self, key: str, pace: Callable[[int], None]) -> tuple[Digest, int]:
        checked(key)
        if self._root is not None:
            with _failures("read", key), _missing(key):
                return await asyncio.to_thread(_hashed, self._root / key, pace)
        found = await self.look(key)
        if found is None:
            raise _object_missing(key)
        digest = hashlib.sha256()
        async for piece in await self.stream(key, 0, found.size_bytes, found.tag):
            digest.update(piece)
            await asyncio.to_thread(pace, len(piece))
        return Digest(digest.hexdigest()), found.size_bytes

    async def prove_each(self, keys: Sequence[str]) -> list[tuple[Digest, int] | None]:
        if self._root is not None:
            return await asyncio.to_thread(self._hashed_each, self._root, keys)
        found: list[tuple[Digest, int] | None] = []
        for key in keys:
            try:
                found.append(await self.prove(key, lambda _: None))
            except ObjectMissing:
                found.append(None)
        return found

    def _hashed_each(self, root: Path, keys: Sequence[str]) -> list[tuple[Digest, int] | None]:
        block = memoryview(bytearray(HASHED_BYTES))
        found: list[tuple[Digest, int] | None] = []
        for key in keys:
            with _failures("read", checked(key)):
                try:
                    found.append(_hashed(root / key, lambda _: None, block))
                except FileNotFoundError:
                    found.append(None)
        return found

    async def listed(self, folder: str) -> AsyncIterator[Listed]:
        checked(folder)
        with _failures("list", folder):
            async for page in self._backend.list(folder, chunk_size=PAGE):
                for one in page:
                    if not any(_STAGED.search(part) for part in one["path"].split("/")):
                        yield Listed(one["path"], one["size"], one["last_modified"])

    async def folders(self, folder: str) -> Sequence[str]:
        with _failures("list", checked(folder)):
            found = await self._backend.list_with_delimiter_async(folder)
        return sorted(found["common_prefixes"])

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


def _hashed(
    path: Path, pace: Callable[[int], None], block: memoryview | None = None
) -> tuple[Digest, int]:
    """Digest and size of a file, read past Python's buffers; hashing lets other threads work."""
    digest, size = hashlib.sha256(), 0
    block = memoryview(bytearray(HASHED_BYTES)) if block is None else block
    with path.open("rb", buffering=0) as file:
        while count := file.readinto(block):
            pace(count)
            digest.update(block[:count])
            size += count
    return Digest(digest.hexdigest()), size


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
            f"cannot keep objects in {root}: {first_line(error)}",
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


async def _proved(
    key: str, content: bytes | Path, part: int, digest: Digest
) -> bytes | AsyncIterator[bytes]:
    """The content, which fails before its end when it is not what ``digest`` names."""
    if isinstance(content, Path):
        file = await asyncio.to_thread(content.open, "rb")
        return await _read_proving(key, file, part, digest)
    if digest_of(content) != digest:
        raise _object_differs(key)
    return content


async def _read_proving(
    key: str, file: IO[bytes], part: int, digest: Digest
) -> bytes | AsyncIterator[bytes]:
    """A small file's bytes, or a large one's parts."""
    proof = hashlib.sha256()

    def block() -> bytes:
        data = file.read(part)
        proof.update(data)
        if not data:
            file.close()
            if proof.hexdigest() != digest:
                raise _object_differs(key)
        return data

    first = await asyncio.to_thread(block)
    second = await asyncio.to_thread(block) if first else b""
    if not second:
        return first

    async def parts() -> AsyncIterator[bytes]:
        with file:
            yield first
            yield second
            while data := await asyncio.to_thread(block):
                yield data

    return parts()


async def _nothing() -> AsyncIterator[bytes]:
    """No pieces."""
    nothing: tuple[bytes, ...] = ()
    for piece in nothing:
        yield piece


def _size_of(content: bytes | Path) -> int:
    return content.stat().st_size if isinstance(content, Path) else len(content)


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
        raise told(f"cannot {verb} object {key}", error) from error


def _object_missing(key: str) -> ObjectMissing:
    return ObjectMissing(f"object {key} is not in the store")


def _check_staged(staged: Path, digest: Digest, key: str) -> None:
    written, _ = digest_of_file(staged)
    if written != digest:
        raise _object_differs(key)


def _object_differs(key: str) -> ObjectDamaged:
    return ObjectDamaged(f"the bytes that were to be object {key} are others")
