"""What a flow tells of its progress while it works."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

CellState = Literal["queued", "running", "encoded", "done", "reused", "failed"]
"""How far a chunk of a rung is: ``done`` is encoded, proved and, where asked for, scored."""


@dataclass(frozen=True, slots=True)
class Stage:
    """One line of the display: a stage, or a rung of one.

    ``total`` counts frames (0: no frames to count), ``cost`` is the likely processor seconds of a
    frame.
    """

    name: str
    total: int
    cost: float = 0.0


class Progress(Protocol):
    """Hears of the work as it goes on. Called in the event loop's thread, cheap to call.

    ``is_asked``: people may ask after cells when the work is over, so what names them is kept.
    """

    is_asked: bool = False

    def started(self, stage: Stage) -> None:
        """A stage begins."""
        ...

    def advanced(self, stage: str, frames: int, *, reused: bool = False) -> None:
        """So many frames more are done (less than 0: a try was lost)."""
        ...

    def finished(self, stage: str) -> None:
        """A stage is complete."""
        ...

    def note(self, text: str) -> None:
        """One sentence for the person who waits."""
        ...

    def titled(self, title: str) -> None:
        """The id of the title is known that the work is for."""
        ...

    def previewed(self) -> None:
        """The first seconds of the title's preview can be watched."""
        ...

    def planned(
        self, rungs: Sequence[str], chunks: Sequence[tuple[int, int]], cells: str | None = None
    ) -> None:
        """The grid is known: every rung's name, every chunk's frames from and up to.

        ``cells`` is the digest of a stored document from which each cell's step can be told.
        """
        ...

    def cell(self, rung: str, start: int, state: CellState) -> None:
        """The chunk of a rung that begins at frame ``start`` is that far."""
        ...


class Silent:
    """Tells nobody."""

    is_asked = False

    def started(self, stage: Stage) -> None:
        """Nothing."""

    def advanced(self, stage: str, frames: int, *, reused: bool = False) -> None:
        """Nothing."""

    def finished(self, stage: str) -> None:
        """Nothing."""

    def note(self, text: str) -> None:
        """Nothing."""

    def titled(self, title: str) -> None:
        """Nothing."""

    def previewed(self) -> None:
        """Nothing."""

    def planned(
        self, rungs: Sequence[str], chunks: Sequence[tuple[int, int]], cells: str | None = None
    ) -> None:
        """Nothing."""

    def cell(self, rung: str, start: int, state: CellState) -> None:
        """Nothing."""
