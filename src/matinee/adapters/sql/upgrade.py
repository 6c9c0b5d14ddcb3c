"""Older databases are brought up to date: forwards only, with a copy kept of what was there."""

import os
import shutil
from contextlib import closing
from pathlib import Path

from sqlalchemy import Connection, inspect, text

from matinee.adapters.sql.engines import name_of
from matinee.adapters.sql.schema import REVISION
from matinee.core.errors import LibraryError

_MIGRATIONS = Path(__file__).parent / "migrations"
_LOCK = 0x4D41_5449
"""Names the lock in PostgreSQL that one process at a time has while it brings tables up to date."""


def revision_of(connection: Connection) -> str | None:
    """The migration that the database says it is at; None for an empty one."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return found


def bring_up_to_date(connection: Connection) -> None:
    """Run the migrations that are missing, in the caller's writing transaction.

    A database that has tables is copied first: SQLite's to the file ``<name>.before-<revision>``
    beside it, PostgreSQL's to the schema ``before_<revision>``. The copy is there whole or not at
    all, and is kept. Of processes that do this at once, one does it and the others find it done.

    Raises:
        LibraryError: a newer version of Matinee made the database.
    """
    is_sqlite = connection.dialect.name == "sqlite"
    if not is_sqlite:
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    found = revision_of(connection)
    if found == REVISION:
        return
    # Loading these takes longer than opening a database that needs no migration.
    from alembic.command import upgrade  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415
    from alembic.script import ScriptDirectory  # noqa: PLC0415
    from alembic.util import CommandError  # noqa: PLC0415

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    try:
        if found is not None:
            ScriptDirectory.from_config(config).get_revision(found)
            (_copy_file if is_sqlite else _copy_tables)(connection)
        upgrade(config, "head")
    except CommandError as error:
        raise LibraryError(
            f"the database {name_of(connection.engine)} is of a version that is not known here",
            "use the version of Matinee that made it, or a newer one",
        ) from error


def _copy_file(connection: Connection) -> None:
    """Copy what was last committed: the caller's transaction keeps other writers away."""
    name = connection.engine.url.database
    if not name or name == ":memory:":
        return
    target = Path(f"{name}.before-{REVISION}")
    part = target.with_name(f"{target.name}.part")
    try:
        part.unlink(missing_ok=True)  # of a process that was killed
        with closing(connection.engine.raw_connection()) as reader:
            reader.cursor().execute("VACUUM INTO ?", [str(part)])
        shutil.copymode(name, part)
        with part.open("rb+") as copy:
            os.fsync(copy.fileno())
        part.replace(target)
    except OSError as error:
        raise LibraryError(
            f"the database cannot be copied to {target} before it is changed: {error.strerror}",
            "make the folder of the database writable",
        ) from error


def _copy_tables(connection: Connection) -> None:
    quote = connection.dialect.identifier_preparer.quote
    schema = f"before_{REVISION}"
    connection.execute(text(f"DROP SCHEMA IF EXISTS {schema} CASCADE"))
    connection.execute(text(f"CREATE SCHEMA {schema}"))
    for name in inspect(connection).get_table_names():
        table = quote(name)
        connection.execute(text(f"CREATE TABLE {schema}.{table} AS TABLE {table}"))
