"""The catalog's titles, in tables."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, fields, replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, exists, select, update

from matinee.adapters.sql.database import insert_if_absent, reading, writing
from matinee.adapters.sql.facts import tell
from matinee.adapters.sql.fence import Check, checked
from matinee.adapters.sql.schema import packages, titles
from matinee.core.errors import NotFound
from matinee.core.events import Fact
from matinee.core.ids import Digest
from matinee.ports.catalog import Title, Titles

TITLE = select(*(titles.c[each.name] for each in fields(Title)))
IS_MADE = exists().where(packages.c.title == titles.c.id)


class SqlTitles(Titles):
    """Titles in a database that ``open_database`` opened.

    A new title is hidden, for it has no package yet. The suffix of an id that is taken is the start
    of the source's digest: it does not depend on how many came before.

    Args:
        engine: The database.
        now: The time, with its zone.
        fence: The run that writes, if one does.
    """

    def __init__(
        self, engine: Engine, now: Callable[[], datetime], fence: Check | None = None
    ) -> None:
        self._engine = engine
        self._now = now
        self._fence = fence

    def add(self, title: Title) -> Title:
        with writing(self._engine) as connection:
            checked(connection, self._fence)
            for spelling in _spellings(title):
                hidden = replace(title, id=spelling, current=None)
                insertion = insert_if_absent(connection, titles).returning(titles.c.id)
                row = {**asdict(hidden), "folded": folded(title.name)}
                if connection.scalar(insertion, row) is not None:
                    return hidden
                if same := _title(connection, titles.c.source == title.source):
                    return same
        raise AssertionError(f"every spelling of {title.id} is taken")

    def describe(
        self, title_id: str, name: str | None, credit: str | None, cause: str | None = None
    ) -> Title:
        given = {"name": name, "credit": credit}
        changes = {column: value for column, value in given.items() if value is not None}
        with writing(self._engine) as connection:
            checked(connection, self._fence)
            return change_title(connection, title_id, changes, cause, self._now())

    def get(self, name: str) -> Title:
        with reading(self._engine) as connection:
            if found := _title(connection, titles.c.id == name):
                return found
            namesakes = _titles(connection, titles.c.name == name)
        match namesakes:
            case [only]:
                return only
            case []:
                raise _no_title(name)
            case _:
                ids = ", ".join(namesake.id for namesake in namesakes)
                raise NotFound(f"{len(namesakes)} titles are called {name!r}", f"use an id: {ids}")

    def of_source(self, source: Digest) -> Title | None:
        with reading(self._engine) as connection:
            return _title(connection, titles.c.source == source)

    def all(self) -> Sequence[Title]:
        with reading(self._engine) as connection:
            return _titles(connection, IS_MADE)


def known_title(connection: Connection, title_id: str, *, lock: bool = False) -> Title:
    """The title of that id; ``lock`` keeps other writers off it until the transaction ends."""
    query = TITLE.where(titles.c.id == title_id)
    row = connection.execute(query.with_for_update() if lock else query).one_or_none()
    if row is None:
        raise _no_title(title_id)
    return Title(**row._asdict())


def change_title(
    connection: Connection,
    title_id: str,
    wanted: Mapping[str, Any],
    cause: str | None,
    now: datetime,
) -> Title:
    """Change columns and tell what is another now; the last thing that a transaction does."""
    before = known_title(connection, title_id, lock=True)
    changes = {name: value for name, value in wanted.items() if getattr(before, name) != value}
    if not changes:
        return before
    after = replace(before, **changes)
    row = {**changes, "folded": folded(after.name)}
    connection.execute(update(titles).where(titles.c.id == title_id).values(row))
    told = {name: _as_json(value) for name, value in changes.items()}
    data = {"title": title_id, "changes": told}
    tell(connection, [Fact("title.changed", title_subject(title_id), data, cause)], now)
    return after


def title_subject(title_id: str) -> str:
    """What events of a title are about."""
    return f"title/{title_id}"


def folded(name: str) -> str:
    """A name for search and order: databases know the case of different letters."""
    return name.casefold()


def _as_json(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return value


def _spellings(title: Title) -> Iterator[str]:
    """The ids that a new title may have, best first."""
    yield title.id
    for length in range(8, len(title.source) + 1, 8):
        yield f"{title.id}-{title.source[:length]}"


def _titles(connection: Connection, *which: ColumnElement[bool]) -> list[Title]:
    """Those that meet the conditions, by name then id."""
    found = [Title(**row._asdict()) for row in connection.execute(TITLE.where(*which))]
    # Not by the database, whose order of letters differs from engine to engine.
    return sorted(found, key=lambda each: (each.name, each.id))


def _title(connection: Connection, *which: ColumnElement[bool]) -> Title | None:
    """The one that meets the conditions, if there is one."""
    return next(iter(_titles(connection, *which)), None)


def _no_title(name: str) -> NotFound:
    return NotFound(f"no title has the id or name {name!r}", "list the titles to see their names")
