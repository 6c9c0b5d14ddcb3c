"""Runs ``python -m MODULE`` as a fork of a process that has the imports done already.

Each run is a process of its own, with its own arguments, variables, folder, streams and end. Only
loading Matinee and its libraries, a second each time, is not done again. What an interpreter reads
when it starts, as the seed of its hashes, is the same in all runs.
"""

import json
import os
import runpy
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Never

ROOT = Path(__file__).resolve().parent.parent
LOADED = (
    "matinee.apps.cli.publish",
    "matinee.apps.cli.titles",
    "matinee.wiring.publishing",
    "matinee.adapters.pyav",
    "alembic.command",
    "sqlalchemy.dialects.sqlite",
)
"""What a publish loads; other commands load the rest by themselves."""

LARGEST_CALL = 1 << 17


class Mother:
    """The process that is forked, for one run at a time."""

    def __init__(self) -> None:
        self._channel, its_end = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with its_end:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.forks", str(its_end.fileno())],
                cwd=ROOT, pass_fds=[its_end.fileno()], stdin=subprocess.DEVNULL,
                env={**os.environ, "PYTHONPATH": os.pathsep.join((str(ROOT / "src"), str(ROOT)))},
            )  # fmt: skip

    def run(
        self, words: Sequence[str], variables: Mapping[str, str], folder: Path, timeout_s: float
    ) -> "subprocess.CompletedProcess[bytes]":
        """Run a module, the first of the words, to its end."""
        (out, its_out), (err, its_err) = os.pipe(), os.pipe()
        call = json.dumps([list(words), dict(variables), str(folder)]).encode()
        socket.send_fds(self._channel, [call], [its_out, its_err])
        os.close(its_out)
        os.close(its_err)
        pid = int(self._channel.recv(LARGEST_CALL))
        deadline = time.monotonic() + timeout_s
        told = read_all((out, err), deadline)
        if time.monotonic() > deadline:
            with suppress(ProcessLookupError):  # it ended just now
                os.kill(pid, signal.SIGKILL)
        code = int(self._channel.recv(LARGEST_CALL))
        if time.monotonic() > deadline:
            raise subprocess.TimeoutExpired(list(words), timeout_s)
        return subprocess.CompletedProcess(list(words), code, *told)


def read_all(pipes: Sequence[int], deadline: float) -> list[bytes]:
    """What comes out of pipes until all their ends are closed, or the deadline is past."""
    told = {pipe: bytearray() for pipe in pipes}
    with selectors.DefaultSelector() as selector:
        for pipe in pipes:
            selector.register(pipe, selectors.EVENT_READ)
        while selector.get_map() and time.monotonic() <= deadline:
            for key, _ in selector.select(deadline - time.monotonic()):
                data = os.read(key.fd, 1 << 16)
                told[key.fd] += data
                if not data:
                    selector.unregister(key.fd)
    for pipe in pipes:
        os.close(pipe)
    return [bytes(data) for data in told.values()]


@cache
def mother() -> Mother:
    """The one of this test process; she ends when it does."""
    return Mother()


def run_module(
    *words: object, variables: Mapping[str, str], timeout_s: float, folder: Path | None = None
) -> "subprocess.CompletedProcess[bytes]":
    """Run a module with arguments and those variables alone, and gather what it says.

    Raises:
        subprocess.TimeoutExpired: it took too long, and was ended.
    """
    told = [os.fsdecode(word) if isinstance(word, bytes) else str(word) for word in words]
    return mother().run(told, variables, folder or Path.cwd(), timeout_s)


def main() -> None:
    """Be the mother: fork for each call, and tell the child's end."""
    channel = socket.socket(fileno=int(sys.argv[1]))
    for module in LOADED:
        import_module(module)
    while True:
        call, pipes, _, _ = socket.recv_fds(channel, LARGEST_CALL, 2)
        if not call:
            return
        child = os.fork()
        if child == 0:
            channel.close()
            become(*json.loads(call), *pipes)
        for pipe in pipes:
            os.close(pipe)
        channel.send(b"%d" % child)
        _, status = os.waitpid(child, 0)
        channel.send(b"%d" % os.waitstatus_to_exitcode(status))


def become(words: list[str], variables: dict[str, str], folder: str, out: int, err: int) -> Never:
    """Be what ``python -m`` with those words would be."""
    for pipe, stream in ((out, 1), (err, 2)):
        os.dup2(pipe, stream)
        os.close(pipe)
    os.environ.clear()
    os.environ.update(variables)
    os.chdir(folder)
    sys.argv = words[:]
    runpy.run_module(words[0], run_name="__main__", alter_sys=True)
    sys.exit()


if __name__ == "__main__":
    main()
