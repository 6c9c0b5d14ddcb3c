"""The forms of what ``/v1`` tells of how things were made."""

from datetime import datetime

from matinee.apps.web.v1.shapes import Json, Shown


class Making(Shown):
    """A step that was run."""

    key: str
    function: str
    version: int
    inputs: dict[str, str]
    parameters: dict[str, Json]
    tools: dict[str, str]
    host: str
    started_at: datetime
    wall_s: float
    cpu_s: float


class DerivationShown(Making):
    """How something was made."""

    outputs: dict[str, str]


class ExcerptShown(Shown):
    """A part of a film that is no asset of its own."""

    of: str
    what: str


class StepShown(Making):
    """A step in a lineage."""

    excerpts: dict[str, ExcerptShown]


class Score(Shown):
    """VMAF of a chunk's frames."""

    mean: float
    min: float
    p5: float


class TryShown(Shown):
    """One try at a step."""

    function: str
    started_at: datetime
    ended_at: datetime | None
    outcome: str | None
    reason: str | None


class Cell(Shown):
    """One chunk of one rung."""

    rung: str
    chunk: int
    state: str
    frames: list[int]
    key: str | None
    recipe: str | None
    encoded: DerivationShown | None
    scored: DerivationShown | None
    score: Score | None
    log: list[TryShown]
