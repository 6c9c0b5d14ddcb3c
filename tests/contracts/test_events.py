"""What every event log promises."""

from dataclasses import replace
from datetime import UTC, timedelta, timezone

import pytest
from sqlalchemy import Engine
from tests.contracts.clock import NOON, Clock

from matinee.adapters.sql.database import writing
from matinee.adapters.sql.events import SqlEventLog
from matinee.adapters.sql.facts import tell
from matinee.core.errors import NotFound
from matinee.core.events import Event, Fact
from matinee.ports.events import Search

FACT = Fact("film.arrived", "film/watch/a.mkv", {"name": "ä", "list": [1, None], "deep": {"x": 1}})


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def log(engine: Engine, clock: Clock) -> SqlEventLog:
    return SqlEventLog(engine, clock)


def found(log: SqlEventLog, which: Search, limit: int = 100) -> list[int]:
    return [entry.place for entry in log.search(which, limit)]


def test_a_fact_becomes_an_event_with_id_and_time(log: SqlEventLog) -> None:
    (event,) = log.append([replace(FACT, cause="because")])

    assert event == Event(event.id, NOON, FACT.type, "/matinee", FACT.subject, FACT.data, "because")
    entry = log.get(event.id)
    assert (entry.place, entry.event, entry.seal) == (1, event, None)
    assert entry.time.tzinfo is UTC
    assert (entry.type, entry.subject, entry.cause) == (FACT.type, FACT.subject, "because")


def test_what_is_told_twice_is_there_once(log: SqlEventLog) -> None:
    once = replace(FACT, id="once")

    assert [event.id for event in log.append([once, once])] == ["once"]
    assert log.append([once]) == []
    assert len(log.append([once, FACT])) == 1
    assert [entry.place for entry in log.after(0, 10)] == [1, 2]


def test_events_are_read_in_the_order_of_their_places(log: SqlEventLog) -> None:
    assert log.last() == 0
    for number in range(7):
        log.append([replace(FACT, id=str(number))])

    assert [entry.id for entry in log.after(0, 3)] == ["0", "1", "2"]
    assert [entry.place for entry in log.after(3, 10)] == [4, 5, 6, 7]
    assert log.last() == 7
    assert log.after(7, 10) == []


def test_an_unknown_event_is_not_found(log: SqlEventLog) -> None:
    with pytest.raises(NotFound, match="nobody"):
        log.get("nobody")


def test_a_transaction_that_fails_tells_nothing_and_leaves_no_gap(
    log: SqlEventLog, engine: Engine
) -> None:
    def tell_and_fail() -> None:
        with writing(engine) as connection:
            tell(connection, [FACT], NOON)
            raise KeyError("on purpose")

    with pytest.raises(KeyError):
        tell_and_fail()
    log.append([FACT])

    assert [entry.place for entry in log.after(0, 10)] == [1]


def test_a_search_meets_all_its_conditions_newest_first(log: SqlEventLog, clock: Clock) -> None:
    for kind, subject, cause in (
        ("film.arrived", "film/a", None),
        ("filmed", "film/b", None),
        ("run.queued", "run/1", "x"),
        ("film.removed", "film/a", "x"),
        ("film.arrived", "film/ab", None),
    ):
        log.append([Fact(kind, subject, cause=cause)])
        clock.pass_s(10)

    assert found(log, Search()) == [5, 4, 3, 2, 1]
    assert found(log, Search(), limit=2) == [5, 4]
    assert found(log, Search(before=4), limit=2) == [3, 2]
    assert found(log, Search(type="film.arrived")) == [5, 1]
    assert found(log, Search(type="film.*")) == [5, 4, 1]
    assert found(log, Search(type="*")) == [5, 4, 3, 2, 1]
    assert found(log, Search(subject="film/a")) == [4, 1]
    assert found(log, Search(subject="film/a*", type="film.arrived")) == [5, 1]
    assert found(log, Search(cause="x")) == [4, 3]
    assert found(log, Search(cause="x", type="run.*")) == [3]
    local = NOON.astimezone(timezone(timedelta(hours=5)))
    assert found(log, Search(since=local + timedelta(seconds=10), until=clock())) == [5, 4, 3, 2]
    assert found(log, Search(until=NOON + timedelta(seconds=10))) == [2, 1]
    assert found(log, Search(since=clock())) == []


def test_a_clock_that_went_back_hides_nothing_from_a_search(log: SqlEventLog, clock: Clock) -> None:
    for seconds in (100, -50, 100):
        log.append([FACT])
        clock.pass_s(seconds)

    assert found(log, Search(since=NOON + timedelta(seconds=60))) == [2]
    assert found(log, Search(until=NOON + timedelta(seconds=60))) == [3, 1]


def test_text_with_signs_of_its_own_is_no_pattern(log: SqlEventLog) -> None:
    for subject in ("film/100%", "film/1000", "film/_", "film/\U0001f3ac", "film/ä"):
        log.append([replace(FACT, subject=subject)])

    assert found(log, Search(subject="film/100%*")) == [1]
    assert found(log, Search(subject="film/_*")) == [3]
    assert found(log, Search(subject="film/\U0001f3ac*")) == [4]
    assert found(log, Search(subject="film/*")) == [5, 4, 3, 2, 1]
