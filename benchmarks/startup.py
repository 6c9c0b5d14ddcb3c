"""How soon the program is there at all."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

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
    """Help, beside what it cannot be quicker than."""
    name, root = "--help, beside an empty Python", workplace.root
    tell(f"{NAME}: {name}")
    commands = {"ours": matinee("--help"), "peer": [sys.executable, "-c", "pass"]}
    arms = {arm: _running(command, root) for arm, command in commands.items()}
    take_turns(arms, 1, lambda *_: None)  # the first reads everything from the disk
    spent = take_turns(arms, max(LEAST, workplace.repeats), lambda *_: None)
    ours, peer = spent["ours"], spent["peer"]
    wall, cpu = [s.wall_s for s in ours], [s.cpu_s for s in ours]
    bar = Bar(0.3, "ours")
    yield paired(NAME, f"{name}: wall", "s", wall, [s.wall_s for s in peer], bar)
    yield paired(NAME, f"{name}: CPU", "s", cpu, [s.cpu_s for s in peer])


def _running(command: list[str], folder: Path) -> Callable[[], Spent]:
    return lambda: run_measured(command, folder)[0]
