"""An open library."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import URL, Engine

from matinee.adapters.objects import folder_objects
from matinee.adapters.sparing import SparingStore
from matinee.adapters.sql.catalog import SqlPackages, SqlTitles
from matinee.adapters.sql.database import open_database
from matinee.adapters.sql.deliveries import SqlDeliveries
from matinee.adapters.sql.events import SqlEventLog
from matinee.adapters.sql.ledger import SqlLedger
from matinee.adapters.sql.runs import SqlRuns
from matinee.adapters.sql.title_desk import SqlTitleDesk
from matinee.adapters.sql.tokens import SqlTokens
from matinee.adapters.sql.visits import SqlSpare
from matinee.adapters.wake import WakePipe
from matinee.adapters.workspace import Workspace
from matinee.config import Settings
from matinee.core.errors import LibraryError
from matinee.ports.store import ListedStore

DATABASE = "matinee.db"


@dataclass(frozen=True)
class Library:
    """An open library: its store, catalog and ledger, its events, deliveries and runs."""

    settings: Settings
    engine: Engine
    store: ListedStore
    titles: SqlTitles
    desk: SqlTitleDesk
    packages: SqlPackages
    ledger: SqlLedger
    events: SqlEventLog
    deliveries: SqlDeliveries
    runs: SqlRuns
    tokens: SqlTokens


def now() -> datetime:
    """The wall clock, in UTC."""
    return datetime.now(UTC)


def open_library(settings: Settings) -> Library:
    """Open the library, made if it is not there; its bucket must be.

    Raises:
        LibraryError: it cannot be made, read or written.
    """
    try:
        settings.library.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LibraryError(
            f"the library {settings.library} cannot be made: {error.strerror}",
            "give a folder that can be written with --library",
        ) from error
    engine = open_database(database_url(settings), wake_pipe(settings).poke)
    return Library(
        settings=settings,
        engine=engine,
        store=SparingStore(open_store(settings), SqlSpare(engine)),
        titles=SqlTitles(engine, now),
        desk=SqlTitleDesk(engine, now),
        packages=SqlPackages(engine, now),
        ledger=SqlLedger(engine, now),
        events=SqlEventLog(engine, now),
        deliveries=SqlDeliveries(engine, now),
        runs=SqlRuns(engine, now),
        tokens=SqlTokens(engine, now),
    )


def wake_pipe(settings: Settings) -> WakePipe:
    """How whoever writes into the library wakes the service that runs on it."""
    return WakePipe(settings.library / "scratch" / "wake")


def sweep_scratch(settings: Settings) -> None:
    """Remove what dead processes left in the library's scratch folder, as far as that goes."""
    with suppress(OSError):
        Workspace(settings.library / "scratch").sweep()


@contextmanager
def alone_on(settings: Settings) -> Iterator[None]:
    """Be the only service of this machine that works on the library, until the block ends.

    Raises:
        LibraryBusy: another one does.
    """
    told = f"a service works on the library {settings.address} already"
    with Workspace(settings.library / "scratch").alone("service", told):
        yield


def open_store(settings: Settings) -> ListedStore:
    """Where the library's objects are.

    Raises:
        LibraryError: the folder or the bucket cannot be used.
    """
    bucket = settings.bucket
    if bucket is None:
        return folder_objects(settings.library)
    # A library in a folder, or a command that needs none, does without what buckets need.
    from matinee.adapters.buckets import bucket_objects  # noqa: PLC0415

    return bucket_objects(bucket.scheme, bucket.name, bucket.prefix, bucket.endpoint)


def database_url(settings: Settings) -> str | URL:
    """The address of the library's database: the one that was given, else a file of the library."""
    if settings.database is not None:
        return settings.database
    return URL.create("sqlite", database=str(settings.library / DATABASE))


def release_all(library: Library, owner: str) -> None:
    """Let go of all that an owner holds which is about to end, or dead."""
    library.runs.release_all(owner)
    library.deliveries.release_all(owner)
