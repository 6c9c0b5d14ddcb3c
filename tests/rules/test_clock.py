"""A wall clock that is set back is noticed, and nothing waits for the time that it showed."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from matinee.core.events import Event
from matinee.ports.deliveries import Delivery
from matinee.rules.clock import ClockWatch, brought_forward
from matinee.rules.functions import AsyncCall, function, registry
from matinee.rules.rulebook import read_rules

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)
FAR = NOON + 72 * HOUR


@function("nothing", version=1)
async def nothing(call: AsyncCall) -> None:
    del call


def due(rule: str, told: datetime = NOON, attempts: int = 0, due_at: datetime = FAR) -> datetime:
    """When a delivery of a rule falls due at noon, that a clock had put ahead."""
    fields: Mapping[str, Any] = {"rule": rule, "due_at": due_at, "attempts": attempts}
    return dues(delivery(1, told, **fields)).get(1, due_at)


def delivery(number: int, told: datetime, **fields: Any) -> Delivery:
    usual = {
        "function": "nothing", "parameters": {}, "ordered": True, "state": "waiting",
        "token": 0, "reason": None, "ended_at": None, "attempts": 0, "due_at": FAR,
    }  # fmt: skip
    event = Event("e", told, "film.arrived", "/matinee", "film/x", {})
    return Delivery(id=number, event=event, **{**usual, **fields})


def dues(*ahead: Delivery) -> dict[int, datetime]:
    when = '[[rule]]\nwhen = { type = "film.arrived" }\ndo = "nothing"\n'
    rules = (
        f'{when}name = "now"\n{when}name = "later"\ndelay = "2h"\n'
        f'{when}name = "capped"\nat_most = "1/minute"\n'
    )
    book = read_rules([("rules.toml", rules)], registry((nothing,), ()))
    return dict(brought_forward(ahead, book, NOON))


def test_only_a_clock_that_goes_back_is_noticed() -> None:
    watch = ClockWatch(was_set_back=False)
    for passed_s, wall in ((0, NOON), (1, NOON + 1.01 * SECOND), (2, NOON + 3 * HOUR)):
        watch.look(wall, 100.0 + passed_s)
    assert not watch.was_set_back

    watch.look(NOON + 2 * HOUR, 102.0)
    watch.look(NOON + 2 * HOUR + SECOND, 103.0)
    assert watch.was_set_back


def test_a_delivery_waits_no_longer_than_its_rule_says() -> None:
    assert due("now") == NOON
    assert due("now", told=NOON + 72 * HOUR) == NOON
    assert due("gone") == NOON
    assert due("later", told=NOON - HOUR) == NOON + HOUR
    assert due("later", told=FAR) == NOON + 2 * HOUR


def test_what_its_rule_put_there_stays() -> None:
    assert due("later", told=NOON - HOUR, due_at=NOON + HOUR) == NOON + HOUR
    assert due("now", attempts=2, due_at=NOON + 3 * SECOND) == NOON + 3 * SECOND


def test_a_retry_comes_after_its_longest_pause_at_the_latest() -> None:
    assert due("now", attempts=2) == NOON + 4 * SECOND
    assert due("now", attempts=99) == NOON


def test_a_cap_holds_among_those_that_are_brought_forward() -> None:
    found = dues(*(delivery(number, NOON, rule="capped") for number in range(3)))

    assert sorted(found.values()) == [NOON + 60 * n * SECOND for n in range(3)]
