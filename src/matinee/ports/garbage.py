"""What nothing needs: found, condemned, spared where it is needed after all, removed.

Whoever works with objects is a visitor. What is condemned is removed only when every visitor is
gone that had come before, after a grace. A visitor who comes later and finds a condemned object in
the ledger, or writes it again, spares it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from matinee.core.ids import Digest


@dataclass(frozen=True, slots=True)
class Doomed:
    """An object that nothing needs; ``digest`` is None where no table knows it."""

    key: str
    digest: Digest | None
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Retired:
    """Titles that are to go for good, and packages (title, id) that were off the screen long."""

    titles: Sequence[str] = ()
    packages: Sequence[tuple[str, str]] = ()


class Garbage(Protocol):
    """The tables as garbage collection needs them."""

    def retired(self, now: datetime) -> Retired:
        """What has had its time.

        A package has it that is not on screen, is neither the one before nor the newest of its
        title, and was last shown (or made) longer ago than 24 hours and twice its duration.
        """
        ...

    def dismiss(self, retired: Retired, now: datetime) -> Retired:
        """Remove the rows of those that still have had their time; gives them."""
        ...

    def dead(self, retired: Retired, young: datetime) -> Sequence[Doomed]:
        """Objects that nothing needs but what is retired; what was made since ``young`` is."""
        ...

    def is_known(self, keys: Sequence[str], retired: Retired, young: datetime) -> Sequence[str]:
        """Those of the keys that a row knows that is not retired; of old runs none."""
        ...

    def condemn(self, doomed: Sequence[Doomed], now: datetime) -> None:
        """Write down all that is to be removed; what is not among it is spared."""
        ...

    def claim(self, before: datetime, owner: str, young: datetime, limit: int) -> Sequence[Doomed]:
        """Take what was condemned before a time and that no earlier visitor may still see.

        The ledger forgets it in the same transaction. Its bytes are to be removed, then
        ``forget`` called.
        """
        ...

    def placed(self) -> int:
        """How many places of objects the tables know, what is being removed among them."""
        ...

    def waiting(self) -> tuple[int, int]:
        """How many objects are condemned, and their bytes."""
        ...

    def unfinished(self) -> Sequence[Doomed]:
        """What a dead process had claimed and not forgotten."""
        ...

    def forget(self, keys: Sequence[str]) -> None:
        """Close what was claimed: the bytes are gone."""
        ...


class Spare(Protocol):
    """Takes objects off the list of the condemned."""

    def spare(self, key: str) -> bool:
        """Whether it may be written: False while its bytes are being removed."""
        ...
