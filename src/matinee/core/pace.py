"""At most so many in any so many seconds: when one more may come."""

from bisect import bisect_right, insort
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta


def earliest(wanted: datetime, taken: Sequence[datetime], most: int, window: timedelta) -> datetime:
    """The first time from ``wanted`` on that keeps the cap beside the times that are taken.

    With it, no half-open interval as long as ``window`` holds more than ``most`` times, unless the
    taken ones alone break the cap there.

    Args:
        wanted: When it should come.
        taken: When others come, ascending; those up to ``wanted - window`` may be left out.
        most: How many may come in a window, at least one.
        window: Length of the window.
    """
    time = wanted
    while (clash := _clash(time, taken, most, window)) is not None:
        time = clash + window
    return time


class Pace:
    """Gives times one after another that keep a cap beside those that are taken."""

    def __init__(self, taken: Iterable[datetime], most: int, window: timedelta) -> None:
        self._taken, self._most, self._window = sorted(taken), most, window
        self._last: tuple[datetime, datetime] | None = None

    def take(self, wanted: datetime) -> datetime:
        """The first time from ``wanted`` on that is free; it is taken now."""
        start = wanted
        if self._last is not None and wanted >= self._last[0]:
            # Between what was wanted last and what was given there is no room: not looked at again.
            start = max(wanted, self._last[1])
        given = earliest(start, self._taken, self._most, self._window)
        insort(self._taken, given)
        self._last = wanted, given
        return given


def _clash(
    time: datetime, taken: Sequence[datetime], most: int, window: timedelta
) -> datetime | None:
    """The first of ``most`` taken times that leave no room at ``time``, the latest such, or None.

    Up to a window after it there is no room either.
    """
    place = bisect_right(taken, time)
    for first in range(min(place, len(taken) - most), max(0, place - most) - 1, -1):
        start, end = min(time, taken[first]), max(time, taken[first + most - 1])
        if end - start < window:
            return taken[first]
    return None
