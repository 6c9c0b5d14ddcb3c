"""Where a part of a film comes from: derivations by key and by use, and the tries at them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from matinee.assets.derivation import Derivation
from matinee.core.ids import Digest


@dataclass(frozen=True, slots=True)
class Try:
    """One try at a step, whole. ``outcome``: ``done``, ``failed``, or None: trying, or dead."""

    function: str
    started_at: datetime
    ended_at: datetime | None
    outcome: str | None
    reason: str | None


class Lineage(Protocol):
    """Questions about the ledger that people ask, one at a time."""

    def of_recipe(self, recipe: Digest) -> Derivation | None:
        """The newest derivation of a recipe."""
        ...

    def that_made(self, digest: Digest, function: str) -> Derivation | None:
        """The newest derivation of a function that has an asset among its outputs."""
        ...

    def that_used(self, digest: Digest, function: str, role: str) -> Derivation | None:
        """The newest derivation of a function that has an asset as its input of that role."""
        ...

    def tries(self, run: str, keys: Sequence[Digest]) -> Sequence[Try]:
        """The tries of a run at the steps of those keys, oldest first."""
        ...
