"""What is kept of tools: it counts for the very file that it was found of, and for no other."""

import json
import os
import time
from pathlib import Path

import pytest

from matinee.adapters.tool_notes import LEAST_AGE_S, ToolNotes
from matinee.adapters.tools import find_tools


@pytest.fixture
def tool(tmp_path: Path) -> Path:
    path = tmp_path / "tool"
    path.write_bytes(b"one")
    return path


def notes_in(path: Path) -> ToolNotes:
    """Notes that are taken some time after the tool was installed."""
    return ToolNotes(path, lambda: time.time() + LEAST_AGE_S + 1)


def test_a_tool_that_did_not_change_is_known_again(tool: Path, tmp_path: Path) -> None:
    noted = notes_in(tmp_path / "notes").note(tool, "9", "digest")

    assert notes_in(tmp_path / "notes").recall(tool) == noted
    assert notes_in(tmp_path / "others").recall(tool) is None
    assert ToolNotes(None).recall(tool) is None


def test_a_tool_that_changed_is_not(tool: Path, tmp_path: Path) -> None:
    """Though it has the size and the time of change that it had."""
    notes_in(tmp_path / "notes").note(tool, "9", "digest")
    before = tool.stat()
    tool.write_bytes(b"two")
    os.utime(tool, ns=(before.st_atime_ns, before.st_mtime_ns))
    while tool.stat().st_ctime_ns == before.st_ctime_ns:  # until the file system's clock ticks
        os.utime(tool, ns=(before.st_atime_ns, before.st_mtime_ns))

    assert tool.stat().st_mtime_ns == before.st_mtime_ns
    assert notes_in(tmp_path / "notes").recall(tool) is None


def test_a_tool_that_another_file_took_the_place_of_is_not(tool: Path, tmp_path: Path) -> None:
    notes_in(tmp_path / "notes").note(tool, "9", "digest")
    (tmp_path / "new").write_bytes(b"one")
    (tmp_path / "new").replace(tool)

    assert notes_in(tmp_path / "notes").recall(tool) is None


def test_a_tool_that_was_written_just_now_is_not_noted(tmp_path: Path) -> None:
    path = tmp_path / "tool"
    path.write_bytes(b"one")
    ToolNotes(tmp_path / "notes").note(path, "9", "digest")

    assert not (tmp_path / "notes").exists()


def test_tools_that_are_gone_are_forgotten(tool: Path, tmp_path: Path) -> None:
    notes = notes_in(tmp_path / "notes")
    (tmp_path / "gone").write_bytes(b"one")
    notes.note(tmp_path / "gone", "8", "digest")
    (tmp_path / "gone").unlink()
    notes.note(tool, "9", "digest")

    assert list(json.loads((tmp_path / "notes").read_text())) == [str(tool)]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b'{"/tool": 1}',
        b"\xff",
        b'{"/tool": {"which": [], "version": 1, "identity": 2}}',
    ],
)
def test_notes_that_cannot_be_read_are_none(tool: Path, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "notes").write_bytes(content)

    assert notes_in(tmp_path / "notes").recall(tool) is None


def test_notes_that_cannot_be_kept_are_no_harm(tool: Path, tmp_path: Path) -> None:
    assert notes_in(tool / "below").note(tool, "9", "digest").version == "9"


@pytest.mark.tools
def test_tools_are_found_alike_with_notes_and_without(tmp_path: Path) -> None:
    first = find_tools(tmp_path / "notes")

    assert find_tools(tmp_path / "notes") == first == find_tools()
    assert len(json.loads((tmp_path / "notes").read_text())) == 3
