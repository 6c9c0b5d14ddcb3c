"""The log is sealed stretch by stretch, and whoever changes it is found out."""

import asyncio
import json
from datetime import timedelta

import pytest
from sqlalchemy import Engine, text
from tests.contracts.clock import Clock
from tests.databases import in_sqlite

from matinee.adapters.objects import ObstoreObjects, memory_objects
from matinee.adapters.sql.database import writing
from matinee.adapters.sql.deliveries import SqlDeliveries
from matinee.adapters.sql.events import SqlEventLog
from matinee.assets.asset import Asset, object_key
from matinee.core.errors import ObjectDamaged
from matinee.core.events import Fact, event_from_json
from matinee.core.ids import digest_of
from matinee.core.verdicts import Verdict
from matinee.flows.seal_events import OLDEST, events_of, seal_events, verify_seals
from matinee.ports.deliveries import Order, Settled
from matinee.ports.events import Seal


class House:
    """A log with its store, sealed four events at a time."""

    def __init__(self, engine: Engine) -> None:
        self.engine, self.clock = engine, Clock()
        self.log = SqlEventLog(engine, self.clock)
        self.queue = SqlDeliveries(engine, self.clock)
        self.store: ObstoreObjects = memory_objects()

    def tell(self, count: int, *, deliver: bool = False) -> None:
        for number in range(count):
            data = {"n": number, "name": "Große"}
            self.log.append([Fact("test.told", f"test/{number}", data, "because", id=None)])
        order = Order("rule", "function", {}, self.clock())
        self.queue.route(lambda _: [order] if deliver else [], 1000)

    def seal(self) -> list[Seal]:
        return list(asyncio.run(seal_events(self.log, self.store, self.clock, stretch=4)))

    def verify(self) -> Verdict:
        return asyncio.run(verify_seals(self.log, self.store))

    def change(self, *statements: str) -> None:
        with writing(self.engine) as connection:
            for statement in statements:
                connection.execute(text(statement))


@pytest.fixture
def house(engine: Engine) -> House:
    return House(engine)


def test_finished_stretches_are_sealed_and_name_the_one_before(house: House) -> None:
    house.tell(10)
    events = [entry.event for entry in house.log.after(0, 100)]

    first, second = house.seal()

    assert (first.number, first.first, first.last, first.count, first.previous) == (
        1,
        1,
        4,
        4,
        None,
    )
    assert (second.number, second.first, second.last, second.previous) == (2, 5, 8, first.body)
    assert house.log.all() == [first, second]
    body = asyncio.run(house.store.read(object_key(second.body)))
    assert digest_of(body) == second.body
    head, *lines = (json.loads(line) for line in body.splitlines())
    assert head == {"seal": 2, "first": 5, "last": 8, "count": 4, "previous": first.body}
    assert [event_from_json(line) for line in lines] == events[4:8]
    assert [line["place"] for line in lines] == [5, 6, 7, 8]
    assert house.seal() == []


def test_a_sealed_event_is_found_and_read_from_its_seal(house: House) -> None:
    house.tell(6)
    events = [entry.event for entry in house.log.after(0, 100)]
    house.seal()

    entries = house.log.after(0, 100)

    assert [entry.seal for entry in entries] == [1, 1, 1, 1, None, None]
    assert [entry.event for entry in entries] == [None] * 4 + events[4:]
    (seal,) = house.log.all()
    sealed = asyncio.run(events_of(house.store, seal))
    assert [sealed[place] for place in (1, 2, 3, 4)] == events[:4]
    assert house.log.get(entries[0].id) == entries[0]


def test_fewer_are_sealed_when_they_are_old(house: House) -> None:
    house.tell(2)
    assert house.seal() == []
    house.clock.pass_s(3600)
    house.tell(1)
    house.clock.pass_s((OLDEST - timedelta(hours=1)).total_seconds())

    (seal,) = house.seal()

    assert (seal.first, seal.last) == (1, 2)


def test_what_was_not_routed_is_not_sealed(house: House) -> None:
    house.log.append([Fact("test.told", "test/1")] * 9)
    assert house.seal() == []


def test_a_body_stays_as_long_as_a_delivery_needs_it(house: House) -> None:
    house.tell(4, deliver=True)
    first, second, third, fourth = house.queue.claim("me", house.clock(), 10)
    house.queue.settle(first, Settled("done"))
    house.queue.settle(second, Settled("dead"))
    house.queue.settle(third, Settled("waiting"))
    house.queue.route(lambda _: [], 10)

    assert len(house.seal()) == 1
    bodies = [entry.event is None for entry in house.log.after(0, 4)]
    assert bodies == [True, False, False, False]
    assert house.verify().passed
    assert [each.event.data["n"] for each in house.queue.claim("me", house.clock(), 10)] == [2]
    assert house.queue.replay(second.id, []).event.data["n"] == 1

    house.queue.settle(fourth, Settled("done"))
    house.tell(3)
    assert len(house.seal()) == 1
    bodies = [entry.event is None for entry in house.log.after(0, 4)]
    assert bodies == [True, False, False, True]
    assert house.queue.of_event(house.log.after(0, 1)[0].id)[0].event.data == {}


def test_two_who_seal_at_once_make_one_seal(house: House) -> None:
    house.tell(4)
    entries = house.log.open_stretch(4)
    (seal,) = house.seal()

    again = Seal(1, entries[0].place, entries[-1].place, 4, digest_of(b"x"), None, house.clock())
    assert not house.log.close(again, Asset(again.body, 1, "text/plain"), "objects/x")
    assert house.log.all() == [seal]


def test_a_log_that_nobody_changed_passes(house: House) -> None:
    assert house.verify().evidence == {"seals": 0, "events": 0, "unsealed": 0}
    house.tell(10)
    house.seal()

    verdict = house.verify()

    assert verdict.passed, verdict.reasons
    assert verdict.evidence == {"seals": 2, "events": 8, "unsealed": 2}


IN_SQLITE = pytest.mark.parametrize("address", [in_sqlite], indirect=True, ids=["sqlite"])
"""Faults are found by the flow, not by a database: one is enough to plant them in."""

OF_6 = "event {6} (place 6) "
CHANGES = [
    (["UPDATE event SET type = 'x' WHERE place = 6"], OF_6 + "has another type in the index"),
    (["UPDATE event SET cause = NULL WHERE place = 6"], OF_6 + "has another cause in the index"),
    (["UPDATE event SET id = 'forged' WHERE place = 6"], OF_6 + "has another id in the index"),
    (["UPDATE event SET body = '[]' WHERE place = 6"], OF_6 + "has another body in the index"),
    (["UPDATE event SET seal = 1 WHERE place = 6"], OF_6 + "names another seal in the index"),
    (["DELETE FROM event WHERE place = 6"], OF_6 + "is missing from the index"),
    (["UPDATE event SET body = NULL WHERE place = 9"], "event {9} (place 9) has lost its data"),
    (["DELETE FROM event WHERE place = 9"], "events are missing from the log: place 9"),
    (["DELETE FROM event WHERE place > 8"], "events are missing from the log: places 9 to 10"),
    (["UPDATE seal SET last = 9 WHERE number = 2"], "the row of seal 2 does not say"),
    (["UPDATE seal SET previous = NULL WHERE number = 2"], "seal 2 does not name the one before"),
    (["UPDATE seal SET body = previous WHERE number = 2"], "the row of seal 2 does not say"),
    (
        ["UPDATE event SET seal = NULL WHERE seal = 1", "DELETE FROM seal WHERE number = 1"],
        "seal 2 does not follow the one before: a seal is missing",
    ),
    (
        ["UPDATE event SET seal = NULL WHERE seal = 2", "DELETE FROM seal WHERE number = 2"],
        OF_6 + "has lost its data",
    ),
]


@IN_SQLITE
@pytest.mark.parametrize(("statements", "fault"), CHANGES)
def test_a_change_of_the_index_is_named(house: House, statements: list[str], fault: str) -> None:
    house.tell(10)
    house.seal()
    ids = ["", *(entry.id for entry in house.log.after(0, 100))]

    house.change(*statements)

    reasons = house.verify().reasons
    assert any(fault.format(*ids) in reason for reason in reasons), reasons


@IN_SQLITE
@pytest.mark.parametrize("damage", [b"forged", None], ids=["changed", "removed"])
def test_a_seal_whose_bytes_are_not_its_own_is_named(house: House, damage: bytes | None) -> None:
    house.tell(10)
    house.seal()
    first, second = house.log.all()
    key = object_key(second.body)
    if damage is None:
        asyncio.run(house.store.delete(key))
    else:
        asyncio.run(house.store.write(key, damage))

    (reason,) = house.verify().reasons

    assert "seal 2" in reason
    assert first.body not in reason


def test_a_log_that_was_changed_before_it_was_sealed_is_not_sealed(house: House) -> None:
    house.tell(6)
    house.change("DELETE FROM event WHERE place = 2")

    with pytest.raises(ObjectDamaged, match="place 2"):
        house.seal()
    assert house.log.all() == []
