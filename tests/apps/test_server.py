import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from tests.apps.conftest import MemoryLibrary
from tests.apps.live_server import LiveServer

from matinee.apps.web.server import AddressTaken, serve


def test_a_taken_port_is_told_kindly(tmp_path: Path) -> None:
    services = MemoryLibrary(tmp_path).services
    with LiveServer.over(services) as server:  # the same kind of server shares its port
        port = urlsplit(server.address).port
        assert port
        with pytest.raises(AddressTaken, match="cannot serve on") as refused:
            serve(services, "127.0.0.1", port)
    assert (refused.value.code, refused.value.exit_code) == ("serve.address_taken", 2)
    with pytest.raises(AddressTaken):
        serve(services, "192.0.2.1", 0)


SERVE = """
import sys
from pathlib import Path
from tests.apps.conftest import MemoryLibrary
from matinee.apps.web.server import serve
serve(MemoryLibrary(Path(sys.argv[1])).services, "127.0.0.1", 0,
      lambda host, port: print(port, flush=True))
"""


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_server_within_two_seconds(
    tmp_path: Path, number: signal.Signals
) -> None:
    segment = tmp_path / "titles" / "film" / "big.m4s"
    segment.parent.mkdir(parents=True)
    segment.write_bytes(bytes(64 << 20))
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(
        [sys.executable, "-c", SERVE, str(tmp_path)], stdout=subprocess.PIPE, env=environment
    ) as process:
        assert process.stdout
        port = int(process.stdout.readline())
        stopped_after = 99.0
        with socket.create_connection(("127.0.0.1", port)) as reader:  # reads, but not to the end
            reader.sendall(b"GET /media/titles/film/big.m4s HTTP/1.1\r\nHost: a\r\n\r\n")
            assert reader.recv(1000).startswith(b"HTTP/1.1 200")
            began = time.monotonic()
            process.send_signal(number)
            try:
                process.wait(5)
                stopped_after = time.monotonic() - began
            finally:
                process.kill()
    assert process.returncode == 0
    assert stopped_after < 2
