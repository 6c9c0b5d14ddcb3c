"""What publishing works with: for one run of the command line, and for a worker's runs."""

import logging
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path

from matinee.adapters.ffmpeg.program import Ffmpeg, FfmpegEncoder, FfmpegMeter, FfmpegScanner
from matinee.adapters.owners import this_owner
from matinee.adapters.places import Places
from matinee.adapters.reader import ConfinedIndexer
from matinee.adapters.shaka import ShakaPackager
from matinee.adapters.sql.catalog import SqlPackages
from matinee.adapters.sql.fence import All, Fence
from matinee.adapters.sql.ledger import SqlLedger
from matinee.adapters.sql.upkeep import SqlOriginals
from matinee.adapters.sql.visits import visiting
from matinee.adapters.tools import find_tools
from matinee.adapters.workspace import Workspace
from matinee.config import Settings, read_disk_floor
from matinee.core.progress import Progress
from matinee.core.room import Room, shown_bytes
from matinee.flows.board import Board
from matinee.flows.publish_run import PublishRun
from matinee.flows.publish_title import House
from matinee.flows.work import Worker, urgency
from matinee.ladders import preview_ladder
from matinee.media.ladder import Ladder
from matinee.ports.runs import Run
from matinee.ports.tools import Tool
from matinee.profiles import load_wished
from matinee.stages.bench import Bench
from matinee.stages.encode import Studio
from matinee.stages.redo import Redo, functions_from
from matinee.stages.slots import Slots, Turn
from matinee.wiring.library import Library, now, open_library, release_all
from matinee.wiring.reading import sandbox_of

log = logging.getLogger("matinee.worker")


@contextmanager
def open_house(
    settings: Settings, progress: Progress, *, refresh: bool
) -> Iterator[tuple[House, Bench]]:
    """Everything that publishing needs, for one run of the command line."""
    library, slots = open_library(settings), Slots(settings.workers).of()
    with house_for(library, known_tools(settings), progress, slots) as (house, bench):
        yield house, replace(bench, refresh=refresh)


@contextmanager
def house_for(
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
    waiting = "another publish of this film is running: waiting for it"
    with visiting(library.engine) as visit, workspace.run() as (run, scratch):
        guard = All([visit] if fence is None else [fence, visit])
        ledger = SqlLedger(library.engine, now, guard, spares=True)
        house = House(
            titles=library.titles,
            desk=library.desk,
            packages=SqlPackages(library.engine, now, guard),
            studio=Studio(indexer, FfmpegEncoder(ffmpeg), FfmpegMeter(ffmpeg)),
            scanner=FfmpegScanner(ffmpeg, threads=max(1, settings.workers - 1)),
            packager=ShakaPackager(Path(tools["packager"].path), sandbox),
            now=now,
            stop=indexer.stop,
            exclusive=lambda name: workspace.exclusive(name, lambda: progress.note(waiting)),
            preview=preview,
            workers=settings.workers,
            originals=SqlOriginals(library.engine, now),
        )
        bench = Bench(
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
        )
        yield house, bench


def open_worker(settings: Settings) -> tuple[Worker, Callable[[], None]]:
    """A worker on the library, and what lets go of its runs at its end.

    Its runs share its slots by their urgency.
    """
    library, tools = open_library(settings), known_tools(settings)
    owner, slots = this_owner(), Slots(settings.workers)
    preview = preview_ladder(), Slots(1).of()
    floor = read_disk_floor()

    def open_for(run: Run, board: Board) -> AbstractContextManager[tuple[House, Bench]]:
        turn, fence = slots.of(urgency(run.wish)), Fence(run.id, run.token)
        return house_for(library, tools, board, turn, fence, _redo(library.ledger, run), preview)

    worker = Worker(
        queue=library.runs,
        execute=PublishRun(
            Places(Room(floor=floor)).fetch, load_wished, open_for, library.events.append
        ),
        owner=owner,
        at_once=settings.workers + 1,
        has_room=lambda: has_room(settings.library, floor),
    )
    return worker, lambda: release_all(library, owner)


def known_tools(settings: Settings) -> dict[str, Tool]:
    """The tools; what was found of them before is kept in the library."""
    return find_tools(settings.library / "scratch" / "tools.json")


def has_room(folder: Path, floor: int) -> bool:
    """Whether more than ``floor`` bytes are free on the folder's disk: work is taken only then."""
    free = shutil.disk_usage(folder).free
    if free <= floor:
        log.warning("%s has %s free: no run is begun", folder, shown_bytes(free))
    return free > floor


def _redo(ledger: SqlLedger, run: Run) -> Redo:
    """What a run that went back to a stage makes anew; what it has made since then stays."""
    stage = run.wish.request.get("redo")
    if stage is None:
        return Redo()
    tried = ledger.attempts(run.id)
    made = {a.key for a in tried if a.outcome == "done" and a.started_at >= run.queued_at}
    return Redo(functions_from(stage), made=made)
