"""Scratch folders and locks of one machine. What a dead run left is swept by the next."""

import asyncio
import fcntl
import shutil
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import IO

from matinee.core.errors import LibraryError

POLL_S = 0.2
FORGOTTEN_S = 24 * 3600
"""A half-written object older than this has no writer any more."""


class Workspace:
    """The folder ``scratch`` of a library on this machine.

    The kernel holds the locks: they end with their process, however it dies.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    @contextmanager
    def run(self) -> Iterator[tuple[str, Path]]:
        """A new run: its id and its empty folder, removed at the end."""
        run = uuid.uuid4().hex[:16]
        folder = self._root / "runs" / run
        try:
            folder.parent.mkdir(parents=True, exist_ok=True)
            self._sweep()
            lock = _opened(folder.with_suffix(".lock"))
            fcntl.flock(lock, fcntl.LOCK_EX)
            folder.mkdir()
        except OSError as error:
            raise LibraryError(
                f"the library's scratch folder {self._root} cannot be used: {error.strerror}",
                "give a library that can be written with --library",
            ) from error
        with lock:
            try:
                yield run, folder
            finally:
                shutil.rmtree(folder, ignore_errors=True)
                Path(lock.name).unlink(missing_ok=True)

    def _sweep(self) -> None:
        """Remove the folders of runs whose lock nobody holds."""
        for path in (self._root / "runs").glob("*.lock"):
            with _opened(path) as lock:
                if _locked(lock):
                    shutil.rmtree(path.with_suffix(""), ignore_errors=True)
                    path.unlink(missing_ok=True)
        forgotten = time.time() - FORGOTTEN_S
        for path in (self._root / "staging").glob("*"):
            if path.stat().st_mtime < forgotten:
                path.unlink(missing_ok=True)

    @asynccontextmanager
    async def exclusive(self, name: str, on_wait: Callable[[], None]) -> AsyncIterator[None]:
        """Held by one run at a time; ``on_wait`` is called once when another holds it."""
        folder = self._root / "locks"
        folder.mkdir(parents=True, exist_ok=True)
        with _opened(folder / f"{name}.lock") as lock:
            if not _locked(lock):
                on_wait()
                while not _locked(lock):  # noqa: ASYNC110  # the kernel tells nobody
                    await asyncio.sleep(POLL_S)
            yield


def _opened(path: Path) -> IO[bytes]:
    return path.open("a+b")


def _locked(lock: IO[bytes]) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
