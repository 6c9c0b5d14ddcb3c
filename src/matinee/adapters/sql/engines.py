"""The two databases behind one face: how they are set up, and what their failures mean."""

import sqlite3
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import SQLAlchemyError

from matinee.core.errors import LibraryBusy, LibraryError, LibraryFull, LibraryUnwritable
from matinee.core.ids import canonical_json

BUSY_TIMEOUT_S = 10
"""How long a writer waits for the one before it."""

IDLE_TIMEOUT_S = 60
"""How long PostgreSQL lets a process that stopped in mid-transaction keep others waiting."""

WRITES = "matinee_writes"
"""The option of a connection that is going to write."""

_TURN = "matinee_turn"
"""The option of an engine with the lock that its writers in this process take turns by."""

_HINTS = {
    "SQLITE_READONLY": "make the file and its folder writable",
    "SQLITE_CANTOPEN": "check that the folder is there and can be written",
    "SQLITE_CORRUPT": "restore the file from a backup",
    "SQLITE_NOTADB": "name a library's database, or move that file away",
    "28": "check user and password of the database's address",
    "25006": "use the primary server: a standby takes no writes",
    "42501": "let the user of the database make and change tables",
    "3D000": "make the database first: createdb NAME",
}
"""What to do, by the beginning of SQLite's name of an error, or of PostgreSQL's number."""

_BUSY = ("SQLITE_BUSY", "SQLITE_LOCKED", "40001", "40P01", "55P03", "53300", "57P", "25P03", "08")
"""Failures that trying again may mend: a lock, a deadlock, a connection that was cut."""

_UNWRITABLE = ("SQLITE_READONLY", "SQLITE_CANTOPEN", "25006")

_FULL = ("SQLITE_FULL", "53100")


def make_engine(url: str | URL) -> Engine:
    """What opens connections to the database of that address.

    Raises:
        LibraryError: no database has such an address, or its driver is not installed.
    """
    try:
        address = make_url(url)
        if address.drivername in ("postgresql", "postgres"):
            address = address.set(drivername="postgresql+psycopg")
        is_sqlite = address.get_backend_name() == "sqlite"
        arguments = {} if is_sqlite else _patience(address)
        engine = create_engine(address, json_serializer=canonical_json, connect_args=arguments)
    except ModuleNotFoundError as error:
        raise LibraryError(
            f"no database can be opened by that address: {error.name} is not installed",
            "install it with: pip install 'matinee[postgresql]'",
        ) from error
    except (SQLAlchemyError, ValueError) as error:
        raise LibraryError(
            "no database can be opened by that address",
            "an address looks like sqlite:////folder/library.db or postgresql://user@host/name",
        ) from error
    if is_sqlite:
        engine.update_execution_options(**{_TURN: threading.Lock()})
        event.listen(engine, "connect", _set_up_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    return engine


@contextmanager
def turn_to_write(engine: Engine) -> Iterator[None]:
    """Let the threads of this process write one after another, where SQLite would let one only.

    SQLite makes a writer that comes too early sleep, up to 100 ms at a time, whoever is done
    meanwhile; here the next one goes on at once. Other processes' writers it keeps off as before.

    Raises:
        LibraryBusy: the turn did not come.
    """
    turn: threading.Lock | None = engine.get_execution_options().get(_TURN)
    if turn is None:
        yield
        return
    if not turn.acquire(timeout=BUSY_TIMEOUT_S):
        raise LibraryBusy(f"the database {name_of(engine)} is written to for too long")
    try:
        yield
    finally:
        turn.release()


@contextmanager
def failures(engine: Engine) -> Iterator[None]:
    """Say in our words what the database refused."""
    try:
        yield
    except (SQLAlchemyError, sqlite3.Error) as error:
        cause = getattr(error, "orig", None) or error
        reason = getattr(cause, "sqlite_errorname", None) or getattr(cause, "sqlstate", None) or ""
        message = f"the database {name_of(engine)} failed: {_said(engine, cause)}"
        if reason.startswith(_BUSY) or getattr(error, "connection_invalidated", False):
            raise LibraryBusy(message, "wait for the other process, then try again") from error
        if reason.startswith(_FULL):
            raise LibraryFull(message) from error
        hint = next((hint for start, hint in _HINTS.items() if reason.startswith(start)), "")
        if reason.startswith(_UNWRITABLE):
            raise LibraryUnwritable(message, hint) from error
        raise LibraryError(message, hint or "check that the database is there") from error


def name_of(engine: Engine) -> str:
    """The database as messages name it, without user and password."""
    url = engine.url
    if engine.dialect.name == "sqlite":
        return url.database or url.render_as_string()
    return f"postgresql://{url.host or 'localhost'}/{url.database or ''}"


def _said(engine: Engine, cause: BaseException) -> str:
    """The database's words on one line; a password in them is no longer readable."""
    words = " ".join(str(cause).split())
    for secret in (engine.url.password, engine.url.query.get("password")):
        if isinstance(secret, str) and secret:
            words = words.replace(secret, "***")
    return words


def _patience(address: URL) -> Mapping[str, object]:
    """How long a server is waited for; what the address says goes first."""
    options = f"-c lock_timeout={BUSY_TIMEOUT_S}s"
    options += f" -c idle_in_transaction_session_timeout={IDLE_TIMEOUT_S}s"
    usual = {"connect_timeout": BUSY_TIMEOUT_S, "options": options}
    return {name: value for name, value in usual.items() if name not in address.query}


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
    writes = connection.get_execution_options().get(WRITES, False)
    # By the driver itself: it is most of what a short transaction takes.
    driver: sqlite3.Connection = connection.connection.dbapi_connection  # type: ignore[assignment]
    driver.execute("BEGIN IMMEDIATE" if writes else "BEGIN")
