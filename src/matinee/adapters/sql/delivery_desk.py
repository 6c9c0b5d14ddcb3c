"""What people see of deliveries and do about them, in tables."""

from collections.abc import Callable, Sequence
from datetime import datetime

from sqlalchemy import Connection, Engine, bindparam, func, null, select, update

from matinee.adapters.sql.database import reading, writing
from matinee.adapters.sql.facts import tell
from matinee.adapters.sql.lines import DELIVERY, LINES, delivery_of, go_on
from matinee.adapters.sql.schema import deliveries, events
from matinee.core.errors import NotFound
from matinee.core.events import Fact
from matinee.ports.deliveries import Delivery, DeliveryDesk, Waiting

_UNDECIDED = ("waiting", "running", "dead")

_ONE = DELIVERY.where(deliveries.c.id == bindparam("one"))
_OF_EVENT = DELIVERY.where(events.c.id == bindparam("event")).order_by(deliveries.c.id)
_COUNTS = (
    select(deliveries.c.state, func.count())
    .where(deliveries.c.state.in_(_UNDECIDED))
    .group_by(deliveries.c.state)
)
_OLDEST_DUE = select(func.min(deliveries.c.ready_at)).where(
    deliveries.c.ready_at <= bindparam("now")
)
_CHANGE = update(deliveries).where(deliveries.c.id == bindparam("one"))
_REPLAY = _CHANGE.values(
    state="waiting",
    attempts=0,
    due_at=bindparam("now"),
    ready_at=bindparam("now"),
    reason=null(),
    ended_at=null(),
)
_SKIP = _CHANGE.values(state="skipped", ended_at=bindparam("now"), line=null())


class SqlDeliveryDesk(DeliveryDesk):
    """Deliveries as people see them, in a database that ``open_database`` opened.

    Args:
        engine: The database.
        now: The time, with its zone.
    """

    def __init__(self, engine: Engine, now: Callable[[], datetime]) -> None:
        self._engine = engine
        self._now = now

    def page(
        self, state: str | None, subject: str | None, before: int | None, limit: int
    ) -> Sequence[Delivery]:
        query = DELIVERY.order_by(deliveries.c.id.desc()).limit(limit)
        if state is not None:
            query = query.where(deliveries.c.state == state)
        if subject is not None:
            query = query.where(deliveries.c.subject == subject)
        if before is not None:
            query = query.where(deliveries.c.id < before)
        with reading(self._engine) as connection:
            return [delivery_of(row) for row in connection.execute(query)]

    def of_event(self, event_id: str) -> Sequence[Delivery]:
        with reading(self._engine) as connection:
            return [delivery_of(row) for row in connection.execute(_OF_EVENT, {"event": event_id})]

    def replay(self, delivery_id: int, facts: Sequence[Fact]) -> Delivery:
        with writing(self._engine) as connection:
            found = _known(connection, delivery_id)
            if found.state == "dead":
                connection.execute(_REPLAY, {"one": delivery_id, "now": self._now()})
                tell(connection, facts, self._now())
            return _known(connection, delivery_id)

    def skip(self, delivery_id: int, facts: Sequence[Fact]) -> Delivery:
        with writing(self._engine) as connection:
            found = _known(connection, delivery_id)
            if found.state == "dead":
                connection.execute(_SKIP, {"one": delivery_id, "now": self._now()})
                if found.ordered:
                    go_on(connection, [found.event.subject])
                tell(connection, facts, self._now())
            return _known(connection, delivery_id)

    def waiting(self) -> Waiting:
        with reading(self._engine) as connection:
            counts = {row.state: row[1] for row in connection.execute(_COUNTS)}
            oldest = connection.scalar(_OLDEST_DUE, {"now": self._now()})
        return Waiting({state: counts.get(state, 0) for state in _UNDECIDED}, oldest)


def _known(connection: Connection, delivery_id: int) -> Delivery:
    """The delivery of that id, which nobody else changes until the transaction ends."""
    connection.execute(LINES)
    row = connection.execute(_ONE, {"one": delivery_id}).one_or_none()
    if row is None:
        raise NotFound(f"no delivery has the number {delivery_id}", "list the deliveries")
    return delivery_of(row)
