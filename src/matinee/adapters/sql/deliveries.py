"""Deliveries, in tables."""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    Connection,
    Row,
    bindparam,
    case,
    insert,
    null,
    select,
    tuple_,
    update,
)

from matinee.adapters.sql.database import reading, writing
from matinee.adapters.sql.delivery_desk import SqlDeliveryDesk
from matinee.adapters.sql.events import AFTER
from matinee.adapters.sql.facts import event_of, tell
from matinee.adapters.sql.lines import DELIVERY, LINES, PLACE, ROUTER, delivery_of, go_on
from matinee.adapters.sql.schema import bookmarks, deliveries
from matinee.core.events import Event, Fact
from matinee.core.pace import Pace
from matinee.ports.deliveries import Deliveries, Delivery, Order, Settled
from matinee.ports.leases import Lease, Leases

_MOVE_ON = update(bookmarks).where(ROUTER).values(place=bindparam("to"))
_TAKEN_LINES = (
    select(deliveries.c.line)
    .where(deliveries.c.line.in_(bindparam("subjects", expanding=True)))
    .distinct()
)
_DUE_TIMES = (
    select(deliveries.c.due_at)
    .where(deliveries.c.rule == bindparam("rule"), deliveries.c.due_at > bindparam("after"))
    .order_by(deliveries.c.due_at)
)
_ENTER = insert(deliveries)

_OTHERS = deliveries.c.function.not_in(bindparam("without", expanding=True))
_READY = (
    DELIVERY.where(deliveries.c.ready_at <= bindparam("now"), _OTHERS)
    .order_by(deliveries.c.ready_at, deliveries.c.id)
    .limit(bindparam("most"))
    .with_for_update(of=deliveries, skip_locked=True)
)
_TAKE = (
    update(deliveries)
    .where(deliveries.c.id.in_(bindparam("ids", expanding=True)))
    .values(
        state="running",
        owner=bindparam("by"),
        token=deliveries.c.token + 1,
        counter=deliveries.c.counter + 1,
        attempts=deliveries.c.attempts + 1,
        ready_at=null(),
    )
)
_HELD_SO = tuple_(deliveries.c.id, deliveries.c.token).in_(bindparam("held", expanding=True))
_SETTLE = (
    update(deliveries)
    .where(_HELD_SO, deliveries.c.state == "running")
    .values(owner=null())
    .returning(deliveries.c.id)
)
_DONE = _SETTLE.values(state="done", ended_at=bindparam("now"), line=null(), reason=null())
_DEAD = _SETTLE.values(state="dead", ended_at=bindparam("now"), reason=bindparam("why"))
_AGAIN = _SETTLE.values(
    state="waiting", due_at=bindparam("due"), ready_at=bindparam("due"), reason=bindparam("why")
)
_NEXT_DUE = (
    select(deliveries.c.ready_at)
    .where(deliveries.c.ready_at.is_not(None), _OTHERS)
    .order_by(deliveries.c.ready_at)
    .limit(1)
)
_HELD = select(deliveries.c.id, deliveries.c.owner, deliveries.c.token, deliveries.c.counter).where(
    deliveries.c.owner.is_not(None)
)
_RENEW = (
    update(deliveries)
    .where(deliveries.c.owner == bindparam("by"))
    .values(counter=deliveries.c.counter + 1)
)
_LET_GO = update(deliveries).values(state="waiting", owner=null(), ready_at=deliveries.c.due_at)
_RELEASE = _LET_GO.where(
    deliveries.c.id == bindparam("one"),
    deliveries.c.token == bindparam("held"),
    deliveries.c.counter == bindparam("seen"),
    deliveries.c.owner.is_not(None),
)
_RELEASE_ALL = _LET_GO.where(deliveries.c.owner == bindparam("by"))
_AHEAD = DELIVERY.where(
    deliveries.c.state.in_(("waiting", "running")), deliveries.c.due_at > bindparam("now")
).order_by(deliveries.c.due_at, deliveries.c.id)
_BRING_FORWARD = (
    update(deliveries)
    .where(
        deliveries.c.id == bindparam("one"),
        deliveries.c.ended_at.is_(None),
        deliveries.c.due_at > bindparam("due"),
    )
    .values(
        due_at=bindparam("due"),
        ready_at=case((deliveries.c.ready_at.is_not(None), bindparam("due")), else_=null()),
    )
)


class SqlDeliveries(SqlDeliveryDesk, Deliveries, Leases):
    """The queue in a database that ``open_database`` opened.

    Safe to share between threads and processes.
    """

    def route(self, choose: Callable[[Event], Sequence[Order]], limit: int) -> int:
        while True:
            with reading(self._engine) as connection:
                place = connection.scalars(PLACE).one()
                rows = connection.execute(AFTER, {"place": place, "most": limit}).all()
            if not rows:
                return 0
            # Rules are asked while no lock is held; who was overtaken meanwhile begins again.
            chosen = [(row, order) for row in rows for order in choose(event_of(row))]
            with writing(self._engine) as connection:
                if connection.scalars(LINES).one() == place:
                    _enter(connection, chosen)
                    connection.execute(_MOVE_ON, {"to": rows[-1].place})
                    return len(rows)

    def claim(
        self, owner: str, now: datetime, limit: int, without: Collection[str] = ()
    ) -> Sequence[Delivery]:
        wanted = {"now": now, "most": limit, "without": list(without)}
        with writing(self._engine) as connection:
            rows = connection.execute(_READY, wanted).all()
            if rows:
                connection.execute(_TAKE, {"ids": [row.id for row in rows], "by": owner})
        return [
            delivery_of(row, state="running", token=row.token + 1, attempts=row.attempts + 1)
            for row in rows
        ]

    def settle(self, delivery: Delivery, how: Settled) -> bool:
        (settled,) = self.settle_all([(delivery, how)])
        return settled

    def settle_all(self, tries: Sequence[tuple[Delivery, Settled]]) -> Sequence[bool]:
        now = self._now()
        with writing(self._engine) as connection:
            settled = _settle_done(connection, [d for d, how in tries if how.state == "done"], now)
            for delivery, how in tries:
                if how.state != "done" and _settle_open(connection, delivery, how, now):
                    settled.add(delivery.id)
            tell(connection, _facts([each for each in tries if each[0].id in settled]), now)
        return [delivery.id in settled for delivery, _ in tries]

    def next_due(self, without: Collection[str] = ()) -> datetime | None:
        with reading(self._engine) as connection:
            due: datetime | None = connection.scalar(_NEXT_DUE, {"without": list(without)})
        return due

    def ahead(self, now: datetime) -> Sequence[Delivery]:
        with reading(self._engine) as connection:
            return [delivery_of(row) for row in connection.execute(_AHEAD, {"now": now})]

    def bring_forward(self, times: Sequence[tuple[int, datetime]]) -> None:
        if times:
            with writing(self._engine) as connection:
                connection.execute(LINES)
                connection.execute(_BRING_FORWARD, [{"one": one, "due": due} for one, due in times])

    def held(self) -> Sequence[Lease]:
        with reading(self._engine) as connection:
            rows = connection.execute(_HELD)
            return [Lease(str(row.id), row.owner, row.token, row.counter) for row in rows]

    def renew(self, owner: str) -> None:
        with writing(self._engine) as connection:
            connection.execute(_RENEW, {"by": owner})

    def release(self, lease: Lease) -> bool:
        values = {"one": int(lease.id), "held": lease.token, "seen": lease.counter}
        with writing(self._engine) as connection:
            return connection.execute(_RELEASE, values).rowcount == 1

    def release_all(self, owner: str) -> int:
        with writing(self._engine) as connection:
            return connection.execute(_RELEASE_ALL, {"by": owner}).rowcount


def _settle_done(connection: Connection, tries: Sequence[Delivery], now: datetime) -> set[int]:
    """Close those that did what they were for, and let the next ones of their lines go on."""
    if not tries:
        return set()
    ordered = [each for each in tries if each.ordered]
    if ordered:
        connection.execute(LINES)
    values = {"held": [(each.id, each.token) for each in tries], "now": now}
    settled = set(connection.scalars(_DONE, values))
    subjects = {each.event.subject for each in ordered if each.id in settled}
    if subjects:
        go_on(connection, subjects)
    return settled


def _settle_open(connection: Connection, delivery: Delivery, how: Settled, now: datetime) -> bool:
    """Close a try after which the delivery still stands in its line."""
    values = {"held": [(delivery.id, delivery.token)], "why": how.reason}
    if how.state == "dead":
        return connection.scalar(_DEAD, {**values, "now": now}) is not None
    return connection.scalar(_AGAIN, {**values, "due": how.due_at or now}) is not None


def _facts(tries: Sequence[tuple[Delivery, Settled]]) -> list[Fact]:
    facts: list[Fact] = []
    for delivery, how in tries:
        facts += [_death(delivery, how)] if how.state == "dead" else []
        facts += how.facts
    return facts


def _death(delivery: Delivery, how: Settled) -> Fact:
    """Its subject is the delivery: in its event's line, what is told of it would be held too."""
    data = {
        "delivery": delivery.id,
        "rule": delivery.rule,
        "function": delivery.function,
        "code": how.code,
        "message": how.reason or "",
        "hint": how.hint,
    }
    return Fact("delivery.dead", f"delivery/{delivery.id}", data, delivery.event.id)


def _enter(connection: Connection, chosen: Sequence[tuple[Row[Any], Order]]) -> None:
    """Write the deliveries of the next events, in the order of the log."""
    if not chosen:
        return
    subjects = {row.subject for row, order in chosen if order.ordered}
    taken = set(connection.scalars(_TAKEN_LINES, {"subjects": list(subjects)}))
    paces = _paces(connection, [order for _, order in chosen])
    rows = []
    for row, order in chosen:
        due_at = paces[order.rule].take(order.due_at) if order.rule in paces else order.due_at
        has_turn = not order.ordered or row.subject not in taken
        if order.ordered:
            taken.add(row.subject)
        rows.append(_row(row, order, due_at, has_turn=has_turn))
    connection.execute(_ENTER, rows)


def _paces(connection: Connection, orders: Sequence[Order]) -> dict[str, Pace]:
    """The caps of the rules that have one, beside what is due already."""
    wanted: dict[str, datetime] = {}
    for order in orders:
        wanted[order.rule] = min(order.due_at, wanted.get(order.rule, order.due_at))
    paces: dict[str, Pace] = {}
    for order in orders:
        if order.most is not None and order.window_s is not None and order.rule not in paces:
            window = timedelta(seconds=order.window_s)
            values = {"rule": order.rule, "after": wanted[order.rule] - window}
            taken = connection.scalars(_DUE_TIMES, values).all()
            paces[order.rule] = Pace(taken, order.most, window)
    return paces


def _row(row: Row[Any], order: Order, due_at: datetime, *, has_turn: bool) -> dict[str, Any]:
    return {
        "event": row.place,
        "subject": row.subject,
        "rule": order.rule,
        "function": order.function,
        "parameters": dict(order.parameters),
        "ordered": order.ordered,
        "state": "waiting",
        "attempts": 0,
        "due_at": due_at,
        "token": 0,
        "counter": 0,
        "line": row.subject if order.ordered else None,
        "ready_at": due_at if has_turn else None,
    }
