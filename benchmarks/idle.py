"""What a whole service takes while nothing happens: all of its processes, over a minute."""

import os
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from benchmarks.measure import CLOCK_TICKS
from benchmarks.service import running_service
from benchmarks.table import Bar, Figure
from benchmarks.workplace import Workplace, tell

NAME = "idle"
SETTLE_S = 15.0
OVER_S = 60.0


def run(workplace: Workplace) -> Iterator[Figure]:
    """``matinee up`` over a new library with a watched folder; nobody looks at it."""
    with workplace.folder() as folder:
        watched = folder / "watched"
        watched.mkdir()
        with running_service(folder, watched) as service:
            service.until("/healthz")
            tell(f"{NAME}: at rest for {SETTLE_S + OVER_S:.0f} s")
            time.sleep(SETTLE_S)
            before, begun = cpu_seconds(service.pid), time.monotonic()
            time.sleep(OVER_S)
            spent = cpu_seconds(service.pid) - before
            share = spent / (time.monotonic() - begun)
            memory = sum(proportional_bytes(pid) for pid in tree(service.pid))
    yield Figure(NAME, "processor use of an idle service", "%", 100 * share, bar=Bar(1, "ours"))
    yield Figure(NAME, "memory of an idle service", "MB", memory / 1e6, bar=Bar(250, "ours"))


def tree(root: int) -> list[int]:
    """A process and all below it."""
    parents: dict[int, int] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            fields = path.read_text().rpartition(")")[2].split()
            parents[int(path.parent.name)] = int(fields[1])
    found = [root]
    for pid in found:
        found += [one for one, parent in parents.items() if parent == pid]
    return found


def cpu_seconds(root: int) -> float:
    """Processor seconds of a tree, those of children that ended included."""
    total = 0
    for pid in tree(root):
        with suppress(OSError):
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            total += sum(int(field) for field in fields[11:15])  # utime, stime, cutime, cstime
    return total / CLOCK_TICKS


def proportional_bytes(pid: int) -> int:
    """A process's memory, where pages that several share count for each in part (PSS)."""
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    with suppress(OSError):
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")
    return 0
