"""A limit on how many bytes are read in a second, over several threads."""

import threading
import time
from collections.abc import Callable


class Throttle:
    """Lets ``rate`` bytes a second through; whoever takes more waits. None: no limit.

    Reading goes on at the rate from when it began again after a pause: what was not read meanwhile
    is not made up for.
    """

    def __init__(
        self,
        rate: float | None,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._rate, self._now, self._sleep = rate, now, sleep
        self._free_at, self._lock = 0.0, threading.Lock()

    def take(self, count: int) -> None:
        """So many bytes are read; returns when the next may be."""
        with self._lock:
            if self._rate is None:
                return
            now = self._now()
            self._free_at = max(self._free_at, now) + count / self._rate
            wait = self._free_at - now
        self._sleep(wait)
