"""How often one may fail to sign in."""

from collections.abc import Callable
from dataclasses import dataclass

from matinee.apps.web.errors import TooManyTries

MOST_OF_ONE = 5
MOST_OF_ALL = 100
WINDOW_S = 60.0
_REMEMBERED = 10_000


@dataclass(slots=True)
class _Count:
    since: float
    failed: int = 0


class Tries:
    """Counts failures of each address, and of all together, in windows of a minute.

    Args:
        clock: Seconds that only grow.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._of: dict[str, _Count] = {}
        self._all = _Count(clock())

    def check(self, address: str) -> None:
        """Refuse another try of an address that failed too often.

        Raises:
            TooManyTries: it did; says when to come back.
        """
        now = self._clock()
        for count, most in ((self._of.get(address), MOST_OF_ONE), (self._all, MOST_OF_ALL)):
            if count is not None and count.failed >= most and now < count.since + WINDOW_S:
                wait_s = max(1, round(count.since + WINDOW_S - now))
                raise TooManyTries("too many failed tries to sign in", wait_s=wait_s)

    def failed(self, address: str) -> None:
        """Note a failure."""
        while address not in self._of and len(self._of) >= _REMEMBERED:
            self._of.pop(next(iter(self._of)))
        now = self._clock()
        for count in (self._of.setdefault(address, _Count(now)), self._all):
            if now >= count.since + WINDOW_S:
                count.since, count.failed = now, 0
            count.failed += 1
