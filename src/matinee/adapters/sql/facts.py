"""Facts become events in the transaction of the change that they tell of; rows become events."""

import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import BindParameter, Connection, Row, bindparam, case, insert, select, update

from matinee.adapters.sql.columns import UtcTime
from matinee.adapters.sql.database import has_told
from matinee.adapters.sql.schema import bookmarks, events
from matinee.core.events import Event, Fact
from matinee.ports.events import Entry

_LOG = bookmarks.c.name == "log"
LAST_PLACE = select(bookmarks.c.place).where(_LOG)
_TURN = LAST_PLACE.with_for_update()
_NOW: BindParameter[datetime] = bindparam("now", type_=UtcTime)
_MOVE_ON = (
    update(bookmarks)
    .where(_LOG)
    .values(
        place=bookmarks.c.place + bindparam("more"),
        reached_at=case((bookmarks.c.reached_at > _NOW, bookmarks.c.reached_at), else_=_NOW),
    )
    .returning(bookmarks.c.place, bookmarks.c.reached_at)
)
_KNOWN = select(events.c.id).where(events.c.id.in_(bindparam("ids", expanding=True)))
_TELL = insert(events)


def tell(connection: Connection, facts: Sequence[Fact], now: datetime) -> list[Event]:
    """Write facts into the log in the caller's transaction; gives the events that are new.

    The last thing that a transaction does: from here to its end other writers wait, so that places
    are given in the order of commits, without gaps.
    """
    if not facts:
        return []
    named = {fact.id for fact in facts if fact.id is not None}
    if named:
        connection.execute(_TURN)
        named -= set(connection.scalars(_KNOWN, {"ids": list(named)}))
    new: list[Event] = []
    for fact in facts:
        if fact.id is None or fact.id in named:
            new.append(_event(fact, now))
            named.discard(new[-1].id)
    if new:
        has_told(connection)
        last, reached_at = connection.execute(_MOVE_ON, {"more": len(new), "now": now}).one()
        is_late, first = now < reached_at, last - len(new) + 1
        rows = [_row(first + n, event, is_late=is_late) for n, event in enumerate(new)]
        connection.execute(_TELL, rows)
    return new


def entry_of(row: Row[Any]) -> Entry:
    """A row of the index as it is told."""
    event = None if row.body is None else event_of(row)
    return Entry(
        row.place, row.id, row.time, row.type, row.source, row.subject, row.cause, row.seal, event
    )


def event_of(row: Row[Any]) -> Event:
    """The event of a row; without data where its body lies in a seal."""
    return Event(row.id, row.time, row.type, row.source, row.subject, row.body or {}, row.cause)


def new_event_id(now: datetime) -> str:
    """An id that no other event has, and that sorts by time, so that the newest lie together."""
    milliseconds = int(now.timestamp() * 1000)
    return f"{milliseconds:012x}{secrets.token_hex(8)}"


def _event(fact: Fact, now: datetime) -> Event:
    return Event(
        id=fact.id or new_event_id(now),
        time=now.astimezone(UTC),
        type=fact.type,
        source=fact.source,
        subject=fact.subject,
        data=dict(fact.data),
        cause=fact.cause,
    )


def _row(place: int, event: Event, *, is_late: bool) -> dict[str, Any]:
    return {
        "place": place,
        "id": event.id,
        "time": event.time,
        "type": event.type,
        "source": event.source,
        "subject": event.subject,
        "cause": event.cause,
        "body": event.data,
        "is_late": is_late,
    }
