"""What a worker works with: the flows that runs are of."""

import logging
import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from matinee.adapters.owners import this_owner
from matinee.adapters.places import Places
from matinee.adapters.sql.fence import Fence
from matinee.adapters.sql.ledger import SqlLedger
from matinee.config import Settings, read_disk_floor
from matinee.core.room import Room, shown_bytes
from matinee.flows.board import Board
from matinee.flows.house import House
from matinee.flows.infirmary import Mender
from matinee.flows.publish_run import PublishRun
from matinee.flows.rekey import RekeyRun
from matinee.flows.scrub import Ward
from matinee.flows.upkeep_runs import Flows, RepairRun, ScrubRun
from matinee.flows.work import Execute, Worker, urgency
from matinee.ladders import preview_ladder
from matinee.ports.runs import Run
from matinee.profiles import load_wished
from matinee.stages.bench import Bench
from matinee.stages.redo import Redo, functions_from
from matinee.stages.slots import Slots
from matinee.wiring.library import open_library, release_all
from matinee.wiring.publishing import house_for, known_tools
from matinee.wiring.upkeep import open_mender, open_ward

log = logging.getLogger("matinee.worker")


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

    def ward_of(run: Run) -> AbstractContextManager[Ward]:
        return open_ward(library, decodes=True, cause=run.wish.cause)

    def mender_of(run: Run, board: Board) -> AbstractContextManager[Mender]:
        turn, fence = slots.of(urgency(run.wish)), Fence(run.id, run.token)
        return open_mender(
            library, board, cause=run.wish.cause, tools=tools, slots=turn, fence=fence
        )

    flows: dict[str, Execute] = {
        "publish": PublishRun(
            Places(Room(floor=floor)).fetch, load_wished, open_for, library.events.append
        ),
        "scrub": ScrubRun(ward_of),
        "repair": RepairRun(mender_of),
        "rekey": RekeyRun(open_for),
    }
    worker = Worker(
        queue=library.runs,
        execute=Flows(flows),
        owner=owner,
        at_once=settings.workers + 1,
        has_room=lambda: has_room(settings.library, floor),
    )
    return worker, lambda: release_all(library, owner)


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
