"""A whole service, started and ended as a person would."""

import http.client
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.film import ROOT

LOOK_S = 0.02
LONGEST_S = 600.0


@dataclass(frozen=True, slots=True)
class RunningService:
    """Where it answers, and its process."""

    port: int
    pid: int

    def ask(self, path: str) -> tuple[int, str]:
        """Status and body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, response.read().decode(errors="replace")
        finally:
            connection.close()

    def get(self, path: str) -> str:
        """What is there; a failure where nothing is."""
        status, body = self.ask(path)
        if status != 200:
            raise RuntimeError(f"{path} gives {status}: {body[:200]}")
        return body

    def until(self, path: str) -> None:
        """Ask until it is there."""
        deadline = time.monotonic() + LONGEST_S
        while self.ask(path)[0] != 200:
            if time.monotonic() > deadline:
                raise RuntimeError(f"{path} did not come")
            time.sleep(LOOK_S)


@contextmanager
def running_service(folder: Path, watched: Path) -> Iterator[RunningService]:
    """``matinee up`` over a new library; ended with all that it started."""
    command = [sys.executable, "-m", "matinee", "up", "--bind", "127.0.0.1:0"]
    variables: dict[str, Any] = {**os.environ, "MATINEE_DISK_FLOOR": "0.1"}
    with (folder / "log").open("w") as log, subprocess.Popen(
        [*command, "--library", str(folder / "library"), "--watch", str(watched)],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=log, text=True, env=variables,
        start_new_session=True,
    ) as process:  # fmt: skip
        try:
            assert process.stdout
            told = re.search(r"http://127\.0\.0\.1:(\d+)", process.stdout.readline())
            if told is None:
                raise RuntimeError(f"it did not start: {(folder / 'log').read_text()}")
            yield RunningService(int(told[1]), process.pid)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)
