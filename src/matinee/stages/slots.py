"""Slots: how many tools work at once, shared by all runs of a process, the most urgent first.

A slot that becomes free goes to the waiter of the greatest urgency; of equals, to the one that came
first. So an urgent run overtakes running bulk work at the next chunk, and nothing is interrupted.
"""

import asyncio
import heapq
from dataclasses import dataclass, field
from itertools import count

Urgency = tuple[float, ...]
"""Compared like any tuple; the greater is served first."""


@dataclass
class Slots:
    """So many places at the tools. For one event loop."""

    free: int
    _waiting: list[tuple[Urgency, int, asyncio.Future[None]]] = field(default_factory=list)
    _arrivals: "count[int]" = field(default_factory=count)

    def of(self, urgency: Urgency = ()) -> "Turn":
        """A run's way to them."""
        return Turn(self, tuple(-part for part in urgency))

    async def _take(self, order: Urgency) -> None:
        if self.free > 0 and not self._waiting:
            self.free -= 1
            return
        given: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (order, next(self._arrivals), given))
        try:
            await given
        except asyncio.CancelledError:
            if given.done() and not given.cancelled():  # it was given to us and we cannot use it
                self._give()
            raise

    def _give(self) -> None:
        while self._waiting:
            _, _, given = heapq.heappop(self._waiting)
            if not given.done():
                given.set_result(None)
                return
        self.free += 1


class Turn:
    """One run's way to the slots: ``async with turn`` holds one."""

    def __init__(self, slots: Slots, order: Urgency) -> None:
        self._slots, self._order = slots, order

    async def acquire(self) -> None:
        """Wait for a slot."""
        await self._slots._take(self._order)  # noqa: SLF001  # two halves of one thing

    def release(self) -> None:
        """Let the next have it."""
        self._slots._give()  # noqa: SLF001

    async def __aenter__(self) -> None:
        await self.acquire()

    async def __aexit__(self, *_: object) -> None:
        self.release()
