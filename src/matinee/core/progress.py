"""What a flow tells of its progress while it works."""

from dataclasses import dataclass
from typing import Protocol


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
    """Hears of the work as it goes on. Called in the event loop's thread, cheap to call."""

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


class Silent:
    """Tells nobody."""

    def started(self, stage: Stage) -> None:
        """Nothing."""

    def advanced(self, stage: str, frames: int, *, reused: bool = False) -> None:
        """Nothing."""

    def finished(self, stage: str) -> None:
        """Nothing."""

    def note(self, text: str) -> None:
        """Nothing."""
