"""Rules at work over a real database and store, as tests use them."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from matinee.adapters.objects import folder_objects
from matinee.adapters.owners import is_dead, this_owner
from matinee.adapters.sql.catalog import SqlPackages, SqlTitles
from matinee.adapters.sql.database import open_database
from matinee.adapters.sql.deliveries import SqlDeliveries
from matinee.adapters.sql.events import SqlEventLog
from matinee.adapters.sql.ledger import SqlLedger
from matinee.adapters.sql.runs import SqlRuns
from matinee.adapters.sql.title_desk import SqlTitleDesk
from matinee.adapters.webhook import WebhookNotices
from matinee.adapters.workspace import Workspace
from matinee.assets.asset import Asset
from matinee.assets.derivation import Cost, Derivation, Step
from matinee.core.events import Event, Fact
from matinee.core.ids import digest_of
from matinee.ports.catalog import Package, Title
from matinee.ports.deliveries import Delivery
from matinee.ports.notices import Notices
from matinee.rules.dispatch import Dispatcher
from matinee.rules.functions import Function
from matinee.rules.host import FunctionHost
from matinee.rules.perform import Performer
from matinee.rules.reach import Reach
from matinee.rules.room import Room
from matinee.rules.rulebook import read_rules
from matinee.rules.waker import Waker

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def now() -> datetime:
    return datetime.now(UTC)


@dataclass
class Stand:
    """A library's database and store, and what rules work with."""

    folder: Path
    notices: Notices

    def __post_init__(self) -> None:
        engine = open_database(f"sqlite:///{self.folder}/library.db")
        self.events = SqlEventLog(engine, now)
        self.deliveries = SqlDeliveries(engine, now)
        self.runs = SqlRuns(engine, now)
        self.titles = SqlTitles(engine, now)
        self.packages = SqlPackages(engine, now)
        self.desk = SqlTitleDesk(engine, now)
        self.ledger = SqlLedger(engine, now)
        self.store = folder_objects(self.folder)

    def reach(self) -> Reach:
        return Reach(
            self.titles, self.packages, self.ledger, self.store, self.runs, self.notices, _no_bench
        )

    def host(self, environment: Mapping[str, str] = {}) -> FunctionHost:
        workspace = Workspace(self.folder / "scratch")

        @contextmanager
        def folder() -> Iterator[Path]:
            with workspace.run() as (_, path):
                yield path

        return FunctionHost(self.reach().answer, folder, environment)

    def dispatcher(
        self, rules: str, functions: Mapping[str, Function], host: FunctionHost | None = None
    ) -> Dispatcher:
        reach = self.reach()
        performer = Performer(
            functions, reach, self.runs, host or self.host(), Room(2, 1 << 30), now
        )
        return Dispatcher(
            self.deliveries, self.deliveries, read_rules([("rules.toml", rules)], functions),
            performer, Waker(), this_owner(), now, random.random, is_dead,
        )  # fmt: skip

    @asynccontextmanager
    async def at_work(
        self, rules: str, functions: Mapping[str, Function], environment: Mapping[str, str] = {}
    ) -> AsyncIterator[Dispatcher]:
        """A dispatcher that runs while the block does."""
        host = self.host(environment)
        dispatcher = self.dispatcher(rules, functions, host)
        running = asyncio.create_task(dispatcher.run())
        try:
            yield dispatcher
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            await host.close()

    def tell(self, *facts: Fact) -> list[Event]:
        return list(self.events.append(facts))

    def told(self, kind: str) -> list[Event]:
        entries = self.events.after(0, 100_000)
        return [entry.event for entry in entries if entry.type == kind and entry.event is not None]

    def all(self) -> list[Delivery]:
        """Every delivery, oldest first."""
        return list(reversed(self.deliveries.page(None, None, None, 100_000)))

    def lies(self, content: bytes, key: str) -> None:
        """Have the ledger know where an asset lies."""
        step = Step("made", 1, {}, {"key": key})
        asset = Asset(digest_of(content), len(content), "text/plain")
        derivation = Derivation(step, {"it": asset}, Cost("host", NOON, 0, 0))
        self.ledger.record(self.ledger.begin("test", step), derivation, [(asset.digest, key)])

    def has_title(self, name: str, states: Iterable[str] = ("ready",)) -> Title:
        """A title with packages of these states, named p1, p2 ..."""
        title = self.titles.add(
            Title(name, name.title(), digest_of(name.encode()), f"{name}.mkv", "", NOON, None)
        )
        for number, state in enumerate(states, 1):
            made_at = NOON.replace(hour=number)
            files = {"packages/x": digest_of(b"")}
            self.packages.add(
                Package(f"p{number}", title.id, state, made_at, files, digest_of(b"report"), {})
            )
        return title


def _no_bench() -> Any:
    raise AssertionError("nothing here makes assets")


def stand(folder: Path, notices: Notices | None = None) -> Stand:
    return Stand(folder, notices or WebhookNotices())


async def until(holds: Callable[[], bool], within_s: float = 20.0) -> None:
    """Look until it holds, at most so long."""
    loop = asyncio.get_running_loop()
    end = loop.time() + within_s
    while not holds():
        assert loop.time() < end, "it never came to that"
        await asyncio.sleep(0.01)


def run(work: Awaitable[None]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(60):
            await work

    asyncio.run(bounded())


def arrived(name: str, **data: Any) -> Fact:
    usual = {
        "origin": "watch", "name": name, "place": f"/films/{name}", "size_bytes": 5,
        "sidecars": [], "wishes": {},
    }  # fmt: skip
    return Fact("film.arrived", f"film/watch/{name}", {**usual, **data})
