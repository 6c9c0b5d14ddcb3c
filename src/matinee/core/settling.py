"""Whether a film in a folder is whole: it stood still, and nothing has it open for writing."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Seen:
    """How a file looks in a listing. ``inode`` is 0 where inodes mean nothing."""

    size: int
    mtime_ns: int
    inode: int


@dataclass(frozen=True, slots=True)
class Listing:
    """The files below a folder by relative path, and the sub-folders that could not be listed."""

    files: Mapping[str, Seen]
    unlisted: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Patience:
    """For how long a film has to stand still, in seconds.

    ``quiet_s`` where it is known that nobody writes to it, ``still_s`` where that cannot be known.
    """

    quiet_s: float = 2.0
    still_s: float = 30.0


@dataclass(frozen=True, slots=True)
class Still:
    """How a film looks, and since when. ``mark`` is None for one that is not there."""

    mark: Any
    since: float


def followed(before: Mapping[str, Still], marks: Mapping[str, Any], now: float) -> dict[str, Still]:
    """What stands still since when, after another look.

    Args:
        before: What the look before gave.
        marks: How each film looks now.
        now: A monotonic clock, in seconds.
    """
    return {
        film: known
        if (known := before.get(film)) is not None and known.mark == mark
        else Still(mark, now)
        for film, mark in marks.items()
    }


def is_whole(still: Still, now: float, has_writer: bool | None, patience: Patience) -> bool:
    """Whether a film may be taken; ``has_writer`` is None where that cannot be known."""
    if has_writer:
        return False
    needed = patience.still_s if has_writer is None else patience.quiet_s
    return now - still.since >= needed
