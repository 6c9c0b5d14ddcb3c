"""Where the origin's files come from: a folder of this machine, or the library's object store.

Both give a file's size and tag first, then the bytes that are asked for, in small pieces.
"""

import os
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISREG
from typing import Protocol

from anyio import to_thread

from matinee.apps.web.ranges import ByteSpan
from matinee.core.errors import NotFound, ObjectMissing
from matinee.ports.store import ObjectStore, Stored

MAY_CHANGE = re.compile(r"[^/]+/(?:main\.(?:m3u8|mpd)|preview/.*)")
"""The files of a title that may change: its entry manifests and its preview; no others ever do."""

_PIECE_BYTES = 256 * 1024
_KEPT_LOOKS = 16_384


class FileChanged(Exception):
    """The file went away or became another between its tag and its bytes: ask again."""


class Opened(Protocol):
    """One file, open for one answer."""

    @property
    def size(self) -> int:
        """In bytes."""
        ...

    @property
    def tag(self) -> str:
        """Its entity tag, quoted."""
        ...

    async def pieces(self, span: ByteSpan) -> AsyncIterator[bytes]:
        """The bytes of ``span``, which is not empty; raises ``FileChanged`` before the first."""
        ...

    def close(self) -> None:
        """Let it go."""
        ...


class Files(Protocol):
    """Files by their paths below one place; the paths are checked to be plain words."""

    async def open(self, path: str) -> Opened:
        """One file; raises ``NotFound``."""
        ...


class FolderFiles:
    """The files below one folder.

    The real path must lie below it, so a symbolic link leads nowhere else.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = os.path.realpath(folder)

    async def open(self, path: str) -> Opened:
        """One file; raises ``NotFound``."""
        return await to_thread.run_sync(self._open, path)

    def _open(self, relative: str) -> "_OpenFile":
        path = os.path.realpath(os.path.join(self._folder, relative))  # noqa: PTH118 - hot path
        if not path.startswith(self._folder + os.sep):
            raise NotFound(f"no file {relative!r}")
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOFOLLOW)
        except OSError as error:
            raise NotFound(f"no file {relative!r}") from error
        status = os.fstat(descriptor)
        if not S_ISREG(status.st_mode):
            os.close(descriptor)
            raise NotFound(f"no file {relative!r}")
        tag = f'"{status.st_ino:x}-{status.st_size:x}-{status.st_mtime_ns:x}"'
        return _OpenFile(descriptor, status.st_size, tag)


@dataclass(frozen=True, slots=True)
class _OpenFile:
    descriptor: int
    size: int
    tag: str

    async def pieces(self, span: ByteSpan) -> AsyncIterator[bytes]:
        return self._read(span)

    async def _read(self, span: ByteSpan) -> AsyncIterator[bytes]:
        """Read in a thread; a file that shrank ends the answer early."""
        at = span.start
        while at < span.end:
            size = min(_PIECE_BYTES, span.end - at)
            piece = await to_thread.run_sync(os.pread, self.descriptor, size, at)
            if not piece:
                raise OSError("the file became shorter while it was served")
            at += len(piece)
            yield piece

    def close(self) -> None:
        os.close(self.descriptor)


class StoreFiles:
    """The objects below one key of a store.

    What never changes is looked up once, so that most answers take one request to the store.
    """

    def __init__(self, store: ObjectStore, below: str) -> None:
        self._store, self._below = store, below
        self._known: dict[str, Stored] = {}

    async def open(self, path: str) -> Opened:
        """One object; raises ``NotFound``."""
        found = self._known.get(path)
        if found is None:
            found = await self._store.look(f"{self._below}/{path}")
            if found is None:
                raise NotFound(f"no file {path!r}")
            if not MAY_CHANGE.fullmatch(path):
                while len(self._known) >= _KEPT_LOOKS:
                    self._known.pop(next(iter(self._known)))
                self._known[path] = found
        return _OpenObject(self, path, found)

    async def stream(self, path: str, span: ByteSpan, tag: str) -> AsyncIterator[bytes]:
        """Bytes of the object that has the tag."""
        try:
            return await self._store.stream(f"{self._below}/{path}", span.start, span.end, tag)
        except ObjectMissing as error:
            self._known.pop(path, None)
            raise FileChanged(path) from error


@dataclass(frozen=True, slots=True)
class _OpenObject:
    files: StoreFiles
    path: str
    found: Stored

    @property
    def size(self) -> int:
        return self.found.size_bytes

    @property
    def tag(self) -> str:
        return self.found.tag

    async def pieces(self, span: ByteSpan) -> AsyncIterator[bytes]:
        return await self.files.stream(self.path, span, self.tag)

    def close(self) -> None:
        """Nothing is held."""


def title_files(library: Path, store: ObjectStore) -> Files:
    """The public files of a library: those of its titles, nothing else of it."""
    if store.is_local:
        return FolderFiles(library / "titles")
    return StoreFiles(store, "titles")
