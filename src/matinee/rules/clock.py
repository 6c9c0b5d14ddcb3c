"""Notices that the wall clock was set back: pure, by the observer's own monotonic clock."""

from dataclasses import dataclass
from datetime import datetime, timedelta

SLACK = timedelta(seconds=1)
"""What clocks may drift apart between two looks."""


@dataclass
class ClockWatch:
    """Compares the two clocks at each look.

    ``back`` is how far the wall clock was set back since that was last settled; who settled it sets
    it to zero. A clock that was set forwards makes things come early, which harms nothing.
    """

    back: timedelta = timedelta(0)
    _start: datetime | None = None

    def look(self, wall: datetime, monotonic_s: float, reached: datetime | None = None) -> None:
        """Look at both clocks; ``reached`` is a time that certainly was, before the first look."""
        start = wall - timedelta(seconds=monotonic_s)
        if self._start is not None:
            self._add(self._start - start)
        elif reached is not None:
            self._add(reached - wall)
        self._start = start

    def _add(self, back: timedelta) -> None:
        if back > SLACK:
            self.back += back
