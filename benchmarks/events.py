"""What the event log costs: from told to claimed, beside a full queue, and in a long log."""

import json
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from statistics import median, quantiles

from benchmarks.queues import DATA, Ours, Peer, now, plain
from benchmarks.table import Bar, Figure, paired
from benchmarks.workplace import Workplace, tell
from matinee.adapters.sql.catalog import SqlPackages, SqlTitles
from matinee.adapters.sql.database import open_database
from matinee.adapters.sql.deliveries import SqlDeliveries
from matinee.adapters.sql.events import SqlEventLog
from matinee.adapters.sql.runs import SqlRuns
from matinee.adapters.sql.title_desk import SqlTitleDesk
from matinee.core.events import Event, Fact
from matinee.core.ids import digest_of
from matinee.ports.catalog import Package, Title, TitleSearch
from matinee.ports.deliveries import Order, Settled
from matinee.ports.events import Search

NAME = "events"

SECONDS = 6
"""How long events are told at each rate."""

BARS_MS = {50: 100.0, 500: 1000.0}
"""By events a second: within what time 95 of 100 are claimed."""

WAITING, CLAIMS = 10_000, 200
EVENTS, TITLES, PAGE = 1_000_000, 5_000, 50


def run(workplace: Workplace) -> Iterator[Figure]:
    """Beside plain SQLite: one table as a queue, one as a log, with the same settings."""
    for rate in BARS_MS:
        yield from _latency(workplace, rate)
    yield from _claims(workplace)
    yield from _pages(workplace)


# From told to called


def _latency(workplace: Workplace, rate: int) -> Iterator[Figure]:
    def arm(kind: type[Ours] | type[Peer]) -> Callable[[], tuple[float, float, float]]:
        def measure() -> tuple[float, float, float]:
            with workplace.folder() as folder:
                times, cpu_s = _through(kind, folder, rate)
            return 1e3 * median(times), 1e3 * quantiles(times, n=20)[-1], 1e3 * cpu_s / len(times)

        return measure

    found = workplace.alternate(f"{NAME}: {rate} a second", {"ours": arm(Ours), "peer": arm(Peer)})
    bar = Bar(BARS_MS[rate], "ours")
    for place, name in enumerate(("p50", "p95", "CPU for each")):
        ours, peer = ([each[place] for each in found[arm]] for arm in ("ours", "peer"))
        title = f"event to function at {rate} a second, {name}"
        yield paired(NAME, title, "ms", ours, peer, bar if name == "p95" else None)


def _through(kind: type[Ours] | type[Peer], folder: Path, rate: int) -> tuple[list[float], float]:
    """Seconds that each of the events took that came at an even rate; and the processor's."""
    count = rate * SECONDS
    called, left = [0.0] * count, threading.Semaphore(0)

    def note(number: int) -> None:
        called[number] = time.perf_counter()
        left.release()

    queue = kind(folder, note)
    start, cpu = time.perf_counter(), time.process_time()
    for number in range(count):
        # A writer that falls behind is late: times count from when an event was due.
        time.sleep(max(0, start + number / rate - time.perf_counter()))
        queue.put(number)
    for _ in range(count):
        left.acquire()
    cpu = time.process_time() - cpu
    queue.close()
    return [end - (start + number / rate) for number, end in enumerate(called)], cpu


# Claims


def _claims(workplace: Workplace) -> Iterator[Figure]:
    with workplace.folder() as folder:
        queues = {
            name: _filled(folder / f"{name}.db", name == "full") for name in ("full", "empty")
        }
        found = workplace.alternate(
            f"{NAME}: claims",
            {name: partial(_claim, *queue) for name, queue in queues.items()},
        )
    name = f"claim and settle beside {WAITING} that wait, and beside none"
    yield paired(NAME, name, "ms", found["full"], found["empty"], Bar(1.25, "ratio"))


def _filled(file: Path, is_full: bool) -> tuple[SqlEventLog, SqlDeliveries]:
    """A queue in which many wait: half for their time, half behind one that is dead."""
    engine = open_database(f"sqlite:///{file}")
    log, queue = SqlEventLog(engine, now), SqlDeliveries(engine, now)
    if is_full:
        later = now() + timedelta(days=365)
        for start in range(0, WAITING, 1000):
            half = range(start, start + 1000)
            log.append([Fact("x", "held" if n % 2 else f"later/{n}", DATA) for n in half])
            queue.route(lambda event: [_order(now() if event.subject == "held" else later)], 1000)
        (first,) = queue.claim("bench", now(), 10)
        queue.settle(first, Settled("dead", reason="for the bench"))
        queue.route(lambda _: [], 10)
        assert queue.waiting().counts["waiting"] == WAITING - 1
    return log, queue


def _claim(log: SqlEventLog, queue: SqlDeliveries) -> float:
    """Milliseconds that one claim and its end take."""
    times = []
    for number in range(CLAIMS):
        log.append([Fact("film.arrived", f"film/{number}", DATA)])
        queue.route(_one_order, 10)
        start = time.perf_counter()
        (delivery,) = queue.claim("bench", now(), 10)
        queue.settle(delivery, Settled("done"))
        times.append(time.perf_counter() - start)
    return 1e3 * median(times)


# Pages


def _pages(workplace: Workplace) -> Iterator[Figure]:
    with workplace.folder() as folder:
        file = folder / "long.db"
        engine = open_database(f"sqlite:///{file}")
        tell(f"{NAME}: writing {EVENTS} events and {TITLES} titles")
        start = datetime(2026, 1, 1, tzinfo=UTC)
        _fill_log(file, start)
        _fill_catalog(SqlTitles(engine, now), SqlPackages(engine, now))
        log = SqlEventLog(engine, now)
        middle = start + timedelta(seconds=EVENTS / 2)
        searches = {
            "the newest": Search(),
            "before the middle": Search(before=EVENTS // 2),
            "of one subject": Search(subject="film/77"),
            "of a kind, by its beginning": Search(type="film.*"),
            "of one that is rare": Search(type="delivery.dead"),
            "in an hour, long ago": Search(since=middle, until=middle + timedelta(hours=1)),
            "of a kind, until long ago": Search(type="run.*", until=middle),
        }
        rows = plain(file)
        for name, which in searches.items():
            found = workplace.alternate(
                f"{NAME}: search, {name}",
                {"ours": partial(_timed, partial(log.search, which, PAGE)),
                 "peer": partial(_timed, partial(_newest, rows))},
            )  # fmt: skip
            title = f"a page of {EVENTS} events: {name}"
            yield paired(NAME, title, "ms", found["ours"], found["peer"], Bar(1000, "ours"))
        desk, queue = SqlTitleDesk(engine, now), SqlDeliveries(engine, now)
        runs = SqlRuns(engine, now)

        def first_page() -> None:
            desk.page(TitleSearch(), None, PAGE), desk.count(TitleSearch())
            runs.page([], None, PAGE), queue.waiting(), log.search(Search(), PAGE)

        found = workplace.alternate(
            f"{NAME}: the studio's first page",
            {"ours": lambda: _timed(first_page), "peer": lambda: _timed(lambda: _newest(rows))},
        )
        title = f"all of the studio's first page: {TITLES} titles, {EVENTS} events"
        yield paired(NAME, title, "ms", found["ours"], found["peer"], Bar(1000, "ours"))
        rows.close()
        engine.dispose()


def _fill_log(file: Path, start: datetime) -> None:
    """Events as they are told, one a second, past the adapter: a million would take too long."""
    kinds = ["film.arrived", "run.queued", "run.started", "run.ended", "title.made"]

    def row(number: int) -> Sequence[object]:
        kind = "delivery.dead" if number % 99_991 == 0 else kinds[number % len(kinds)]
        subject = f"film/{number % 5000}" if number % 2 else f"run/{number}"
        at = (start + timedelta(seconds=number)).strftime("%Y-%m-%d %H:%M:%S.%f")
        return number, f"{number:012x}", at, kind, "/matinee", subject, json.dumps(DATA)

    rows = plain(file)
    rows.execute("BEGIN")
    rows.executemany(
        "INSERT INTO event (place, id, time, type, source, subject, body)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        map(row, range(1, EVENTS + 1)),
    )
    rows.execute("UPDATE bookmark SET place = ? WHERE name = 'log'", (EVENTS,))
    rows.execute("COMMIT")
    rows.close()


def _fill_catalog(titles: SqlTitles, packages: SqlPackages) -> None:
    for number in range(TITLES):
        digest = digest_of(str(number).encode())
        titles.add(Title(f"t{number}", f"Film {number}", digest, "film.mkv", "", now(), None))
        packages.add(Package("p", f"t{number}", "ready", now(), {}, digest, {}))
        packages.point(f"t{number}", "p")


def _newest(rows: sqlite3.Connection) -> None:
    query = "SELECT id, time, type, subject, body FROM event ORDER BY place DESC LIMIT ?"
    for *_, body in rows.execute(query, (PAGE,)).fetchall():
        json.loads(body)


def _timed(do: Callable[[], object]) -> float:
    start = time.perf_counter()
    do()
    return 1e3 * (time.perf_counter() - start)


def _order(due_at: datetime) -> Order:
    return Order("bench", "function", {}, due_at)


def _one_order(event: Event) -> list[Order]:
    return [_order(event.time)]
