"""What every queue of runs promises."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import URL, Engine
from tests.contracts.clock import NOON, Clock
from tests.contracts.racers import race

from matinee.adapters.sql.events import SqlEventLog
from matinee.adapters.sql.runs import SqlRuns
from matinee.core.errors import NotFound
from matinee.core.events import Fact
from matinee.ports.runs import Ended, Run, Wish

WISH = Wish("one", "publish", "a.mkv", {"ladder": "fast"}, cause="event")
ACT = [Fact("person.acted", "run/one")]

CLAIMER = """
runs = SqlRuns(engine, now)
while run := runs.claim(name):
    print(run.id)
"""


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def log(engine: Engine, clock: Clock) -> SqlEventLog:
    return SqlEventLog(engine, clock)


@pytest.fixture
def runs(engine: Engine, clock: Clock) -> SqlRuns:
    return SqlRuns(engine, clock)


def submit(runs: SqlRuns, *names: str) -> None:
    for name in names:
        runs.submit(replace(WISH, id=name))


def claimed(runs: SqlRuns) -> Run:
    run = runs.claim("me")
    assert run is not None
    return run


def told(log: SqlEventLog) -> Sequence[str]:
    return [entry.type for entry in log.after(0, 100)]


def test_what_is_asked_for_twice_is_there_once(runs: SqlRuns, log: SqlEventLog) -> None:
    wish = replace(WISH, deadline=NOON + timedelta(hours=1), priority=3)
    run = runs.submit(wish)

    assert runs.submit(replace(wish, request={"other": 1})) == run == runs.get("one")
    assert (run.wish, run.state, run.attempts, run.queued_at) == (wish, "queued", 0, NOON)
    (entry,) = log.after(0, 10)
    assert entry.event is not None
    assert (entry.type, entry.subject, entry.cause) == ("run.queued", "run/one", "event")
    assert entry.event.data == {
        "run": "one", "flow": "publish", "film": "a.mkv", "title": None, "priority": 3,
        "deadline": "2026-03-01T13:00:00Z",
    }  # fmt: skip


def test_a_run_may_be_of_a_title_from_the_first(runs: SqlRuns, log: SqlEventLog) -> None:
    run = runs.submit(WISH, "sintel")
    submit(runs, "other")

    assert (run.title, runs.get("other").title) == ("sintel", None)
    assert [each.id for each in runs.page([], None, 10, "sintel")] == ["one"]
    entry = log.after(0, 1)[0]
    assert entry.event is not None and entry.event.data["title"] == "sintel"


def test_the_most_urgent_goes_first(runs: SqlRuns) -> None:
    soon, later = NOON + timedelta(hours=1), NOON + timedelta(hours=2)
    for name, priority, deadline in (
        ("old", 0, None), ("new", 0, None), ("later", 0, later), ("soon", 0, soon),
        ("high", 5, None), ("low", -5, soon),
    ):  # fmt: skip
        runs.submit(replace(WISH, id=name, priority=priority, deadline=deadline))

    taken = [claimed(runs).id for _ in range(6)]
    assert taken == ["high", "soon", "later", "old", "new", "low"]
    assert runs.claim("me") is None


def test_only_a_higher_priority_is_taken_where_it_is_asked_for(runs: SqlRuns) -> None:
    submit(runs, "bulk")

    assert runs.claim("me", above=0) is None
    runs.submit(replace(WISH, id="urgent", priority=1))
    urgent = runs.claim("me", above=0)
    assert urgent is not None and urgent.id == "urgent"
    assert claimed(runs).id == "bulk"


def test_a_claim_is_told_and_its_token_grows(runs: SqlRuns, log: SqlEventLog, clock: Clock) -> None:
    submit(runs, "one")
    clock.pass_s(5)
    first = claimed(runs)

    assert (first.state, first.owner, first.token, first.attempts) == ("running", "me", 1, 1)
    assert first == runs.get("one")
    assert runs.release_all("me") == 1
    clock.pass_s(5)
    again = claimed(runs)
    assert (again.token, again.attempts, again.started_at) == (2, 2, NOON + timedelta(seconds=5))
    assert told(log) == ["run.queued", "run.started", "run.started"]


def test_what_a_worker_tells_is_kept_and_moves_its_lease(runs: SqlRuns) -> None:
    submit(runs, "one")
    run = claimed(runs)
    (before,) = runs.held()

    assert runs.tell(run, {"done": 3}, "sintel") == "running"
    assert runs.tell(run, {"done": 4}, None) == "running"

    (after,) = runs.held()
    assert (after.token, after.counter) == (before.token, before.counter + 2)
    assert (runs.get("one").progress, runs.get("one").title) == ({"done": 4}, "sintel")
    assert not runs.release(before)
    assert runs.release(after)


def test_an_owner_that_lost_its_run_can_do_nothing_to_it(runs: SqlRuns, log: SqlEventLog) -> None:
    submit(runs, "one")
    lost = claimed(runs)
    (lease,) = runs.held()
    assert runs.release(lease)
    late = Ended("done", facts=[Fact("test.late", "run/one")])

    assert (runs.tell(lost, {"late": True}, None), runs.end(lost, late)) == ("lost", False)
    new = claimed(runs)
    assert (runs.tell(lost, {"late": True}, None), runs.end(lost, late)) == ("lost", False)

    assert runs.get("one") == new
    assert "test.late" not in told(log)


def test_the_end_is_told_once_with_the_facts(runs: SqlRuns, log: SqlEventLog, clock: Clock) -> None:
    submit(runs, "one")
    run = claimed(runs)
    error = {"code": "encode.failed", "message": "it broke", "hint": "again"}
    clock.pass_s(9)
    how = Ended("failed", error, {"title": "sintel"}, [Fact("verdict.failed", "title/sintel")])

    assert runs.end(run, how)
    assert not runs.end(run, how)

    ended = runs.get("one")
    assert (ended.state, ended.error, ended.result) == ("failed", error, {"title": "sintel"})
    assert (ended.is_over, ended.ended_at, ended.title, ended.owner) == (
        True, clock(), "sintel", None,
    )  # fmt: skip
    assert told(log)[2:] == ["run.ended", "verdict.failed"]
    (entry, _) = log.after(2, 10)
    assert entry.event is not None
    assert entry.event.data == {
        "run": "one", "flow": "publish", "film": "a.mkv", "title": "sintel", "state": "failed",
        "error": error,
    }  # fmt: skip
    assert runs.held() == []


def test_a_run_is_open_until_it_is_over(runs: SqlRuns) -> None:
    assert not runs.has_open()
    submit(runs, "one")
    assert runs.has_open()
    run = claimed(runs)
    assert runs.has_open()

    runs.end(run, Ended("done"))

    assert not runs.has_open()


def test_a_queued_run_is_cancelled_at_once_a_running_one_by_its_worker(
    runs: SqlRuns, log: SqlEventLog
) -> None:
    submit(runs, "one", "two")
    run = claimed(runs)

    assert runs.cancel("two", ACT).state == "cancelled"
    assert runs.cancel("two", ACT).state == "cancelled"
    assert runs.cancel("one", ACT).state == "cancelling"
    assert runs.tell(run, {}, None) == "cancelling"
    assert runs.end(run, Ended("cancelled"))
    assert runs.get("one").state == "cancelled"
    assert told(log)[3:] == ["run.ended", "person.acted", "person.acted", "run.ended"]


def test_a_run_that_was_to_be_cancelled_is_over_when_its_worker_is_dead(
    runs: SqlRuns, log: SqlEventLog
) -> None:
    submit(runs, "one", "two")
    claimed(runs), claimed(runs)
    runs.cancel("one", [])
    runs.cancel("two", [])
    (lease, _) = runs.held()

    assert runs.release(lease)
    assert runs.release_all("me") == 1

    assert [runs.get(name).state for name in ("one", "two")] == ["cancelled", "cancelled"]
    assert told(log).count("run.ended") == 2
    assert runs.claim("me") is None


def test_a_run_that_is_over_can_be_queued_again(
    runs: SqlRuns, log: SqlEventLog, clock: Clock
) -> None:
    submit(runs, "one")
    run = claimed(runs)
    assert runs.again("one", {"new": 1}, ACT) == run
    runs.end(run, Ended("failed", {"code": "x"}))
    clock.pass_s(60)

    queued = runs.again("one", {"new": 1}, ACT)

    assert queued == replace(
        run, wish=replace(WISH, request={"new": 1}), state="queued", owner=None, attempts=0,
        queued_at=clock(), started_at=None,
    )  # fmt: skip
    assert told(log)[3:] == ["run.queued", "person.acted"]
    assert claimed(runs).token == 2


def test_a_run_can_be_hurried_until_it_is_over(runs: SqlRuns, log: SqlEventLog) -> None:
    submit(runs, "one", "two")

    assert runs.hurry("two", 9, ACT).wish.priority == 9
    assert [claimed(runs).id for _ in range(2)] == ["two", "one"]
    runs.end(runs.get("two"), Ended("done"))
    assert runs.hurry("two", 1, ACT).wish.priority == 9
    assert told(log).count("person.acted") == 1


def test_an_unknown_run_is_not_found(runs: SqlRuns) -> None:
    for do in (
        lambda: runs.get("nobody"),
        lambda: runs.cancel("nobody", []),
        lambda: runs.again("nobody", {}, []),
        lambda: runs.hurry("nobody", 1, []),
        lambda: runs.page([], "nobody", 1),
    ):
        with pytest.raises(NotFound, match="nobody"):
            do()


def test_pages_lose_no_run_that_was_queued_at_the_same_time(runs: SqlRuns, clock: Clock) -> None:
    submit(runs, "a", "b", "c")
    clock.pass_s(1)
    submit(runs, "d")
    claimed(runs)

    def ids(states: Sequence[str], before: str | None) -> list[str]:
        return [run.id for run in runs.page(states, before, 2)]

    assert [ids([], None), ids([], "c"), ids([], "a")] == [["d", "c"], ["b", "a"], []]
    assert [ids(["queued"], None), ids(["queued"], "c")] == [["d", "c"], ["b"]]
    assert ids(["running", "done"], None) == ["a"]


def test_processes_that_claim_at_once_never_get_the_same(address: URL, runs: SqlRuns) -> None:
    submit(runs, *(str(number) for number in range(30)))

    lines = race(CLAIMER, address, ["a", "b"])

    taken = [line for said in lines for line in said]
    assert sorted(taken, key=int) == [str(number) for number in range(30)]
    assert {run.attempts for run in runs.page([], None, 100)} == {1}
