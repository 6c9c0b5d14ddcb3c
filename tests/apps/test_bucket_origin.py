"""The origin of a library in a bucket: slow viewers, and a bucket that is away."""

import asyncio
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from tests.apps.live_server import LiveServer, ask
from tests.s3_server import S3Server
from tests.wire import wire

from matinee.adapters.buckets import bucket_objects

SIZE = 40 * 2**20
FILM = "/media/titles/film/big.m4s"


@pytest.fixture
def bucket(s3: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A bucket with one large segment."""
    for name, value in s3.variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("MATINEE_STATE", str(tmp_path / "state"))
    name, film = s3.bucket(), tmp_path / "film"
    film.write_bytes(bytes(SIZE))
    store = bucket_objects("s3", name, "", s3.endpoint)
    asyncio.run(store.write("titles/film/big.m4s", film))
    return name


@pytest.fixture
def server(bucket: str) -> Iterator[LiveServer]:
    with LiveServer.over(f"s3://{bucket}") as live:
        yield live


def memory(server: LiveServer) -> int:
    """What the server's process has in memory, in bytes."""
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return 1024 * int(status.partition("VmRSS:")[2].split()[0])


@pytest.mark.slow
def test_viewers_who_pause_cost_little_memory(server: LiveServer) -> None:
    ask(server, FILM, Range="bytes=0-99")
    before = memory(server)
    with ExitStack() as viewers:
        for _ in range(4):
            viewer = viewers.enter_context(socket.create_connection(("127.0.0.1", server.port)))
            viewer.sendall(f"GET {FILM} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
            assert viewer.recv(1000).startswith(b"HTTP/1.1 200")
        most, deadline = before, time.monotonic() + 2
        while time.monotonic() < deadline:
            most = max(most, memory(server))

    assert most - before < SIZE
    assert len(ask(server, FILM).body) == SIZE


@pytest.mark.slow
def test_what_a_viewer_leaves_is_not_read_on(bucket: str, s3: S3Server) -> None:
    read = 0

    def counted(data: bytes) -> bytes:
        nonlocal read
        read += len(data)
        return data

    with (
        wire(s3.endpoint, bytes, counted) as endpoint,
        LiveServer.over(f"s3://{bucket}", AWS_ENDPOINT_URL=endpoint) as server,
    ):
        with socket.create_connection(("127.0.0.1", server.port)) as viewer:
            viewer.sendall(f"GET {FILM} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
            assert viewer.recv(1000).startswith(b"HTTP/1.1 200")
        deadline = time.monotonic() + 2
        while time.monotonic() < deadline and read < SIZE:
            assert server.process.poll() is None

    assert read < SIZE


@pytest.mark.slow
def test_a_bucket_that_is_away_is_said_and_forgotten_when_it_is_back(
    bucket: str, s3: S3Server
) -> None:
    is_away = False

    def passed(data: bytes) -> bytes:
        return b"" if is_away else data

    with (
        wire(s3.endpoint, passed, bytes) as endpoint,
        LiveServer.over(f"s3://{bucket}", AWS_ENDPOINT_URL=endpoint) as server,
    ):
        is_away = True
        away = ask(server, FILM, "HEAD")
        is_away = False
        back = ask(server, FILM, Range="bytes=5-9")

    assert away.status == 503
    assert away.headers["cache-control"] == "no-store"
    assert (back.status, back.body) == (206, bytes(5))
