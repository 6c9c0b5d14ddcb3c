"""What every catalog promises to people who look through it, and about rights windows."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine
from tests.contracts.clock import NOON, Clock

from matinee.adapters.sql.catalog import SqlPackages, SqlTitles
from matinee.adapters.sql.events import SqlEventLog
from matinee.adapters.sql.title_desk import SqlTitleDesk
from matinee.core.errors import NotFound
from matinee.core.events import Event, Fact
from matinee.core.ids import digest_of
from matinee.ports.catalog import Package, Title, TitleSearch

EVERY = TitleSearch()
HOUR = timedelta(hours=1)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def desk(engine: Engine, clock: Clock) -> SqlTitleDesk:
    return SqlTitleDesk(engine, clock)


@pytest.fixture
def titles(engine: Engine, clock: Clock) -> SqlTitles:
    return SqlTitles(engine, clock)


@pytest.fixture
def packages(engine: Engine, clock: Clock) -> SqlPackages:
    return SqlPackages(engine, clock)


@pytest.fixture
def log(engine: Engine, clock: Clock) -> SqlEventLog:
    return SqlEventLog(engine, clock)


def a_package(title_id: str, state: str = "ready", package_id: str = "p1") -> Package:
    return Package(package_id, title_id, state, NOON, {}, digest_of(b"report"), {})


def publish(titles: SqlTitles, packages: SqlPackages, title_id: str, name: str) -> Title:
    source = digest_of(title_id.encode())
    titles.add(Title(title_id, name, source, "a.mkv", "", NOON, None))
    packages.add(a_package(title_id))
    return packages.point(title_id, "p1")


def told(log: SqlEventLog, after: int = 0) -> list[tuple[str, str, str | None]]:
    return [(entry.type, entry.subject, entry.cause) for entry in log.after(after, 100)]


def data_of(log: SqlEventLog, place: int) -> object:
    (entry,) = log.after(place - 1, 1)
    return entry.event and entry.event.data


def test_pages_go_by_name_in_one_case_in_every_database(
    desk: SqlTitleDesk, titles: SqlTitles, packages: SqlPackages
) -> None:
    for title_id, name in (("1", "b"), ("2", "A"), ("3", "a"), ("4", "Éa"), ("5", "_"), ("6", "B")):
        publish(titles, packages, title_id, name)
    titles.add(Title("7", "a", digest_of(b"unmade"), "a.mkv", "", NOON, None))

    pages, after = list[list[str]](), None
    while page := [title.id for title in desk.page(EVERY, after, 4)]:
        pages.append(page)
        after = page[-1]
    assert pages == [["5", "2", "3", "1"], ["6", "4"]]
    assert desk.count(EVERY) == 6
    with pytest.raises(NotFound, match="nobody"):
        desk.page(EVERY, "nobody", 4)


def test_a_search_finds_part_of_a_name_and_takes_signs_as_they_are(
    desk: SqlTitleDesk, titles: SqlTitles, packages: SqlPackages
) -> None:
    for title_id, name in (("1", "Große Pause"), ("2", "50 % off"), ("3", "a_b"), ("4", "axb")):
        publish(titles, packages, title_id, name)
    packages.point("4", None)
    titles.describe("3", "a_B", None)

    def found(which: TitleSearch) -> list[str]:
        ids = [title.id for title in desk.page(which, None, 10)]
        assert desk.count(which) == len(ids)
        return ids

    assert found(TitleSearch(text="GROSSE p")) == ["1"]
    assert found(TitleSearch(text="%")) == ["2"]
    assert found(TitleSearch(text="A_b")) == ["3"]
    assert found(TitleSearch(state="published")) == ["2", "3", "1"]
    assert found(TitleSearch(state="hidden")) == ["4"]
    assert found(TitleSearch("x", "published")) == []
    packages.delete("2", NOON)
    assert found(TitleSearch(state="published")) == ["3", "1"]
    assert found(TitleSearch(state="deleted")) == found(TitleSearch("off", "deleted")) == ["2"]


def test_changes_are_told_once_with_their_cause(
    titles: SqlTitles, packages: SqlPackages, desk: SqlTitleDesk, log: SqlEventLog
) -> None:
    title = titles.add(Title("t", "T", digest_of(b"t"), "a.mkv", "", NOON, None))
    for _ in range(2):
        packages.add(a_package("t"), cause="run")
        packages.point("t", "p1", cause="run")
        titles.describe("t", "New", "me", cause="person")
        desk.open_to_all("t", True)
        desk.set_window("t", None, NOON + HOUR)
    packages.point("t", None)

    about = "title/t"
    assert told(log) == [
        ("title.made", about, "run"), ("title.published", about, "run"),
        ("title.changed", about, "person"), ("title.changed", about, None),
        ("title.changed", about, None), ("title.hidden", about, None),
    ]  # fmt: skip
    assert data_of(log, 2) == {"title": "t", "name": "T", "package": "p1"}
    assert data_of(log, 3) == {"title": "t", "changes": {"name": "New", "credit": "me"}}
    assert data_of(log, 4) == {"title": "t", "changes": {"is_public": True}}
    assert data_of(log, 5) == {"title": "t", "changes": {"closes_at": "2026-03-01T13:00:00Z"}}
    assert data_of(log, 6) == {"title": "t", "name": "New"}
    assert titles.get("t") == replace(
        title, name="New", credit="me", is_public=True, closes_at=NOON + HOUR
    )


def test_a_package_is_told_when_it_becomes_ready(
    titles: SqlTitles, packages: SqlPackages, log: SqlEventLog
) -> None:
    titles.add(Title("t", "T", digest_of(b"t"), "a.mkv", "", NOON, None))
    failed = Fact("verdict.failed", "title/t")

    packages.add(a_package("t", "held"), facts=[failed])
    packages.add(a_package("t", "ready"))
    packages.add(a_package("t", "ready"))

    assert [kind for kind, *_ in told(log)] == ["verdict.failed", "title.made"]


def test_each_turn_of_a_rights_window_is_told_once(
    titles: SqlTitles, packages: SqlPackages, desk: SqlTitleDesk, log: SqlEventLog
) -> None:
    publish(titles, packages, "t", "T")
    publish(titles, packages, "always", "Always")
    assert desk.next_turn(NOON) is None

    desk.set_window("t", NOON + HOUR, NOON + 2 * HOUR)
    start = log.last()
    turns = {minutes: desk.turn(NOON + timedelta(minutes=minutes)) for minutes in range(0, 180, 30)}

    assert {minutes: [each.type for each in events] for minutes, events in turns.items()} == {
        0: ["rights.closed"], 30: [], 60: ["rights.opened"], 90: [], 120: ["rights.closed"], 150: []
    }  # fmt: skip
    assert data_of(log, start + 1) == {"title": "t", "name": "T", "package": "p1"}
    assert desk.next_turn(NOON) == NOON + HOUR
    assert desk.next_turn(NOON + HOUR) == NOON + 2 * HOUR
    assert desk.next_turn(NOON + 2 * HOUR) is None
    desk.set_window("t", None, None)
    assert [each.type for each in desk.turn(NOON)] == ["rights.opened"]


windows = st.none() | st.integers(0, 6).map(lambda hours: NOON + hours * HOUR)


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.tuples(windows, windows, st.integers(0, 6)), max_size=5))
def test_what_was_told_last_is_what_holds(
    titles: SqlTitles,
    packages: SqlPackages,
    desk: SqlTitleDesk,
    log: SqlEventLog,
    steps: list[tuple[datetime | None, datetime | None, int]],
) -> None:
    title_id = f"t{log.last()}"
    publish(titles, packages, title_id, "T")
    is_open = True
    for opens_at, closes_at, hours in steps:
        title = desk.set_window(title_id, opens_at, closes_at)
        now = NOON + hours * HOUR

        events: list[Event] = [*desk.turn(now), *desk.turn(now)]

        mine = [event.type for event in events if event.subject == f"title/{title_id}"]
        kind = "rights.opened" if title.may_be_shown(now) else "rights.closed"
        assert mine == ([kind] if title.may_be_shown(now) != is_open else [])
        is_open = title.may_be_shown(now)
