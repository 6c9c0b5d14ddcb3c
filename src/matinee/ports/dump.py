"""A whole library's tables, in a form that no database owns."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from matinee.assets.worth import Worth
from matinee.core.events import Fact
from matinee.core.ids import Digest


@dataclass(frozen=True, slots=True)
class Wanted:
    """An object that belongs in a backup, and where the library has it.

    ``size_bytes`` is None where no table says it.
    """

    digest: Digest
    size_bytes: int | None
    keys: Sequence[str]


@dataclass(frozen=True, slots=True)
class Dumped:
    """What one transaction saw: pieces by table, how many titles there are, what is wanted.

    ``wanted`` gives the objects ordered by digest, from a file.
    """

    revision: str
    tables: Mapping[str, Sequence[Digest]]
    titles: int
    count: int
    wanted: Callable[[], Iterator[Wanted]]


Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class TitleRows:
    """The rows of one title, as pieces have them: times are text.

    ``outputs`` refer to derivations by their ``sequence`` in the snapshot.
    """

    title: Row
    packages: Sequence[Row]
    showings: Sequence[Row]
    derivations: Sequence[Row]
    outputs: Sequence[Row]
    assets: Sequence[Row]
    locations: Sequence[Row]
    files: Sequence[Row]


Rows = Mapping[str, Iterable[bytes]]
"""Pieces of each table."""


class Dump(Protocol):
    """The tables of a library."""

    def take(self, folder: Path, worth: Worth, now: datetime) -> Dumped:
        """Write every piece to ``folder``, named by its digest, in one transaction."""
        ...

    def check_empty(self, revision: str) -> None:
        """Raise what ``fill`` would, before any work is done."""
        ...

    def fill(
        self, revision: str, pieces: Rows, has: Callable[[str], bool], facts: Sequence[Fact] = ()
    ) -> None:
        """Write the rows of pieces and tell ``facts``, all or nothing.

        Locations are left out whose digest ``has`` denies. What was being worked on waits again.

        Raises:
            LibraryError: the tables are not empty, or of a newer version.
        """
        ...

    def add_title(self, rows: TitleRows, facts: Sequence[Fact]) -> None:
        """Bring a title back beside what is there, all or nothing; tells ``facts``.

        Rows that are there already stay as they are, but a title that shows nothing shows what it
        showed then.

        Raises:
            TitleTaken: its id belongs to another film, or its film to another title.
        """
        ...
