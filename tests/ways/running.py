"""Starts the service of ``tests.ways.service``, and reads what its log says."""

import http.client
import json
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.conftest import environment

from matinee.adapters.sql.database import open_database
from matinee.adapters.sql.events import SqlEventLog
from matinee.core.events import Event
from matinee.wiring.library import DATABASE, now

BODY = "application/offset+octet-stream"
ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def code(self) -> str:
        return str(json.loads(self.body)["code"])


@dataclass
class Service:
    """One library with a service that may be killed and started again, at the same address."""

    library: Path
    limits: Mapping[str, int] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    port: int = 0
    process: "subprocess.Popen[bytes] | None" = None

    @classmethod
    @contextmanager
    def started(cls, library: Path, **limits: int) -> Iterator["Service"]:
        service = cls(library, limits)
        with service.running():
            yield service

    @contextmanager
    def running(self) -> Iterator[None]:
        self.start()
        try:
            yield
        finally:
            self.kill()

    def start(self) -> None:
        self.port = self.port or free_port()
        command = [sys.executable, "-m", "tests.ways.service", str(self.library), str(self.port)]
        self.process = subprocess.Popen(
            [*command, *(f"{name}={value}" for name, value in self.limits.items())],
            stdout=subprocess.PIPE, cwd=ROOT, env={**environment(), **self.variables},
        )  # fmt: skip
        assert self.process.stdout
        assert self.process.stdout.readline().startswith(b"http://"), "the service did not start"

    def kill(self) -> None:
        assert self.process
        self.process.kill()
        self.process.wait(10)
        assert self.process.stdout
        self.process.stdout.close()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}/uploads"

    def ask(
        self, method: str, path: str, body: bytes | None = None, who: str = "ada", **headers: Any
    ) -> Answer:
        """One request of the protocol; ``Upload_Offset=0`` is a header."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        named = {name.replace("_", "-"): str(value) for name, value in headers.items()}
        usual = {"Authorization": f"Bearer {who}", "Tus-Resumable": "1.0.0"}
        try:
            connection.request(method, urlsplit(path).path, body, {**usual, **named})
            response = connection.getresponse()
            told = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, told, response.read())
        finally:
            connection.close()

    def create(self, length: int, **headers: Any) -> str:
        answer = self.ask("POST", "/uploads", Upload_Length=length, **headers)
        assert answer.status == 201, answer.body
        return answer.headers["location"]

    def patch(self, path: str, offset: int, body: bytes, **headers: Any) -> Answer:
        named = {"Content_Type": BODY, "Upload_Offset": offset, **headers}
        return self.ask("PATCH", path, body, **named)

    def offset(self, path: str) -> int:
        return int(self.ask("HEAD", path).headers["upload-offset"])

    def events(self) -> list[Event]:
        """What the log says, oldest first."""
        return events_of(self.library)


def events_of(library: Path) -> list[Event]:
    engine = open_database(f"sqlite:///{library / DATABASE}")
    try:
        entries = SqlEventLog(engine, now).after(0, 1000)
        return [entry.event for entry in entries if entry.event]
    finally:
        engine.dispose()


def kill_when_kept(uploads: Path, offset: int, kill: Callable[[], None]) -> None:
    """Kill the server when so much of an upload is on its disk."""
    deadline = time.monotonic() + 60
    while kept(uploads) < offset:
        assert time.monotonic() < deadline
        time.sleep(0.005)
    kill()


def kept(uploads: Path) -> int:
    return max((int(path.read_bytes() or 0) for path in uploads.glob("*/offset")), default=0)


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def send_raw(port: int, head: Mapping[str, str], path: str, body: bytes) -> socket.socket:
    """A PATCH whose body is sent as far as it is given; the connection stays open."""
    connection = socket.create_connection(("127.0.0.1", port), timeout=20)
    lines = [f"PATCH {path} HTTP/1.1", "Host: x", *(f"{k}: {v}" for k, v in head.items())]
    connection.sendall("\r\n".join([*lines, "", ""]).encode() + body)
    return connection


def memory_of(process: "subprocess.Popen[bytes] | None") -> int:
    """The most memory that a process ever had, in bytes."""
    assert process
    text = Path(f"/proc/{process.pid}/status").read_text()
    (line,) = [line for line in text.splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) * 1024


def raw_head(offset: int, length: int) -> dict[str, str]:
    return {
        "Authorization": "Bearer ada", "Tus-Resumable": "1.0.0", "Content-Type": BODY,
        "Upload-Offset": str(offset), "Content-Length": str(length),
    }  # fmt: skip
