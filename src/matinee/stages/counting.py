"""Turns a tool's running count of frames into steps of progress."""

from matinee.core.progress import Progress


class Counter:
    """Counts one piece of work for a stage; a try that is lost is taken back."""

    def __init__(self, progress: Progress, *stages: str) -> None:
        self._progress, self._stages, self._done = progress, stages, 0

    def reached(self, frames: int) -> None:
        """So many frames of this piece are done."""
        step, self._done = frames - self._done, frames
        if step:
            for stage in self._stages:
                self._progress.advanced(stage, step)

    def lost(self) -> None:
        """The try failed: its frames are to be done again."""
        self.reached(0)
