"""Work: takes runs from the queue and carries them out, several at once.

- A run is ours while its token is: what is told and committed is conditional on it. Losing it stops
  the work at once, and nothing is told of it.
- What trying again may mend (a tool that failed, a library that is full or busy) is tried again
  here, with growing pauses; the finished steps are in the ledger.
- A person's wish to cancel is heard within a second, and at once when the worker is woken.
"""

import asyncio
import math
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from matinee.core.errors import LibraryError, MatineeError, SourceRefused
from matinee.flows.board import Board
from matinee.ports.runs import Ended, Run, RunQueue, Wish
from matinee.stages.slots import Urgency

BEAT_S = 1.0
"""How often progress is told and the lease renewed; see ``LeaseWatch`` for how long is too long."""

TOOL_PAUSES_S = (2.0, 10.0, 60.0)
LIBRARY_PAUSES_S = (1.0, 2.0, 5.0, 15.0, 30.0, *[60.0] * 60)
"""A library that is full or out of reach for an hour costs no run."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a flow gave: ``done`` or ``held``, what it made, and why it is held."""

    state: str
    result: Mapping[str, Any]
    error: Mapping[str, Any] | None = None


Execute = Callable[[Run, Board], Awaitable[Outcome]]
"""Carries a run out once; raises ``MatineeError``."""


@dataclass
class Worker:
    """One process's share of the work.

    ``at_once`` runs are taken from the queue; a run of higher priority than all of them is taken
    beside them, up to twice as many, so that urgent work never waits for bulk work to end.
    """

    queue: RunQueue
    execute: Execute
    owner: str
    at_once: int
    has_room: Callable[[], bool] = lambda: True
    tool_pauses_s: Sequence[float] = TOOL_PAUSES_S
    library_pauses_s: Sequence[float] = LIBRARY_PAUSES_S
    woken: asyncio.Event = field(default_factory=asyncio.Event)
    """Set from outside when something may have changed."""
    _active: dict[str, "_Work"] = field(default_factory=dict)

    @property
    def active(self) -> int:
        """How many runs are being carried out."""
        return len(self._active)

    async def work(self, until: asyncio.Event) -> None:
        """Take and carry out runs until told to stop; what is unfinished then is left as it is."""
        try:
            while not until.is_set():
                self.woken.clear()
                self._take_runs()
                await self._beat()
                await _first(BEAT_S, self.woken, until)
        finally:
            tasks = [work.task for work in self._active.values()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _take_runs(self) -> None:
        try:
            while self.has_room() and (run := self._next()) is not None:
                board = Board(run.wish.film, is_asked=True)
                task = asyncio.create_task(self._carry_out(run, board))
                self._active[run.id] = _Work(run, board, task)
                task.add_done_callback(lambda _, run_id=run.id: self._left(run_id))  # type: ignore[misc]
        except LibraryError:
            return  # the database is out of reach: asked again at the next beat

    def _next(self) -> Run | None:
        if len(self._active) < self.at_once:
            return self.queue.claim(self.owner)
        if len(self._active) < 2 * self.at_once:
            highest = max(work.run.wish.priority for work in self._active.values())
            return self.queue.claim(self.owner, above=highest)
        return None

    def _left(self, run_id: str) -> None:
        del self._active[run_id]
        self.woken.set()

    async def _beat(self) -> None:
        """Tell where every run stands; stop those that are ours no more or to be cancelled."""
        for work in list(self._active.values()):
            try:
                state = await asyncio.to_thread(
                    self.queue.tell, work.run, work.board.as_json(), work.board.title
                )
            except LibraryError:
                continue
            if state != "running":
                work.verdict = work.verdict or state
                work.task.cancel()

    async def _carry_out(self, run: Run, board: Board) -> None:
        try:
            ended = await self._tried(run, board)
        except asyncio.CancelledError:
            if self._active[run.id].verdict != "cancelling":
                raise  # lost, or we are told to stop: somebody goes on from the ledger
            ended = Ended("cancelled")
        await self._close(run, ended)

    async def _tried(self, run: Run, board: Board) -> Ended:
        """The run's end, after as many tries as make sense."""
        tries = 0
        while True:
            try:
                outcome = await self.execute(run, board)
            except MatineeError as error:
                is_library = isinstance(error, LibraryError)
                pauses = self.library_pauses_s if is_library else self.tool_pauses_s
                if not error.retryable or tries >= len(pauses):
                    return Ended(_state_of(error), error_json(error))
                board.note(f"{error}; tried again in {pauses[tries]:g} s")
                await asyncio.sleep(pauses[tries])
                tries += 1
            except Exception as error:  # noqa: BLE001  # a defect of ours or of a plug-in: one run's end
                return Ended("failed", defect_json(error))
            else:
                return Ended(outcome.state, outcome.error, outcome.result)

    async def _close(self, run: Run, ended: Ended) -> None:
        """Write how a run ended, however long the database is out of reach."""
        for pause_s in self.library_pauses_s:
            try:
                await asyncio.to_thread(self.queue.end, run, ended)
            except LibraryError:
                await asyncio.sleep(pause_s)
            else:
                return


@dataclass
class _Work:
    run: Run
    board: Board
    task: asyncio.Task[None]
    verdict: str | None = None
    """Why it was stopped: ``cancelling`` or ``lost``."""


def urgency(wish: Wish) -> Urgency:
    """By which runs share the slots: priority, then deadline; of equals the first that began."""
    deadline = wish.deadline.timestamp() if wish.deadline else math.inf
    return (wish.priority, -deadline)


def error_json(error: MatineeError) -> dict[str, str]:
    """The form of an error in runs and events."""
    return {"code": error.code, "message": str(error), "hint": error.hint}


def defect_json(error: BaseException) -> dict[str, str]:
    """The same of a defect."""
    return {
        "code": "internal",
        "message": f"a defect in Matinee: {type(error).__name__}: {error}",
        "hint": "please report it with the service's log",
    }


def _state_of(error: MatineeError) -> str:
    if isinstance(error, SourceRefused):
        return "refused"
    return "held" if error.exit_code == 4 else "failed"


async def _first(timeout_s: float, *events: asyncio.Event) -> None:
    """Wait until one of the events is set, at most so long."""
    waiting = [asyncio.ensure_future(event.wait()) for event in events]
    await asyncio.wait(waiting, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
    for task in waiting:
        task.cancel()
