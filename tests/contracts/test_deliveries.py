"""What every queue of deliveries promises."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import URL, Engine
from tests.contracts.clock import NOON, Clock
from tests.contracts.racers import race

from matinee.adapters.sql.deliveries import SqlDeliveries
from matinee.adapters.sql.events import SqlEventLog
from matinee.core.errors import NotFound
from matinee.core.events import Event, Fact
from matinee.ports.deliveries import Delivery, Order, Settled

ORDER = Order("publish", "submit", {"ladder": "fast"}, NOON)
DONE = Settled("done")
RULES = ("one", "two")

BUSY = """
log, deliveries = SqlEventLog(engine, now), SqlDeliveries(engine, now)
def choose(event):
    return [Order(rule, "f", {}, event.time, ordered=rule == "one") for rule in ("one", "two")]
told = 0
while told < 20 or deliveries.route(choose, 7) or deliveries.waiting().counts["waiting"]:
    if told < 20:
        subject = f"subject/{told % 3}"
        log.append([Fact("test.told", subject, {"by": name, "n": told + n}) for n in range(2)])
        told += 2
    for delivery in deliveries.claim(name, now(), 3):
        print(delivery.event.id, delivery.rule)
        assert deliveries.settle(delivery, Settled("done"))
"""


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def log(engine: Engine, clock: Clock) -> SqlEventLog:
    return SqlEventLog(engine, clock)


@pytest.fixture
def queue(engine: Engine, clock: Clock) -> SqlDeliveries:
    return SqlDeliveries(engine, clock)


def tell(log: SqlEventLog, *subjects: str) -> None:
    log.append([Fact("test.told", subject, {"n": n}) for n, subject in enumerate(subjects)])


def route(queue: SqlDeliveries, *orders: Order) -> int:
    return queue.route(lambda _: orders, 100)


def claim(queue: SqlDeliveries, clock: Clock, limit: int = 100) -> Sequence[Delivery]:
    return queue.claim("me", clock(), limit)


def test_an_event_is_routed_once(log: SqlEventLog, queue: SqlDeliveries, clock: Clock) -> None:
    tell(log, "a", "b", "c")
    seen: list[Event] = []

    def choose(event: Event) -> Sequence[Order]:
        seen.append(event)
        return (
            [ORDER, replace(ORDER, rule="tell", function="notify")] if event.subject == "b" else []
        )

    assert [queue.route(choose, 2), queue.route(choose, 2), queue.route(choose, 2)] == [2, 1, 0]
    assert [event.subject for event in seen] == ["a", "b", "c"]
    published, told = sorted(queue.page(None, None, None, 10), key=lambda each: each.id)
    assert (published.event, published.rule, published.function) == (seen[1], "publish", "submit")
    assert (published.parameters, published.state, published.attempts) == (
        ORDER.parameters, "waiting", 0,
    )  # fmt: skip
    assert (told.rule, told.function) == ("tell", "notify")
    assert queue.of_event(seen[1].id) == [published, told]
    assert queue.of_event(seen[0].id) == []


def test_a_rule_that_breaks_loses_no_event(log: SqlEventLog, queue: SqlDeliveries) -> None:
    tell(log, "a")

    def choose(event: Event) -> Sequence[Order]:
        raise KeyError(event.subject)

    with pytest.raises(KeyError):
        queue.route(choose, 10)
    assert route(queue, ORDER) == 1


def test_what_is_due_is_claimed_with_a_new_token(
    log: SqlEventLog, queue: SqlDeliveries, clock: Clock
) -> None:
    tell(log, "a", "b")
    queue.route(
        lambda event: [replace(ORDER, due_at=NOON + timedelta(seconds=5 * event.data["n"]))], 10
    )

    assert queue.next_due() == NOON
    (first,) = claim(queue, clock)
    assert (first.event.subject, first.state, first.token, first.attempts) == ("a", "running", 1, 1)
    assert queue.next_due() == NOON + timedelta(seconds=5)
    assert claim(queue, clock) == []
    clock.pass_s(5)
    (second,) = claim(queue, clock)
    assert second.event.subject == "b"
    assert queue.next_due() is None


def test_the_longest_due_go_first_and_the_limit_holds(
    log: SqlEventLog, queue: SqlDeliveries, clock: Clock
) -> None:
    tell(log, "a", "b", "c", "d")
    queue.route(
        lambda event: [replace(ORDER, due_at=NOON - timedelta(seconds=event.data["n"] // 2))], 10
    )

    assert [each.event.subject for each in claim(queue, clock, 3)] == ["c", "d", "a"]
    assert [each.event.subject for each in claim(queue, clock, 3)] == ["b"]


def test_functions_that_are_busy_are_passed_over(
    log: SqlEventLog, queue: SqlDeliveries, clock: Clock
) -> None:
    tell(log, "a")
    route(queue, ORDER, replace(ORDER, rule="tell", function="notify", ordered=False))

    assert queue.next_due(without=["submit", "notify"]) is None
    assert queue.next_due(without=["submit"]) == NOON
    (other,) = queue.claim("me", clock(), 10, without=["submit"])
    assert other.function == "notify"
    assert queue.claim("me", clock(), 10, without=["submit"]) == []
    assert [each.function for each in claim(queue, clock)] == ["submit"]


def test_many_tries_are_closed_at_once_each_by_its_own_token(
    log: SqlEventLog, queue: SqlDeliveries, clock: Clock
) -> None:
    tell(log, "a", "b")
    route(queue, ORDER)
    lost, kept = claim(queue, clock)
    stale = replace(lost, token=lost.token - 1)
    fact = Fact("test.told", "c", {})
    how = Settled("done", facts=[fact])

    assert queue.settle_all([(stale, how), (kept, how)]) == [False, True]
    assert len(log.after(0, 10)) == 3
    assert queue.settle_all([]) == []


def test_a_subject_is_delivered_in_order(
    log: SqlEventLog, queue: SqlDeliveries, clock: Clock
) -> None:
    tell(log, "a", "a", "b")
    route(queue, ORDER, replace(ORDER, rule="second"), replace(ORDER, rule="free", ordered=False))

    def told(taken: Sequence[Delivery]) -> list[tuple[str, int, str]]:
        return [(each.event.subject, each.event.data["n"], each.rule) for each in taken]

    taken = claim(queue, clock)
    assert told(taken) == [
        ("a", 0, "publish"), ("a", 0, "free"), ("a", 1, "free"), ("b", 2, "publish"),
        ("b", 2, "free"),
    ]  # fmt: skip
    for one in (("a", 0, "second"), ("a", 1, "publish"), ("a", 1, "second")):
        assert claim(queue, clock) == []
        assert queue.settle(taken[0], DONE)
        taken = claim(queue, clock)
        assert told(taken) == [one]


def test_what_comes_later_stands_behind_what_is_running(
    log: SqlEventLog, queue: SqlDeliveries, clock: Clock
) -> None:
    tell(log, "a")
    route(queue, ORDER)
    (running,) = claim(queue, clock)
    tell(log, "a")
    route(queue, ORDER)

    assert claim(queue, clock) == []
    queue.settle(running, DONE)
    assert len(claim(queue, clock)) == 1


def test_one_that_is_tried_again_keeps_its_place(
    log: SqlEventLog, queue: SqlDeliveries, clock: Clock
) -> None:
    tell(log, "a", "a")
    route(queue, ORDER)
    (first,) = claim(queue, clock)
    later = clock() + timedelta(seconds=30)

    assert queue.settle(first, Settled("waiting", later, "the server is away"))

    assert claim(queue, clock) == []
    assert queue.next_due() == later
    clock.pass_s(30)
    (again,) = claim(queue, clock)
    assert (again.id, again.attempts, again.token) == (first.id, 2, 2)
    assert (again.reason, again.due_at) == ("the server is away", later)


def test_a_try_is_closed_once_and_with_its_own_token(
    log: SqlEventLog, queue: SqlDeliveries, clock: Clock
) -> None:
    tell(log, "a")
    route(queue, ORDER)
    (old,) = claim(queue, clock)
    (lease,) = queue.held()
    assert queue.release(lease)
    assert not queue.settle(old, DONE)
    (new,) = claim(queue, clock)

    late = Settled("done", facts=[Fact("test.late", "a")])
    assert not queue.settle(old, late)
    assert queue.settle(new, Settled("done", facts=[Fact("test.done", "a")]))
    assert not queue.settle(new, late)

    assert [entry.type for entry in log.after(1, 10)] == ["test.done"]
    (ended,) = queue.page("done", None, None, 10)
    assert (ended.ended_at, ended.attempts) == (clock(), 2)


def test_a_dead_one_holds_its_subject_until_it_is_replayed_or_skipped(
    log: SqlEventLog, queue: SqlDeliveries, clock: Clock
) -> None:
    tell(log, "a", "a", "a", "b")
    route(queue, ORDER)
    dead, other = claim(queue, clock)
    end = Settled("dead", reason="it broke", code="tool.failed", hint="mend it")

    assert queue.settle(dead, end)

    assert claim(queue, clock) == []
    waiting = queue.waiting()
    assert (waiting.counts, waiting.oldest_due_at) == (
        {"waiting": 2, "running": 1, "dead": 1}, None,
    )  # fmt: skip
    (told,) = log.after(4, 10)
    assert told.event is not None
    assert (told.type, told.cause) == ("delivery.dead", dead.event.id)
    assert told.subject != dead.event.subject  # or it would be held too
    assert told.event.data == {
        "delivery": dead.id, "rule": "publish", "function": "submit", "code": "tool.failed",
        "message": "it broke", "hint": "mend it",
    }  # fmt: skip

    clock.pass_s(60)
    replayed = queue.replay(dead.id, [Fact("person.acted", "delivery/1")])
    assert (replayed.state, replayed.attempts, replayed.due_at) == ("waiting", 0, clock())
    (again,) = claim(queue, clock)
    assert (again.id, again.attempts) == (dead.id, 1)
    queue.settle(again, end)
    assert queue.skip(dead.id, [Fact("person.acted", "delivery/1")]).state == "skipped"
    (second,) = claim(queue, clock)
    assert (second.event.data["n"], other.event.subject) == (1, "b")


def test_only_a_dead_one_is_replayed_or_skipped(
    log: SqlEventLog, queue: SqlDeliveries, clock: Clock
) -> None:
    tell(log, "a")
    route(queue, ORDER)
    (running,) = claim(queue, clock)
    act = [Fact("person.acted", "delivery/1")]

    assert queue.replay(running.id, act).state == "running"
    assert queue.skip(running.id, act).state == "running"
    assert log.last() == 1
    for do in (queue.replay, queue.skip):
        with pytest.raises(NotFound, match="4711"):
            do(4711, act)


def test_leases_move_and_are_let_go(log: SqlEventLog, queue: SqlDeliveries, clock: Clock) -> None:
    tell(log, "a", "b", "c")
    route(queue, ORDER)
    queue.claim("one", clock(), 2)
    queue.claim("other", clock(), 1)
    before = {lease.id: lease for lease in queue.held()}
    assert Counter(lease.owner for lease in before.values()) == {"one": 2, "other": 1}

    queue.renew("one")

    for lease in queue.held():
        moved = lease.counter - before[lease.id].counter
        assert (lease.token, moved) == (1, 1 if lease.owner == "one" else 0)
        assert queue.release(before[lease.id]) == (moved == 0)
    assert queue.release_all("one") == 2
    assert queue.release_all("one") == 0
    assert queue.held() == []
    assert [each.token for each in claim(queue, clock)] == [2, 2, 2]


def test_a_cap_moves_what_is_too_much(log: SqlEventLog, queue: SqlDeliveries) -> None:
    capped = replace(ORDER, most=2, window_s=60)
    free = replace(ORDER, rule="free")
    for _ in range(2):
        tell(log, "a", "b", "c")
        queue.route(lambda _: [capped, free], 2)
        queue.route(lambda _: [capped, free], 2)

    due = sorted(each.due_at for each in queue.page(None, None, None, 20) if each.rule == "publish")
    assert [(time - NOON).total_seconds() for time in due] == [0, 0, 60, 60, 120, 120]
    assert {each.due_at for each in queue.page(None, None, None, 20) if each.rule == "free"} == {
        NOON
    }


def test_deliveries_are_paged_newest_first(
    log: SqlEventLog, queue: SqlDeliveries, clock: Clock
) -> None:
    tell(log, "a", "b", "a", "b")
    route(queue, ORDER)
    claim(queue, clock, 1)

    everything = queue.page(None, None, None, 10)
    assert [each.event.data["n"] for each in everything] == [3, 2, 1, 0]
    assert queue.page(None, None, everything[1].id, 1) == everything[2:3]
    assert [each.event.data["n"] for each in queue.page(None, "a", None, 10)] == [2, 0]
    assert [each.event.data["n"] for each in queue.page("waiting", "a", None, 10)] == [2]
    assert queue.page("dead", None, None, 10) == []


def test_processes_that_tell_route_and_claim_at_once_lose_and_double_nothing(
    address: URL, log: SqlEventLog, queue: SqlDeliveries
) -> None:
    lines = [line for said in race(BUSY, address, ["a", "b"]) for line in said]

    entries = log.after(0, 1000)
    assert [entry.place for entry in entries] == list(range(1, 41))
    for name in "ab":
        told = [each.event.data for each in entries if each.event]
        assert [data["n"] for data in told if data["by"] == name] == list(range(20))
    assert sorted(lines) == sorted(f"{each.id} {rule}" for each in entries for rule in RULES)
    made = sorted(queue.page("done", None, None, 1000), key=lambda each: each.id)
    assert [each.event.id for each in made] == [each.id for each in entries for _ in RULES]
    for subject in {each.event.subject for each in made}:
        line = [each for each in made if each.ordered and each.event.subject == subject]
        ends = [each.ended_at for each in line if each.ended_at]
        assert ends == sorted(ends)


class Life:
    """One subject's deliveries, and what was finished of them."""

    def __init__(self, log: SqlEventLog, queue: SqlDeliveries, clock: Clock) -> None:
        self.log, self.queue, self.clock = log, queue, clock
        self.subject = f"life from {log.last()}"
        self.running: Delivery | None = None
        self.told = 0
        self.finished: list[int] = []

    def tell(self) -> None:
        self.log.append([Fact("test.told", self.subject, {"n": self.told})])
        self.told += 1
        self.queue.route(lambda event: [ORDER] if event.subject == self.subject else [], 100)

    def claim(self) -> None:
        claimed = claim(self.queue, self.clock)
        assert len(claimed) <= (self.running is None)
        for self.running in claimed:
            pass

    def settle(self, state: str) -> None:
        one, self.running = self.running, None
        if one is not None:
            assert self.queue.settle(one, Settled(state))
            if state == "done":
                self.finished.append(one.event.data["n"])

    def skip(self) -> None:
        for dead in self.queue.page("dead", self.subject, None, 10):
            self.queue.skip(dead.id, [])
            self.finished.append(dead.event.data["n"])

    def release(self) -> None:
        assert self.queue.release_all("me") == (self.running is not None)
        self.running = None

    def act(self, name: str) -> None:
        if name in ("done", "waiting", "dead"):
            self.settle(name)
        else:
            getattr(self, name)()

    def end_well(self) -> None:
        for dead in self.queue.page("dead", self.subject, None, 10):
            self.queue.replay(dead.id, [])
        for _ in range(self.told):
            self.claim()
            self.settle("done")


ACTS = ["tell", "claim", "done", "waiting", "dead", "skip", "release"]


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts=st.lists(st.sampled_from(ACTS), max_size=20))
def test_whatever_happens_a_subject_goes_on_in_order(
    log: SqlEventLog, queue: SqlDeliveries, clock: Clock, acts: Sequence[str]
) -> None:
    life = Life(log, queue, clock)
    for act in acts:
        life.act(act)
    life.end_well()

    assert life.finished == list(range(life.told))


def test_what_lies_ahead_is_brought_forward_in_its_line(
    log: SqlEventLog, queue: SqlDeliveries, clock: Clock
) -> None:
    tell(log, "a", "a", "b", "c")
    day = NOON + timedelta(days=1)
    queue.route(lambda event: [replace(ORDER, due_at=day, ordered=event.subject == "a")], 10)
    clock.pass_s(86400)
    first, *_ = claim(queue, clock, 1)
    clock.pass_s(-86400)
    assert [each.event.data["n"] for each in queue.ahead(clock())] == [0, 1, 2, 3]
    soon = NOON + timedelta(seconds=5)

    queue.bring_forward([(each.id, NOON) for each in queue.ahead(clock())[:3]])
    queue.bring_forward([(first.id, soon)])

    assert [each.event.data["n"] for each in queue.ahead(clock())] == [3]
    assert [each.event.data["n"] for each in claim(queue, clock)] == [2]
    queue.release_all("me")
    assert {each.event.data["n"] for each in claim(queue, clock)} == {0, 2}
    assert queue.next_due() == day
