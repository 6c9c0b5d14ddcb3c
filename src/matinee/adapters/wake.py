"""Waking the service: a named pipe of the library; a writer puts a byte into it after its commit.

A pipe, because its path may be as long as any other (a socket's may not). A byte that nobody reads
is lost, and nothing with it: whoever waits also looks once a second.
"""

import asyncio
import contextlib
import os
import stat
from collections.abc import Callable
from pathlib import Path


class WakePipe:
    """The pipe at ``path``; made by who listens."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._reading: int | None = None

    def poke(self) -> None:
        """Wake who listens; nothing happens when nobody does."""
        with contextlib.suppress(OSError):
            pipe = os.open(self._path, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            try:
                if stat.S_ISFIFO(os.fstat(pipe).st_mode):
                    os.write(pipe, b"!")
            finally:
                os.close(pipe)

    def listen(self, woken: Callable[[], None]) -> None:
        """Have ``woken`` called in the running loop after each poke.

        Raises:
            OSError: the pipe cannot be made.
        """
        self._path.parent.mkdir(parents=True, exist_ok=True)
        if not self._path.is_fifo():
            self._path.unlink(missing_ok=True)
            with contextlib.suppress(FileExistsError):
                os.mkfifo(self._path, 0o600)
        # Opened for writing too, so that the end of a writer is not the end of the pipe.
        self._reading = os.open(self._path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)

        def heard() -> None:
            assert self._reading is not None
            with contextlib.suppress(BlockingIOError):
                while os.read(self._reading, 4096):
                    pass
            woken()

        asyncio.get_running_loop().add_reader(self._reading, heard)

    def close(self) -> None:
        """Hear nothing any more."""
        if self._reading is not None:
            asyncio.get_running_loop().remove_reader(self._reading)
            os.close(self._reading)
            self._reading = None
