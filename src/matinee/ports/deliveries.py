"""Deliveries: an event on its way to a function, at least once, in order for each subject."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from matinee.core.events import Event, Fact


@dataclass(frozen=True, slots=True)
class Order:
    """What a rule wants done about an event.

    An ``ordered`` one waits for the earlier ones of its subject, and those behind it wait for it.
    ``most`` and ``window_s`` cap the rule: at most so many fall due in any so many seconds.
    """

    rule: str
    function: str
    parameters: Mapping[str, Any]
    due_at: datetime
    ordered: bool = True
    most: int | None = None
    window_s: float | None = None


@dataclass(frozen=True, slots=True)
class Delivery:
    """An order as it stands.

    ``state`` is ``waiting``, ``running``, ``done``, ``dead`` (failed for good; an ordered one holds
    its subject) or ``skipped`` (a person let it go). ``token`` fences: it grows with every claim.
    ``reason`` says why the last try failed. The data of the event of one that is over are empty
    where they lie in a seal by now.
    """

    id: int
    event: Event
    rule: str
    function: str
    parameters: Mapping[str, Any]
    ordered: bool
    state: str
    attempts: int
    due_at: datetime
    token: int
    reason: str | None
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class Settled:
    """How a try ended: ``done``, to be tried again at ``due_at`` (``waiting``), or ``dead``.

    ``facts`` are told in the same transaction, after ``delivery.dead`` where it is dead: with
    ``reason`` as its message, and ``code`` and ``hint`` of the error.
    """

    state: str
    due_at: datetime | None = None
    reason: str | None = None
    code: str | None = None
    hint: str = ""
    facts: Sequence[Fact] = ()


class Deliveries(Protocol):
    """The queue between the event log and the functions. Delivered in the order of the log."""

    def route(self, choose: Callable[[Event], Sequence[Order]], limit: int) -> int:
        """Turn the next events into deliveries; gives how many events were looked at.

        The deliveries and the place up to which the log was read are written in one transaction: no
        event is lost or routed twice, whoever dies when.
        """
        ...

    def claim(
        self, owner: str, now: datetime, limit: int, without: Collection[str] = ()
    ) -> Sequence[Delivery]:
        """Take deliveries that are due and whose turn it is, the longest due first.

        Those to the functions ``without`` are left. Their tokens and attempts grow.
        """
        ...

    def settle(self, delivery: Delivery, how: Settled) -> bool:
        """Close a try; False, and nothing happens, when its token is no longer the delivery's."""
        ...

    def settle_all(self, tries: Sequence[tuple[Delivery, Settled]]) -> Sequence[bool]:
        """Close many in one transaction, each as ``settle`` does; gives what it gives of each."""
        ...

    def next_due(self, without: Collection[str] = ()) -> datetime | None:
        """When the earliest waiting delivery falls due whose turn it is, and that is no such."""
        ...

    def ahead(self, now: datetime) -> Sequence[Delivery]:
        """What waits or runs and falls due later than now, by due time."""
        ...

    def bring_forward(self, times: Sequence[tuple[int, datetime]]) -> None:
        """Let deliveries, by their ids, fall due earlier; what is over, or due before, stays so."""
        ...


@dataclass(frozen=True, slots=True)
class Waiting:
    """Counts of deliveries that are ``waiting``, ``running`` or ``dead``.

    ``oldest_due_at`` says since when the oldest one waits that could be claimed.
    """

    counts: Mapping[str, int]
    oldest_due_at: datetime | None


class DeliveryDesk(Protocol):
    """What people see of deliveries and do about them."""

    def page(
        self, state: str | None, subject: str | None, before: int | None, limit: int
    ) -> Sequence[Delivery]:
        """Deliveries, newest first, before a delivery's id."""
        ...

    def of_event(self, event_id: str) -> Sequence[Delivery]:
        """What became of an event."""
        ...

    def replay(self, delivery_id: int, facts: Sequence[Fact]) -> Delivery:
        """Let a dead delivery be tried again, from its first attempt; raises ``NotFound``.

        One that is not dead stays as it is, and the facts are not told.
        """
        ...

    def skip(self, delivery_id: int, facts: Sequence[Fact]) -> Delivery:
        """Let a dead delivery go, so that its subject goes on; raises ``NotFound``.

        One that is not dead stays as it is, and the facts are not told.
        """
        ...

    def waiting(self) -> Waiting:
        """How full the queue is."""
        ...
