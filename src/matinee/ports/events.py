"""The event log: facts in the order in which they were committed, sealed stretch by stretch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from matinee.assets.asset import Asset
from matinee.core.events import Event, Fact
from matinee.core.ids import Digest


@dataclass(frozen=True, slots=True)
class Entry:
    """An event's row in the slim index.

    ``place`` grows in the order of commits: whoever has read up to a place misses nothing by
    reading on from there, and no place is left out. ``event`` is None where the body lies in the
    seal of that number.
    """

    place: int
    id: str
    time: datetime
    type: str
    source: str
    subject: str
    cause: str | None
    seal: int | None
    event: Event | None


@dataclass(frozen=True, slots=True)
class Search:
    """Which events: all conditions that are not None hold. Newest first.

    ``type`` and ``subject`` match as a whole or, ending in ``*``, by their beginning. ``before`` is
    a place: the cursor of a page.
    """

    type: str | None = None
    subject: str | None = None
    cause: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    before: int | None = None


class EventLog(Protocol):
    """Append-only. A change of the catalog or of a run writes its facts in its own transaction."""

    def append(self, facts: Sequence[Fact]) -> Sequence[Event]:
        """Tell of facts, in one transaction; gives the events that are new.

        A fact whose id is in the log already is not told again.
        """
        ...

    def after(self, place: int, limit: int) -> Sequence[Entry]:
        """What came after a place, oldest first."""
        ...

    def last(self) -> int:
        """The place of the newest event that was ever told, 0 in an empty log."""
        ...

    def get(self, event_id: str) -> Entry:
        """One event; raises ``NotFound``."""
        ...

    def search(self, which: Search, limit: int) -> Sequence[Entry]:
        """Events that meet the conditions, newest first."""
        ...


@dataclass(frozen=True, slots=True)
class Seal:
    """Events ``first`` to ``last`` (places) as one asset, which names the seal before."""

    number: int
    first: int
    last: int
    count: int
    body: Digest
    previous: Digest | None
    sealed_at: datetime


class Seals(Protocol):
    """Finished stretches of the log, whose bodies are assets."""

    def open_stretch(self, limit: int) -> Sequence[Entry]:
        """The oldest events that are in no seal, up to where the router has read."""
        ...

    def close(self, seal: Seal, asset: Asset, key: str) -> bool:
        """Write a seal and drop its events' bodies from the index, after the asset is stored.

        A body that a delivery still needs stays in the index too, until it is over.
        False, and nothing happens, when another process sealed that stretch meanwhile.
        """
        ...

    def all(self) -> Sequence[Seal]:
        """Every seal, oldest first."""
        ...

    def stretch(self, seal: Seal) -> Sequence[Entry]:
        """The index rows from a seal's first place to its last, oldest first."""
        ...

    def rewrite(self, seal: Seal, sealed: Mapping[int, Event]) -> None:
        """Write the index rows of a seal's events, by their places, as the seal has them."""
        ...


class SealedLog(EventLog, Seals, Protocol):
    """The whole log."""
