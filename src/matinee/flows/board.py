"""Where a run stands: its stages, its grid of chunks and rungs, its speed and the time left.

The command line draws it; a worker tells it as JSON (see ``as_json``), and the studio draws that.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from matinee.core.progress import CellState, Progress, Stage

SETTLED_S = 3.0
"""Before so many seconds of work, no time left is claimed."""

LETTERS: dict[CellState, str] = {
    "queued": "q", "running": "r", "encoded": "e", "done": "d", "reused": "u", "failed": "f",
}  # fmt: skip


@dataclass
class Line:
    """One stage as it stands. ``fresh`` counts the frames that were made now, not reused."""

    stage: Stage
    begun: float
    done: int = 0
    fresh: int = 0
    is_finished: bool = False
    ended: float | None = None

    @property
    def fraction(self) -> float:
        """From 0 to 1."""
        if self.is_finished:
            return 1.0
        return min(1.0, self.done / self.stage.total) if self.stage.total else 0.0

    def speed(self, now: float) -> float:
        """Frames a second, of those made now."""
        return self.fresh / max(0.001, (self.ended or now) - self.begun)

    def as_json(self) -> dict[str, Any]:
        """The stage in a run's progress."""
        return {
            "name": self.stage.name,
            "total": self.stage.total,
            "done": self.stage.total if self.is_finished else self.done,
            "reused": self.done - self.fresh,
            "state": "done" if self.is_finished else "running",
        }


@dataclass
class Board(Progress):
    """Keeps the lines and the grid; subclasses show them."""

    film: str
    lines: dict[str, Line] = field(default_factory=dict)
    begun: float = field(default_factory=time.monotonic)
    told: str | None = None
    """The last note."""
    title: str | None = None
    has_preview: bool = False
    spans: Sequence[tuple[int, int]] = ()
    cells: dict[str, bytearray] = field(default_factory=dict)
    sheet: str | None = None
    """The document that names the cells' steps."""
    is_asked: bool = False
    _rows: dict[int, int] = field(default_factory=dict)

    def started(self, stage: Stage) -> None:
        """A new line, or the same again."""
        self.lines.setdefault(stage.name, Line(stage, time.monotonic()))

    def advanced(self, stage: str, frames: int, *, reused: bool = False) -> None:
        """Frames more, or fewer."""
        line = self.lines[stage]
        line.done += frames
        line.fresh += 0 if reused else frames

    def finished(self, stage: str) -> None:
        """The stage is complete."""
        line = self.lines[stage]
        if not line.is_finished:
            line.is_finished, line.ended = True, time.monotonic()

    def note(self, text: str) -> None:
        """One sentence."""
        self.told = text

    def titled(self, title: str) -> None:
        """The title is known."""
        self.title = title

    def previewed(self) -> None:
        """There is a preview."""
        self.has_preview = True

    def planned(
        self, rungs: Sequence[str], chunks: Sequence[tuple[int, int]], cells: str | None = None
    ) -> None:
        """The grid, all of it queued."""
        self.sheet = cells
        self.spans = tuple(chunks)
        self._rows = {start: row for row, (start, _) in enumerate(self.spans)}
        self.cells = {rung: bytearray(b"q" * len(self.spans)) for rung in rungs}

    def cell(self, rung: str, start: int, state: CellState) -> None:
        """A cell of the grid changed."""
        self.cells[rung][self._rows[start]] = ord(LETTERS[state])

    def seconds_left(self) -> float | None:
        """By the likely costs of what is left and of what was done since the begin; None: too soon.

        The costs only weigh the stages against each other; the speed is this machine's, now.
        """
        spent = sum(line.fresh * line.stage.cost for line in self.lines.values())
        left = sum(
            max(0, line.stage.total - line.done) * line.stage.cost
            for line in self.lines.values()
            if not line.is_finished
        )
        elapsed = time.monotonic() - self.begun
        if elapsed < SETTLED_S or spent <= 0 or not any("encode" in name for name in self.lines):
            return None
        return elapsed * left / spent

    def frames_per_second(self) -> float | None:
        """Frames of all rungs together that are encoded in a second; None before the first."""
        now = time.monotonic()
        encoding = [line for name, line in self.lines.items() if name.startswith("encode")]
        busy = [line.speed(now) for line in encoding if line.fresh]
        return round(sum(busy), 2) if busy else None

    def as_json(self) -> dict[str, Any]:
        """The progress of a run, as docs/reference/api.md tells it."""
        left = self.seconds_left()
        return {
            "stages": [line.as_json() for line in self.lines.values()],
            "grid": {
                "rungs": list(self.cells),
                "chunks": [list(span) for span in self.spans],
                "cells": {rung: states.decode() for rung, states in self.cells.items()},
                "sheet": self.sheet,
            }
            if self.cells
            else None,
            "fps": self.frames_per_second(),
            "left_s": None if left is None else round(left, 1),
            "note": self.told,
            "preview": self.has_preview,
        }
