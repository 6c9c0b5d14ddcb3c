"""Runs, in tables."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Engine, Row, bindparam, exists, func, select, tuple_, update

from matinee.adapters.sql.database import insert_if_absent, reading, writing
from matinee.adapters.sql.facts import tell
from matinee.adapters.sql.schema import runs
from matinee.core.errors import NotFound
from matinee.core.events import Fact
from matinee.ports.leases import Lease, Leases
from matinee.ports.runs import OPEN_STATES, Ended, Run, RunDesk, RunQueue, Wish

NEVER = datetime(9999, 12, 31, tzinfo=UTC)
"""Sorts behind every deadline."""

LAST_RANK = 2**31 - 1
"""Behind every priority."""

_RUN = select(runs)
_ONE = _RUN.where(runs.c.id == bindparam("one"))
_LOCKED = _ONE.with_for_update()
_OPEN = select(exists().where(runs.c.state.in_(OPEN_STATES)))
_NEXT = (
    _RUN.where(runs.c.state == "queued", runs.c.rank < bindparam("below"))
    .order_by(runs.c.rank, runs.c.needed_at, runs.c.queued_at, runs.c.sequence)
    .limit(1)
    .with_for_update(skip_locked=True)
)
_OWNED = update(runs).where(
    runs.c.id == bindparam("one"), runs.c.token == bindparam("held"), runs.c.owner.is_not(None)
)
_TELL = _OWNED.values(
    progress=bindparam("told"),
    title=func.coalesce(bindparam("about"), runs.c.title),
    counter=runs.c.counter + 1,
).returning(runs.c.state)
_HELD = select(runs.c.id, runs.c.owner, runs.c.token, runs.c.counter).where(
    runs.c.owner.is_not(None)
)
_RENEW = update(runs).where(runs.c.owner == bindparam("by")).values(counter=runs.c.counter + 1)
_OF_OWNER = _RUN.where(runs.c.owner == bindparam("by")).with_for_update()


class SqlRuns(RunQueue, RunDesk, Leases):
    """Runs in a database that ``open_database`` opened.

    A run that was to be cancelled and is let go of is over: nobody works on it any more.

    Args:
        engine: The database.
        now: The time, with its zone.
    """

    def __init__(self, engine: Engine, now: Callable[[], datetime]) -> None:
        self._engine = engine
        self._now = now

    def submit(self, wish: Wish, title: str | None = None) -> Run:
        with writing(self._engine) as connection:
            new = insert_if_absent(connection, runs).returning(runs.c.sequence)
            now = self._now()
            if connection.scalar(new, _row(wish, title, now)) is not None:
                tell(connection, [_queued(wish, title)], now)
            return _known(connection, wish.id)

    def claim(self, owner: str, above: int | None = None) -> Run | None:
        below = LAST_RANK if above is None else -above
        with writing(self._engine) as connection:
            row = connection.execute(_NEXT, {"below": below}).one_or_none()
            if row is None:
                return None
            now = self._now()
            changes = {
                "state": "running",
                "owner": owner,
                "token": row.token + 1,
                "attempts": row.attempts + 1,
                "started_at": row.started_at or now,
            }
            run = _change(connection, run_of(row), changes)
            started = {**_about(run), "owner": owner}
            tell(connection, [_fact("run.started", run.wish, started)], now)
            return run

    def tell(self, run: Run, progress: Mapping[str, Any], title: str | None) -> str:
        values = {"one": run.id, "held": run.token, "told": dict(progress), "about": title}
        with writing(self._engine) as connection:
            state: str | None = connection.scalar(_TELL, values)
        return state or "lost"

    def end(self, run: Run, how: Ended) -> bool:
        with writing(self._engine) as connection:
            row = connection.execute(_LOCKED, {"one": run.id}).one_or_none()
            if row is None or row.token != run.token or row.owner is None:
                return False
            _end(connection, run_of(row), how, self._now())
        return True

    def has_open(self) -> bool:
        with reading(self._engine) as connection:
            return bool(connection.scalar(_OPEN))

    def get(self, run_id: str) -> Run:
        with reading(self._engine) as connection:
            return _known(connection, run_id)

    def page(
        self, states: Sequence[str], before: str | None, limit: int, title: str | None = None
    ) -> Sequence[Run]:
        order = runs.c.queued_at, runs.c.sequence
        query = _RUN.order_by(*(column.desc() for column in order)).limit(limit)
        if states:
            query = query.where(runs.c.state.in_(states))
        if title is not None:
            query = query.where(runs.c.title == title)
        with reading(self._engine) as connection:
            if before is not None:
                _known(connection, before)
                last = select(*order).where(runs.c.id == before)
                query = query.where(tuple_(*order) < last.scalar_subquery())
            return [run_of(row) for row in connection.execute(query)]

    def cancel(self, run_id: str, facts: Sequence[Fact]) -> Run:
        with writing(self._engine) as connection:
            run = _known(connection, run_id, lock=True)
            if run.state == "queued":
                return _end(connection, run, Ended("cancelled", facts=facts), self._now())
            if run.state == "running":
                run = _change(connection, run, {"state": "cancelling"})
                tell(connection, facts, self._now())
            return run

    def again(self, run_id: str, request: Mapping[str, Any], facts: Sequence[Fact]) -> Run:
        with writing(self._engine) as connection:
            run = _known(connection, run_id, lock=True)
            if not run.is_over:
                return run
            now = self._now()
            changes: dict[str, Any] = {
                "state": "queued",
                "request": dict(request),
                "attempts": 0,
                "progress": {},
                "error": None,
                "result": None,
                "queued_at": now,
                "started_at": None,
                "ended_at": None,
            }
            run = _change(connection, run, changes)
            tell(connection, [_queued(run.wish, run.title), *facts], now)
            return run

    def hurry(self, run_id: str, priority: int, facts: Sequence[Fact]) -> Run:
        with writing(self._engine) as connection:
            run = _known(connection, run_id, lock=True)
            if not run.is_over:
                run = _change(connection, run, {"priority": priority, "rank": -priority})
                tell(connection, facts, self._now())
            return run

    def held(self) -> Sequence[Lease]:
        with reading(self._engine) as connection:
            return [Lease(**row._asdict()) for row in connection.execute(_HELD)]

    def renew(self, owner: str) -> None:
        with writing(self._engine) as connection:
            connection.execute(_RENEW, {"by": owner})

    def release(self, lease: Lease) -> bool:
        with writing(self._engine) as connection:
            row = connection.execute(_LOCKED, {"one": lease.id}).one_or_none()
            if row is None or row.owner is None:
                return False
            if (row.token, row.counter) != (lease.token, lease.counter):
                return False
            self._let_go(connection, run_of(row))
        return True

    def release_all(self, owner: str) -> int:
        with writing(self._engine) as connection:
            rows = connection.execute(_OF_OWNER, {"by": owner}).all()
            for row in rows:
                self._let_go(connection, run_of(row))
        return len(rows)

    def _let_go(self, connection: Connection, run: Run) -> None:
        if run.state == "cancelling":
            _end(connection, run, Ended("cancelled"), self._now())
        else:
            _change(connection, run, {"state": "queued", "owner": None})


def run_of(row: Row[Any]) -> Run:
    """A run's row as it is told."""
    wish = Wish(row.id, row.flow, row.film, row.request, row.priority, row.deadline, row.cause)
    return Run(
        wish=wish,
        state=row.state,
        token=row.token,
        owner=row.owner,
        attempts=row.attempts,
        title=row.title,
        progress=row.progress,
        error=row.error,
        result=row.result,
        queued_at=row.queued_at,
        started_at=row.started_at,
        ended_at=row.ended_at,
    )


def _known(connection: Connection, run_id: str, *, lock: bool = False) -> Run:
    row = connection.execute(_LOCKED if lock else _ONE, {"one": run_id}).one_or_none()
    if row is None:
        raise NotFound(f"no run has the id {run_id!r}", "list the runs")
    return run_of(row)


def _change(connection: Connection, run: Run, changes: dict[str, Any]) -> Run:
    """Change columns of a run that the caller has locked; gives it as it is now."""
    connection.execute(update(runs).where(runs.c.id == run.id).values(changes))
    return _known(connection, run.id)


def _end(connection: Connection, run: Run, how: Ended, now: datetime) -> Run:
    """Close a run that the caller has locked."""
    changes = {"state": how.state, "owner": None, "error": how.error, "result": how.result}
    title = (how.result or {}).get("title") or run.title
    ended = _change(connection, run, {**changes, "title": title, "ended_at": now})
    data = {**_about(ended), "state": how.state, "error": how.error}
    tell(connection, [_fact("run.ended", run.wish, data), *how.facts], now)
    return ended


def _about(run: Run) -> dict[str, Any]:
    wish = run.wish
    return {"run": run.id, "flow": wish.flow, "film": wish.film, "title": run.title}


def _queued(wish: Wish, title: str | None) -> Fact:
    deadline = wish.deadline and wish.deadline.astimezone(UTC).isoformat().replace("+00:00", "Z")
    data = {"run": wish.id, "flow": wish.flow, "film": wish.film, "title": title}
    return _fact("run.queued", wish, {**data, "priority": wish.priority, "deadline": deadline})


def _fact(kind: str, wish: Wish, data: Mapping[str, Any]) -> Fact:
    return Fact(kind, f"run/{wish.id}", data, wish.cause)


def _row(wish: Wish, title: str | None, now: datetime) -> dict[str, Any]:
    return {
        "id": wish.id,
        "flow": wish.flow,
        "film": wish.film,
        "title": title,
        "request": dict(wish.request),
        "priority": wish.priority,
        "deadline": wish.deadline,
        "cause": wish.cause,
        "state": "queued",
        "token": 0,
        "counter": 0,
        "attempts": 0,
        "progress": {},
        "queued_at": now,
        "rank": -wish.priority,
        "needed_at": wish.deadline or NEVER,
    }
