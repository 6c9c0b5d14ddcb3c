"""What lists of titles show beside the title: one question for a whole page of them."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from matinee.core.ids import Digest
from matinee.ports.catalog import Title


class Shelf(Protocol):
    """The reports of many titles at once."""

    def reports(self, titles: Sequence[Title]) -> Mapping[str, Digest]:
        """The report of the package that each title shows: the one on screen, else the newest.

        By the title's id; one that nothing was made of is left out.
        """
        ...
