"""Publishes mutated films and sees that each ends in a result or in an error that is listed.

Short form: ``test_fuzz.py``. Long form: ``make fuzz`` (``python -m tests.fuzz.films``). One film of
``WHOLE`` goes through the program as a user runs it; the others through the same flow, in processes
that try many films each. A film that fails is kept with its number, to be tried again by
``--replay FILE``.
"""

import argparse
import json
import os
import queue
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from tests.conftest import ROOT, TINY_LADDER, environment
from tests.fuzz.bases import make_bases
from tests.fuzz.mutations import mutant
from tests.fuzz.player import HANGS_S

BATCH = 200
WHOLE = 100
TOLD_EVERY = 500
"""After so many films the long form tells its figures, so that an interrupted run has some."""
PATIENCE_S = 2 * HANGS_S
"""A film that is not at its end by then hangs."""
START_S = 10 * PATIENCE_S
"""A process that plays films may begin so late, on a machine that has other work."""

PUBLISHED = "published"
BLAMED_ON_FILM = ("reached", PUBLISHED, "source.")
"""A mutated film may be good or refused; that a tool, the library or we failed is no answer."""
UNTRUE = "source.changed"
"""Nobody writes to the films: one that is said to have changed was read in two ways."""


@dataclass
class Tally:
    """What came of the films so far. ``failures`` by number: what is wrong."""

    codes: Counter[str] = field(default_factory=Counter)
    failures: dict[int, str] = field(default_factory=dict)
    slowest: tuple[float, int] = (0.0, -1)
    told_every: int = 0
    started: float = field(default_factory=time.monotonic)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, number: int, code: str, message: str, seconds: float) -> None:
        """Note how one film ended."""
        with self.lock:
            self.codes[code] += 1
            self.slowest = max(self.slowest, (seconds, number))
            if code == UNTRUE or not code.startswith(BLAMED_ON_FILM):
                self.failures[number] = f"{code}: {message}"
                if self.told_every:
                    print(f"film {number}: {self.failures[number]}", flush=True)
            if self.told_every and self.films % self.told_every == 0:
                tell(self)

    @property
    def films(self) -> int:
        """How many films were tried."""
        return self.codes.total()


class Child:
    """One process that plays films; ``watch`` reads what it tells."""

    def __init__(self, folder: Path, arguments: Sequence[str]) -> None:
        command = [sys.executable, "-m", "tests.fuzz.player", "--folder", str(folder), *arguments]
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115  # closed by watch
        self._process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=self._errors, cwd=ROOT, text=True,
            env={**environment(), "PYTHONPATH": os.pathsep.join((str(ROOT / "src"), str(ROOT)))},
        )  # fmt: skip

    def watch(self, tally: Tally) -> int | None:
        """Count what it tells; gives the film that it died of or hung on, None at its own end."""
        current: int | None = None
        patience = START_S
        assert self._process.stdout is not None
        with self._process.stdout as lines, self._errors as errors:
            while line := self._next(lines, patience):
                told: dict[str, Any] = json.loads(line)
                current, patience = None if "code" in told else told["film"], PATIENCE_S
                if "code" in told:
                    message = told.get("message", "")
                    tally.add(told["film"], told["code"], message, told["seconds"])
            code = self._process.wait()
            if code == 0:
                return None
            errors.seek(0)
            words = errors.read().decode(errors="replace")[-1000:]
        assert current is not None, words
        kind = "defect hang" if code == -9 else f"defect crash {code}"
        tally.add(current, kind, words, PATIENCE_S if code == -9 else 0)
        return current

    def _next(self, lines: IO[str], patience: float) -> str:
        """The next line; a process that is silent for too long is ended."""
        timer = threading.Timer(patience, self._process.kill)
        timer.start()
        try:
            return lines.readline()
        finally:
            timer.cancel()


def play_all(folder: Path, seed: int, films: int, workers: int, tally: Tally) -> None:
    """Try films ``[0, films)``, in batches, in so many processes at once."""
    make_bases(folder / "bases")
    waiting: queue.SimpleQueue[range] = queue.SimpleQueue()
    for first in range(0, films, BATCH):
        waiting.put(range(first, min(films, first + BATCH)))

    def work() -> None:
        while True:
            try:
                batch = waiting.get_nowait()
            except queue.Empty:
                return
            while batch:
                span = ["--first", str(batch.start), "--end", str(batch.stop)]
                last = Child(folder, ["--seed", str(seed), *span]).watch(tally)
                batch = range(last + 1, batch.stop) if last is not None else range(0)

    threads = [threading.Thread(target=work, daemon=True) for _ in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def publish_whole(folder: Path, seed: int, numbers: Sequence[int], tally: Tally) -> None:
    """Some of the films again, by the program itself."""
    bases, ladder = make_bases(folder / "bases"), folder / "tiny.toml"
    ladder.write_text(TINY_LADDER)
    for number in numbers:
        suffix, data = mutant(bases, seed, number)
        film = folder / f"whole{suffix}"
        film.write_bytes(data)
        command = [
            sys.executable, "-m", "matinee", "publish", str(film), "--library",
            str(folder / "library"), "--ladder", str(ladder), "--no-scores", "--json",
        ]  # fmt: skip
        started = time.monotonic()
        try:
            done = subprocess.run(
                command, capture_output=True, env=environment(), check=False, timeout=PATIENCE_S
            )
        except subprocess.TimeoutExpired:
            tally.add(number, "defect hang", "the program", PATIENCE_S)
            continue
        code, message = _judged(done)
        tally.add(number, code, message, time.monotonic() - started)


def _judged(done: "subprocess.CompletedProcess[bytes]") -> tuple[str, str]:
    """The code of a program's end, or what was wrong with it."""
    told = done.stderr.decode(errors="replace")
    if "Traceback" in told or done.returncode in (1, 2) or done.returncode < 0:
        return f"defect exit {done.returncode}", told[-1000:]
    document = json.loads(done.stdout)
    error = document.get("error")
    return (error["code"], error["message"]) if error else (document["state"], "")


def keep_failures(folder: Path, kept: Path, seed: int, tally: Tally) -> None:
    """Write each film that failed, with what was wrong, to the folder ``kept``."""
    bases = make_bases(folder / "bases")
    for number, wrong in sorted(tally.failures.items()):
        kept.mkdir(parents=True, exist_ok=True)
        suffix, data = mutant(bases, seed, number)
        (kept / f"{seed}-{number}{suffix}").write_bytes(data)
        (kept / f"{seed}-{number}.txt").write_text(wrong)
        print(f"film {number}: {(wrong.splitlines() or [''])[-1]}")
        print(f"  kept as {kept / f'{seed}-{number}{suffix}'}")


def tell(tally: Tally) -> None:
    """The figures so far."""
    seconds = time.monotonic() - tally.started
    for code, count in tally.codes.most_common():
        print(f"{count:7} {code}")
    slowest, number = tally.slowest
    print(
        f"{tally.films:7} films in {seconds:.0f} s, {tally.films / seconds:.1f} a second; "
        f"the slowest took {slowest:.1f} s (film {number}); "
        f"{len(tally.failures)} failed: {sorted(tally.failures)[:20]}",
        flush=True,
    )


def fuzz(
    folder: Path, seed: int, films: int, workers: int, whole: int = WHOLE,
    tally: Tally | None = None,
) -> Tally:  # fmt: skip
    """Try that many films, and one of ``whole`` of them with the whole program."""
    tally = Tally() if tally is None else tally
    play_all(folder, seed, films, workers, tally)
    publish_whole(folder, seed, range(0, films, whole), tally)
    return tally


def main() -> None:
    """The long form."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--films", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--failures", type=Path, default=ROOT / ".cache" / "fuzz")
    parser.add_argument("--replay", type=Path, nargs="+", metavar="FILE")
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="matinee-fuzz-"))
    try:
        if arguments.replay:
            tally = Tally()
            files = [str(file.absolute()) for file in arguments.replay]
            Child(folder, ["--files", *files]).watch(tally)
            for number, wrong in tally.failures.items():
                print(f"{files[number]}: {wrong}")
        else:
            tally = Tally(told_every=TOLD_EVERY)
            try:
                fuzz(folder, arguments.seed, arguments.films, arguments.workers, tally=tally)
            except KeyboardInterrupt:
                print("interrupted; so far:")
            keep_failures(folder, arguments.failures, arguments.seed, tally)
        tell(tally)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    sys.exit(bool(tally.failures))


if __name__ == "__main__":
    main()
