"""Kills whole publishes at random moments and compares what comes out in the end.

Short form: ``test_crash.py``. Long form: ``make crash`` (``python -m tests.flows.crash FILM``).
"""

import argparse
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from tests.conftest import environment


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was found after the last, undisturbed run."""

    kills: int
    differing: tuple[str, ...]
    files: int
    made_twice: tuple[str, ...]
    """Steps that were finished more than once: work that was done again for nothing."""
    lost: int
    """Attempts that a kill cut off: the work in flight."""
    derivations: int
    scratch: tuple[str, ...]


def command(film: Path, library: Path, options: list[str]) -> list[str]:
    """A publish of the film."""
    program = [sys.executable, "-m", "matinee", "publish", str(film)]
    return [*program, "--library", str(library), *options]


def descendants(pid: int) -> list[int]:
    """All processes below ``pid``, by the kernel's own lists."""
    found = []
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            below = [int(child) for child in children.read_text().split()]
        except OSError:
            continue
        for child in below:
            found += [child, *descendants(child)]
    return found


def kill_tree(process: "subprocess.Popen[bytes]") -> None:
    """``kill -9`` of the process and of everything below it, children first seen first."""
    for pid in [process.pid, *descendants(process.pid)]:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
    process.wait()


def digest_tree(folder: Path) -> dict[str, bytes]:
    """Every file below the folder."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def disturb(film: Path, options: list[str], kills: int, seed: int, folder: Path) -> Outcome:
    """Publish once undisturbed, then again with kills, and compare."""
    chance = random.Random(seed)
    calm, wild = folder / "calm", folder / "wild"
    started = time.monotonic()
    subprocess.run(
        command(film, calm, options), env=environment(), check=True, stderr=subprocess.PIPE
    )
    lasts = time.monotonic() - started
    killed = 0
    while killed < kills:
        process = subprocess.Popen(
            command(film, wild, options), env=environment(),
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            process.wait(timeout=chance.uniform(0.4, max(1.5, 2.5 * lasts / kills)))
        except subprocess.TimeoutExpired:
            kill_tree(process)
            killed += 1
        else:
            # It came to its end before the kill: what is left of the kills falls on a fresh one.
            if _finished(wild):
                _forget_last_steps(wild, chance)
    subprocess.run(
        command(film, wild, options), env=environment(), check=True, stderr=subprocess.PIPE
    )
    return _compare(calm, wild, killed)


def _finished(library: Path) -> bool:
    with sqlite3.connect(library / "matinee.db") as database:
        (count,) = database.execute("SELECT count(*) FROM showing").fetchone()
    return bool(count)


def _forget_last_steps(library: Path, chance: random.Random) -> None:
    """Take some derivations out of the ledger, as if they had never been made."""
    with sqlite3.connect(library / "matinee.db") as database:
        keys = [key for (key,) in database.execute("SELECT key FROM derivation")]
        for key in chance.sample(keys, len(keys) // 2):
            database.execute(
                "DELETE FROM derivation_output WHERE derivation ="
                " (SELECT sequence FROM derivation WHERE key = ?)", (key,),
            )  # fmt: skip
            database.execute("DELETE FROM derivation WHERE key = ?", (key,))
            database.execute("DELETE FROM attempt WHERE key = ?", (key,))


def _compare(calm: Path, wild: Path, kills: int) -> Outcome:
    one, two = digest_tree(calm / "titles"), digest_tree(wild / "titles")
    names = one.keys() | two.keys()
    with sqlite3.connect(wild / "matinee.db") as database:
        attempts = database.execute("SELECT function, key, outcome FROM attempt").fetchall()
        (derivations,) = database.execute("SELECT count(*) FROM derivation").fetchone()
    done = Counter((function, key) for function, key, outcome in attempts if outcome == "done")
    return Outcome(
        kills=kills,
        differing=tuple(sorted(name for name in names if one.get(name) != two.get(name))),
        files=len(one),
        made_twice=tuple(f"{function} {key[:12]}" for (function, key), n in done.items() if n > 1),
        lost=sum(outcome is None for _, _, outcome in attempts),
        derivations=derivations,
        scratch=tuple(str(path) for path in (wild / "scratch" / "runs").iterdir()),
    )


def main() -> None:
    """The long form."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("film", type=Path)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--ladder", default="fast")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        options = ["--ladder", arguments.ladder, "--no-scores"]
        outcome = disturb(arguments.film, options, arguments.kills, arguments.seed, Path(folder))
    print(outcome)
    sys.exit(bool(outcome.differing or outcome.made_twice or outcome.scratch))


if __name__ == "__main__":
    main()
