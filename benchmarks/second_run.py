"""The same publish again: nothing is made twice, it is soon done, in little memory and scratch."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.measure import size_of_folder
from benchmarks.ours import Publish, publish
from benchmarks.table import Bar, Figure, paired
from benchmarks.workplace import Workplace, tell

NAME = "second_run"
OPTIONS = ("--ladder", "fast", "--no-scores")
EVERY_S = 0.05
"""How often the scratch folder is looked at."""


def run(workplace: Workplace) -> Iterator[Figure]:
    """One first run, then the second, third and so on."""
    film = workplace.film.cut
    with workplace.folder() as folder:
        library = folder / "library"
        tell(f"{NAME}: first run")
        with watched(library / "scratch") as scratch:
            first = publish(film, library, *OPTIONS)
        again: list[Publish] = []
        for turn in range(1, workplace.repeats + 1):
            tell(f"{NAME}: again {turn}/{workplace.repeats}")
            again.append(publish(film, library, *OPTIONS))
        kept = size_of_folder(library)
    walls = [one.spent.wall_s for one in again]
    before = [first.spent.wall_s] * len(walls)
    yield paired(NAME, "wall, beside the first run", "s", walls, before, Bar(2, "ours"))
    cpu, cpu_before = [one.spent.cpu_s for one in again], [first.spent.cpu_s] * len(again)
    yield paired(NAME, "CPU, beside the first run", "s", cpu, cpu_before)
    ran = max(one.document["derivations"]["ran"] for one in again)
    yield Figure(NAME, "derivations that ran", "", ran, bar=Bar(0, "ours"))
    runs = {"first": [first], "second": again}
    for label, those in runs.items():
        peak = max(one.controller_peak_bytes for one in those) / 1e6
        yield Figure(
            NAME, f"peak memory of the controller, {label} run", "MB", peak, bar=Bar(300, "ours")
        )
    size = [film.stat().st_size / 1e6]
    yield paired(NAME, "peak scratch, beside the film", "MB", [scratch.peak_bytes / 1e6], size)
    yield paired(NAME, "library, beside the film", "MB", [kept / 1e6], size)


@dataclass
class Scratch:
    """The most bytes that lay in the folder at any look."""

    peak_bytes: int = 0


@contextmanager
def watched(folder: Path) -> Iterator[Scratch]:
    """Look at the folder's size until the block ends."""
    scratch, over = Scratch(), threading.Event()

    def look() -> None:
        while not over.wait(EVERY_S):
            scratch.peak_bytes = max(scratch.peak_bytes, size_of_folder(folder))

    watcher = threading.Thread(target=look, daemon=True)
    watcher.start()
    try:
        yield scratch
    finally:
        over.set()
        watcher.join()
