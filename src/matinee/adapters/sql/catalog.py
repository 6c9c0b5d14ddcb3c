"""The catalog's packages and what is on screen, in tables."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Engine, insert, select, update

from matinee.adapters.sql.database import insert_or_change, reading, writing
from matinee.adapters.sql.facts import tell
from matinee.adapters.sql.fence import Check, checked
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
        self, engine: Engine, now: Callable[[], datetime], fence: Check | None = None
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
            changes: dict[str, Any] = {"current": package_id}
            if package_id is not None:
                changes |= {"removes_at": None, "was_shown": None}
            now = self._now()
            _show(connection, title_id, changes, now)
            kind = "title.hidden" if package_id is None else "title.published"
            tell(connection, [_fact(kind, before, package_id, cause)], now)
        return replace(before, **changes)

    def delete(self, title_id: str, removes_at: datetime, cause: str | None = None) -> Title:
        with writing(self._engine) as connection:
            before = known_title(connection, title_id, lock=True)
            changes: dict[str, Any] = {"removes_at": removes_at}
            if before.removes_at is not None:
                _change(connection, title_id, changes)
                return replace(before, **changes)
            changes |= {"current": None, "was_shown": before.current}
            now = self._now()
            _show(connection, title_id, changes, now, has_moved=before.current is not None)
            fact = _fact("title.deleted", before, before.current, cause)
            told = removes_at.astimezone(UTC).isoformat().replace("+00:00", "Z")
            data = {"package": None, **fact.data, "removes_at": told}
            tell(connection, [replace(fact, data=data)], now)
        return replace(before, **changes)

    def undelete(self, title_id: str, cause: str | None = None) -> Title:
        with writing(self._engine) as connection:
            before = known_title(connection, title_id, lock=True)
            if before.removes_at is None:
                return before
            changes: dict[str, Any] = {"current": before.was_shown}
            changes |= {"removes_at": None, "was_shown": None}
            now = self._now()
            has_moved = before.was_shown is not None
            _show(connection, title_id, changes, now, has_moved=has_moved)
            fact = _fact("title.undeleted", before, before.was_shown, cause)
            tell(connection, [replace(fact, data={"package": None, **fact.data})], now)
        return replace(before, **changes)

    def previous(self, title_id: str) -> str | None:
        own = (packages.c.title == showings.c.title) & (packages.c.id == showings.c.package)
        # IS DISTINCT FROM, because a title that was taken off has no current package.
        query = (
            select(showings.c.package)
            .join(titles, titles.c.id == showings.c.title)
            .join(packages, own)
            .where(showings.c.title == title_id, packages.c.state == "ready")
            .where(showings.c.package.is_distinct_from(titles.c.current))
            .order_by(showings.c.sequence.desc())
            .limit(1)
        )
        with reading(self._engine) as connection:
            found: str | None = connection.scalar(query)
        return found


def _change(connection: Connection, title_id: str, changes: dict[str, Any]) -> None:
    connection.execute(update(titles).where(titles.c.id == title_id).values(changes))


def _show(
    connection: Connection, title_id: str, changes: dict[str, Any], now: datetime, *,
    has_moved: bool = True,
) -> None:  # fmt: skip
    """Change a title's row; where another package is on screen now, the history too."""
    _change(connection, title_id, changes)
    if has_moved:
        row = {"title": title_id, "package": changes["current"], "shown_at": now}
        connection.execute(insert(showings).values(row))


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
