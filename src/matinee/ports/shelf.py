"""What lists of titles show beside the title: one question for a whole page of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from matinee.core.ids import Digest
from matinee.ports.catalog import Title


@dataclass(frozen=True, slots=True)
class Shown:
    """Of the package that a title shows: its report, and what lists show of that, if it is kept."""

    report: Digest
    sketch: Mapping[str, Any] | None


class Shelf(Protocol):
    """The packages that many titles show, at once."""

    def shown(self, titles: Sequence[Title]) -> Mapping[str, Shown]:
        """The package that each title shows: the one on screen, else the newest.

        By the title's id; one that nothing was made of is left out.
        """
        ...
