"""Opening the database, transactions, and the few statements that need its dialect."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from importlib import import_module

from sqlalchemy import URL, Connection, Engine, Table
from sqlalchemy.dialects.sqlite import Insert

from matinee.adapters.sql.engines import WRITES, failures, make_engine, turn_to_write
from matinee.adapters.sql.schema import REVISION
from matinee.adapters.sql.upgrade import bring_up_to_date, revision_of

_WAKE = "matinee_wake"
_TOLD = "matinee_told"


def open_database(url: str | URL, wake: Callable[[], None] | None = None) -> Engine:
    """A database with all tables, brought up to date first if it is older.

    A copy of the older one is kept. An up-to-date database is opened without loading the machinery
    of migrations. Two processes may open the same new database at once.

    Args:
        url: SQLAlchemy's address of it; ``URL.create`` spells any path right.
        wake: Called after each transaction that told of something.

    Raises:
        LibraryError: it cannot be reached or read, or a newer version of Matinee made it.
    """
    engine = make_engine(url)
    if wake is not None:
        engine.update_execution_options(**{_WAKE: wake})
    try:
        with reading(engine) as connection:
            found = revision_of(connection)
        if found != REVISION:
            with writing(engine) as connection:
                bring_up_to_date(connection)
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
    with failures(engine), engine.connect() as connection:
        if engine.dialect.name != "sqlite":  # whose transactions always see one state
            connection.execution_options(isolation_level="REPEATABLE READ")
        with connection.begin():
            yield connection


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A transaction that writes: all of it is kept, or nothing when the block raises.

    Raises:
        LibraryError: the database failed; ``LibraryBusy`` when trying again may help.
    """
    with failures(engine), turn_to_write(engine), engine.connect() as connection:
        connection.execution_options(**{WRITES: True})
        connection.info.pop(_TOLD, None)
        with connection.begin():
            yield connection
        told = connection.info.pop(_TOLD, False)
    if told and (wake := engine.get_execution_options().get(_WAKE)):
        wake()


def has_told(connection: Connection) -> None:
    """Note that the transaction tells of something: who listens is woken when it is committed."""
    connection.info[_TOLD] = True


def insert_if_absent(connection: Connection, table: Table) -> Insert:
    """An insert that leaves a row alone which has the same primary or unique key."""
    return _insert_if_absent(connection.dialect.name, table)


def insert_or_change(
    connection: Connection, table: Table, key: Sequence[str], changed: Sequence[str]
) -> Insert:
    """An insert that, where a row has the same ``key``, replaces its ``changed`` columns."""
    return _insert_or_change(connection.dialect.name, table, tuple(key), tuple(changed))


# Statements are built once: building one takes longer than running it.


@cache
def _insert_if_absent(dialect: str, table: Table) -> Insert:
    return _insert(dialect, table).on_conflict_do_nothing()


@cache
def _insert_or_change(
    dialect: str, table: Table, key: tuple[str, ...], changed: tuple[str, ...]
) -> Insert:
    insert = _insert(dialect, table)
    return insert.on_conflict_do_update(
        index_elements=key, set_={name: insert.excluded[name] for name in changed}
    )


def _insert(dialect: str, table: Table) -> Insert:
    # SQLite and PostgreSQL spell ON CONFLICT alike, but SQLAlchemy keeps it with each dialect.
    insert: Insert = import_module(f"sqlalchemy.dialects.{dialect}").insert(table)
    return insert
