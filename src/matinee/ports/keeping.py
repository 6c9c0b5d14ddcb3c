"""What keeps a library safe, as rules call it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from matinee.assets.backup_policy import Policy


@dataclass(frozen=True, slots=True)
class Late:
    """A place whose last backup or drill (``what``) is older than it should be; None: never."""

    vault: str
    what: str
    last: datetime | None


class Keeping(Protocol):
    """Backups, drills and garbage collection of one library, with their events.

    Places are those of its policy; without one there is nothing to do.
    """

    def places(self) -> Sequence[Policy]:
        """Where the library is backed up to."""
        ...

    async def back_up(self, cause: str | None) -> None:
        """Back up to every place. Raises the first error when all were tried."""
        ...

    async def check_backups(self, cause: str | None) -> None:
        """Read every copy of every place; what is bad is told of and written again."""
        ...

    async def drill(self, cause: str | None) -> None:
        """Try the newest snapshot of every place that needs no identity, or has one."""
        ...

    async def collect(self, grace_h: float, unused_days: float, cause: str | None) -> None:
        """Collect garbage."""
        ...

    def late(self, backup_days: float, drill_days: float, now: datetime) -> Sequence[Late]:
        """What should have been done by now."""
        ...
