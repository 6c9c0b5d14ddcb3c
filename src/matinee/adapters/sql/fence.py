"""What a run commits is conditional on its token: an owner that was only asleep harms nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy import Connection, bindparam, select

from matinee.adapters.sql.schema import runs
from matinee.core.errors import RunLost

_MINE = (
    select(runs.c.sequence)
    .where(
        runs.c.id == bindparam("one"), runs.c.token == bindparam("held"), runs.c.owner.is_not(None)
    )
    .with_for_update(read=True)
)


@dataclass(frozen=True, slots=True)
class Fence:
    """A claim of a run, under which rows are written."""

    run: str
    token: int

    def check(self, connection: Connection) -> None:
        """Let nobody take the run over before the transaction ends.

        Raises:
            RunLost: somebody has.
        """
        if connection.scalar(_MINE, {"one": self.run, "held": self.token}) is None:
            raise RunLost(f"run {self.run} was taken over by another worker")


class Check(Protocol):
    """What a commit is conditional on."""

    def check(self, connection: Connection) -> None:
        """Raise ``RunLost`` when the transaction must not be committed."""
        ...


@dataclass(frozen=True, slots=True)
class All:
    """Several checks."""

    checks: Sequence[Check]

    def check(self, connection: Connection) -> None:
        """All of them."""
        for each in self.checks:
            each.check(connection)


def checked(connection: Connection, fence: Check | None) -> None:
    """Check the fence where there is one."""
    if fence is not None:
        fence.check(connection)
