"""What looks after a library: lineage, scrub, repair."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

from matinee.adapters.copies import KeptOriginals, OtherKeys
from matinee.adapters.ffmpeg.program import Ffmpeg, FfmpegMeter
from matinee.adapters.ffmpeg.stills import FfmpegStills
from matinee.adapters.places import Places
from matinee.adapters.sql.fence import Fence
from matinee.adapters.sql.holdings import SqlHoldings
from matinee.adapters.sql.lineage import SqlLineage
from matinee.adapters.sql.upkeep import SqlFindings, SqlOriginals, SqlScrubs
from matinee.adapters.tools import find_tools
from matinee.adapters.workspace import Workspace
from matinee.config import read_disk_floor
from matinee.core.progress import Progress
from matinee.core.room import Room
from matinee.flows.frames import Eye
from matinee.flows.house import House
from matinee.flows.infirmary import Mender
from matinee.flows.scrub import Ward
from matinee.ports.copies import Copies
from matinee.ports.store import ObjectStore
from matinee.ports.tools import Tool
from matinee.profiles import load_wished
from matinee.stages.bench import Bench
from matinee.stages.redo import Redo
from matinee.stages.slots import Slots, Turn
from matinee.wiring.backup import backups_of
from matinee.wiring.keys import locksmith_of
from matinee.wiring.library import Library, now
from matinee.wiring.publishing import house_for
from matinee.wiring.reading import sandbox_of
from matinee.wiring.records import records_of


@contextmanager
def open_ward(library: Library, *, decodes: bool, cause: str | None = None) -> Iterator[Ward]:
    """What a scrub works with. ``decodes``: it looks at pictures too, and needs the tools."""
    records = records_of(library)
    with Workspace(library.settings.library / "scratch").run() as (_, scratch):
        eye, locksmith = None, locksmith_of(library.settings)
        if decodes:
            ffmpeg = Ffmpeg(Path(find_tools()["ffmpeg"].path), sandbox_of(library.settings))
            eye = Eye(FfmpegMeter(ffmpeg), scratch, records.read, locksmith)
        yield Ward(
            store=library.store,
            records=records,
            holdings=SqlHoldings(library.engine, now),
            findings=SqlFindings(library.engine, now, cause),
            scrubs=SqlScrubs(library.engine, now, cause),
            log=library.events,
            eye=eye,
            locksmith=locksmith,
        )


def copies_of(library: Library) -> Sequence[Copies]:
    """Where other copies may be, in no order: the cheapest that has one is asked first."""
    lineage = SqlLineage(library.engine, now)
    places = Places(Room(floor=read_disk_floor()))
    return (
        OtherKeys(library.store, lineage.places),
        KeptOriginals(SqlOriginals(library.engine, now), places.fetch),
        *backups_of(library),
    )


@contextmanager
def open_mender(
    library: Library, progress: Progress, *, cause: str | None = None,
    tools: dict[str, Tool] | None = None, slots: Turn | None = None, fence: Fence | None = None,
) -> Iterator[Mender]:  # fmt: skip
    """What repairing works with. ``fence``: what is written is conditional on that run."""
    found = tools or find_tools()
    turn = slots or Slots(library.settings.workers).of()

    @contextmanager
    def open_house(redo: Redo, store: ObjectStore) -> Iterator[tuple[House, Bench]]:
        with house_for(library, found, progress, turn, fence, redo) as (house, bench):
            yield house, replace(bench, store=store)

    opener: Callable[[Redo, ObjectStore], AbstractContextManager[tuple[House, Bench]]] = open_house
    with open_ward(library, decodes=True, cause=cause) as ward:
        ffmpeg = Ffmpeg(Path(found["ffmpeg"].path), sandbox_of(library.settings))
        ladders = partial(load_wished, None)
        yield Mender(ward, copies_of(library), opener, ladders, FfmpegStills(ffmpeg))
