"""What must hold after chaos, read from outside: tables, files, processes, the own proofs."""

import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.chaos.counting import COUNTING
from tests.chaos.scene import Hook, Scene
from tests.chaos.tree import bearing
from tests.conftest import environment
from tests.forks import run_module

from matinee.core.arrivals import subject_of

PATIENCE_S = 120

SLOW = "scrub"
"""A flow that a clock that leaps may start, and that takes days, by the shipped rules."""


class Tables:
    """The library's database, read only."""

    def __init__(self, library: Path) -> None:
        self._path = library / "matinee.db"

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """What a query gives."""
        with closing(sqlite3.connect(f"file:{self._path}?mode=ro", uri=True)) as database:
            return database.execute(query, values).fetchall()

    def column(self, query: str, *values: object) -> list[Any]:
        """The only column of it."""
        return [value for (value,) in self.rows(query, *values)]

    def one(self, query: str, *values: object) -> Any:
        """The only value."""
        (value,) = self.column(query, *values)
        return value


def unsettled(tables: Tables, films: int) -> str:
    """What is not over yet; empty when all is."""
    arrived = tables.one("SELECT count(*) FROM event WHERE type = 'film.arrived'")
    routed = tables.one("SELECT place FROM bookmark WHERE name = 'router'")
    last = tables.one("SELECT coalesce(max(place), 0) FROM event")
    waiting = tables.rows(
        "SELECT rule, state, count(*), max(reason) FROM delivery"
        " WHERE state IN ('waiting', 'running') AND rule <> 'forget-preview' GROUP BY 1, 2"
    )
    runs = tables.rows(
        "SELECT state, count(*) FROM run WHERE ended_at IS NULL AND flow <> ? GROUP BY 1", SLOW
    )
    if arrived < films:
        return f"{arrived} of {films} films arrived"
    if routed < last:
        return f"routed to {routed} of {last}"
    return f"deliveries {waiting}, runs {runs}" if waiting or runs else ""


def faults(scene: Scene, hook: Hook, numbers: int) -> list[str]:
    """Everything that is not as it must be."""
    tables = Tables(scene.library)
    return [
        *_films(tables, scene),
        *_events(tables, numbers),
        *_hooks(hook, numbers),
        *_redone(tables),
        *_proofs(tables, scene),
        *_left(scene),
        *_log(scene),
    ]


def _films(tables: Tables, scene: Scene) -> Iterator[str]:
    arrivals = Counter(tables.column("SELECT subject FROM event WHERE type = 'film.arrived'"))
    for film in scene.films:
        if (times := arrivals[subject_of("watch", str(film))]) != 1:
            yield f"{film.name} arrived {times} times"
    for film, state, error in tables.rows(
        "SELECT film, state, error FROM run WHERE flow <> ?", SLOW
    ):
        if state != "done":
            yield f"the run of {film} ended {state}: {error}"
    runs = tables.one("SELECT count(*) FROM run WHERE flow = 'publish'")
    if runs != len(scene.films):
        yield f"{runs} runs of {len(scene.films)} films"
    sources = len({film.read_bytes() for film in scene.films})
    titles = tables.rows("SELECT id, current FROM title")
    if len(titles) != sources or None in [current for _, current in titles]:
        yield f"{sources} different films became the titles {titles}"
    packages = Counter(tables.column("SELECT title FROM package"))
    shown = Counter(
        subject.removeprefix("title/")
        for subject in tables.column("SELECT subject FROM event WHERE type = 'title.published'")
    )
    for title, _ in titles:
        if packages[title] != 1 or shown[title] != 1:
            yield f"{title} has {packages[title]} packages and was published {shown[title]} times"


def _events(tables: Tables, numbers: int) -> Iterator[str]:
    told = tables.one("SELECT count(*) FROM event WHERE type = 'chaos.told'")
    if told != numbers:
        yield f"{told} of {numbers} events are in the log"
    places = tables.column("SELECT place FROM event ORDER BY place")
    if places != list(range(1, len(places) + 1)):
        yield "the log has gaps"
    for rule, state, count, reason in tables.rows(
        "SELECT rule, state, count(*), max(reason) FROM delivery"
        " WHERE state != 'done' AND (rule, state) <> ('forget-preview', 'waiting') GROUP BY 1, 2"
    ):
        yield f"{count} deliveries of {rule} are {state}: {reason}"
    counted = Counter(tables.column("SELECT subject FROM event WHERE type = 'chaos.counted'"))
    wanted = {
        f"{rule}/{event}"
        for rule, kinds in COUNTING.items()
        for kind in kinds
        for event in tables.column("SELECT id FROM event WHERE type = ?", kind)
    }
    yield from (f"no effect of {one}" for one in wanted - counted.keys())
    yield from (f"an effect of {one} that nothing asked for" for one in counted.keys() - wanted)
    yield from (f"{count} effects of {one}" for one, count in counted.items() if count > 1)


def _hooks(hook: Hook, numbers: int) -> Iterator[str]:
    ids = Counter(number for number, _ in hook.taken)
    yield from (f"no webhook told of {n}" for n in range(numbers) if not ids[n])
    yield from (f"webhooks told of {n} under {count} ids" for n, count in ids.items() if count > 1)


def _redone(tables: Tables) -> Iterator[str]:
    query = (
        "SELECT function, key, count(*), group_concat(run || ' ' || id || ': ' || started_at ||"
        " ' to ' || ended_at, '; ') FROM attempt WHERE outcome = 'done' GROUP BY key"
        " HAVING count(*) > 1"
    )
    for name, key, times, attempts in tables.rows(query):
        yield f"{name} {key[:12]} was finished {times} times: {attempts}"


def _proofs(tables: Tables, scene: Scene) -> Iterator[str]:
    commands: list[Sequence[str]] = [("events", "verify")]
    commands += [("verify", title) for title in tables.column("SELECT id FROM title")]
    for command in commands:
        words = ["matinee", *command, "--library", scene.library]
        done = run_module(*words, variables=environment(), timeout_s=PATIENCE_S)
        if done.returncode:
            yield f"matinee {' '.join(command)}: {done.stderr.decode()}"


def _left(scene: Scene) -> Iterator[str]:
    yield from (f"still there: {process}" for process in bearing(str(scene.folder)))
    for folder in ("runs", "staging", "locks"):
        for path in (scene.library / "scratch" / folder).glob("*"):
            yield f"left in scratch: {folder}/{path.name}"


def _log(scene: Scene) -> Iterator[str]:
    text = scene.log.read_text(errors="replace")
    if "Traceback" in text:
        at = text.index("Traceback")
        yield f"{text.count('Traceback')} tracebacks in the log: {text[at : at + 3000]}"
