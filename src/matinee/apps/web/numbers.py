"""How busy the service is: numbers of the last minutes and of the last day, in memory."""

import os
import shutil
import time
from array import array
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from math import isnan, nan
from pathlib import Path
from typing import Any

from matinee.apps.web.service import Service

NAMES = (
    "frames_per_second",
    "runs_running",
    "runs_queued",
    "run_age_s",
    "deliveries_waiting",
    "delivery_age_s",
    "deliveries_dead",
    "events_per_second",
    "cores_busy",
    "disk_used_bytes",
    "disk_free_bytes",
    "memory_bytes",
)
"""Every number, in the order of the columns."""

SECONDS, MINUTES = 600, 1440
_OPEN_RUNS = 1000

Row = Mapping[str, float | None]


class Ring:
    """The last rows of a series; a fixed room in memory, whatever comes."""

    def __init__(self, rows: int) -> None:
        self._rows, self._next = rows, 0
        self._times = array("q", [0]) * rows
        self._columns = {name: array("d", [nan]) * rows for name in NAMES}

    def add(self, at: int, row: Row) -> None:
        """Append a row."""
        place = self._next % self._rows
        self._times[place] = at
        for name, column in self._columns.items():
            value = row[name]
            column[place] = nan if value is None else value
        self._next += 1

    def as_json(self) -> dict[str, Any]:
        """Oldest first."""
        first = max(0, self._next - self._rows)
        places = [number % self._rows for number in range(first, self._next)]
        return {
            "times": [self._times[place] for place in places],
            "columns": {
                name: [None if isnan(column[place]) else round(column[place], 3)
                       for place in places]
                for name, column in self._columns.items()
            },
        }  # fmt: skip


def mean_of(rows: Sequence[Row]) -> dict[str, float | None]:
    """The mean of each number over rows, of those that have it."""
    means: dict[str, float | None] = {}
    for name in NAMES:
        values = [value for row in rows if (value := row[name]) is not None]
        means[name] = sum(values) / len(values) if values else None
    return means


@dataclass
class Numbers:
    """Looks at the service every second or two. Not for use by several threads at once.

    ``folder`` lies on the disk that is told of.
    """

    service: Service
    folder: Path
    seconds: Ring = field(default_factory=lambda: Ring(SECONDS))
    minutes: Ring = field(default_factory=lambda: Ring(MINUTES))
    now: Row = field(default_factory=lambda: dict.fromkeys(NAMES))

    def __post_init__(self) -> None:
        self._minute: list[Row] = []
        self._minute_began = int(time.time()) // 60
        self._last: tuple[float, int, float | None] | None = None

    def look(self) -> Row:
        """Take all numbers and keep them; gives them."""
        clock, place, busy = time.monotonic(), self.service.log.last(), _busy_cpu_s()
        row: dict[str, float | None] = dict.fromkeys(NAMES)
        if self._last is not None and clock > self._last[0]:
            passed = clock - self._last[0]
            row["events_per_second"] = (place - self._last[1]) / passed
            if busy is not None and self._last[2] is not None:
                row["cores_busy"] = (busy - self._last[2]) / passed
        self._last = (clock, place, busy)
        row |= self._of_runs() | self._of_deliveries() | _of_machine(self.folder)
        self.now = row
        at = int(time.time())
        self.seconds.add(at, row)
        if at // 60 != self._minute_began and self._minute:
            self.minutes.add(60 * self._minute_began, mean_of(self._minute))
            self._minute.clear()
        self._minute_began = at // 60
        self._minute.append(row)
        return row

    def as_json(self) -> dict[str, Any]:
        """All that is kept."""
        return {
            "now": rounded(self.now),
            "seconds": self.seconds.as_json(),
            "minutes": self.minutes.as_json(),
        }

    def _of_runs(self) -> dict[str, float | None]:
        running = self.service.runs.page(["running", "cancelling"], None, _OPEN_RUNS)
        queued = self.service.runs.page(["queued"], None, _OPEN_RUNS)
        speeds = [run.progress.get("fps") or 0.0 for run in running]
        oldest = min((run.queued_at for run in queued), default=None)
        return {
            "frames_per_second": float(sum(speeds)),
            "runs_running": float(len(running)),
            "runs_queued": float(len(queued)),
            "run_age_s": _age(self.service, oldest),
        }

    def _of_deliveries(self) -> dict[str, float | None]:
        waiting = self.service.deliveries.waiting()
        return {
            "deliveries_waiting": float(waiting.counts.get("waiting", 0)),
            "deliveries_dead": float(waiting.counts.get("dead", 0)),
            "delivery_age_s": _age(self.service, waiting.oldest_due_at),
        }


def rounded(row: Row) -> dict[str, float | None]:
    """A row as JSON shows it."""
    return {name: None if value is None else round(value, 3) for name, value in row.items()}


def _age(service: Service, since: Any) -> float:
    return max(0.0, (service.now() - since).total_seconds()) if since else 0.0


def _of_machine(folder: Path) -> dict[str, float | None]:
    row: dict[str, float | None] = {}
    with suppress(OSError):
        disk = shutil.disk_usage(folder)
        row |= {"disk_used_bytes": float(disk.used), "disk_free_bytes": float(disk.free)}
    with suppress(OSError, ValueError, IndexError):
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
        row["memory_bytes"] = float(pages * os.sysconf("SC_PAGE_SIZE"))
    return row


def _busy_cpu_s() -> float | None:
    """Processor seconds that this machine spent at work since it started, where that is told."""
    try:
        with Path("/proc/stat").open(encoding="ascii") as file:
            user, nice, system, _idle, _wait, irq, soft, steal = map(
                int, file.readline().split()[1:9]
            )
    except (OSError, ValueError):
        return None
    return (user + nice + system + irq + soft + steal) / os.sysconf("SC_CLK_TCK")
