"""What the clock brings: schedules of rules, and rights windows that open and close."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from matinee.core.errors import LibraryError
from matinee.ports.catalog import Rights
from matinee.ports.events import EventLog
from matinee.rules.rulebook import RuleBook
from matinee.rules.schedules import Clockwork
from matinee.rules.waker import Waker

log = logging.getLogger("matinee.rules")

LONGEST_S = 30.0
"""Looked at again after so long: the wall clock may have been set."""

AT_MOST_EVERY_S = 1.0
TROUBLE_S = 1.0


@dataclass
class Timers:
    """Tells ``schedule.due``, ``rights.opened`` and ``rights.closed``, each exactly once.

    ``waker`` is woken by who changes a window; ``told`` is called when something was told.
    """

    events: EventLog
    rights: Rights
    book: Callable[[], RuleBook]
    waker: Waker
    told: Callable[[], None]
    now: Callable[[], datetime]

    async def run(self) -> None:
        """Tell until cancelled."""
        clockwork = Clockwork(self.events)
        while True:
            try:
                pause_s = await asyncio.to_thread(self._turn, clockwork)
            except LibraryError as error:
                log.warning("due times cannot be told: %s", error)
                pause_s = TROUBLE_S
            # Whatever is told wakes us, as it may be a changed window: looked at once a second.
            await asyncio.sleep(min(pause_s, AT_MOST_EVERY_S))
            await self.waker.sleep(pause_s - AT_MOST_EVERY_S)

    def _turn(self, clockwork: Clockwork) -> float:
        """Tell what is due; gives how long to sleep."""
        now = self.now()
        before = self.events.last()
        next_due = clockwork.tell(self.book().schedules(), now)
        self.rights.turn(now)
        times = (next_due, self.rights.next_turn(now))
        if self.events.last() != before:
            self.told()
        pauses = [(time - self.now()).total_seconds() for time in times if time is not None]
        return min([LONGEST_S, *(max(0.0, pause) for pause in pauses)])
