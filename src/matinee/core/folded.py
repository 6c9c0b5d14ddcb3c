"""Much work as a few lines of progress."""

from collections.abc import Sequence

from matinee.core.progress import CellState, Progress, Stage


class Folded(Progress):
    """Many rungs at many settings as two lines of progress: what is encoded, what is scored."""

    def __init__(self, progress: Progress, encode: str, score: str) -> None:
        self._progress, self._names = progress, {"encode": encode, "score": score}

    def open(self, frames: int, encode_cost: float, score_cost: float) -> None:
        """Begin both lines, of so many frames and of such costs a frame."""
        for kind, cost in (("encode", encode_cost), ("score", score_cost)):
            self._progress.started(Stage(self._names[kind], frames, cost))

    def close(self) -> None:
        """End both lines."""
        for name in self._names.values():
            self._progress.finished(name)

    def started(self, stage: Stage) -> None:
        """A part of a line begins."""

    def advanced(self, stage: str, frames: int, *, reused: bool = False) -> None:
        """Frames of a rung are frames of its line."""
        self._progress.advanced(self._names[stage.partition(" ")[0]], frames, reused=reused)

    def finished(self, stage: str) -> None:
        """A part of a line is complete."""

    def note(self, text: str) -> None:
        """One sentence."""
        self._progress.note(text)

    def titled(self, title: str) -> None:
        """No title is made."""

    def previewed(self) -> None:
        """Nor a preview."""

    def planned(
        self, rungs: Sequence[str], chunks: Sequence[tuple[int, int]], cells: str | None = None
    ) -> None:
        """The grid would be another at every setting."""

    def cell(self, rung: str, start: int, state: CellState) -> None:
        """Nor its cells."""
