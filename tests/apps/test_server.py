"""``matinee serve`` as a process: how it begins and ends."""

import signal
import socket
from pathlib import Path

import pytest
from tests.apps.cinema import Run
from tests.apps.live_server import LiveServer
from tests.patience import comes_true


def test_a_taken_port_is_told_kindly(tmp_path: Path, matinee: Run) -> None:
    with LiveServer.over(tmp_path) as server:  # the same kind of server shares its port
        refused = matinee("serve", "--library", tmp_path, "--port", server.port)
    elsewhere = matinee("serve", "--library", tmp_path, "--host", "192.0.2.1", "--port", 0)

    for ended in (refused, elsewhere):
        assert ended.exit_code == 2
        assert ended.err.startswith("matinee: cannot serve on ")
        assert "[serve.address_taken]" in ended.err
        assert "--port" in ended.err
        assert ended.out == ""


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_server_within_two_seconds(
    tmp_path: Path, number: signal.Signals
) -> None:
    segment = tmp_path / "titles" / "film" / "big.m4s"
    segment.parent.mkdir(parents=True)
    segment.write_bytes(bytes(64 << 20))
    with (
        LiveServer.over(tmp_path) as server,
        socket.create_connection(("127.0.0.1", server.port)) as reader,
    ):  # reads, but not to the end
        reader.sendall(b"GET /media/titles/film/big.m4s HTTP/1.1\r\nHost: a\r\n\r\n")
        assert reader.recv(1000).startswith(b"HTTP/1.1 200")
        server.process.send_signal(number)
        assert comes_true(lambda: server.process.poll() is not None, within_s=2)
        assert server.process.returncode == 0
