"""The service's tree of processes, seen from outside."""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.flows.crash import descendants

KINDS = ("service", "worker", "host", "tool")


def kind_of(pid: int) -> str | None:
    """What a process below the service is; None when it has ended."""
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return None
    if not command:
        return None
    if b"matinee.apps.worker" in command:
        return "worker"
    return "host" if b"matinee.rules.hosted" in command else "tool"


def bearing(mark: str) -> list[str]:
    """All processes that have the mark in their command, environment or folder; not our own."""
    told, ours = mark.encode(), {os.getpid(), os.getppid()}
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            texts = [(place / name).read_bytes() for name in ("cmdline", "environ")]
            texts.append(os.fsencode((place / "cwd").readlink()))
            if texts[0] and int(place.name) not in ours and any(told in text for text in texts):
                command = texts[0].replace(b"\0", b" ")[:200].decode(errors="replace")
                found.append(f"{place.name}: {command}")
    return found


@dataclass
class Tree:
    """``matinee up``, started again whenever it is down. It dies with us.

    ``own_ends`` are the exit codes with which it ended without being told or killed.
    """

    options: list[str]
    variables: dict[str, str]
    log: Path
    own_ends: list[int] = field(default_factory=list)
    starts: int = 0
    _process: "subprocess.Popen[bytes] | None" = None
    _is_killed: bool = False

    def keep(self) -> None:
        """Start it when it is down."""
        if self._process is not None and self._process.poll() is not None:
            if not self._is_killed:
                self.own_ends.append(self._process.returncode)
            self._process = None
        if self._process is None:
            program = ["setpriv", "--pdeathsig", "KILL", sys.executable, "-m", "matinee", "up"]
            with self.log.open("ab") as log:
                self._process = subprocess.Popen(
                    [*program, *self.options], stdout=log, stderr=log,
                    env=self.variables, start_new_session=True,
                )  # fmt: skip
            self._is_killed = False
            self.starts += 1

    def of_kind(self, kind: str) -> list[int]:
        """The processes of one kind that live now."""
        if self._process is None or self._process.poll() is not None:
            return []
        if kind == "service":
            return [self._process.pid]
        return [pid for pid in descendants(self._process.pid) if kind_of(pid) == kind]

    def kill(self, pid: int) -> None:
        """``kill -9`` of one process."""
        if self._process is not None and pid == self._process.pid:
            self._is_killed = True
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)

    def stop(self, number: signal.Signals) -> tuple[int, float]:
        """Tell it to end; gives its exit code and how many seconds that took."""
        self.keep()
        assert self._process is not None
        begun = time.monotonic()
        self._process.send_signal(number)
        try:
            code = self._process.wait(60)
        except subprocess.TimeoutExpired:
            code = 999
        return code, time.monotonic() - begun

    def end(self) -> None:
        """Leave nothing behind, whatever happened."""
        if self._process is not None and self._process.poll() is None:
            for pid in [self._process.pid, *descendants(self._process.pid)]:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            self._process.wait()
