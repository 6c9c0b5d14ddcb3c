"""Pages of titles, who may see them, and their rights windows, in tables."""

from collections.abc import Callable, Sequence
from datetime import datetime

from sqlalchemy import (
    ColumnElement,
    Engine,
    and_,
    bindparam,
    func,
    not_,
    or_,
    select,
    tuple_,
    union_all,
    update,
)

from matinee.adapters.sql.columns import UtcTime
from matinee.adapters.sql.database import reading, writing
from matinee.adapters.sql.facts import tell
from matinee.adapters.sql.schema import packages, titles
from matinee.adapters.sql.titles import (
    IS_MADE,
    TITLE,
    change_title,
    folded,
    known_title,
    title_subject,
)
from matinee.core.events import Event, Fact
from matinee.ports.catalog import Rights, Title, TitleDesk, TitleSearch

_NOW = bindparam("now", type_=UtcTime)
_IS_OPEN = and_(
    or_(titles.c.opens_at.is_(None), titles.c.opens_at <= _NOW),
    or_(titles.c.closes_at.is_(None), titles.c.closes_at > _NOW),
)
_TURNS = or_(and_(titles.c.told_open, not_(_IS_OPEN)), and_(not_(titles.c.told_open), _IS_OPEN))
_READY = (
    select(packages.c.id)
    .where(packages.c.title == titles.c.id, packages.c.state == "ready")
    .order_by(packages.c.made_at.desc())
    .limit(1)
    .scalar_subquery()
)
_TURNING = (
    select(
        titles.c.id,
        titles.c.name,
        titles.c.told_open,
        func.coalesce(titles.c.current, _READY).label("package"),
    )
    .where(_TURNS)
    .order_by(titles.c.id)
)
_TOLD = update(titles).where(titles.c.id == bindparam("one")).values(told_open=bindparam("is_open"))
_TIMES = union_all(
    *(select(func.min(each)).where(each > _NOW) for each in (titles.c.opens_at, titles.c.closes_at))
)


class SqlTitleDesk(TitleDesk, Rights):
    """Titles as people look through them, in a database that ``open_database`` opened.

    Args:
        engine: The database.
        now: The time, with its zone.
    """

    def __init__(self, engine: Engine, now: Callable[[], datetime]) -> None:
        self._engine = engine
        self._now = now

    def page(self, which: TitleSearch, after: str | None, limit: int) -> Sequence[Title]:
        order = titles.c.folded, titles.c.id
        query = TITLE.where(*_conditions(which)).order_by(*order).limit(limit)
        with reading(self._engine) as connection:
            if after is not None:
                known_title(connection, after)
                last = select(*order).where(titles.c.id == after)
                query = query.where(tuple_(*order) > last.scalar_subquery())
            return [Title(**row._asdict()) for row in connection.execute(query)]

    def count(self, which: TitleSearch) -> int:
        query = select(func.count()).select_from(titles).where(*_conditions(which))
        with reading(self._engine) as connection:
            return connection.scalars(query).one()

    def open_to_all(self, title_id: str, is_public: bool, cause: str | None = None) -> Title:
        with writing(self._engine) as connection:
            return change_title(connection, title_id, {"is_public": is_public}, cause, self._now())

    def set_window(
        self,
        title_id: str,
        opens_at: datetime | None,
        closes_at: datetime | None,
        cause: str | None = None,
    ) -> Title:
        window = {"opens_at": opens_at, "closes_at": closes_at}
        with writing(self._engine) as connection:
            return change_title(connection, title_id, window, cause, self._now())

    def turn(self, now: datetime) -> Sequence[Event]:
        with reading(self._engine) as connection:
            if connection.execute(_TURNING.limit(1), {"now": now}).one_or_none() is None:
                return []
        with writing(self._engine) as connection:
            rows = connection.execute(_TURNING.with_for_update(of=titles), {"now": now}).all()
            facts = []
            for row in rows:
                connection.execute(_TOLD, {"one": row.id, "is_open": not row.told_open})
                kind = "rights.closed" if row.told_open else "rights.opened"
                data = {"title": row.id, "name": row.name, "package": row.package}
                facts.append(Fact(kind, title_subject(row.id), data))
            return tell(connection, facts, self._now())

    def next_turn(self, now: datetime) -> datetime | None:
        with reading(self._engine) as connection:
            times = [time for time in connection.scalars(_TIMES, {"now": now}) if time is not None]
        return min(times, default=None)


def _conditions(which: TitleSearch) -> list[ColumnElement[bool]]:
    is_deleted = titles.c.removes_at.is_not(None)
    if which.state == "deleted":
        conditions: list[ColumnElement[bool]] = [IS_MADE, is_deleted]
    else:
        conditions = [IS_MADE, not_(is_deleted)]
    if which.text is not None:
        conditions.append(titles.c.folded.contains(folded(which.text), autoescape=True))
    if which.state in ("published", "hidden"):
        is_published = titles.c.current.is_not(None)
        conditions.append(is_published if which.state == "published" else not_(is_published))
    return conditions
