"""Runs one program to its end: alone in its process group, costed, and never outliving us."""

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from matinee.core.errors import ToolMissing

LAST_WORDS = 2000
"""How much of a program's standard error is kept, in bytes."""


@dataclass(frozen=True, slots=True)
class Finished:
    """How a program ended. ``last_words`` is the end of its standard error."""

    exit_code: int
    last_words: str
    wall_s: float
    cpu_s: float


class Program:
    """One run of a program, started at once."""

    def __init__(
        self, command: Sequence[str], folder: Path, environment: Mapping[str, str]
    ) -> None:
        if shutil.which(command[0]) is None:
            raise ToolMissing(f"{command[0]} is not there, or may not be run")
        self._errors = (folder / f".{time.monotonic_ns()}.stderr").open("w+b")
        self._started = time.monotonic()
        try:
            self._process = subprocess.Popen(
                [*_dies_with_parent(), *command],
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=self._errors,
                env={**os.environ, **environment},
                start_new_session=True,
            )
        except OSError as error:
            self._errors.close()
            Path(self._errors.name).unlink(missing_ok=True)
            raise ToolMissing(f"cannot start {command[0]}: {error.strerror}") from error

    def read_to_end(self, on_line: Callable[[str], None]) -> Finished:
        """Hand on each line of standard output, then wait."""
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                on_line(line.decode(errors="replace").rstrip("\n"))
        _, status, usage = os.wait4(self._process.pid, 0)
        self._process.returncode = os.waitstatus_to_exitcode(status)
        with self._errors as errors:
            size = errors.seek(0, os.SEEK_END)
            errors.seek(max(0, size - LAST_WORDS))
            last_words = errors.read().decode(errors="replace").strip()
        Path(errors.name).unlink(missing_ok=True)
        return Finished(
            exit_code=self._process.returncode,
            last_words=last_words,
            wall_s=time.monotonic() - self._started,
            cpu_s=usage.ru_utime + usage.ru_stime,
        )

    def kill(self) -> None:
        """End the program and all that it started, at once."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)


async def run_program(
    command: Sequence[str],
    folder: Path,
    on_line: Callable[[str], None] = lambda _: None,
    environment: Mapping[str, str] | None = None,
) -> Finished:
    """Run ``command`` in ``folder``; when this task is cancelled, the program is killed.

    ``on_line`` is called in the event loop's thread.

    Raises:
        ToolMissing: the program cannot be started.
    """
    loop = asyncio.get_running_loop()
    program = Program(command, folder, environment or {})
    ended: asyncio.Future[Finished] = loop.create_future()

    def settle(set_it: Callable[[], None]) -> None:
        with contextlib.suppress(RuntimeError):  # the loop may be gone when we are interrupted
            loop.call_soon_threadsafe(lambda: None if ended.done() else set_it())

    def hear(line: str) -> None:
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(on_line, line)

    def watch() -> None:
        try:
            finished = program.read_to_end(hear)
        except BaseException as error:  # noqa: BLE001  # handed to the awaiting task
            settle(lambda failure=error: ended.set_exception(failure))  # type: ignore[misc]
        else:
            settle(lambda: ended.set_result(finished))

    watcher = threading.Thread(target=watch, name=f"watch {command[0]}", daemon=True)
    watcher.start()
    try:
        return await ended
    except asyncio.CancelledError:
        program.kill()
        watcher.join(timeout=1)
        raise


def _dies_with_parent() -> list[str]:
    """A prefix that makes the kernel kill the program when Matinee dies, where there is one."""
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "KILL", "--"] if setpriv else []
