"""The ledger of derivations: it alone says what is made."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from matinee.assets.asset import Asset
from matinee.assets.derivation import Derivation, Step
from matinee.core.ids import Digest

RUNGS = "choose_rungs"
"""The function that finds a title's own rungs: the newest of these can be asked for."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try at a step by one run. ``outcome``: ``done``, ``failed``, or None: trying, or dead."""

    id: int
    run: str
    key: Digest
    function: str
    started_at: datetime
    outcome: str | None


class Ledger(Protocol):
    """Derivations by recipe and key. Writing one twice changes nothing.

    Attempts say who is trying and who tried; losing them loses no work.
    """

    def find(self, recipe: Digest) -> Sequence[Derivation]:
        """Every derivation of that recipe, whatever its tools, newest first."""
        ...

    def find_all(self, recipes: Sequence[Digest]) -> Sequence[Sequence[Derivation]]:
        """What ``find`` gives for each of many recipes, in their order, in a few queries."""
        ...

    def newest(
        self, function: str, limit: int, *, of: Digest | None = None, giving: str | None = None
    ) -> Sequence[Derivation]:
        """The newest derivations of a function, newest first.

        Those alone that have ``of`` as an input; that have an output of the role ``giving``. Quick
        for ``RUNGS``, and with ``of``.
        """
        ...

    def begin(self, run: str, step: Step) -> int:
        """Note that ``run`` starts on ``step``; gives the attempt's id."""
        ...

    def record(
        self,
        attempt: int,
        derivation: Derivation,
        locations: Iterable[tuple[Digest, str]],
        *,
        anew: bool = False,
    ) -> None:
        """Write a derivation, its assets and where they lie, and close the attempt as done.

        All in one transaction, after the bytes are stored. When the key is there already, the first
        derivation stays, but for one that a person had made ``anew``, which takes its place; the
        locations are written all the same, as lost bytes may have been made
        again. A place in the store holds one asset: the newest.
        """
        ...

    def fail(self, attempt: int, reason: str) -> None:
        """Close an attempt that failed."""
        ...

    def attempts(self, run: str | None = None) -> Sequence[Attempt]:
        """The attempts of one run, or of all, oldest first."""
        ...


class Inventory(Protocol):
    """What the ledger knows of assets: where they lie and what made them."""

    def locate(self, digest: Digest) -> Sequence[str]:
        """Keys in the store under which the asset lies, oldest first."""
        ...

    def locate_all(self, digests: Sequence[Digest]) -> Sequence[Sequence[str]]:
        """What ``locate`` gives for each of many assets, in their order, in a few queries."""
        ...

    def made(self, digest: Digest) -> Sequence[Derivation]:
        """The derivations that have this asset among their outputs."""
        ...

    def asset(self, digest: Digest) -> Asset | None:
        """The asset of that name, if the ledger knows it."""
        ...
