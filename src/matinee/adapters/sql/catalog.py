"""The catalog's packages and what is on screen, in tables."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection, Engine, insert, select, update

from matinee.adapters.sql.database import insert_or_change, reading, writing
from matinee.adapters.sql.facts import tell
from matinee.adapters.sql.fence import Fence, checked
from matinee.adapters.sql.schema import packages, showings, titles
from matinee.adapters.sql.titles import SqlTitles, known_title, title_subject
from matinee.core.errors import NotFound
from matinee.core.events import Fact
from matinee.ports.catalog import Package, Packages, Title

__all__ = ["SqlPackages", "SqlTitles"]


class SqlPackages(Packages):
    """Packages and what was on screen when, in a database that ``open_database`` opened.

    Args:
        engine: The database.
        now: The time, with its zone.
        fence: The run that writes, if one does.
    """

    def __init__(
        self, engine: Engine, now: Callable[[], datetime], fence: Fence | None = None
    ) -> None:
        self._engine = engine
        self._now = now
        self._fence = fence

    def add(self, package: Package, cause: str | None = None, facts: Sequence[Fact] = ()) -> None:
        with writing(self._engine) as connection:
            checked(connection, self._fence)
            title = known_title(connection, package.title, lock=True)
            was_ready = _state(connection, package) == "ready"
            insertion = insert_or_change(
                connection,
                packages,
                key=["title", "id"],
                changed=["report", "settings", "sketch", "state"],
            )
            connection.execute(insertion, _package_row(package))
            is_made = package.state == "ready" and not was_ready
            made = [_fact("title.made", title, package.id, cause)] if is_made else []
            tell(connection, [*made, *facts], self._now())

    def get(self, title_id: str, package_id: str) -> Package:
        with reading(self._engine) as connection:
            return _known_package(connection, title_id, package_id)

    def of_title(self, title_id: str) -> Sequence[Package]:
        query = select(packages).where(packages.c.title == title_id)
        with reading(self._engine) as connection:
            rows = connection.execute(query.order_by(packages.c.made_at, packages.c.id))
            return [Package(**row._asdict()) for row in rows]

    def point(self, title_id: str, package_id: str | None, cause: str | None = None) -> Title:
        with writing(self._engine) as connection:
            checked(connection, self._fence)
            before = known_title(connection, title_id, lock=True)
            if package_id is not None:
                _known_package(connection, title_id, package_id)
            if package_id == before.current:
                return before
            connection.execute(
                update(titles).where(titles.c.id == title_id).values(current=package_id)
            )
            now = self._now()
            connection.execute(
                insert(showings).values(title=title_id, package=package_id, shown_at=now)
            )
            kind = "title.hidden" if package_id is None else "title.published"
            tell(connection, [_fact(kind, before, package_id, cause)], now)
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


def _known_package(connection: Connection, title_id: str, package_id: str) -> Package:
    query = select(packages).where(packages.c.title == title_id, packages.c.id == package_id)
    row = connection.execute(query).one_or_none()
    if row is None:
        raise NotFound(
            f"title {title_id!r} has no package {package_id!r}", "list the packages of the title"
        )
    return Package(**row._asdict())


def _state(connection: Connection, package: Package) -> str | None:
    query = select(packages.c.state).where(
        packages.c.title == package.title, packages.c.id == package.id
    )
    state: str | None = connection.scalar(query)
    return state


def _fact(kind: str, title: Title, package_id: str | None, cause: str | None) -> Fact:
    data = {"title": title.id, "name": title.name}
    if package_id is not None:
        data["package"] = package_id
    return Fact(kind, title_subject(title.id), data, cause)


def _package_row(package: Package) -> dict[str, object]:
    return {
        "title": package.title,
        "id": package.id,
        "state": package.state,
        "made_at": package.made_at,
        "files": dict(package.files),
        "report": package.report,
        "settings": dict(package.settings),
        "sketch": package.sketch and dict(package.sketch),
    }
