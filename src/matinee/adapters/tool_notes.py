"""What was found of the tools in the run before: to hash them takes longer than a second run."""

import json
import os
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

LEAST_AGE_S = 2
"""A file that is younger is not noted: it could change again without another time of change."""


@dataclass(frozen=True, slots=True)
class Noted:
    """A tool's version and identity, and which file told them (see ``_which``)."""

    which: list[int]
    version: str
    identity: str


class ToolNotes:
    """Notes in one file of the library; without a ``path`` nothing is known and nothing kept.

    A note counts as long as its tool is the same file with the same size and times of change.
    Whoever can write to the library can forge one, and the ledger that it serves as well.
    ``clock`` gives seconds since 1970, as files' times are.
    """

    def __init__(self, path: Path | None, clock: Callable[[], float] = time.time) -> None:
        self._path, self._clock = path, clock
        self._notes = _read(path) if path else {}

    def recall(self, tool: Path) -> Noted | None:
        """What is known of the tool, if its file is still the one that told it."""
        noted = self._notes.get(str(tool))
        return noted if noted and noted.which == _which(tool) else None

    def note(self, tool: Path, version: str, identity: str) -> Noted:
        """What is known of the tool from now on."""
        noted = Noted(_which(tool), version, identity)
        if self._path and self._age_s(tool) > LEAST_AGE_S:
            self._notes[str(tool)] = noted
            there = {path: one for path, one in self._notes.items() if Path(path).exists()}
            _write(self._path, there)
        return noted

    def _age_s(self, tool: Path) -> float:
        status = tool.stat()
        return self._clock() - max(status.st_mtime, status.st_ctime)


def _which(tool: Path) -> list[int]:
    """A file's device, inode, size and times of change: another one once anybody wrote to it."""
    status = tool.stat()
    return [
        status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns,
    ]  # fmt: skip


def _read(path: Path) -> dict[str, Noted]:
    """The notes; none where the file is not there, or not ours."""
    try:
        notes = {tool: Noted(**noted) for tool, noted in json.loads(path.read_bytes()).items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}
    told = [text for noted in notes.values() for text in (noted.version, noted.identity)]
    return notes if all(isinstance(text, str) for text in told) else {}


def _write(path: Path, notes: dict[str, Noted]) -> None:
    """Replace the file at once; where that cannot be done, the next run finds out again."""
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(json.dumps({tool: asdict(noted) for tool, noted in notes.items()}))
        part.replace(path)
