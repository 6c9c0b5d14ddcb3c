"""The one module that names adapters: puts the parts of Matinee together."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import URL

from matinee.adapters.ffmpeg.program import Ffmpeg, FfmpegEncoder, FfmpegMeter, FfmpegScanner
from matinee.adapters.objects import folder_objects
from matinee.adapters.reader import ConfinedIndexer
from matinee.adapters.shaka import ShakaPackager
from matinee.adapters.sql.catalog import SqlPackages, SqlTitles
from matinee.adapters.sql.database import open_database
from matinee.adapters.sql.ledger import SqlLedger
from matinee.adapters.tools import find_tools
from matinee.adapters.tools import missing_features as features_missing_in
from matinee.adapters.workspace import Workspace
from matinee.config import Settings, read_settings
from matinee.core.errors import LibraryError
from matinee.core.progress import Progress
from matinee.flows.publish_title import House
from matinee.ports.store import ObjectStore
from matinee.ports.tools import Scanner, Tool
from matinee.reading import sandbox_of
from matinee.stages.bench import Bench
from matinee.stages.encode import Studio

DATABASE = "matinee.db"


@dataclass(frozen=True)
class Library:
    """An open library: its store, catalog and ledger."""

    settings: Settings
    store: ObjectStore
    titles: SqlTitles
    packages: SqlPackages
    ledger: SqlLedger


def now() -> datetime:
    """The wall clock, in UTC."""
    return datetime.now(UTC)


def open_library(settings: Settings) -> Library:
    """Open the library, made if it is not there.

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
    address = URL.create("sqlite", database=str(settings.library / DATABASE))
    engine = open_database(address)
    ledger = SqlLedger(engine, now)
    return Library(
        settings=settings,
        store=folder_objects(settings.library),
        titles=SqlTitles(engine),
        packages=SqlPackages(engine, now),
        ledger=ledger,
    )


@contextmanager
def open_house(
    settings: Settings, progress: Progress, *, refresh: bool
) -> Iterator[tuple[House, Bench]]:
    """Everything that publishing needs, for one run."""
    library = open_library(settings)
    tools = find_tools()
    sandbox = sandbox_of(settings)
    ffmpeg = Ffmpeg(Path(tools["ffmpeg"].path), sandbox)
    indexer = ConfinedIndexer(sandbox)
    workspace = Workspace(settings.library / "scratch")
    waiting = "another publish of this film is running: waiting for it"
    house = House(
        titles=library.titles,
        packages=library.packages,
        studio=Studio(indexer, FfmpegEncoder(ffmpeg), FfmpegMeter(ffmpeg)),
        scanner=FfmpegScanner(ffmpeg, threads=max(1, settings.workers - 1)),
        packager=ShakaPackager(Path(tools["packager"].path), sandbox),
        now=now,
        stop=indexer.stop,
        exclusive=lambda name: workspace.exclusive(name, lambda: progress.note(waiting)),
    )
    with workspace.run() as (run, scratch):
        yield (
            house,
            Bench(
                run=run,
                ledger=library.ledger,
                inventory=library.ledger,
                store=library.store,
                tools=tools,
                sandbox=sandbox.walls(),
                scratch=scratch,
                slots=asyncio.Semaphore(settings.workers),
                progress=progress,
                refresh=refresh,
            ),
        )


def scanner() -> Scanner:
    """What looks at films, for plans."""
    sandbox = sandbox_of(read_settings(None, None))
    return FfmpegScanner(Ffmpeg(Path(find_tools()["ffmpeg"].path), sandbox))


def walls() -> tuple[str, ...]:
    """What confines tools on this machine, for ``doctor``.

    Raises:
        ToolError: the kernel has a wall but does not let us build it.
    """
    return sandbox_of(read_settings(None, None)).walls()


def tools() -> dict[str, Tool]:
    """The media tools, for ``doctor``."""
    return find_tools()


def missing_features(found: dict[str, Tool]) -> list[str]:
    """What ffmpeg lacks of what Matinee needs."""
    return features_missing_in(found["ffmpeg"])
