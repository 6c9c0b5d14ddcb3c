"""The seals of the log, in tables."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, fields
from datetime import datetime

from sqlalchemy import Engine, bindparam, func, null, select, update

from matinee.adapters.sql.database import insert_if_absent, insert_or_change, reading, writing
from matinee.adapters.sql.facts import entry_of
from matinee.adapters.sql.schema import assets, bookmarks, deliveries, events, locations, seals
from matinee.assets.asset import Asset
from matinee.core.events import Event
from matinee.ports.events import Entry, Seal, Seals

_LAST_SEALED = select(func.max(seals.c.last))
_ROUTED = select(bookmarks.c.place).where(bookmarks.c.name == "router")
_OPEN = (
    select(events)
    .where(
        events.c.place > func.coalesce(_LAST_SEALED.scalar_subquery(), 0),
        events.c.place <= _ROUTED.scalar_subquery(),
    )
    .order_by(events.c.place)
    .limit(bindparam("most"))
)
_ALL = select(*(seals.c[each.name] for each in fields(Seal))).order_by(seals.c.number)
_STRETCH = (
    select(events)
    .where(events.c.place >= bindparam("first"), events.c.place <= bindparam("last"))
    .order_by(events.c.place)
)
_SEAL = (
    update(events)
    .where(events.c.place >= bindparam("first"), events.c.place <= bindparam("last"))
    .values(seal=bindparam("number"))
)
_NEEDED = (
    select(deliveries.c.id)
    .where(
        deliveries.c.event == events.c.place,
        deliveries.c.state.in_(("waiting", "running", "dead")),
    )
    .correlate(events)
    .exists()
)
_DROP_BODIES = (
    update(events)
    .where(events.c.seal.is_not(None), events.c.body.is_not(None), ~_NEEDED)
    .values(body=null())
)


class SqlSeals(Seals):
    """Seals in a database that ``open_database`` opened.

    Args:
        engine: The database.
        now: The time, with its zone.
    """

    def __init__(self, engine: Engine, now: Callable[[], datetime]) -> None:
        self._engine = engine
        self._now = now

    def open_stretch(self, limit: int) -> Sequence[Entry]:
        with reading(self._engine) as connection:
            return [entry_of(row) for row in connection.execute(_OPEN, {"most": limit})]

    def close(self, seal: Seal, asset: Asset, key: str) -> bool:
        stretch = {"first": seal.first, "last": seal.last}
        with writing(self._engine) as connection:
            connection.execute(insert_if_absent(connection, assets), asdict(asset))
            new = insert_if_absent(connection, seals).returning(seals.c.number)
            if connection.scalar(new, asdict(seal)) is None:
                return False
            place = insert_or_change(connection, locations, key=["key"], changed=["digest"])
            connection.execute(place, {"digest": asset.digest, "key": key})
            connection.execute(_SEAL, {**stretch, "number": seal.number})
            connection.execute(_DROP_BODIES)
        return True

    def all(self) -> Sequence[Seal]:
        with reading(self._engine) as connection:
            return [Seal(**row._asdict()) for row in connection.execute(_ALL)]

    def stretch(self, seal: Seal) -> Sequence[Entry]:
        with reading(self._engine) as connection:
            rows = connection.execute(_STRETCH, {"first": seal.first, "last": seal.last})
            return [entry_of(row) for row in rows]

    def rewrite(self, seal: Seal, sealed: Mapping[int, Event]) -> None:
        columns = ["id", "time", "type", "source", "subject", "cause", "seal"]
        rows = [
            {
                "place": place, "id": event.id, "time": event.time, "type": event.type,
                "source": event.source, "subject": event.subject, "cause": event.cause,
                "seal": seal.number,
            }
            for place, event in sealed.items()
        ]  # fmt: skip
        own = events.c.place
        with writing(self._engine) as connection:
            change = insert_or_change(connection, events, key=["place"], changed=columns)
            connection.execute(change, rows)
            kept = select(own).where(
                own >= seal.first, own <= seal.last, events.c.body.is_not(None)
            )
            for place in connection.scalars(kept).all():
                values = {"body": dict(sealed[place].data)}
                connection.execute(update(events).where(own == place).values(values))
