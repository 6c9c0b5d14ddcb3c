"""What running a program promises: told whole, costed, and never outliving us."""

import asyncio
import os
import select
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from tests.conftest import environment

from matinee.adapters.process import LAST_WORDS, Finished, Job, run_program
from matinee.adapters.sandbox.rules import Sandbox
from matinee.core.errors import ToolKilled, ToolMissing

pytestmark = pytest.mark.tools

PARENT = """
import asyncio, sys
from pathlib import Path
from matinee.adapters.process import Job, run_program
from matinee.adapters.sandbox.rules import Sandbox
job = Job(["sh", "-c", "echo $$; exec sleep 300"], Path(sys.argv[1]))
sandbox = Sandbox(also_read=[Path("/")])
asyncio.run(run_program(sandbox, job, lambda line: print(line, flush=True)))
"""

FILLER = """
import asyncio, sys
from pathlib import Path
from matinee.adapters.process import Job, run_program
from matinee.adapters.sandbox.rules import Sandbox
job = Job(["sh", "-c", "head -c 10000000 /dev/zero > filled; exit 3"], Path(sys.argv[1]))
sandbox = Sandbox(also_read=[Path("/")], may_fork=True)
try:
    print(asyncio.run(run_program(sandbox, job)))
except Exception as error:
    print(type(error).__name__)
"""

OPEN = Sandbox(also_read=(Path("/"),), may_fork=True)
"""Walls that a shell and its children can live in; test_sandbox.py tries the real ones."""


def run(
    folder: Path, *command: str, environment: dict[str, str] | None = None
) -> tuple[Finished, list[str]]:
    lines: list[str] = []
    finished = asyncio.run(run_program(OPEN, Job(command, folder, (), environment), lines.append))
    return finished, lines


def ends(pidfd: int, within_s: float = 10) -> bool:
    """Whether the process ends (as the kernel tells it)."""
    readable, _, _ = select.select([pidfd], [], [], within_s)
    os.close(pidfd)
    return bool(readable)


def test_lines_of_the_output_are_handed_on_in_order(tmp_path: Path) -> None:
    finished, lines = run(tmp_path, "sh", "-c", "printf 'one\\ntwo\\n\\nlast'")

    assert lines == ["one", "two", "", "last"]
    assert (finished.exit_code, finished.last_words) == (0, "")


def test_a_program_that_fills_the_disk_can_say_so(tmp_path: Path) -> None:
    """Its words lie on that disk: without room for them it would seem to fail for no reason."""
    mounts = ["unshare", "--map-root-user", "--mount"]
    if subprocess.run([*mounts, "true"], check=False, capture_output=True).returncode:
        pytest.skip("NOT RUN: this kernel lets nobody mount a disk")
    script = 'mount -t tmpfs -o size=1m small "$1" && exec "$2" "$3" "$1"'
    disk, filler = tmp_path / "disk", tmp_path / "filler.py"
    filler.write_text(FILLER)
    disk.mkdir()
    done = subprocess.run(
        [*mounts, "sh", "-c", script, "sh", disk, sys.executable, filler],
        check=True, capture_output=True, text=True, env=environment(), timeout=60,
    )  # fmt: skip

    assert done.stdout.strip() == "LibraryFull"


def test_the_exit_code_and_the_last_words_are_told(tmp_path: Path) -> None:
    finished, _ = run(tmp_path, "sh", "-c", "echo why it failed >&2; exit 3")

    assert (finished.exit_code, finished.last_words) == (3, "why it failed")


def test_a_program_that_a_signal_ends_has_a_negative_exit_code(tmp_path: Path) -> None:
    finished, _ = run(tmp_path, "sh", "-c", "kill -SEGV $$")

    assert finished.exit_code == -signal.SIGSEGV


@pytest.mark.parametrize("how", ["KILL", "TERM"])
def test_a_program_that_somebody_ends_may_be_tried_again(tmp_path: Path, how: str) -> None:
    with pytest.raises(ToolKilled, match=f"ended from outside .SIG{how}") as met:
        run(tmp_path, "sh", "-c", f"kill -{how} $$")

    assert met.value.retryable


def test_only_the_end_of_a_long_standard_error_is_kept(tmp_path: Path) -> None:
    script = "import sys; sys.stderr.write('x' * 5_000_000 + 'the end'); print('y' * 100_000)"

    finished, lines = run(tmp_path, sys.executable, "-c", script)

    assert finished.last_words.endswith("xxxthe end")
    assert len(finished.last_words) == LAST_WORDS
    assert lines == ["y" * 100_000]


def test_bytes_that_are_no_text_do_no_harm(tmp_path: Path) -> None:
    finished, lines = run(tmp_path, "sh", "-c", r"printf '\377\376\n'; printf '\377' >&2")

    assert lines == ["\ufffd\ufffd"]
    assert finished.last_words == "\ufffd"


def test_a_program_runs_in_its_folder_with_its_environment(tmp_path: Path) -> None:
    _, lines = run(tmp_path, "sh", "-c", "pwd; echo $RUNG", environment={"RUNG": "240p"})

    assert lines == [str(tmp_path.resolve()), "240p"]


def test_a_program_reads_nothing_from_us(tmp_path: Path) -> None:
    _, lines = run(tmp_path, "sh", "-c", "cat; echo end")

    assert lines == ["end"]


def test_nothing_is_left_in_the_folder(tmp_path: Path) -> None:
    run(tmp_path, "sh", "-c", "echo words >&2")

    assert list(tmp_path.iterdir()) == []


def test_processor_seconds_are_told(tmp_path: Path) -> None:
    busy, _ = run(tmp_path, sys.executable, "-c", "sum(range(10**7))")
    idle, _ = run(tmp_path, "true")

    assert idle.cpu_s < busy.cpu_s <= busy.wall_s + 0.1


def test_a_program_that_is_not_there_is_missing(tmp_path: Path) -> None:
    with pytest.raises(ToolMissing, match="/nonexistent/ffmpeg"):
        run(tmp_path, "/nonexistent/ffmpeg")


def test_a_program_that_may_not_run_is_missing(tmp_path: Path) -> None:
    plain = tmp_path / "ffmpeg"
    plain.write_text("no program")

    with pytest.raises(ToolMissing, match="ffmpeg"):
        run(tmp_path, str(plain))


def test_lines_are_heard_in_the_thread_of_the_event_loop(tmp_path: Path) -> None:
    heard: list[int] = []
    asyncio.run(
        run_program(
            OPEN,
            Job(["echo", "frame=1"], tmp_path),
            lambda _: heard.append(threading.get_ident()),
        )
    )

    assert heard == [threading.get_ident()]


def test_a_cancelled_program_is_killed_with_all_that_it_started(tmp_path: Path) -> None:
    pidfds: list[int] = []

    async def begin_and_cancel() -> None:
        both = asyncio.Event()

        def hear(line: str) -> None:
            pidfds.append(os.pidfd_open(int(line)))
            if len(pidfds) == 2:
                both.set()

        script = "trap '' TERM INT; sleep 300 & echo $!; echo $$; wait"
        task = asyncio.create_task(run_program(OPEN, Job(["sh", "-c", script], tmp_path), hear))
        async with asyncio.timeout(20):
            await both.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(begin_and_cancel())

    assert len(pidfds) == 2
    assert [ends(pidfd) for pidfd in pidfds] == [True] * len(pidfds)


def test_many_programs_cancelled_at_once_leave_none(tmp_path: Path) -> None:
    pidfds: list[int] = []

    async def begin_and_cancel() -> None:
        all_began = asyncio.Event()

        def hear(line: str) -> None:
            pidfds.append(os.pidfd_open(int(line)))
            if len(pidfds) == 8:
                all_began.set()

        command = ["sh", "-c", "echo $$; exec sleep 300"]
        tasks = [
            asyncio.create_task(run_program(OPEN, Job(command, tmp_path), hear)) for _ in range(8)
        ]
        async with asyncio.timeout(20):
            await all_began.wait()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    asyncio.run(begin_and_cancel())

    assert [ends(pidfd) for pidfd in pidfds] == [True] * len(pidfds)


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel must tell a child")
def test_a_program_dies_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, str(tmp_path)],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": "src"},
    ) as parent:
        assert parent.stdout is not None
        pidfd = os.pidfd_open(int(parent.stdout.readline()))
        parent.send_signal(signal.SIGKILL)
        parent.wait(10)

        assert ends(pidfd)
