"""What every benchmark is given: the film, how often to repeat, and where to work."""

import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from benchmarks.film import Film
from benchmarks.ratios import take_turns

T = TypeVar("T")


@dataclass
class Workplace:
    """What they share.

    ``notes`` are sentences that belong to the figures; ``rungs`` are those of ``chunking``,
    ``shots`` are how many of the whole film are measured where that is too dear, ``plots`` is the
    folder for plots.
    """

    film: Film
    repeats: int
    rungs: tuple[str, ...]
    derivations: int
    root: Path
    seconds: int
    shots: int
    plots: Path
    notes: list[str] = field(default_factory=list)

    @contextmanager
    def folder(self) -> Iterator[Path]:
        """An empty folder that is gone afterwards."""
        with tempfile.TemporaryDirectory(dir=self.root) as folder:
            yield Path(folder)

    def note(self, text: str) -> None:
        """Say something that belongs to the figures."""
        self.notes.append(text)

    def alternate(self, what: str, arms: Mapping[str, Callable[[], T]]) -> dict[str, list[T]]:
        """Let the arms take turns, as often as was asked for."""
        return take_turns(
            arms, self.repeats, lambda arm, turn: tell(f"{what}: {arm} {turn}/{self.repeats}")
        )


def tell(text: str) -> None:
    """A line for the person who waits."""
    print(f"  {text}", file=sys.stderr, flush=True)
