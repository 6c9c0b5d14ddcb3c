"""Two ways from an event to the function that is called about it: ours, and a plain table."""

import asyncio
import contextlib
import json
import random
import sqlite3
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from matinee.adapters.sql.database import open_database
from matinee.adapters.sql.deliveries import SqlDeliveries
from matinee.adapters.sql.events import SqlEventLog
from matinee.adapters.sql.runs import SqlRuns
from matinee.core.events import Fact
from matinee.rules.dispatch import Dispatcher
from matinee.rules.functions import AsyncCall, function, registry
from matinee.rules.host import FunctionHost
from matinee.rules.perform import Performer
from matinee.rules.room import Room
from matinee.rules.rulebook import read_rules
from matinee.rules.waker import Waker

DATA = {"origin": "watch", "name": "film.mkv", "place": "/films/film.mkv", "size_bytes": 10**9}
RULE = '[[rule]]\nname = "bench"\nwhen = { type = "film.arrived" }\ndo = "bench"\n'

Called = Callable[[int], None]
"""Told the number of an event when its function begins."""


class Queue(Protocol):
    """What events go into at one end, and functions are called at the other."""

    def put(self, number: int) -> None:
        """Tell of an event, in a transaction of its own."""

    def close(self) -> None:
        """End, and let go of the files."""


class Ours:
    """The log and the dispatcher, which routes, claims, calls and settles, in one process."""

    def __init__(self, folder: Path, called: Called) -> None:
        waker = Waker()
        self._engine = open_database(f"sqlite:///{folder}/ours.db", waker.wake)
        self._log = SqlEventLog(self._engine, now)
        self._called, self._waker, self._folder = called, waker, folder
        self._loop = asyncio.new_event_loop()
        self._work = self._loop.create_task(self._dispatch())
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def put(self, number: int) -> None:
        """One event, each of a film of its own."""
        self._log.append([Fact("film.arrived", f"film/{number}", {**DATA, "number": number})])

    def close(self) -> None:
        """Cancel the dispatcher; what it called is done."""
        self._loop.call_soon_threadsafe(self._work.cancel)
        self._thread.join()
        self._engine.dispose()

    def _run(self) -> None:
        with contextlib.suppress(asyncio.CancelledError):
            self._loop.run_until_complete(self._work)
        self._loop.close()

    async def _dispatch(self) -> None:
        @function("bench", version=1)
        async def bench(call: AsyncCall) -> None:
            self._called(call.event.data["number"])

        functions = registry((bench,), ())
        queue, runs = SqlDeliveries(self._engine, now), SqlRuns(self._engine, now)

        async def nothing(*_: object) -> None:
            return None

        host = FunctionHost(nothing, lambda: contextlib.nullcontext(self._folder))
        performer = Performer(functions, None, runs, host, Room(2, 1 << 30), now)
        book = read_rules([("rules.toml", RULE)], functions)
        await Dispatcher(
            queue, queue, book, performer, self._waker, "bench", now, random.random
        ).run()


class Peer:
    """A table of its own: a row in; a thread takes the rows out and is woken for it."""

    def __init__(self, folder: Path, called: Called) -> None:
        self._file, self._called = folder / "peer.db", called
        self._rows = plain(self._file)
        self._rows.execute("CREATE TABLE queue (number INTEGER PRIMARY KEY, body TEXT)")
        self._woken, self._is_open = threading.Event(), True
        self._thread = threading.Thread(target=self._take)
        self._thread.start()

    def put(self, number: int) -> None:
        """One row."""
        self._rows.execute("INSERT INTO queue VALUES (?, ?)", (number, json.dumps(DATA)))
        self._woken.set()

    def close(self) -> None:
        """End the thread."""
        self._is_open = False
        self._woken.set()
        self._thread.join()
        self._rows.close()

    def _take(self) -> None:
        rows = plain(self._file)
        while self._is_open:
            self._woken.wait()
            self._woken.clear()
            for number, body in rows.execute("DELETE FROM queue RETURNING number, body").fetchall():
                json.loads(body)
                self._called(number)
        rows.close()


def plain(file: Path) -> sqlite3.Connection:
    """SQLite as it is, as durable as ours."""
    rows = sqlite3.connect(file, isolation_level=None)
    rows.execute("PRAGMA journal_mode = WAL")
    rows.execute("PRAGMA synchronous = NORMAL")
    rows.execute("PRAGMA busy_timeout = 10000")
    return rows


def now() -> datetime:
    """The wall clock, in UTC."""
    return datetime.now(UTC)
