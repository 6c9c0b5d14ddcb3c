"""Older databases are brought up to date, with a copy kept of what was there."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic.command import upgrade
from alembic.config import Config
from sqlalchemy import URL, Connection, column, insert, inspect, table, text
from tests.contracts.clock import NOON, Clock
from tests.databases import Postgres

from matinee.adapters.sql import schema
from matinee.adapters.sql.catalog import SqlTitles
from matinee.adapters.sql.columns import ORDERED
from matinee.adapters.sql.database import open_database, reading, writing
from matinee.adapters.sql.engines import make_engine
from matinee.adapters.sql.events import SqlEventLog
from matinee.core.errors import LibraryError
from matinee.core.events import Fact

MIGRATIONS = Path(schema.__file__).parent / "migrations"
TITLE = {
    "id": "t", "name": "Große", "source": "0" * 64, "film": "a.mkv", "credit": "",
    "added_at": "2026-03-01 12:00:00+00:00",
}  # fmt: skip


@pytest.fixture(params=["sqlite", "postgresql"])
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[URL]:
    """A database as version 0.1.0 left it, with one title."""
    server: Postgres | None = None
    if request.param == "sqlite":
        address = URL.create("sqlite", database=str(tmp_path / "library.db"))
    else:
        server = request.getfixturevalue("postgres")
        assert server is not None
        address = server.empty()
    engine = make_engine(address)
    with writing(engine) as connection:
        config = Config(attributes={"connection": connection})
        config.set_main_option("script_location", str(MIGRATIONS))
        upgrade(config, "0001")
        title = table("title", *(column(name) for name in TITLE))
        connection.execute(insert(title), TITLE)
    engine.dispose()
    yield address
    if server is not None:
        server.drop(address)


def test_what_was_there_stays_and_new_tables_work(old: URL) -> None:
    engine = open_database(old)
    title = SqlTitles(engine, Clock()).get("t")

    assert (title.name, title.added_at) == ("Große", NOON)
    assert (title.is_public, title.opens_at, title.closes_at) == (False, None, None)
    assert title.may_be_shown(NOON)
    with reading(engine) as connection:
        assert connection.scalar(text("SELECT folded FROM title")) == "grosse"
    assert len(SqlEventLog(engine, Clock()).append([Fact("a", "b")])) == 1
    engine.dispose()


def copy_of(address: URL, query: str) -> list[Any]:
    """Rows of the copy that was made before the change."""
    if address.database is not None and address.get_backend_name() == "sqlite":
        copy = sqlite3.connect(f"{address.database}.before-{schema.REVISION}")
        rows = copy.execute(query).fetchall()
        copy.close()
        return rows
    engine = make_engine(address)
    with reading(engine) as connection:
        connection.execute(text(f"SET LOCAL search_path TO before_{schema.REVISION}"))
        rows = [tuple(row) for row in connection.execute(text(query))]
    engine.dispose()
    return rows


def test_a_copy_of_what_was_there_is_kept(old: URL) -> None:
    open_database(old).dispose()

    assert copy_of(old, "SELECT id, name FROM title") == [("t", "Große")]
    assert copy_of(old, "SELECT version_num FROM alembic_version") == [("0001",)]
    engine = open_database(old)  # once more: nothing is copied again
    with writing(engine) as connection:
        connection.execute(text("UPDATE title SET name = 'New'"))
    open_database(old).dispose()
    assert copy_of(old, "SELECT name FROM title") == [("Große",)]
    engine.dispose()


def tables(connection: Connection) -> set[str]:
    return set(inspect(connection).get_table_names())


@pytest.mark.parametrize("old", ["sqlite"], indirect=True)
def test_a_change_without_its_copy_is_not_made(tmp_path: Path, old: URL) -> None:
    (tmp_path / f"library.db.before-{schema.REVISION}.part").mkdir()

    with pytest.raises(LibraryError, match="before"):
        open_database(old)

    engine = make_engine(old)
    with reading(engine) as connection:
        assert "event" not in tables(connection)
    engine.dispose()
    (tmp_path / f"library.db.before-{schema.REVISION}.part").rmdir()
    open_database(old).dispose()


def test_a_new_database_is_not_copied(tmp_path: Path) -> None:
    open_database(f"sqlite:///{tmp_path}/new.db").dispose()

    assert {path.name for path in tmp_path.iterdir()} == {"new.db"}


def test_migrations_make_the_same_tables_in_postgresql(postgres: Postgres) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    address = postgres.ready()
    engine = open_database(address)
    with reading(engine) as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, schema.metadata) == []
        query = (
            "SELECT table_name || '.' || column_name FROM information_schema.columns"
            " WHERE collation_name = 'C' AND table_schema = 'public'"
        )
        found = set(connection.scalars(text(query)))
    engine.dispose()
    postgres.drop(address)

    told = {
        f"{table.name}.{column.name}"
        for table in schema.metadata.tables.values()
        for column in table.columns
        if column.type is ORDERED
    }
    assert found == told
