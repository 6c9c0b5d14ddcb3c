"""Bait: a file and a port that must not be touched, and that tell when they were."""

import ctypes
import os
import socket
from pathlib import Path
from types import TracebackType
from typing import Self

IN_ACCESS, IN_OPEN = 0x1, 0x20
EVENT_BYTES = 4096

_libc = ctypes.CDLL(None, use_errno=True)


def watch(path: Path, events: int) -> int:
    """A descriptor of the kernel's inotify that becomes readable when ``events`` befall ``path``.

    It hangs on the file itself, so it sees an opening by any process and by any name.
    """
    descriptor = int(_libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC))
    if descriptor < 0 or _libc.inotify_add_watch(descriptor, os.fsencode(path), events) < 0:
        raise OSError(ctypes.get_errno(), "inotify", str(path))
    return descriptor


class Canary:
    """A file ``path`` and an address ``url`` on this machine; ``sings`` once either was touched."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "canary.ts"
        self.path.write_bytes(b"G" + bytes(187))
        self._watch = watch(self.path, IN_OPEN | IN_ACCESS)
        self._port = socket.create_server(("127.0.0.1", 0))
        self._port.setblocking(False)
        self.url = f"http://127.0.0.1:{self._port.getsockname()[1]}/canary.ts"

    def sings(self) -> bool:
        """Whether the file was opened or a connection was made, since the begin."""
        return self._was_opened() or self._was_called()

    def _was_opened(self) -> bool:
        try:
            return bool(os.read(self._watch, EVENT_BYTES))
        except BlockingIOError:
            return False

    def _was_called(self) -> bool:
        try:  # the kernel keeps connections in the backlog until they are asked for
            connection, _ = self._port.accept()
        except BlockingIOError:
            return False
        connection.close()
        return True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        os.close(self._watch)
        self._port.close()
