"""Reading ahead: what a thread wants next is fetched while it looks at what it has."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from concurrent.futures import Future
from typing import Any

AT_ONCE = 6
"""Files that are fetched, or wait to be wanted; so many are in memory at most."""


class Ahead:
    """Gives a thread the files that it asks for; those that follow in order are on their way.

    A bucket takes its time for each file, however small, but answers many at once. Files may be
    asked for in any order and any number of times.

    Args:
        read: Gives a file's bytes.
        paths: The files. Mostly they are wanted in order, an init segment before the others of
            its folder.
    """

    def __init__(
        self, read: Callable[[str], Coroutine[Any, Any, bytes]], paths: Iterable[str]
    ) -> None:
        self._read = read
        self._order = sorted(paths, key=lambda path: path.replace("/init.mp4", "/"))
        self._places = {path: place for place, path in enumerate(self._order)}
        self._loop = asyncio.get_running_loop()
        self._coming: dict[str, Future[bytes]] = {}

    def __call__(self, path: str) -> bytes:
        """A file's bytes. To be called in another thread than the event loop's."""
        wanted = self._coming.pop(path, None) or self._begin(path)
        place = self._places.get(path)
        following = [] if place is None else self._order[place + 1 : place + AT_ONCE]
        for skipped in self._coming.keys() - set(following):
            self._coming.pop(skipped).cancel()
        for one in following:
            if one not in self._coming:
                self._coming[one] = self._begin(one)
        return wanted.result()

    def close(self) -> None:
        """Fetch nothing more."""
        for future in self._coming.values():
            future.cancel()
        self._coming.clear()

    def _begin(self, path: str) -> Future[bytes]:
        return asyncio.run_coroutine_threadsafe(self._read(path), self._loop)
