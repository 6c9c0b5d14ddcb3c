"""Where a part of a film comes from: derivations by key and by use, and the tries at them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from matinee.assets.asset import Asset
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


class Ancestry(Protocol):
    """The ledger as a graph: asked for many assets at once, in a few queries."""

    def made_any(self, digests: Sequence[Digest]) -> Sequence[Derivation]:
        """The derivations that have one of these assets among their outputs, newest first."""
        ...

    def used_any(self, digests: Sequence[Digest]) -> Sequence[Derivation]:
        """The derivations that have one of these digests among their inputs, newest first."""
        ...

    def assets(self, digests: Sequence[Digest]) -> Mapping[Digest, Asset]:
        """The assets of these names that the ledger knows."""
        ...

    def places(self, digests: Sequence[Digest]) -> Mapping[Digest, Sequence[str]]:
        """The keys in the store under which these assets lie, oldest first."""
        ...

    def at(self, key: str) -> Digest | None:
        """The asset that lies at a key of the store."""
        ...

    def under(self, prefix: str) -> Mapping[str, Digest]:
        """The keys that begin so, in order, and what lies there."""
        ...

    def alike(self, like: Derivation, start: datetime, end: datetime) -> Sequence[Derivation]:
        """What the same version of a function with the same tools made on the same host.

        Of that which began in ``[start, end]``, oldest first.
        """
        ...
