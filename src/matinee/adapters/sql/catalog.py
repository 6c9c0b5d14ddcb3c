"""The catalog of titles and packages, in tables."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, replace
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, Engine, exists, insert, select, update

from matinee.adapters.sql.database import insert_if_absent, insert_or_change, reading, writing
from matinee.adapters.sql.schema import packages, showings, titles
from matinee.core.errors import NotFound
from matinee.core.ids import Digest
from matinee.ports.catalog import Package, Packages, Title, Titles


class SqlTitles(Titles):
    """Titles in a database that ``open_database`` opened.

    A new title is hidden, for it has no package yet. The suffix of an id that is taken is the start
    of the source's digest: it does not depend on how many came before.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(self, title: Title) -> Title:
        with writing(self._engine) as connection:
            for spelling in _spellings(title):
                hidden = replace(title, id=spelling, current=None)
                insertion = insert_if_absent(connection, titles).returning(titles.c.id)
                if connection.scalar(insertion, asdict(hidden)) is not None:
                    return hidden
                if same := _title(connection, titles.c.source == title.source):
                    return same
        raise AssertionError(f"every spelling of {title.id} is taken")

    def describe(self, title_id: str, name: str | None, credit: str | None) -> Title:
        changes = {"name": name, "credit": credit}
        given = {column: value for column, value in changes.items() if value is not None}
        with writing(self._engine) as connection:
            if given:
                connection.execute(update(titles).where(titles.c.id == title_id).values(given))
            return _known_title(connection, title_id)

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
        made = exists().where(packages.c.title == titles.c.id)
        with reading(self._engine) as connection:
            return _titles(connection, made)


class SqlPackages(Packages):
    """Packages and what was on screen when, in a database that ``open_database`` opened.

    Args:
        engine: The database.
        now: The time, with its zone.
    """

    def __init__(self, engine: Engine, now: Callable[[], datetime]) -> None:
        self._engine = engine
        self._now = now

    def add(self, package: Package) -> None:
        with writing(self._engine) as connection:
            _known_title(connection, package.title)
            insertion = insert_or_change(
                connection, packages, key=["title", "id"], changed=["report", "settings", "state"]
            )
            connection.execute(insertion, _package_row(package))

    def get(self, title_id: str, package_id: str) -> Package:
        with reading(self._engine) as connection:
            return _known_package(connection, title_id, package_id)

    def of_title(self, title_id: str) -> Sequence[Package]:
        query = select(packages).where(packages.c.title == title_id)
        with reading(self._engine) as connection:
            rows = connection.execute(query.order_by(packages.c.made_at, packages.c.id))
            return [Package(**row._asdict()) for row in rows]

    def point(self, title_id: str, package_id: str | None) -> Title:
        with writing(self._engine) as connection:
            before = _known_title(connection, title_id, lock=True)
            if package_id is not None:
                _known_package(connection, title_id, package_id)
            if package_id == before.current:
                return before
            connection.execute(
                update(titles).where(titles.c.id == title_id).values(current=package_id)
            )
            connection.execute(
                insert(showings).values(title=title_id, package=package_id, shown_at=self._now())
            )
        return replace(before, current=package_id)

    def previous(self, title_id: str) -> str | None:
        # IS DISTINCT FROM, because a title that was taken off has no current package.
        query = (
            select(showings.c.package)
            .join(titles, titles.c.id == showings.c.title)
            .where(showings.c.title == title_id, showings.c.package.is_not(None))
            .where(showings.c.package.is_distinct_from(titles.c.current))
            .order_by(showings.c.sequence.desc())
            .limit(1)
        )
        with reading(self._engine) as connection:
            found: str | None = connection.scalar(query)
        return found


def _spellings(title: Title) -> Iterator[str]:
    """The ids that a new title may have, best first."""
    yield title.id
    for length in range(8, len(title.source) + 1, 8):
        yield f"{title.id}-{title.source[:length]}"


def _titles(connection: Connection, *which: ColumnElement[bool]) -> list[Title]:
    """Those that meet the conditions, by name then id."""
    found = [Title(**row._asdict()) for row in connection.execute(select(titles).where(*which))]
    # Not by the database, whose order of letters differs from engine to engine.
    return sorted(found, key=lambda each: (each.name, each.id))


def _title(connection: Connection, *which: ColumnElement[bool]) -> Title | None:
    """The one that meets the conditions, if there is one."""
    return next(iter(_titles(connection, *which)), None)


def _known_title(connection: Connection, title_id: str, *, lock: bool = False) -> Title:
    """The title of that id; ``lock`` keeps other writers off it until the transaction ends."""
    query = select(titles).where(titles.c.id == title_id)
    row = connection.execute(query.with_for_update() if lock else query).one_or_none()
    if row is None:
        raise _no_title(title_id)
    return Title(**row._asdict())


def _known_package(connection: Connection, title_id: str, package_id: str) -> Package:
    query = select(packages).where(packages.c.title == title_id, packages.c.id == package_id)
    row = connection.execute(query).one_or_none()
    if row is None:
        raise NotFound(
            f"title {title_id!r} has no package {package_id!r}", "list the packages of the title"
        )
    return Package(**row._asdict())


def _package_row(package: Package) -> dict[str, object]:
    return {
        "title": package.title,
        "id": package.id,
        "state": package.state,
        "made_at": package.made_at,
        "files": dict(package.files),
        "report": package.report,
        "settings": dict(package.settings),
    }


def _no_title(name: str) -> NotFound:
    return NotFound(f"no title has the id or name {name!r}", "list the titles to see their names")
