"""From an event to the start of the function that a rule calls about it, and what waiting costs.

Events are written by a process of its own (``python -m benchmarks.dispatch FOLDER RATE SECONDS``),
one transaction each, as ways in and workers write them; it wakes the dispatcher as they do.
"""

import asyncio
import random
import resource
import sys
import time
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.table import Bar, Figure
from benchmarks.workplace import Workplace, tell
from matinee.config import Settings
from matinee.core.events import Fact
from matinee.rules.dispatch import Dispatcher
from matinee.rules.functions import AsyncCall, Function, function
from matinee.rules.host import FunctionHost
from matinee.rules.perform import Performer
from matinee.rules.room import Room
from matinee.rules.rulebook import read_rules
from matinee.rules.waker import Waker
from matinee.wiring.library import now, open_library, wake_pipe

NAME = "dispatch"
SECONDS = 8.0
IDLE_S = 10.0
WAITING = 10_000
RULES = """
[[rule]]
name = "mark"
when = { type = "film.arrived" }
do = "mark"
[[rule]]
name = "later"
when = { type = "film.removed" }
do = "mark"
delay = "1h"
"""


@dataclass
class Marks:
    """How long after its event each call began, in seconds."""

    expected: int
    delays_s: list[float] = field(default_factory=list)
    complete: asyncio.Event = field(default_factory=asyncio.Event)

    def function(self) -> Function:
        """A function that notes when it was called."""

        @function("mark", version=1)
        async def mark(call: AsyncCall) -> None:
            self.delays_s.append((now() - call.event.time).total_seconds())
            if len(self.delays_s) == self.expected:
                self.complete.set()

        return mark

    def p95_ms(self) -> float:
        """The delay that 95 of 100 calls did not exceed."""
        return 1000 * sorted(self.delays_s)[int(0.95 * len(self.delays_s))]


def run(workplace: Workplace) -> Iterator[Figure]:
    """At 50 and at 500 events a second, without and with many deliveries that wait."""
    for rate, waiting, most_ms in ((50, 0, 100), (50, WAITING, 100), (500, 0, 1000)):
        tell(f"{NAME}: {rate} events a second beside {waiting} that wait")
        with workplace.folder() as folder:
            marks, idle = asyncio.run(_measured(folder / "library", rate, waiting))
        name = f"event to function start, p95, {rate} events a second"
        name += f", {waiting} deliveries waiting" if waiting else ""
        yield Figure(NAME, name, "ms", marks.p95_ms(), bar=Bar(most_ms, "ours"))
        if rate == 50:
            name = "processor use of an idle dispatcher"
            name += f", {waiting} deliveries waiting" if waiting else ""
            yield Figure(NAME, name, "%", 100 * idle, bar=Bar(1, "ours"))


async def _measured(folder: Path, rate: int, waiting: int) -> tuple[Marks, float]:
    library = open_library(Settings(folder, workers=2))
    marks = Marks(int(rate * SECONDS))
    mark = marks.function()
    functions = {mark.name: mark}
    host = FunctionHost(lambda *_: asyncio.sleep(0), lambda: nullcontext(folder))
    performer = Performer(functions, None, library.runs, host, Room(2, 1 << 30), now)
    dispatcher = Dispatcher(
        library.deliveries, library.deliveries, read_rules([("rules", RULES)], functions),
        performer, Waker(), "benchmark", now, random.random,
    )  # fmt: skip
    pipe = wake_pipe(library.settings)
    pipe.listen(dispatcher.waker.wake)
    for start in range(0, waiting, 1000):
        library.events.append([_fact("film.removed", start + n) for n in range(1000)])
    while library.deliveries.route(lambda event: dispatcher.book.orders(event, now()), 500):
        pass
    working = asyncio.create_task(dispatcher.run())
    try:
        await asyncio.sleep(3)  # to be at rest
        idle = await _processor_use(IDLE_S)
        feeder = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "benchmarks.dispatch", str(folder), str(rate), str(SECONDS)
        )
        if await feeder.wait() != 0:
            raise RuntimeError("the events could not be written at that rate")
        async with asyncio.timeout(60):
            await marks.complete.wait()
    finally:
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
        pipe.close()
    return marks, idle


async def _processor_use(seconds: float) -> float:
    """The part of a processor that this process takes while nothing happens."""
    before = resource.getrusage(resource.RUSAGE_SELF)
    await asyncio.sleep(seconds)
    after = resource.getrusage(resource.RUSAGE_SELF)
    spent = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    return spent / seconds


def _fact(kind: str, number: int) -> Fact:
    data = {"origin": "watch", "name": f"{number}.mkv", "place": f"/films/{number}.mkv"}
    return Fact(kind, f"{kind}/{number}", data)


def feed(folder: Path, rate: int, seconds: float) -> None:
    """Write events at a rate, each in a transaction of its own."""
    library = open_library(Settings(folder, workers=1))
    begun = time.monotonic()
    for number in range(int(rate * seconds)):
        time.sleep(max(0.0, begun + number / rate - time.monotonic()))
        library.events.append([_fact("film.arrived", number)])
    took = time.monotonic() - begun
    if took > 1.2 * seconds:
        sys.exit(f"writing took {took:.1f} s, not {seconds:g}: the machine is too busy to measure")


if __name__ == "__main__":
    feed(Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]))
