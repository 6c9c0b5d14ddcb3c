"""Upkeep: scrubs, what they found, and what they look at."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from matinee.assets.asset import Asset
from matinee.assets.derivation import Derivation, Step
from matinee.assets.health import Fault
from matinee.core.ids import Digest


@dataclass(frozen=True, slots=True)
class Finding:
    """A fault that was found. ``state`` is ``open``, ``mended`` or ``lost``.

    ``how`` says in words how it was closed.
    """

    id: int
    fault: Fault
    state: str
    found_at: datetime
    closed_at: datetime | None
    how: str | None


class Findings(Protocol):
    """Faults that were found, and what became of them."""

    def open(self, faults: Sequence[Fault]) -> Sequence[Finding]:
        """Note faults and tell ``finding.opened`` of each; gives those that are new.

        A fault of a thing that has an open finding of that kind is noted already. One that was
        called lost stays so: it is not told again.
        """
        ...

    def close(self, finding: Finding, state: str, how: str) -> None:
        """Say what became of a finding and tell ``finding.closed``.

        One that is mended stays so; what is said already is not told again.
        """
        ...

    def all_open(self, title: str | None = None) -> Sequence[Finding]:
        """Findings that are not mended, lost ones too, of all or of one title, oldest first."""
        ...

    def page(self, states: Sequence[str], before: int | None, limit: int) -> Sequence[Finding]:
        """Findings in these states (all, when none is given), newest first."""
        ...


@dataclass(frozen=True, slots=True)
class Scrub:
    """One pass over the library. ``state`` is ``running`` or ``done``.

    ``phase`` is what it looks at, ``place`` how far it came there. ``counts``: what it looked at.
    """

    id: int
    settings: Mapping[str, Any]
    state: str
    phase: str
    place: str
    counts: Mapping[str, int]
    begun_at: datetime
    told_at: datetime
    ended_at: datetime | None


class Scrubs(Protocol):
    """Passes over the library, so that one that is broken off goes on where it was."""

    def begin(self, settings: Mapping[str, Any]) -> Scrub:
        """The newest pass with these settings if it is not over; else a new one."""
        ...

    def tell(self, scrub: Scrub) -> None:
        """Keep how far it came."""
        ...

    def end(self, scrub: Scrub) -> Scrub:
        """It is over: tells ``scrub.ended``."""
        ...

    def newest(self, limit: int) -> Sequence[Scrub]:
        """The last passes, newest first."""
        ...


@dataclass(frozen=True, slots=True)
class Held:
    """An object that the ledger says is there: the asset at a key, by its row's number."""

    number: int
    key: str
    asset: Asset


@dataclass(frozen=True, slots=True)
class Row:
    """A derivation's row as it is written: what it calls itself, and what is in it.

    ``function``, ``version`` and ``wall_s`` are told even where ``derivation`` is None: what else
    is in it cannot be read. ``lacking`` are outputs that lie nowhere by the ledger.
    """

    number: int
    key: Digest
    recipe: Digest
    function: str
    version: int
    wall_s: float
    derivation: Derivation | None
    lacking: tuple[str, ...]


class Holdings(Protocol):
    """What the database says that there is, row by row."""

    def objects(
        self, after: int, limit: int, since: datetime | None, title: str | None
    ) -> Sequence[Held]:
        """Objects after a row, in the order of rows.

        With ``since``, only what a step made that began then or later; with ``title``, only its
        files and what they were made of in one step.
        """
        ...

    def known(self, keys: Sequence[str]) -> Collection[str]:
        """Those of the keys at which something should lie: objects, and reports of packages."""
        ...

    def size(self) -> tuple[int, int]:
        """How many objects there are, and their bytes."""
        ...

    def rows(self, after: int, limit: int) -> Sequence[Row]:
        """Derivations after a row, in the order of rows."""
        ...

    def row(self, key: Digest) -> Row | None:
        """The derivation's row that calls itself so."""
        ...

    def faults(self) -> Sequence[str]:
        """What the database itself says is broken in it."""
        ...

    def set_size(self, digest: Digest, size_bytes: int) -> None:
        """Write the size of an asset, which was measured on its proved bytes."""
        ...

    def set_type(self, digest: Digest, media_type: str) -> None:
        """Write the media type of an asset."""
        ...

    def outputs(self, key: Digest) -> Sequence[Digest]:
        """What a derivation gave, whatever else its row says."""
        ...

    def inputs(self, key: Digest) -> Sequence[Digest]:
        """What a derivation was made from, by its links, whatever its row says."""
        ...

    def place(self, digest: Digest, key: str) -> None:
        """Write that an asset lies at a key, where its proved bytes were seen."""
        ...

    def rewrite(self, key: Digest, step: Step) -> None:
        """Write the step into the row of its key, whose links and outputs stay."""
        ...

    def forget(self, key: Digest) -> None:
        """Take a derivation's row out that cannot be right, so that its step is run again."""
        ...

    def release(self, key: Digest, places: Sequence[str]) -> None:
        """Take a derivation's row out with the places of its outputs: they are made elsewhere."""
        ...

    def set_files(self, title: str, package: str, files: Mapping[str, Digest]) -> None:
        """Write the files of a package, as its derivation has them."""
        ...
