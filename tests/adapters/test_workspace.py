"""Scratch of dead processes is swept, that of the living is left, whatever the clock says."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.conftest import environment

from matinee.adapters.owners import staged_name
from matinee.adapters.workspace import Workspace
from matinee.core.errors import LibraryBusy


def dead_ones_name() -> str:
    """A staging file's name of a process that has ended."""
    script = "from matinee.adapters.owners import staged_name; print(staged_name('a'))"
    command = [sys.executable, "-c", script]
    return subprocess.run(
        command, env=environment(), check=True, capture_output=True, text=True
    ).stdout.strip()


def test_half_written_objects_of_dead_processes_are_removed(tmp_path: Path) -> None:
    staging = tmp_path / "staging"
    staging.mkdir()
    dead = dead_ones_name()
    names = [dead, f"{dead}#1", staged_name("b"), "elsewhere_boot_1_1_c", "elsewhere_boot_1_1_d"]
    for name in names:
        (staging / name).write_bytes(b"half")
    for name in names[2:4]:  # as if the clock had been set forwards
        os.utime(staging / name, (0, 0))

    with Workspace(tmp_path).run():
        assert sorted(path.name for path in staging.iterdir()) == sorted([names[2], names[4]])


def test_one_process_is_alone_and_what_a_dead_one_left_keeps_nobody_out(tmp_path: Path) -> None:
    (tmp_path / "service.lock").touch()  # of one that was killed

    with Workspace(tmp_path).alone("service", "there is one"):
        with (
            pytest.raises(LibraryBusy, match="there is one"),
            Workspace(tmp_path).alone("service", "there is one"),
        ):
            pass
        assert (tmp_path / "service.lock").exists()
    assert not (tmp_path / "service.lock").exists()
    with Workspace(tmp_path).alone("service", "there is one"):
        pass
