"""``kill -9`` of the whole process tree at random moments: the short form, seeded."""

import os
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import pytest
from tests.conftest import environment
from tests.flows.crash import command, descendants, disturb
from tests.patience import comes_true

pytestmark = [pytest.mark.tools, pytest.mark.slow]


def test_killed_publishes_end_with_the_same_bytes_and_repeat_no_finished_work(
    film: Path, ladder: Path, tmp_path: Path
) -> None:
    """PeerTube#5868, PeerTube#6282, AVideo#5253: a restart lost, stuck or doubled jobs."""
    options = ["--ladder", str(ladder), "--no-scores"]

    outcome = disturb(film, options, kills=5, seed=20261122, folder=tmp_path)

    assert outcome.kills == 5
    assert outcome.differing == ()
    assert outcome.files > 50
    assert outcome.made_twice == ()
    assert outcome.scratch == ()


def begin(film: Path, ladder: Path, library: Path) -> "subprocess.Popen[bytes]":
    """A publish that is in the middle of its encodes."""
    process = subprocess.Popen(
        command(film, library, ["--ladder", str(ladder)]),
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    while not list((library / "scratch").glob("runs/*/chunks/*/*.mp4")):  # as long as a test may
        assert process.poll() is None
        time.sleep(0.01)
    return process


def ended(pids: list[int], within_s: float) -> bool:
    return comes_true(lambda: all(map(is_dead, pids)), within_s)


def is_dead(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except OSError:
        return True


def test_ctrl_c_ends_every_child_and_the_same_command_goes_on(
    film: Path, ladder: Path, tmp_path: Path
) -> None:
    process = begin(film, ladder, tmp_path)
    children = descendants(process.pid)
    assert children

    process.send_signal(signal.SIGINT)

    assert ended(children, within_s=2)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert b"goes on where this one stopped" in said
    assert b"Traceback" not in said
    again = subprocess.run(
        command(film, tmp_path, ["--ladder", str(ladder), "--no-scores", "--json"]),
        env=environment(), capture_output=True, check=True,
    )  # fmt: skip
    assert b'"state": "published"' in again.stdout


def reader_of(pid: int) -> int | None:
    """The process below ``pid`` that reads the film, as soon as it is there."""
    with suppress(OSError):  # a process that ends while we look
        for child in descendants(pid):
            if b"matinee.adapters.reading" in Path(f"/proc/{child}/cmdline").read_bytes():
                return child
    return None


def test_ctrl_c_ends_a_reader_that_hangs(film: Path, ladder: Path, tmp_path: Path) -> None:
    with subprocess.Popen(
        command(film, tmp_path, ["--ladder", str(ladder)]),
        env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        while (reader := reader_of(process.pid)) is None:
            assert process.poll() is None
            time.sleep(0.01)
        os.kill(reader, signal.SIGSTOP)

        process.send_signal(signal.SIGINT)

        assert ended([reader], within_s=2)
        assert comes_true(lambda: process.poll() is not None, within_s=2)
        assert process.returncode == 130


def test_children_die_with_a_killed_parent(film: Path, ladder: Path, tmp_path: Path) -> None:
    process = begin(film, ladder, tmp_path)
    children = descendants(process.pid)

    os.kill(process.pid, signal.SIGKILL)
    process.wait()

    assert process.stderr is not None
    process.stderr.close()
    assert ended(children, within_s=2)
