"""What publishing works with: for one run of the command line, and for a worker's runs."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from matinee.adapters.ffmpeg.program import Ffmpeg, FfmpegEncoder, FfmpegMeter, FfmpegScanner
from matinee.adapters.reader import ConfinedIndexer
from matinee.adapters.shaka import ShakaPackager
from matinee.adapters.sql.catalog import SqlPackages
from matinee.adapters.sql.fence import All, Fence
from matinee.adapters.sql.ledger import SqlLedger
from matinee.adapters.sql.upkeep import SqlOriginals
from matinee.adapters.sql.visits import visiting
from matinee.adapters.tools import find_tools
from matinee.adapters.workspace import Workspace
from matinee.config import Settings
from matinee.core.progress import Progress
from matinee.flows.house import House
from matinee.media.ladder import Ladder
from matinee.ports.tools import Tool
from matinee.stages.bench import Bench
from matinee.stages.encode import Studio
from matinee.stages.redo import Redo
from matinee.stages.slots import Slots, Turn
from matinee.wiring.keys import locksmith_of
from matinee.wiring.library import Library, now, open_library
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
            locksmith=locksmith_of(settings),
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


def known_tools(settings: Settings) -> dict[str, Tool]:
    """The tools; what was found of them before is kept in the library."""
    return find_tools(settings.library / "tools.json")
