"""Lines of deliveries: who comes after whom.

A delivery that is ordered stands in the *line* of its subject until it is done or skipped. The
first of a line has its turn; ``ready_at`` is set where a delivery waits and has its turn, so that
claims read one index. Lines change only under the router's bookmark, so that two processes never
both think that the other lets the next one through.
"""

from collections.abc import Collection
from typing import Any

from sqlalchemy import Connection, Row, bindparam, func, select, update

from matinee.adapters.sql.schema import bookmarks, deliveries, events
from matinee.core.events import Event
from matinee.ports.deliveries import Delivery

ROUTER = bookmarks.c.name == "router"
PLACE = select(bookmarks.c.place).where(ROUTER)
LINES = PLACE.with_for_update()
"""Read before lines are changed: keeps others off them until the transaction ends."""

DELIVERY = select(
    deliveries,
    events.c.id.label("event_id"),
    events.c.time,
    events.c.type,
    events.c.source,
    events.c.cause,
    events.c.body,
).join(events, events.c.place == deliveries.c.event)

_NEXT_OF_LINES = (
    update(deliveries)
    .where(
        deliveries.c.id.in_(
            select(func.min(deliveries.c.id))
            .where(deliveries.c.line.in_(bindparam("about", expanding=True)))
            .group_by(deliveries.c.line)
        ),
        deliveries.c.state == "waiting",
    )
    .values(ready_at=deliveries.c.due_at)
)


def delivery_of(row: Row[Any], **changes: Any) -> Delivery:
    """A row of ``DELIVERY``, as it is or as it is now."""
    event = Event(
        row.event_id, row.time, row.type, row.source, row.subject, row.body or {}, row.cause
    )
    columns = ("id", "rule", "function", "parameters", "ordered", "state", "attempts", "due_at")
    values = {name: getattr(row, name) for name in (*columns, "token", "reason", "ended_at")}
    return Delivery(event=event, **{**values, **changes})


def go_on(connection: Connection, subjects: Collection[str]) -> None:
    """Give the next of lines their turn, after one has left; ``LINES`` must be read before."""
    connection.execute(_NEXT_OF_LINES, {"about": list(subjects)})
