"""What listeners are told as it happens: one look at the log for all of them."""

import asyncio
import json
from collections import deque
from collections.abc import AsyncGenerator, Iterator
from contextlib import suppress
from dataclasses import dataclass

from anyio import to_thread

from matinee.apps.web.numbers import Numbers, rounded
from matinee.apps.web.runs_json import run_shown
from matinee.apps.web.service import Service
from matinee.core.errors import MatineeError, NotFound
from matinee.core.events import Event
from matinee.ports.events import Entry
from matinee.ports.runs import Run

LOOK_S = 1.0
"""How long at most between two looks while nobody calls."""
REST_S = 2.0
"""The same while nobody listens: only numbers are taken."""
RECENT = 2_000
FURTHEST = 10_000
"""Places that a listener may be behind; more are left out, and it is told."""
_PIECE = 500
HEARTBEAT_S = 15.0
RETRY_MS = 2_000
"""When a browser asks again after it was cut off."""
_EVERY = 2
"""Looks from one telling of numbers to the next."""
_BREATH_S = 0.05
_MOST_RUNS = 500
_OPEN = ("running", "cancelling")


@dataclass(frozen=True, slots=True)
class Told:
    """One event of the log, spelled for listeners; ``run`` is the run that it tells of."""

    place: int
    run: str | None
    text: str


class Feed:
    """Keeps the newest events, the runs that move, and the newest numbers.

    Listeners read from it at their own pace: each has a place in the log, and of runs and numbers
    only the newest state counts. So a slow one holds nothing up and fills no memory.
    """

    def __init__(self, service: Service, numbers: Numbers) -> None:
        self._service, self.numbers = service, numbers
        self._listeners = 0
        self._place = 0
        self._recent: deque[Told] = deque(maxlen=RECENT)
        self._version = 0
        self._known: dict[str, Run] = {}
        self._runs: dict[str, tuple[int, str]] = {}
        self._numbers: tuple[int, str] = (0, "")
        self._moved, self._poked = asyncio.Event(), asyncio.Event()

    def poke(self) -> None:
        """Look at once. To be called in the loop's thread."""
        self._poked.set()

    async def keep(self) -> None:
        """Look again and again, until cancelled. A database that fails for a while is borne."""
        looks = 0
        while True:
            with suppress(MatineeError):
                await to_thread.run_sync(self.numbers.look)
                if self._listeners:
                    await self._look(with_numbers=looks % _EVERY == 0)
            looks += 1
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_S if self._listeners else REST_S):
                    await self._until_poked()

    async def listen(self, after: int | None, only_run: str | None) -> AsyncGenerator[str]:
        """Server-sent events, for ever; a comment when nothing happened for a while.

        Args:
            after: The place in the log after which to begin; None: at its end.
            only_run: Leave out all that is not of that run.
        """
        if self._listeners == 0:
            self._place = await to_thread.run_sync(self._service.log.last)
            for kept in (self._recent, self._known, self._runs):
                kept.clear()
        self._listeners += 1
        self.poke()
        try:
            place = self._place if after is None else after
            seen = 0
            yield f"retry: {RETRY_MS}\n\n"
            while True:
                moved = self._moved
                if self._place - place > FURTHEST:
                    yield _spelled("gap", json.dumps({"from": place + 1, "to": self._place}))
                    place = self._place
                elif place < self._place:
                    for told in await self._since(place):
                        place = told.place
                        if only_run in (None, told.run):
                            yield _spelled("event", told.text, told.place)
                    continue
                for text in self._newer(seen, only_run):
                    yield text
                seen = self._version
                try:
                    async with asyncio.timeout(HEARTBEAT_S):
                        await moved.wait()
                except TimeoutError:
                    yield ":\n\n"
        finally:
            self._listeners -= 1

    def _newer(self, seen: int, only_run: str | None) -> Iterator[str]:
        """Runs and numbers that changed since a version."""
        for run, (version, text) in list(self._runs.items()):
            if version > seen and only_run in (None, run):
                yield _spelled("run", text)
        version, text = self._numbers
        if version > seen and only_run is None:
            yield _spelled("numbers", text)

    async def _since(self, place: int) -> list[Told]:
        """The next events after a place: those at hand, else from the log."""
        if self._recent and self._recent[0].place <= place + 1:
            return [told for told in self._recent if told.place > place]
        entries = await to_thread.run_sync(self._service.log.after, place, _PIECE)
        return [await self._told(entry) for entry in entries]

    async def _look(self, *, with_numbers: bool) -> None:
        """Take in what is new, and wake the listeners."""
        touched: set[str] = set()
        while entries := await to_thread.run_sync(self._service.log.after, self._place, _PIECE):
            for entry in entries:
                told = await self._told(entry)
                self._recent.append(told)
                if told.run is not None:
                    touched.add(told.run)
            self._place = entries[-1].place
        await to_thread.run_sync(self._look_at_runs, touched)
        if with_numbers:
            text = json.dumps(rounded(self.numbers.now))
            if text != self._numbers[1]:
                self._version += 1
                self._numbers = (self._version, text)
        moved, self._moved = self._moved, asyncio.Event()
        moved.set()

    def _look_at_runs(self, touched: set[str]) -> None:
        """Note the runs that moved: those that are open, were open, or were told of."""
        found = {run.id: run for run in self._service.runs.page(_OPEN, None, _MOST_RUNS)}
        for run_id in (self._known.keys() | touched) - found.keys():
            with suppress(NotFound):
                found[run_id] = self._service.runs.get(run_id)
        for run in found.values():
            if self._known.get(run.id) != run:
                self._version += 1
                self._runs.pop(run.id, None)
                self._runs[run.id] = (self._version, json.dumps(run_shown(self._service, run)))
        self._known = {run.id: run for run in found.values() if run.state in _OPEN}
        while len(self._runs) > _MOST_RUNS:
            self._runs.pop(next(iter(self._runs)))

    async def _told(self, entry: Entry) -> Told:
        event = await self._service.read_event(entry)
        text = json.dumps({**event.as_json(), "place": entry.place})
        return Told(entry.place, _run_of(event), text)

    async def _until_poked(self) -> None:
        """Return when poked, but not at every one of many pokes."""
        await self._poked.wait()
        await asyncio.sleep(_BREATH_S)
        self._poked.clear()


def _run_of(event: Event) -> str | None:
    """The run that an event tells of: its own, or what a person did to it."""
    run: object = None
    if event.type.startswith("run."):
        run = event.data.get("run")
    elif event.type == "person.acted":
        kind, _, run = str(event.data.get("target")).partition("/")
        run = run if kind == "run" else None
    return run if isinstance(run, str) else None


def _spelled(kind: str, text: str, place: int | None = None) -> str:
    """One server-sent event; JSON has no line ends in it."""
    named = "" if place is None else f"id: {place}\n"
    return f"event: {kind}\n{named}data: {text}\n\n"
