"""The forms of what ``/v1`` gives of upkeep."""

from datetime import datetime

from matinee.apps.web.v1.making_shapes import StepShown
from matinee.apps.web.v1.shapes import Json, Shown


class AssetShown(Shown):
    """An asset in a lineage."""

    digest: str
    role: str
    size_bytes: int
    media_type: str
    keys: list[str]
    step: str | None
    parents: list[str]


class LineageShown(Shown):
    """What a thing was made of, and what of it."""

    thing: str
    kind: str
    digests: list[str]
    title: str | None
    package: str | None
    on_screen: bool
    assets: list[AssetShown]
    steps: list[StepShown]
    left_out: int


class ScrubShown(Shown):
    """A pass over all that is stored."""

    scrub: int
    settings: dict[str, Json]
    state: str
    phase: str | None
    counts: dict[str, int]
    begun_at: datetime
    told_at: datetime
    ended_at: datetime | None


class FindingShown(Shown):
    """A fault that was found."""

    finding: int
    kind: str
    thing: str
    digest: str | None
    title: str | None
    message: str
    detail: dict[str, Json]
    state: str
    found_at: datetime
    closed_at: datetime | None
    how: str | None
