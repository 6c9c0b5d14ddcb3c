"""Opening the database, transactions, and the few statements that need its dialect."""

import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

from sqlalchemy import URL, Connection, Engine, Table, create_engine, event, inspect, text
from sqlalchemy.dialects.sqlite import Insert
from sqlalchemy.exc import SQLAlchemyError

from matinee.adapters.sql.schema import REVISION
from matinee.core.errors import LibraryBusy, LibraryError, LibraryFull
from matinee.core.ids import canonical_json

BUSY_TIMEOUT_S = 10
"""How long a SQLite writer waits for the one before it."""

_MIGRATIONS = Path(__file__).parent / "migrations"
_WRITES = "matinee_writes"
_WAKE = "matinee_wake"
_TOLD = "matinee_told"

_HINTS = {
    "SQLITE_READONLY": "make the file and its folder writable",
    "SQLITE_CANTOPEN": "check that the folder is there and can be written",
    "SQLITE_CORRUPT": "restore the file from a backup",
    "SQLITE_NOTADB": "name a library's database, or move that file away",
}


def open_database(url: str | URL, wake: Callable[[], None] | None = None) -> Engine:
    """A database with all tables, brought up to date first if it is older.

    An up-to-date database is opened without loading the machinery of migrations. Two processes may
    open the same new database at once.

    Args:
        url: SQLAlchemy's address of it; ``URL.create`` spells any path right.
        wake: Called after each transaction that told of something.

    Raises:
        LibraryError: it cannot be reached or read, or a newer version of Matinee made it.
    """
    engine = _engine(url)
    if wake is not None:
        engine.update_execution_options(**{_WAKE: wake})
    try:
        with reading(engine) as connection:
            found = _revision(connection)
        if found != REVISION:
            with writing(engine) as connection:
                _migrate(connection)
    except BaseException:
        engine.dispose()
        raise
    return engine


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A transaction that only reads, and sees one state of the database throughout.

    Raises:
        LibraryError: the database failed; ``LibraryBusy`` when trying again may help.
    """
    with _failures(engine), engine.connect() as connection, connection.begin():
        yield connection


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A transaction that writes: all of it is kept, or nothing when the block raises.

    Raises:
        LibraryError: the database failed; ``LibraryBusy`` when trying again may help.
    """
    with _failures(engine), engine.connect() as connection:
        connection.execution_options(**{_WRITES: True})
        connection.info.pop(_TOLD, None)
        with connection.begin():
            yield connection
        if connection.info.pop(_TOLD, False) and (
            wake := engine.get_execution_options().get(_WAKE)
        ):
            wake()


def has_told(connection: Connection) -> None:
    """Note that the transaction tells of something: who listens is woken when it is committed."""
    connection.info[_TOLD] = True


def insert_if_absent(connection: Connection, table: Table) -> Insert:
    """An insert that leaves a row alone which has the same primary or unique key."""
    return _insert(connection, table).on_conflict_do_nothing()


def insert_or_change(
    connection: Connection, table: Table, key: Sequence[str], changed: Sequence[str]
) -> Insert:
    """An insert that, where a row has the same ``key``, replaces its ``changed`` columns."""
    insert = _insert(connection, table)
    return insert.on_conflict_do_update(
        index_elements=key, set_={name: insert.excluded[name] for name in changed}
    )


def _insert(connection: Connection, table: Table) -> Insert:
    # SQLite and PostgreSQL spell ON CONFLICT alike, but SQLAlchemy keeps it with each dialect.
    dialect = import_module(f"sqlalchemy.dialects.{connection.dialect.name}")
    insert: Insert = dialect.insert(table)
    return insert


def _engine(url: str | URL) -> Engine:
    try:
        engine = create_engine(url, json_serializer=canonical_json)
    except (SQLAlchemyError, ImportError) as error:
        raise LibraryError(
            f"no database can be opened by that address: {error}",
            "an address looks like sqlite:////folder/library.db",
        ) from error
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _set_up_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    return engine


def _set_up_sqlite(connection: sqlite3.Connection, record: object) -> None:
    del record
    connection.isolation_level = None  # the driver begins nothing by itself: _begin_sqlite does
    connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_S * 1000}")
    _write_ahead(connection)
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA foreign_keys = ON")


def _write_ahead(connection: sqlite3.Connection) -> None:
    # Turning a new file to WAL is the one thing that does not wait for busy_timeout: two processes
    # that open it at once would refuse each other.
    deadline = time.monotonic() + BUSY_TIMEOUT_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if not error.sqlite_errorname.startswith("SQLITE_BUSY") or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return


def _begin_sqlite(connection: Connection) -> None:
    # A writer takes its turn at once: a reader that turns writer halfway is refused, not queued.
    writes = connection.get_execution_options().get(_WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _revision(connection: Connection) -> str | None:
    """The migration that the database says it is at; None for an empty one."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return found


def _migrate(connection: Connection) -> None:
    # Loading these takes longer than opening a database that needs no migration.
    from alembic.command import upgrade  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415
    from alembic.util import CommandError  # noqa: PLC0415

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    try:
        upgrade(config, "head")
    except CommandError as error:
        raise LibraryError(
            f"the database {_name(connection.engine)} is of a version that is not known here",
            "use the version of Matinee that made it, or a newer one",
        ) from error


@contextmanager
def _failures(engine: Engine) -> Iterator[None]:
    """Say in our words what the database refused."""
    try:
        yield
    except SQLAlchemyError as error:
        cause = getattr(error, "orig", None) or error
        reason = getattr(cause, "sqlite_errorname", "")
        message = f"the database {_name(engine)} failed: {cause}"
        if reason.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
            raise LibraryBusy(message, "wait for the other process, then try again") from error
        if reason == "SQLITE_FULL":
            raise LibraryFull(message) from error
        hint = next((hint for start, hint in _HINTS.items() if reason.startswith(start)), "")
        raise LibraryError(message, hint or "check that the database is there") from error


def _name(engine: Engine) -> str:
    return engine.url.database or engine.url.render_as_string()
