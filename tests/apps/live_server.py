"""``matinee serve`` as a user runs it, and plain questions to it."""

import http.client
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.conftest import environment


@dataclass(frozen=True)
class LiveServer:
    address: str
    process: subprocess.Popen[bytes]

    @classmethod
    @contextmanager
    def over(cls, library: Path | str, **variables: str) -> Iterator["LiveServer"]:
        """Serve a library from a process of its own, on a port that was free."""
        command = [sys.executable, "-m", "matinee", "serve", "--port", "0", "--library"]
        with subprocess.Popen(
            [*command, str(library)], stdout=subprocess.PIPE, env={**environment(), **variables}
        ) as process:
            try:
                assert process.stdout
                line = process.stdout.readline().decode()
                found = re.search(r"http://127\.0\.0\.1:\d+", line)
                assert found, f"the server did not start: {line!r}"
                yield cls(found[0], process)
            finally:
                process.terminate()
                try:
                    process.wait(60)
                finally:
                    process.kill()

    @property
    def port(self) -> int:
        port = urlsplit(self.address).port
        assert port
        return port


class Answer:
    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.status = response.status
        self.headers = {name.lower(): value for name, value in response.getheaders()}
        self.body = response.read()

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def ask(server: LiveServer, path: str, method: str = "GET", **headers: str) -> Answer:
    """One request, with the path sent as it is."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    try:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, headers=named)
        return Answer(connection.getresponse())
    finally:
        connection.close()
