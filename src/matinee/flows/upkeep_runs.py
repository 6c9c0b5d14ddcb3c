"""Runs of the flows ``scrub`` and ``repair``: what a service does by rule, or a person asks for."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from matinee.core.errors import UsageError
from matinee.core.progress import Stage
from matinee.flows.board import Board
from matinee.flows.infirmary import Done, Mender
from matinee.flows.repair import repair
from matinee.flows.scrub import SAMPLE, Wanted, Ward, scrub
from matinee.flows.work import Execute, Outcome
from matinee.ports.runs import Run
from matinee.ports.upkeep import Scrub

LIBRARY = "the library"
"""What a run is called that is about all of it, where others have a film's name."""


@dataclass(frozen=True, slots=True)
class Flows:
    """Carries out runs by the name of their flow."""

    by_name: Mapping[str, Execute]

    async def __call__(self, run: Run, board: Board) -> Outcome:
        """Carry a run out once.

        Raises:
            UsageError: no such flow. MatineeError: as the flow.
        """
        execute = self.by_name.get(run.wish.flow)
        if execute is None:
            raise UsageError(
                f"there is no flow {run.wish.flow!r}", f"flows are: {', '.join(self.by_name)}"
            )
        return await execute(run, board)


@dataclass(frozen=True, slots=True)
class ScrubRun:
    """Carries out runs of ``scrub``. ``open_ward`` gives what one works with."""

    open_ward: Callable[[Run], AbstractContextManager[Ward]]

    async def __call__(self, run: Run, board: Board) -> Outcome:
        """One pass, or the rest of it."""
        with self.open_ward(run) as ward:
            objects, size = await asyncio.to_thread(ward.holdings.size)
            wanted = wanted_of(run.wish.request, size)
            if wanted.title is not None:
                board.titled(wanted.title)
            done = await scrub(ward, wanted, _teller(board, objects))
            found = await asyncio.to_thread(ward.findings.all_open, wanted.title)
        return Outcome("done", {"scrub": done.id, "title": wanted.title, "findings": len(found)})


def wanted_of(request: Mapping[str, Any], size: int) -> Wanted:
    """What a request asks for. ``within_s``: as fast as reading ``size`` bytes in it needs."""
    rate, within_s, since = (request.get(name) for name in ("rate", "within_s", "since"))
    if rate is None and within_s:
        rate = max(1.0, size / within_s)
    sample = request.get("sample")
    return Wanted(
        rate=rate,
        sample=SAMPLE if sample is None else sample,
        since=datetime.fromisoformat(since) if since else None,
        title=request.get("title"),
    )


def _teller(board: Board, objects: int) -> Callable[[Scrub], None]:
    """Puts where a pass stands on the board, a line for each phase."""
    reached = 0

    def tell(state: Scrub) -> None:
        nonlocal reached
        board.started(Stage(state.phase, objects if state.phase == "objects" else 0))
        for name in board.lines:
            if name != state.phase:
                board.finished(name)
        if state.phase == "objects":
            count = state.counts.get("objects", 0)
            board.advanced("objects", count - reached)
            reached = count

    return tell


@dataclass(frozen=True, slots=True)
class RepairRun:
    """Carries out runs of ``repair``. ``open_mender`` gives what one works with."""

    open_mender: Callable[[Run, Board], AbstractContextManager[Mender]]

    async def __call__(self, run: Run, board: Board) -> Outcome:
        """Mend what is open; of one thing, if the request names it."""
        with self.open_mender(run, board) as mender:
            done = await repair(mender, run.wish.request.get("thing"), dry_run=False)
        return outcome_of(done)


def outcome_of(done: Done) -> Outcome:
    """How a repair ended: ``failed`` where something is lost or left."""
    result = {
        "mended": len(done.mended), "lost": len(done.lost), "left": len(done.left),
        "cost_s": round(done.cost_s, 3),
    }  # fmt: skip
    unmended = [*done.lost, *done.left]
    if not unmended:
        return Outcome("done", result)
    said = "; ".join(f"{finding.fault.words}: {reason}" for finding, reason in unmended[:3])
    error = {
        "code": "object.damaged",
        "message": f"{len(unmended)} faults are not mended: {said}",
        "hint": "see all with: matinee repair --json",
    }
    return Outcome("failed", result, error)
