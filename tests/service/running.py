"""``matinee up`` as a user starts it: a process that tests ask, kill and start again."""

import http.client
import json
import os
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from tests.conftest import environment
from tests.s3_server import die_with_parent
from tests.ways.running import free_port

LONG_S = 150
"""More than anything here takes on a busy machine."""

ENDS_WITHIN_S = 20
"""Two seconds are promised, on a machine that has nothing else to do."""

Found = TypeVar("Found")


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Up:
    """One library with a service that may be killed and started again, at the same address.

    ``certificate``: its own one, where it has TLS. Of its last start: ``said`` is what it printed,
    ``begun_ns`` when that was, in nanoseconds since 1970.
    """

    library: Path
    arguments: Sequence[object] = ()
    variables: Mapping[str, str] = field(default_factory=dict)
    certificate: Path | None = None
    port: int = field(default_factory=free_port)
    said: list[str] = field(default_factory=list)
    begun_ns: int = 0
    process: "subprocess.Popen[str] | None" = None

    @contextmanager
    def running(self) -> Iterator["Up"]:
        self.start()
        try:
            yield self
        finally:
            self.kill()

    def start(self) -> None:
        """Start it, and return when it says that it answers."""
        self.begun_ns = time.time_ns()
        command = [sys.executable, "-m", "matinee", "up", "--library", str(self.library)]
        with self.log.open("a") as log:
            self.process = subprocess.Popen(
                [*command, "--bind", f"127.0.0.1:{self.port}", *map(str, self.arguments)],
                stdout=subprocess.PIPE, stderr=log, text=True, start_new_session=True,
                env={**environment(), "MATINEE_DISK_FLOOR": "0.1", **self.variables},
                preexec_fn=die_with_parent,  # noqa: PLW1509
            )  # fmt: skip
        assert self.process.stdout
        self.said = [self.process.stdout.readline()]
        while "sign in" not in self.said[-1]:
            assert self.said[-1], f"it did not start: {self.log.read_text()}"
            self.said.append(self.process.stdout.readline())

    def kill(self) -> None:
        assert self.process
        self.process.kill()
        self.process.wait(LONG_S)
        assert self.process.stdout
        self.process.stdout.close()

    def press_ctrl_c(self) -> int:
        """What a terminal does: all of its processes get the signal. Gives the exit code."""
        assert self.process
        os.killpg(self.process.pid, signal.SIGINT)
        return self.process.wait(ENDS_WITHIN_S)

    @property
    def log(self) -> Path:
        """What it and its processes had to say on standard error."""
        return self.library.with_suffix(".log")

    @property
    def address(self) -> str:
        return f"{'https' if self.certificate else 'http'}://127.0.0.1:{self.port}"

    def ask(
        self, path: str, method: str = "GET", body: Any = None, token: str | None = None,
        **headers: str,
    ) -> Answer:  # fmt: skip
        """One request; a body is sent as JSON."""
        sent = None if body is None else json.dumps(body)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if sent is not None:
            named["content-type"] = "application/json"
        if token is not None:
            named["authorization"] = f"Bearer {token}"
        connection = self._connection()
        try:
            connection.request(method, path, sent, named)
            response = connection.getresponse()
            told = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, told, response.read())
        finally:
            connection.close()

    def get(self, path: str) -> Any:
        """The JSON that stands there."""
        answer = self.ask(path)
        assert answer.status == 200, answer.body
        return answer.json

    def events(self, type_: str) -> list[dict[str, Any]]:
        """What was told of that type, newest first."""
        events: list[dict[str, Any]] = self.get(f"/v1/events?type={type_}")
        return events

    def run_of(self, film: str) -> dict[str, Any] | None:
        """The run that works on a film of that file name, if there is one."""
        runs: list[dict[str, Any]] = self.get("/v1/runs")
        return next((run for run in runs if run["film"] == film), None)

    def ended(self, film: str) -> dict[str, Any]:
        """The run of a film, when it has come to its end."""

        def over() -> dict[str, Any] | None:
            run = self.run_of(film)
            return run if run and run["ended_at"] else None

        return eventually(over, self)

    def _connection(self) -> http.client.HTTPConnection:
        if self.certificate is None:
            return http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        trusted = ssl.create_default_context(cafile=self.certificate)
        return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=60, context=trusted)


def eventually(look: Callable[[], Found | None], up: Up) -> Found:
    """What a look finds, as soon as it finds something."""
    deadline = time.monotonic() + LONG_S
    while not (found := look()):
        assert time.monotonic() < deadline, up.log.read_text()
        time.sleep(0.1)
    return found


def processes_below(pid: int) -> dict[int, str]:
    """The processes that one has started, and those that they have, by their names."""
    parents: dict[int, tuple[int, str]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            before, _, after = path.read_text().rpartition(")")
            state, parent = after.split()[:2]
            if state != "Z":
                parents[int(path.parent.name)] = (int(parent), before.partition("(")[2])
    found = {pid}
    for _ in parents:
        found |= {one for one, (parent, _) in parents.items() if parent in found}
    return {one: parents[one][1] for one in found - {pid}}


def is_alive(pid: int) -> bool:
    """Whether a process is there and not only waits to be buried."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def new_library(folder: Path, ladder: Path) -> Path:
    """A library whose rules make little of each film, and quickly."""
    library = folder / "library"
    library.mkdir()
    (library / "rules.toml").write_text(
        f'[[rule]]\nname = "publish"\nwith = {{ ladder = "{ladder}", scores = false }}\n'
    )
    return library


def put(film: Path, folder: Path, name: str, title_file: str = "", size: int = 8) -> None:
    """Put a film into a watched folder, with what is wished for it; see ``longer``."""
    if title_file:
        (folder / f"{name}.title.toml").write_text(title_file)
    copy = folder / f"{name}.mp4.part"
    copy.write_bytes(longer(film, size))
    copy.rename(folder / f"{name}.mp4")


def longer(film: Path, size: int) -> bytes:
    """The same film in other bytes: with a box of that size at its end that may hold anything."""
    return film.read_bytes() + size.to_bytes(4, "big") + b"free" + bytes(size - 8)
