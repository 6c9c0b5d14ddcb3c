"""Runs programs one at a time and tells what each took: wall, processor, memory, and the noise."""

import os
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

CLOCK_TICKS = os.sysconf("SC_CLK_TCK")


class ProgramFailed(Exception):
    """A measured program ended with an exit code that it should not have."""

    def __init__(self, program: str, exit_code: int, last_words: str) -> None:
        super().__init__(program, exit_code, last_words)
        self.program, self.exit_code, self.last_words = program, exit_code, last_words

    def __str__(self) -> str:
        return f"{self.program} exited with {self.exit_code}: {self.last_words}"


@dataclass(frozen=True, slots=True)
class Spent:
    """What a program and all that it started took.

    ``peak_bytes`` is the largest resident size of any one of its processes. ``others`` is the share
    of the machine's processor time that work of others took meanwhile, from 0 to 1.
    """

    wall_s: float
    cpu_s: float
    peak_bytes: int
    others: float


def run(
    command: Sequence[str],
    folder: Path,
    environment: Mapping[str, str] | None = None,
    exit_code: int = 0,
) -> tuple[Spent, str]:
    """Run a program to its end; gives what it took and its standard output.

    Raises:
        ProgramFailed: its exit code was another.
    """
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        busy_before, started = _busy_seconds(), time.monotonic()
        process = subprocess.Popen(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=errors,
            env={**_as_installed(), **(environment or {})},
        )
        _, status, usage = os.wait4(process.pid, 0)
        wall_s = time.monotonic() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        cpu_s = usage.ru_utime + usage.ru_stime
        busy_s = _busy_seconds() - busy_before
        if process.returncode != exit_code:
            errors.seek(max(0, errors.seek(0, os.SEEK_END) - 2000))
            last_words = errors.read().decode(errors="replace").strip()
            raise ProgramFailed(Path(command[0]).name, process.returncode, last_words)
        output.seek(0)
        others = max(0.0, busy_s - cpu_s) / (wall_s * (os.cpu_count() or 1))
        spent = Spent(wall_s, cpu_s, usage.ru_maxrss * 1024, min(1.0, others))
        return spent, output.read().decode(errors="replace")


def _as_installed() -> dict[str, str]:
    """Our environment, but Python keeps its byte code, as it does wherever Matinee is installed."""
    return {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}


def _busy_seconds() -> float:
    """Processor seconds that the whole machine was busy since it started; 0 where none tells."""
    try:
        fields = Path("/proc/stat").read_text().splitlines()[0].split()
    except OSError:
        return 0.0
    # cpu user nice system idle iowait irq softirq steal ...
    return sum(int(fields[n]) for n in (1, 2, 3, 6, 7, 8)) / CLOCK_TICKS


def size_of_folder(folder: Path) -> int:
    """Bytes of all files below; files that go away meanwhile count as nothing."""
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.lstat().st_size if not path.is_dir() else 0
        except OSError:
            continue
    return total
