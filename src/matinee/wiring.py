"""The one module that names adapters: puts the parts of Matinee together."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import URL, Engine

from matinee.adapters.ffmpeg.program import Ffmpeg, FfmpegEncoder, FfmpegMeter, FfmpegScanner
from matinee.adapters.folder import changes, has_writer, is_remote, list_files
from matinee.adapters.foreign_buckets import foreign_bucket
from matinee.adapters.objects import folder_objects
from matinee.adapters.owners import die_with_parent, is_dead, this_owner
from matinee.adapters.places import Places
from matinee.adapters.reader import ConfinedIndexer
from matinee.adapters.shaka import ShakaPackager
from matinee.adapters.sql.catalog import SqlPackages, SqlTitles
from matinee.adapters.sql.database import open_database
from matinee.adapters.sql.deliveries import SqlDeliveries
from matinee.adapters.sql.events import SqlEventLog
from matinee.adapters.sql.fence import Fence
from matinee.adapters.sql.ledger import SqlLedger
from matinee.adapters.sql.lineage import SqlLineage
from matinee.adapters.sql.runs import SqlRuns
from matinee.adapters.sql.sessions import SqlReplies, SqlSessions
from matinee.adapters.sql.shelf import SqlShelf
from matinee.adapters.sql.title_desk import SqlTitleDesk
from matinee.adapters.sql.tokens import SqlTokens
from matinee.adapters.tools import find_tools
from matinee.adapters.tools import missing_features as features_missing_in
from matinee.adapters.uploads import DiskUploads
from matinee.adapters.wake import WakePipe
from matinee.adapters.workspace import Workspace
from matinee.config import FilmBucket, Settings, read_disk_floor, read_settings
from matinee.core.errors import LibraryError
from matinee.core.ids import digest_of, slug
from matinee.core.limits import UploadLimits
from matinee.core.progress import Progress
from matinee.core.room import Room
from matinee.flows.board import Board
from matinee.flows.hear_bucket import HeardBucket
from matinee.flows.publish_run import PublishRun
from matinee.flows.publish_title import House
from matinee.flows.watch_folder import Eyes, WatchedFolder
from matinee.flows.work import Worker, urgency
from matinee.ladders import load_ladder
from matinee.media.ladder import Ladder
from matinee.ports.lineage import Lineage
from matinee.ports.runs import Run
from matinee.ports.sessions import Replies, Sessions
from matinee.ports.shelf import Shelf
from matinee.ports.store import ObjectStore
from matinee.ports.tools import Scanner, Tool
from matinee.reading import sandbox_of
from matinee.stages.bench import Bench
from matinee.stages.encode import Studio
from matinee.stages.redo import Redo, functions_from
from matinee.stages.slots import Slots, Turn

DATABASE = "matinee.db"

__all__ = ["die_with_parent", "is_dead"]


@dataclass(frozen=True)
class Library:
    """An open library: its store, catalog and ledger, its events, deliveries and runs."""

    settings: Settings
    engine: Engine
    store: ObjectStore
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
        store=open_store(settings),
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


def open_store(settings: Settings) -> ObjectStore:
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


@contextmanager
def open_house(
    settings: Settings, progress: Progress, *, refresh: bool
) -> Iterator[tuple[House, Bench]]:
    """Everything that publishing needs, for one run of the command line."""
    library, slots = open_library(settings), Slots(settings.workers).of()
    with _house(library, find_tools(), progress, slots) as (house, bench):
        yield house, replace(bench, refresh=refresh)


@contextmanager
def _house(
    library: Library,
    tools: dict[str, Tool],
    progress: Progress,
    slots: Turn,
    fence: Fence | None = None,
    redo: Redo | None = None,
    preview: tuple[Ladder, Turn] | None = None,
) -> Iterator[tuple[House, Bench]]:
    """Everything that one run needs; what a claimed run commits is conditional on its token."""
    settings = library.settings
    sandbox = sandbox_of(settings)
    ffmpeg = Ffmpeg(Path(tools["ffmpeg"].path), sandbox)
    indexer = ConfinedIndexer(sandbox)
    workspace = Workspace(settings.library / "scratch")
    ledger = SqlLedger(library.engine, now, fence)
    waiting = "another publish of this film is running: waiting for it"
    house = House(
        titles=library.titles,
        desk=library.desk,
        packages=SqlPackages(library.engine, now, fence),
        studio=Studio(indexer, FfmpegEncoder(ffmpeg), FfmpegMeter(ffmpeg)),
        scanner=FfmpegScanner(ffmpeg, threads=max(1, settings.workers - 1)),
        packager=ShakaPackager(Path(tools["packager"].path), sandbox),
        now=now,
        stop=indexer.stop,
        exclusive=lambda name: workspace.exclusive(name, lambda: progress.note(waiting)),
        preview=preview,
    )
    with workspace.run() as (run, scratch):
        yield (
            house,
            Bench(
                run=fence.run if fence else run,
                ledger=ledger,
                inventory=ledger,
                store=library.store,
                tools=tools,
                sandbox=sandbox.walls(),
                scratch=scratch,
                slots=slots,
                progress=progress,
                redo=redo or Redo(),
            ),
        )


def open_worker(settings: Settings) -> tuple[Worker, Callable[[], None]]:
    """A worker on the library, and what lets go of its runs at its end.

    Its runs share its slots by their urgency.
    """
    library, tools = open_library(settings), find_tools()
    owner, slots = this_owner(), Slots(settings.workers)
    preview = load_ladder("preview"), Slots(1).of()

    def house_of(run: Run, board: Board) -> AbstractContextManager[tuple[House, Bench]]:
        turn, fence = slots.of(urgency(run.wish)), Fence(run.id, run.token)
        return _house(library, tools, board, turn, fence, _redo(library.ledger, run), preview)

    worker = Worker(
        queue=library.runs,
        execute=PublishRun(Places(Room(floor=read_disk_floor())).fetch, load_ladder, house_of),
        owner=owner,
        at_once=settings.workers + 1,
    )
    return worker, lambda: release_all(library, owner)


def _redo(ledger: SqlLedger, run: Run) -> Redo:
    """What a run that went back to a stage makes anew; what it has made since then stays."""
    stage = run.wish.request.get("redo")
    if stage is None:
        return Redo()
    tried = ledger.attempts(run.id)
    made = {a.key for a in tried if a.outcome == "done" and a.started_at >= run.queued_at}
    return Redo(functions_from(stage), made)


def release_all(library: Library, owner: str) -> None:
    """Let go of all that an owner holds which is about to end, or dead."""
    library.runs.release_all(owner)
    library.deliveries.release_all(owner)


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


def watched_folder(library: Library, folder: Path, note: Callable[[str], None]) -> WatchedFolder:
    """A folder that films come from; ``watch`` it for as long as the service runs."""
    eyes = Eyes(list_files, changes, has_writer, is_remote)
    return WatchedFolder(folder, library.events, eyes, note)


def disk_uploads(library: Library, limits: UploadLimits) -> DiskUploads:
    """The uploads of a library; ``start`` them, then ``tend`` them as long as the service runs."""
    return DiskUploads(library.settings.library / "uploads", library.events, limits, now)


def heard_bucket(library: Library, told: FilmBucket, note: Callable[[str], None]) -> HeardBucket:
    """A bucket that films come from; ``list_for_ever`` it, and ``hear`` what it tells."""
    name = slug(f"{told.name}-{told.prefix}") + f"-{digest_of(str(told).encode())[:8]}"
    return HeardBucket(
        name=told.name,
        prefix=told.prefix,
        bucket=foreign_bucket(told.name),
        log=library.events,
        bookmark=library.settings.library / "scratch" / "listings" / f"{name}.json",
        note=note,
    )


@dataclass(frozen=True)
class WebParts:
    """What the web keeps and asks beside the library's ports."""

    shelf: Shelf
    lineage: Lineage
    sessions: Sessions
    replies: Replies


def web_parts(library: Library) -> WebParts:
    """The web's own ports, over the library's database."""
    return WebParts(
        shelf=SqlShelf(library.engine),
        lineage=SqlLineage(library.engine, now),
        sessions=SqlSessions(library.engine, now),
        replies=SqlReplies(library.engine, now),
    )
