"""How much memory the server takes for one upload in one request.

``python -m tests.ways.memory [MIB]`` prints it; the long form of a test.
"""

import http.client
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.ways.running import Service, memory_of, raw_head

MIB = 1 << 20


def memory_of_upload(library: Path, mib: int) -> tuple[int, int]:
    """The most memory of the server before, and how much more it took, in bytes."""
    with Service.started(library) as service:
        path = service.create(mib * MIB)
        before = memory_of(service.process)
        connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=600)
        connection.request("PATCH", path, pieces(mib), raw_head(0, mib * MIB))
        assert connection.getresponse().status == 204
        connection.close()
        return before, memory_of(service.process) - before


def pieces(count: int) -> Iterator[bytes]:
    return (bytes([number % 256]) * MIB for number in range(count))


if __name__ == "__main__":
    size = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    with tempfile.TemporaryDirectory() as folder:
        usual, more = memory_of_upload(Path(folder), size)
    print(f"server: {usual / MIB:.0f} MiB; {more / MIB:.1f} MiB more for an upload of {size} MiB")
