"""Delivers events to functions: route, claim, call, settle.

- Whoever dies when: an event is routed once, a delivery is claimed by a token, and what a function
  tells is written in the transaction that closes its delivery.
- One thread talks to the database, in few and large steps. Nothing polls more often than once a
  second; ``Waker`` and due times do the rest.
"""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

from matinee.core.errors import LibraryError, MatineeError, UsageError
from matinee.core.events import Event
from matinee.ports.deliveries import Deliveries, Delivery, Order, Settled
from matinee.ports.leases import Leases
from matinee.rules.clock import ClockWatch, brought_forward
from matinee.rules.host import Bystander
from matinee.rules.leases import LOOK_S, REST_S, LeaseWatch
from matinee.rules.perform import Performer
from matinee.rules.retry import Retry
from matinee.rules.rulebook import RuleBook
from matinee.rules.waker import Waker

log = logging.getLogger("matinee.rules")

ROUTED_AT_ONCE = 500
SETTLED_AT_ONCE = 200
CALLS_AT_ONCE = 64
CALLS_OF_ONE = 16
"""How many calls of one function: what waits for cores leaves room for the others."""

CLAIMED_AT_ONCE = 16
APART_S = 0.02
"""How far visits to the database lie apart: one for many events costs a fraction of many."""

IDLE_S = 2.0
"""How long nobody looks when nobody is woken."""

TROUBLE_S = (0.1, 0.5, 1.0, 2.0, 5.0)
"""Pauses while the database is out of reach."""

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class _Turn:
    """What one visit to the database brought."""

    routed: int
    claimed: Sequence[Delivery]
    next_due: datetime | None


@dataclass
class Dispatcher:
    """Delivers until it is cancelled.

    ``roll`` gives random numbers from 0 to 1, ``is_dead`` knows owners that have certainly ended.
    ``book`` may be replaced while it runs.
    """

    deliveries: Deliveries
    leases: Leases
    book: RuleBook
    performer: Performer
    waker: Waker
    owner: str
    now: Callable[[], datetime]
    roll: Callable[[], float]
    is_dead: Callable[[str], bool] = lambda _: False
    _running: Counter[str] = field(default_factory=Counter)
    _calls: set[asyncio.Task[None]] = field(default_factory=set)
    _settled: list[tuple[Delivery, Settled]] = field(default_factory=list)
    _thread: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(1, thread_name_prefix="dispatch")
    )

    async def run(self) -> None:
        """Deliver; when cancelled, what is being called is let go, to be called again."""
        tending = asyncio.create_task(self._tend())
        try:
            while True:
                started = time.monotonic()
                most = min(CLAIMED_AT_ONCE, CALLS_AT_ONCE - self._running.total())
                full = [name for name, count in self._running.items() if count >= CALLS_OF_ONE]
                turn = await self._patiently(partial(self._visit, most, full))
                for delivery in turn.claimed:
                    self._running[delivery.function] += 1
                    task = asyncio.create_task(self._carry_out(delivery))
                    self._calls.add(task)
                    task.add_done_callback(self._calls.discard)
                if turn.routed < ROUTED_AT_ONCE and not self._settled:
                    await self.waker.sleep(self._idle_s(turn))
                if len(turn.claimed) < most:
                    await asyncio.sleep(max(0.0, started + APART_S - time.monotonic()))
        finally:
            tending.cancel()
            await self._leave()

    def _visit(self, most: int, full: Sequence[str]) -> _Turn:
        """Everything that there is to do in the database, in one go."""
        if settled := self._settled[:SETTLED_AT_ONCE]:
            self.deliveries.settle_all(settled)
            del self._settled[: len(settled)]
        routed = self.deliveries.route(self._choose, ROUTED_AT_ONCE)
        claimed = self.deliveries.claim(self.owner, self.now(), most, full) if most > 0 else ()
        if len(claimed) == most > 0:
            return _Turn(routed, claimed, self.now())
        return _Turn(routed, claimed, self.deliveries.next_due(full) if most > 0 else None)

    def _choose(self, event: Event) -> Sequence[Order]:
        return self.book.orders(event, self.now())

    def _idle_s(self, turn: _Turn) -> float:
        if turn.next_due is None:
            return IDLE_S
        return min(IDLE_S, (turn.next_due - self.now()).total_seconds())

    async def _carry_out(self, delivery: Delivery) -> None:
        try:
            facts = await self.performer.perform(self.book, delivery)
        except Bystander:
            how = Settled("waiting", self.now(), "the process that ran it was ended")
        except MatineeError as error:
            how = self._failed(delivery, error)
        except Exception as error:  # a defect of ours must not stop the others
            log.exception("delivery %s failed", delivery.id)
            how = self._failed(delivery, MatineeError(f"a defect in Matinee: {error}"))
        else:
            how = Settled("done", facts=facts)
        self._running[delivery.function] -= 1
        self._settled.append((delivery, how))
        self.waker.wake()

    def _failed(self, delivery: Delivery, error: MatineeError) -> Settled:
        rule = self.book.get(delivery.rule)
        retry = rule.retry if rule else Retry()
        pause_s = retry.pause_s(delivery.attempts, self.roll())
        if pause_s is None or isinstance(error, UsageError):
            log.warning("delivery %s to %s is dead: %s", delivery.id, delivery.function, error)
            return Settled("dead", reason=str(error), code=error.code, hint=error.hint)
        due_at = self.now() + timedelta(seconds=pause_s)
        return Settled("waiting", due_at, f"{error} [{error.code}]")

    async def _tend(self) -> None:
        """Renew our leases, let go those of owners that stand still or are gone, mind the clock."""
        watch, clock = LeaseWatch(), ClockWatch()
        while True:
            clock.look(self.now(), time.monotonic())
            pause_s = LOOK_S
            try:
                if not await self._in_thread(lambda: self._look(watch)):
                    pause_s = REST_S
                if clock.was_set_back:
                    await self._in_thread(self._bring_forward)
                    clock.was_set_back = False
            except LibraryError as error:
                log.warning("leases cannot be looked at: %s", error)
            await asyncio.sleep(pause_s)

    def _look(self, watch: LeaseWatch) -> bool:
        """Whether anything is held, by us or by others."""
        if self._calls:
            self.leases.renew(self.owner)
        held = [lease for lease in self.leases.held() if lease.owner != self.owner]
        for lease in watch.look(held, time.monotonic()):
            if self.leases.release(lease):
                log.warning("delivery %s was let go: %s stood still", lease.id, lease.owner)
                self.waker.wake()
        for owner in {lease.owner for lease in held if self.is_dead(lease.owner)}:
            self.leases.release_all(owner)
            self.waker.wake()
        return bool(held or self._calls)

    def _bring_forward(self) -> None:
        """Let nothing wait for a time that only a clock that was ahead would have brought soon."""
        now = self.now()
        if moved := brought_forward(self.deliveries.ahead(now), self.book, now):
            self.deliveries.bring_forward(moved)
            log.warning("the clock was set back: %s deliveries fall due by it now", len(moved))
            self.waker.wake()

    async def _leave(self) -> None:
        calls = list(self._calls)
        for task in calls:
            task.cancel()
        await asyncio.gather(*calls, return_exceptions=True)
        try:
            await self._in_thread(lambda: self.leases.release_all(self.owner))
        except LibraryError as error:
            log.warning("leases are left to who watches: %s", error)
        self._thread.shutdown(wait=False)

    async def _patiently(self, work: Callable[[], Result]) -> Result:
        """Do it in the database's thread, however long the database is out of reach."""
        trouble = 0
        while True:
            try:
                return await self._in_thread(work)
            except LibraryError as error:
                log.warning("the database is out of reach: %s", error)
                await asyncio.sleep(TROUBLE_S[min(trouble, len(TROUBLE_S) - 1)])
                trouble += 1

    def _in_thread(self, work: Callable[[], Result]) -> "asyncio.Future[Result]":
        return asyncio.get_running_loop().run_in_executor(self._thread, work)
