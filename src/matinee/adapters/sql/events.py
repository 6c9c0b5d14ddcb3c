"""The event log, in tables."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, and_, bindparam, false, func, select, true

from matinee.adapters.sql.database import reading, writing
from matinee.adapters.sql.facts import LAST_PLACE, entry_of, tell
from matinee.adapters.sql.schema import events
from matinee.adapters.sql.seals import SqlSeals
from matinee.core.errors import NotFound
from matinee.core.events import Event, Fact
from matinee.ports.events import Entry, SealedLog, Search

AFTER = (
    select(events)
    .where(events.c.place > bindparam("place"))
    .order_by(events.c.place)
    .limit(bindparam("most"))
)
_IN_TIME, _LATE = events.c.is_late == false(), events.c.is_late == true()
_FIRST_SINCE = (
    select(events.c.place)
    .where(_IN_TIME, events.c.time >= bindparam("since"))
    .order_by(events.c.time, events.c.place)
    .limit(1)
)
_LAST_UNTIL = (
    select(events.c.place)
    .where(_IN_TIME, events.c.time <= bindparam("until"))
    .order_by(events.c.time.desc(), events.c.place.desc())
    .limit(1)
)
# A sum, because SQLite looks for the largest place itself by going through all of them.
_LAST_LATE_UNTIL = select(func.max(events.c.place + 0)).where(
    _LATE, events.c.time <= bindparam("until")
)
_GET = select(events).where(events.c.id == bindparam("id"))


class SqlEventLog(SqlSeals, SealedLog):
    """The log and its seals in a database that ``open_database`` opened.

    Safe to share between threads and processes.
    """

    def append(self, facts: Sequence[Fact]) -> Sequence[Event]:
        if not facts:
            return []
        with writing(self._engine) as connection:
            return tell(connection, facts, self._now())

    def after(self, place: int, limit: int) -> Sequence[Entry]:
        with reading(self._engine) as connection:
            rows = connection.execute(AFTER, {"place": place, "most": limit})
            return [entry_of(row) for row in rows]

    def last(self) -> int:
        with reading(self._engine) as connection:
            place: int = connection.scalars(LAST_PLACE).one()
        return place

    def get(self, event_id: str) -> Entry:
        with reading(self._engine) as connection:
            row = connection.execute(_GET, {"id": event_id}).one_or_none()
        if row is None:
            raise NotFound(f"no event has the id {event_id!r}", "search the log of events")
        return entry_of(row)

    def search(self, which: Search, limit: int) -> Sequence[Entry]:
        with reading(self._engine) as connection:
            conditions = [*_conditions(which), *_bounds(connection, which)]
            # First the places, from an index alone: rows are fetched of the page's events only.
            found = select(events.c.place).where(*conditions)
            newest = found.order_by(events.c.place.desc()).limit(limit)
            query = select(events).where(events.c.place.in_(newest))
            rows = connection.execute(query.order_by(events.c.place.desc()))
            return [entry_of(row) for row in rows]


def _conditions(which: Search) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if which.type is not None:
        conditions.append(_like(events.c.type, which.type))
    if which.subject is not None:
        conditions.append(_like(events.c.subject, which.subject))
    if which.cause is not None:
        conditions.append(events.c.cause == which.cause)
    if which.before is not None:
        conditions.append(events.c.place < which.before)
    if which.since is not None:
        conditions.append(events.c.time >= which.since)
    if which.until is not None:
        conditions.append(events.c.time <= which.until)
    return conditions


def _bounds(connection: Connection, which: Search) -> list[ColumnElement[bool]]:
    """Between which places the times lie that are asked for, so that no other row is looked at.

    Before an event that is late there is one in time with a later time: it widens only the end.
    """
    bounds: list[ColumnElement[bool]] = []
    if which.since is not None:
        first = connection.scalar(_FIRST_SINCE, {"since": which.since})
        bounds.append(events.c.place >= first if first is not None else false())
    if which.until is not None:
        last = connection.scalar(_LAST_UNTIL, {"until": which.until})
        last_late = connection.scalar(_LAST_LATE_UNTIL, {"until": which.until})
        bounds.append(events.c.place <= max(last or 0, last_late or 0))
    return bounds


def _like(column: Column[Any], wanted: str) -> ColumnElement[bool]:
    """Equal to ``wanted``, or beginning with what stands before its ``*``."""
    if not wanted.endswith("*"):
        return column == wanted
    beginning = wanted[:-1]
    if not beginning:
        return column.is_not(None)
    # As a range, which an index answers; no character sorts behind the last one of Unicode.
    return and_(column >= beginning, column <= beginning + "\U0010ffff")
