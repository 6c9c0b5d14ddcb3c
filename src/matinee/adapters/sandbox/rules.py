"""What a tool may touch, and the command that starts it so confined."""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from matinee.core.errors import ToolError
from matinee.core.limits import Limits

LIBRARIES = (
    "/lib", "/lib32", "/lib64", "/usr/lib", "/usr/lib32", "/usr/lib64", "/usr/local/lib",
    "/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/ld.so.preload",
    "/etc/localtime", "/usr/share/zoneinfo", "/sys/devices/system/cpu", "/nix/store",
)  # fmt: skip
"""What programs load before they begin, and where they learn the count of processors."""

LAUNCH = "import sys; sys.path.insert(0, sys.argv[1]); import confine; confine.main(sys.argv[2:])"
PROCESSES = 16_384
"""Processes and threads of the user at once, where no seccomp stops a tool from multiplying."""

SECRET = ("MATINEE_DATABASE", "MATINEE_TOKEN", "MATINEE_KEYS_TOKEN")
PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "LD_LIBRARY_PATH", "SSL_CERT_FILE")


@dataclass(frozen=True, slots=True)
class Sandbox:
    """The walls around every tool: its limits, and what it may read beside its own inputs.

    ``also_read`` is for an operator's own tools that lie in several places. ``may_fork`` lets a
    tool start others, inside the same walls.
    """

    limits: Limits = field(default_factory=Limits)
    also_read: tuple[Path, ...] = ()
    may_fork: bool = False

    def command(
        self, command: Sequence[str], reads: Sequence[Path], writes: Sequence[Path]
    ) -> list[str]:
        """``command`` behind the launcher; its first word must be the program's whole path."""
        return [*_launcher(), *self._options(command[0], reads, writes), "--", *command]

    def output_bound(self, reads: Sequence[Path]) -> int:
        """How many bytes a tool with these inputs may write in all."""
        return self.limits.output + 2 * sum(path.stat().st_size for path in reads if path.is_file())

    def walls(self) -> tuple[str, ...]:
        """What really stands on this machine, as a launcher finds it: ``rlimits`` at least.

        Raises:
            ToolError: the kernel has a wall but does not let us build it.
        """
        command = [*_launcher(), *self._options(sys.executable, (), ()), "--"]
        answer = subprocess.run(command, capture_output=True, timeout=30, check=False)
        if answer.returncode != 0:
            raise ToolError(
                f"tools cannot be confined: {answer.stderr.decode(errors='replace').strip()}",
                "see what this machine's administrator forbids; docs/guide/security.md tells more",
            )
        return tuple(answer.stdout.decode().splitlines())

    def _options(
        self, program: str, reads: Sequence[Path], writes: Sequence[Path]
    ) -> Iterator[str]:
        yield f"parent={os.getpid()}"
        if self.may_fork:
            yield "fork=yes"
        given = map(str, (*self.also_read, *reads))
        readable = (program, os.path.realpath(program), *LIBRARIES, *given)
        yield from (f"read={os.path.abspath(path)}" for path in readable)  # noqa: PTH100
        yield from (f"write={os.path.abspath(path)}" for path in writes)  # noqa: PTH100
        yield f"limit=AS={self.limits.memory}"
        yield f"limit=CPU={self.limits.cpu_s}"
        yield f"limit=FSIZE={self.output_bound(reads)}"
        yield f"limit=NPROC={PROCESSES}"


def tool_environment(scratch: Path | None) -> dict[str, str]:
    """The variables that a tool gets: none that could hold a secret of ours."""
    passed = {
        name: value
        for name, value in os.environ.items()
        if name in PASSED_ON or (name.startswith("MATINEE_") and name not in SECRET)
    }
    quiet = {"SVT_LOG": "1"}  # else SVT-AV1 tells its settings as if they were faults
    return {**quiet, **passed, **({"TMPDIR": str(scratch)} if scratch else {})}


@cache
def _launcher() -> tuple[str, ...]:
    return (sys.executable, "-I", "-S", "-c", LAUNCH, str(Path(__file__).parent))
