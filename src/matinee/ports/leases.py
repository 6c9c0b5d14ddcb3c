"""Leases: who works on what, judged by observers on their own monotonic clocks.

An owner makes its counter grow. An observer that has not seen token and counter move for long
enough lets the thing go; the token grows with every claim, and every commit is conditional on it,
so that an owner who was only asleep harms nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Lease:
    """One thing that is being worked on."""

    id: str
    owner: str
    token: int
    counter: int


class Leases(Protocol):
    """The leases of one kind of thing: runs, or deliveries."""

    def held(self) -> Sequence[Lease]:
        """Everything that is being worked on."""
        ...

    def renew(self, owner: str) -> None:
        """Make the counters of all that an owner holds grow."""
        ...

    def release(self, lease: Lease) -> bool:
        """Let go what has still that token and counter, so that it can be claimed again."""
        ...

    def release_all(self, owner: str) -> int:
        """Let go everything of an owner that is known to be dead."""
        ...
