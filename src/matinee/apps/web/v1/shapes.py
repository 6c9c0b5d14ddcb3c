"""The forms of what ``/v1`` takes and gives; OpenAPI is written from them."""

import re
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StringConstraints,
)

Json = Any
Scope = Literal["read", "upload", "operate", "admin"]


def _spelled(value: Any) -> Any:
    """Only text is read as a time, and only in RFC 3339's form: a number could mean anything."""
    if not isinstance(value, str) or not _TIME.fullmatch(value):
        raise ValueError("a time is spelled with its zone, such as 2027-01-31T20:00:00Z")
    return value


_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)")
GivenTime = Annotated[AwareDatetime, BeforeValidator(_spelled)]
Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]


class Given(BaseModel):
    """What a caller sends: unknown fields are refused, for they would do nothing."""

    model_config = ConfigDict(extra="forbid")


class Shown(BaseModel):
    """What a caller gets."""


class Fault(Shown):
    """One place in which a request does not fit its form."""

    place: str
    message: str


class Problem(Shown):
    """An error (RFC 9457)."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    hint: str | None = None
    errors: list[Fault] | None = None


class TitleSummary(Shown):
    """A title in a list."""

    id: str
    name: str
    state: Literal["published", "hidden", "deleted"]
    credit: str
    poster: str | None
    duration: float | None


class MediaAddresses(Shown):
    """Where a title plays."""

    hls: str
    dash: str


class TitleMedia(MediaAddresses):
    """The same of a title on screen; ``licence`` is where an encrypted one's keys are asked for."""

    licence: str | None


class PackageSummary(Shown):
    """A package of a title."""

    id: str
    state: str
    made_at: datetime
    current: bool


class TitleWhole(TitleSummary):
    """A title whole."""

    film: str
    source: str
    added_at: datetime
    current: str | None
    media: TitleMedia | None
    preview: MediaAddresses | None
    package: str | None
    packages: list[PackageSummary]
    report: dict[str, Json] | None
    public: bool
    opens_at: datetime | None
    closes_at: datetime | None
    removes_at: datetime | None


class TitleChange(Given):
    """What is to be said of a title from now on; what is not given stays."""

    name: Words | None = None
    credit: Annotated[str, StringConstraints(max_length=2000)] | None = None
    public: StrictBool | None = None
    opens_at: GivenTime | None = None
    closes_at: GivenTime | None = None


class Showing(Given):
    """Which package to show; the newest that is ready, if none is named."""

    package: str | None = None


class Deletion(Given):
    """How many days a deleted title can be brought back."""

    days: Annotated[float, Field(ge=0, le=36_500, strict=True)] = 7.0


class Failure(Shown):
    """An error as it is kept."""

    model_config = ConfigDict(extra="allow")
    code: str | None = None
    message: str | None = None
    hint: str | None = None


class RunSummary(Shown):
    """A run in a list."""

    id: str
    flow: str
    film: str
    title: str | None
    state: str
    priority: int
    deadline: datetime | None
    attempts: int
    cause: str | None
    error: dict[str, Json] | None
    result: dict[str, Json] | None
    queued_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    fps: float | None
    left_s: float | None
    share: float | None


class RunWhole(RunSummary):
    """A run whole."""

    request: dict[str, Json]
    progress: dict[str, Json]
    preview: MediaAddresses | None


class Priority(Given):
    """How soon: the higher goes first."""

    priority: Annotated[int, Field(ge=-100, le=100, strict=True)]


class Restart(Given):
    """The first stage that is made anew."""

    stage: Literal["inspect", "split", "sound", "text", "encode", "score", "package"]


class EventShown(Shown):
    """An event: CloudEvents 1.0 in JSON, with its place in the log."""

    specversion: Literal["1.0"]
    id: str
    source: str
    type: str
    subject: str
    time: datetime
    datacontenttype: str
    data: dict[str, Json]
    cause: str | None = None
    place: int | None = None


class EventTypeShown(Shown):
    """A kind of event."""

    name: str
    meaning: str
    fields: dict[str, list[str]]


class DeliverySummary(Shown):
    """What became of an event."""

    id: int
    rule: str
    function: str
    state: str
    attempts: int
    reason: str | None


class DeliveryWhole(DeliverySummary):
    """A delivery."""

    event: EventShown
    parameters: dict[str, Json]
    ordered: bool
    due_at: datetime
    ended_at: datetime | None


class Node(Shown):
    """An event with what came of it."""

    event: EventShown
    deliveries: list[DeliverySummary]
    effects: list["Node"]


class Chain(Shown):
    """The causes and effects of an event, as a tree from the first cause."""

    root: Node
    cut: bool


class RuleShown(Shown):
    """A rule."""

    name: str
    file: str
    line: int
    when: dict[str, Json] | None
    if_: Annotated[str | None, Field(alias="if")]
    do: str
    parameters: dict[str, Json]
    at_most: str | None
    delay: str | None
    schedule: str | None
    ordered: bool


class RuleFile(Shown):
    """A file of rules."""

    name: str
    text: str


class TriedEvent(Given):
    """An event to try the rules with."""

    type: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    subject: Annotated[str, StringConstraints(min_length=1, max_length=1000)]
    data: dict[str, Json] = {}


class RuleTested(Shown):
    """What a rule makes of an event."""

    rule: str
    matches: bool
    why: str


class UploadShown(Shown):
    """An upload that is not complete."""

    id: str
    name: str
    size_bytes: int | None
    offset_bytes: int
    started_at: datetime
    changed_at: datetime


class Series(Shown):
    """Numbers over time: a time for each row, a column for each number."""

    times: list[int]
    columns: dict[str, list[float | None]]


class NumbersShown(Shown):
    """How busy the service is."""

    now: dict[str, float | None]
    seconds: Series
    minutes: Series


class SignIn(Given):
    """A token, or the code of a link."""

    token: Annotated[str, StringConstraints(max_length=200)] | None = None
    code: Annotated[str, StringConstraints(max_length=200)] | None = None


class SessionShown(Shown):
    """Who you are."""

    who: str
    scopes: list[Scope]
    expires_at: datetime | None


class SessionOpened(SessionShown):
    """A session that was just opened, with what its page must keep."""

    csrf: str


class TokenShown(Shown):
    """A token, as others see it."""

    id: str
    name: str
    scopes: list[str]
    made_at: datetime
    expires_at: datetime | None
    used_at: datetime | None
    revoked_at: datetime | None


class TokenWish(Given):
    """A token that is asked for."""

    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]
    scopes: Annotated[list[Scope], Field(min_length=1, max_length=4)]
    days: Annotated[float, Field(gt=0, le=36_500, strict=True)] | None = None


class TokenMade(TokenShown):
    """A new token, with the secret that is told this once."""

    secret: str
