"""Scratch folders and locks of one machine. What a dead run left is swept by the next."""

import asyncio
import contextlib
import errno
import fcntl
import os
import shutil
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import IO

from matinee.adapters.owners import is_abandoned
from matinee.core.disk_failures import NO_ROOM, of_disk
from matinee.core.errors import LibraryBusy, LibraryError

OF_A_DISK = (*NO_ROOM, errno.EIO, errno.EROFS)

POLL_S = 0.2
FORGOTTEN_S = 24 * 3600
"""A half-written object of another host that is older than this has no writer any more."""


class Workspace:
    """The folder ``scratch`` of a library on this machine.

    The kernel holds the locks: they end with their process, however it dies.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    @contextmanager
    def run(self) -> Iterator[tuple[str, Path]]:
        """A new run: its id and its empty folder, removed at the end.

        Raises:
            LibraryError: the folder cannot be made, or it failed its user within the block.
        """
        run = uuid.uuid4().hex[:16]
        folder = self._root / "runs" / run
        try:
            folder.parent.mkdir(parents=True, exist_ok=True)
            self.sweep()
            lock = _own(folder.with_suffix(".lock"))
            folder.mkdir()
        except OSError as error:
            raise _unusable(self._root, error) from error
        with lock:
            try:
                yield run, folder
            except OSError as error:
                if error.errno in OF_A_DISK or self._owns(error.filename):
                    raise _unusable(self._root, error) from error
                raise
            finally:
                shutil.rmtree(folder, ignore_errors=True)
                with contextlib.suppress(OSError):
                    Path(lock.name).unlink(missing_ok=True)

    def _owns(self, path: object) -> bool:
        """Whether it is a path in this library."""
        return isinstance(path, str | Path) and Path(path).is_relative_to(self._root.parent)

    def sweep(self) -> None:
        """Remove what dead processes left: folders whose lock nobody holds, half-written objects.

        Raises:
            OSError: it cannot be removed.
        """
        for path in (self._root / "runs").glob("*.lock"):
            with _opened(path) as lock:
                if _locked(lock):
                    shutil.rmtree(path.with_suffix(""), ignore_errors=True)
                    path.unlink(missing_ok=True)
        forgotten = time.time() - FORGOTTEN_S
        for path in (self._root / "staging").glob("*"):
            with contextlib.suppress(FileNotFoundError):
                is_left = is_abandoned(path.name)
                if path.stat().st_mtime < forgotten if is_left is None else is_left:
                    path.unlink()

    @asynccontextmanager
    async def exclusive(self, name: str, on_wait: Callable[[], None]) -> AsyncIterator[None]:
        """Held by one run at a time; ``on_wait`` is called once when another holds it.

        Raises:
            LibraryError: the folder of locks cannot be written.
        """
        path = self._root / "locks" / f"{name}.lock"
        has_waited = False
        while (lock := self._take(path)) is None:
            if not has_waited:
                on_wait()
                has_waited = True
            await asyncio.sleep(POLL_S)
        with lock:
            try:
                yield
            finally:
                _forget(lock, path)

    @contextmanager
    def alone(self, name: str, told: str) -> Iterator[None]:
        """Held by one process at a time; others are told so and do not wait.

        Raises:
            LibraryBusy: another process holds it. LibraryError: no locks can be made.
        """
        path = self._root / f"{name}.lock"
        lock = self._take(path)
        if lock is None:
            raise LibraryBusy(told, "end that one first, or give another library with --library")
        with lock:
            try:
                yield
            finally:
                _forget(lock, path)

    def _take(self, path: Path) -> IO[bytes] | None:
        """The lock, or None while another run holds it."""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            lock = _opened(path)
        except OSError as error:
            raise _unusable(self._root, error) from error
        if _locked(lock) and _is_same(lock, path):
            return lock
        lock.close()
        return None


def _unusable(root: Path, error: OSError) -> LibraryError:
    message = f"the library's scratch folder {root} cannot be used: {error.strerror}"
    return of_disk(message, error, "give a library that can be written with --library")


def _is_same(lock: IO[bytes], path: Path) -> bool:
    """Whether the file that is locked is still the one at ``path``: its last holder removes it."""
    try:
        return os.path.samestat(os.fstat(lock.fileno()), path.stat())
    except OSError:
        return False


def _forget(lock: IO[bytes], path: Path) -> None:
    """Remove the file of a lock while it is held: nobody holds a nameless file."""
    if _is_same(lock, path):
        with contextlib.suppress(OSError):
            path.unlink()


def _own(path: Path) -> IO[bytes]:
    """A new file that we hold; who sweeps may have taken one before we did."""
    while True:
        lock = _opened(path)
        fcntl.flock(lock, fcntl.LOCK_EX)
        if _is_same(lock, path):
            return lock
        lock.close()


def _opened(path: Path) -> IO[bytes]:
    return path.open("a+b")


def _locked(lock: IO[bytes]) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
