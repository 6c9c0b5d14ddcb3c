"""What the web needs of the service, beside the library's titles."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from matinee.apps.web.access import Access
from matinee.apps.web.credentials import Links
from matinee.apps.web.library import WebServices
from matinee.core.events import Event
from matinee.flows.lineage import Records
from matinee.ports.deliveries import DeliveryDesk
from matinee.ports.events import Entry, EventLog
from matinee.ports.keeping import Keeping
from matinee.ports.lineage import Lineage
from matinee.ports.runs import Run, RunDesk, Wish
from matinee.ports.sessions import Replies, Sessions
from matinee.ports.store import ObjectStore
from matinee.ports.tokens import Tokens
from matinee.ports.upkeep import Findings, Scrubs


@dataclass(frozen=True, slots=True)
class ShownRule:
    """A rule as people see it. ``line`` is where it begins in ``file``."""

    name: str
    file: str
    line: int
    when: Mapping[str, Any] | None
    condition: str | None
    function: str
    parameters: Mapping[str, Any]
    at_most: str | None
    delay: str | None
    schedule: str | None
    ordered: bool


@dataclass(frozen=True, slots=True)
class Tested:
    """What a rule makes of an event, and why."""

    rule: str
    matches: bool
    why: str


class RuleDesk(Protocol):
    """What people see of the rules."""

    def all(self) -> Sequence[ShownRule]:
        """Every rule, in the order of the files."""
        ...

    def sources(self) -> Sequence[tuple[str, str]]:
        """Names and texts of the files of rules, shipped ones first."""
        ...

    def test(self, event: Event) -> Sequence[Tested]:
        """What each rule makes of an event; nothing is done."""
        ...


@dataclass(frozen=True, slots=True)
class OpenUpload:
    """An upload that is not complete."""

    id: str
    name: str
    size_bytes: int | None
    offset_bytes: int
    started_at: datetime
    changed_at: datetime


class UploadDesk(Protocol):
    """What people see of uploads."""

    def open(self) -> Sequence[OpenUpload]:
        """Uploads that are not complete, newest first."""
        ...


@dataclass(frozen=True)
class Service:
    """The ports behind ``/v1`` and the studio.

    ``read_event`` gives an entry's event, also where its body lies in a seal. ``wake`` is called
    after every act, so that nobody waits for the next look.
    """

    catalog: WebServices
    store: ObjectStore
    log: EventLog
    read_event: Callable[[Entry], Awaitable[Event]]
    deliveries: DeliveryDesk
    runs: RunDesk
    lineage: Lineage
    records: Records
    findings: Findings
    scrubs: Scrubs
    submit: Callable[[Wish, str | None], Run]
    rules: RuleDesk
    uploads: UploadDesk
    keeping: Keeping
    tokens: Tokens
    sessions: Sessions
    replies: Replies
    key: bytes
    access: Access
    now: Callable[[], datetime]
    wake: Callable[[], None]
    links: Links = field(default_factory=Links)
