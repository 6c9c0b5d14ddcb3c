"""Runs one program to its end: confined, alone in its process group, costed, never outliving us."""

import contextlib
import errno
import os
import select
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from matinee.adapters.sandbox.confine import FAILED
from matinee.adapters.sandbox.rules import Sandbox, tool_environment
from matinee.core.disk_failures import of_disk
from matinee.core.errors import (
    LibraryFull,
    ToolError,
    ToolHung,
    ToolKilled,
    ToolMissing,
    ToolOverLimit,
)
from matinee.core.limits import GIB

LAST_WORDS = 2000
"""How much of a program's standard error is kept, in bytes."""

WORDS_ROOM = 1 << 14
"""Bytes of standard error that are kept free: so a program on a full disk can say why it ends."""

LOOK_S = 0.5
"""How often a running program is looked at, in seconds."""

LONGEST_LINE = 1 << 20
ONCE_ENDED = os.WEXITED | os.WNOHANG | os.WNOWAIT
NO_MEMORY = ("Cannot allocate memory", "bad_alloc", "MemoryError", "malloc of size")
"""How programs say that they got no memory."""

PROGRESS = ("frame", "out_time_us", "total_size")
"""What ffmpeg tells with ``-progress`` that only grows while it gets on."""


@dataclass(frozen=True, slots=True)
class Finished:
    """How a program ended. ``last_words`` is the end of its standard error."""

    exit_code: int
    last_words: str
    wall_s: float
    cpu_s: float


@dataclass(frozen=True, slots=True)
class Job:
    """A program to run in ``folder``. ``reads`` are its inputs, ``writes`` where it may write.

    Without ``writes`` that is its folder; without a folder it may write nowhere. ``doing`` says in
    words what it is for, ``tool`` who does it; errors begin with both. ``hears`` is what it finds
    on standard input: what its command line must not show.
    """

    command: Sequence[str]
    folder: Path | None
    reads: Sequence[Path] = ()
    environment: Mapping[str, str] | None = None
    doing: str = ""
    tool: str = ""
    writes: Path | None = None
    hears: bytes = field(default=b"", repr=False)

    @property
    def name(self) -> str:
        """Who does what, for messages."""
        tool = self.tool or Path(self.command[0]).name
        return f"{self.doing}: {tool}" if self.doing else tool


class Program:
    """One run of a program inside its walls, started at once.

    Raises:
        ToolMissing: the program is not there, or may not be run.
    """

    def __init__(self, sandbox: Sandbox, job: Job, *, asks: bool = False) -> None:
        path = shutil.which(job.command[0])
        if path is None:
            raise ToolMissing(f"{job.command[0]} is not there, or may not be run")
        self._sandbox, self._job = sandbox, job
        self._room = sandbox.output_bound(job.reads)
        self._errors = _scratch_file(job.folder)
        self._ending: ToolError | None = None
        self._finished: Finished | None = None
        self._started = self._moved = time.monotonic()
        self._progress: object = None
        self._told: dict[str, str] = {}
        writable = job.writes or job.folder
        try:
            self._process = subprocess.Popen(
                sandbox.command(
                    [path, *job.command[1:]], job.reads, [writable] if writable else []
                ),
                cwd=job.folder or "/",
                stdin=subprocess.PIPE if asks or job.hears else subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=self._errors,
                env={**tool_environment(job.folder), **(job.environment or {})},
                start_new_session=True,
            )
        except OSError as error:
            self._errors.close()
            raise ToolMissing(f"cannot start {job.command[0]}: {error.strerror}") from error
        if job.hears:  # less than a pipe holds, so that nobody waits
            self.tell(job.hears)
            assert self._process.stdin is not None
            self._process.stdin.close()

    def tell(self, data: bytes) -> None:
        """Write to standard input of a program that ``asks``; one that is gone hears nothing."""
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(data)
            self._process.stdin.flush()

    def output(self) -> Iterator[bytes]:
        """Standard output as it comes. While the caller holds a piece, no patience is lost."""
        assert self._process.stdout is not None
        with self._process.stdout as pipe:
            ready = select.poll()
            ready.register(pipe, select.POLLIN)
            while True:
                self._look()
                if ready.poll(LOOK_S * 1000):
                    piece = os.read(pipe.fileno(), 1 << 16)
                    if not piece:
                        return
                    held = time.monotonic()
                    yield piece
                    self._moved += time.monotonic() - held

    def lines(self) -> Iterator[list[str]]:
        """Standard output by lines, as many as came at once; longer than a megabyte, in parts."""
        rest = b""
        for piece in self.output():
            *whole, rest = (rest + piece).split(b"\n")
            if len(rest) > LONGEST_LINE:
                whole, rest = [*whole, rest], b""
            yield [self._hear(line.decode(errors="replace")) for line in whole]
        if rest:
            yield [self._hear(rest.decode(errors="replace"))]

    def finish(self) -> Finished:
        """Wait for the end.

        Raises:
            ToolHung: it made no progress. ToolOverLimit: it met a limit. LibraryFull: no room left.
        """
        if self._finished is None:
            if self._process.stdin is not None:
                with contextlib.suppress(BrokenPipeError):
                    self._process.stdin.close()
            self._finished = self._ended()
        self._judge(self._finished)
        return self._finished

    def kill(self) -> None:
        """End the program and all that it started, at once."""
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)

    def _ended(self) -> Finished:
        pause_s = 0.0005
        while os.waitid(os.P_PID, self._process.pid, ONCE_ENDED) is None:
            self._look()
            time.sleep(pause_s)
            pause_s = min(2 * pause_s, 0.05)
        _, status, usage = os.wait4(self._process.pid, 0)
        self._process.returncode = os.waitstatus_to_exitcode(status)
        with self._errors as errors:
            size = os.lseek(errors.fileno(), 0, os.SEEK_CUR)  # where the program is in it
            begin = errors.seek(max(0, size - LAST_WORDS))
            last_words = errors.read(size - begin).decode(errors="replace").strip()
        return Finished(
            exit_code=self._process.returncode,
            last_words=last_words,
            wall_s=time.monotonic() - self._started,
            cpu_s=usage.ru_utime + usage.ru_stime,
        )

    def _hear(self, line: str) -> str:
        name, _, value = line.partition("=")
        if name in PROGRESS:
            self._told[name] = value
        return line

    def _look(self) -> None:
        """End a program that gets on no more, or that writes more than it may."""
        now = time.monotonic()
        read, written = _counted(self._process.pid)
        progress = (read, tuple(self._told.items()))
        if progress != self._progress or read is None:
            self._progress, self._moved = progress, now
        patience = self._sandbox.limits.patience_s
        if now - self._moved > patience:
            self._end(
                ToolHung(
                    f"{self._job.name} made no progress for {patience:g} s and was ended",
                    "run the command again; if it hangs at the same place, the film is damaged or "
                    "made to harm: try another copy. A slow machine needs a longer "
                    "MATINEE_TOOL_PATIENCE",
                )
            )
        elif written > self._room:
            self._end(self._over_output())

    def _end(self, why: ToolError) -> None:
        self._ending = self._ending or why
        self.kill()

    def _judge(self, finished: Finished) -> None:
        """Tell an end at a limit from other ends."""
        code, words = finished.exit_code, finished.last_words
        if self._ending:
            raise self._ending
        if code == 0:
            return
        if code == FAILED and words.startswith("cannot start "):
            raise ToolMissing(words, "see docs/guide/security.md for what tools may read")
        if code == -signal.SIGXFSZ or os.strerror(errno.EFBIG) in words:
            raise self._over_output()
        if code == -signal.SIGXCPU:
            raise self._over(f"{self._sandbox.limits.cpu_s} s of processor time", "CPU")
        if os.strerror(errno.ENOSPC) in words:
            raise LibraryFull(f"{self._job.name} has no room left for its output")
        if any(sign in words for sign in NO_MEMORY):
            raise self._without_memory(free_memory())
        if code in (-signal.SIGKILL, -signal.SIGTERM):
            raise ToolKilled(
                f"{self._job.name} was ended from outside ({signal.Signals(-code).name})",
                "run the same command again: what is finished is kept. If it is ended again, see "
                "in the kernel's log whether the machine has too little memory",
            )

    def _without_memory(self, free: int | None) -> ToolOverLimit:
        """``free``: bytes that the machine had left; the fault is the tool's where they suffice."""
        limit = f"{self._sandbox.limits.memory / GIB:g} GiB of memory"
        if free is None or free >= self._sandbox.limits.memory:
            return self._over(limit, "MEMORY")
        return ToolOverLimit(
            f"{self._job.name} got no more memory: below its limit of {limit} the machine has "
            f"only {free / GIB:.1f} GiB to give",
            "end other programs or take fewer --workers, then run the same command again; if it "
            "ends so on a machine with enough, the film is damaged or made to harm",
        )

    def _over_output(self) -> ToolOverLimit:
        return self._over(f"{self._room / GIB:.3g} GiB of output", "OUTPUT")

    def _over(self, limit: str, setting: str) -> ToolOverLimit:
        return ToolOverLimit(
            f"{self._job.name} wanted more than its limit of {limit} and was ended",
            "the film is probably damaged or made to harm: try another copy; for an honest film, "
            f"raise MATINEE_TOOL_{setting}",
        )


def _scratch_file(folder: Path | None) -> IO[bytes]:
    """A file without a name, for a program's standard error, which has room on any disk."""
    try:
        file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115  # the program's end closes it
        with contextlib.ExitStack() as failing:
            failing.enter_context(file)
            os.posix_fallocate(file.fileno(), 0, WORDS_ROOM)
            failing.pop_all()
    except OSError as error:
        raise of_disk(f"scratch files cannot be written: {error.strerror}", error) from error
    return file


def free_memory() -> int | None:
    """Bytes that the machine can still give to programs; None where the kernel does not tell."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        told = {name: int(rest.split()[0]) for name, _, rest in (ln.partition(":") for ln in lines)}
        return 1024 * (told["MemAvailable"] + told.get("SwapFree", 0))
    except (OSError, ValueError, KeyError, IndexError):
        return None


def _counted(pid: int) -> tuple[int | None, int]:
    """Bytes that a process has read and written so far; None where the kernel does not tell."""
    try:
        with open(f"/proc/{pid}/io", "rb") as counters:  # noqa: PTH123  # twice a second
            numbers = [int(line.split()[1]) for line in counters]
    except OSError:
        return None, 0
    return numbers[0], numbers[1]


async def run_program(
    sandbox: Sandbox, job: Job, on_line: Callable[[str], None] = lambda _: None
) -> Finished:
    """Run a program; when this task is cancelled, the program is killed.

    ``on_line`` is called in the event loop's thread.

    Raises:
        ToolMissing: the program cannot be started. ToolHung, ToolOverLimit: it was ended.
    """
    import asyncio  # noqa: PLC0415  # here it is loaded already; who only reads a film needs none

    loop = asyncio.get_running_loop()
    program = Program(sandbox, job)
    ended: asyncio.Future[Finished] = loop.create_future()

    def settle(set_it: Callable[[], None]) -> None:
        with contextlib.suppress(RuntimeError):  # the loop may be gone when we are interrupted
            loop.call_soon_threadsafe(lambda: None if ended.done() else set_it())

    def hear(lines: Sequence[str]) -> None:
        for line in lines:
            on_line(line)

    def watch() -> None:
        try:
            for lines in program.lines():
                with contextlib.suppress(RuntimeError):
                    loop.call_soon_threadsafe(hear, lines)
            finished = program.finish()
        except BaseException as error:  # noqa: BLE001  # handed to the awaiting task
            settle(lambda failure=error: ended.set_exception(failure))  # type: ignore[misc]
        else:
            settle(lambda: ended.set_result(finished))

    watcher = threading.Thread(target=watch, name=f"watch {job.name}", daemon=True)
    watcher.start()
    try:
        return await ended
    except asyncio.CancelledError:
        program.kill()
        watcher.join(timeout=1)
        raise
