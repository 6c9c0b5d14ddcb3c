"""What a person asks of the path of a film."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from fractions import Fraction
from pathlib import Path

from matinee.media.ladder import LONG_ENOUGH
from matinee.media.profile import Profile
from matinee.media.timeline import Timeline
from matinee.media.tracks import Sidecar
from matinee.stages.chunks import Proofs
from matinee.stages.ingest import shown_name


@dataclass(frozen=True, slots=True)
class Request:
    """What a person asks for. ``name`` and ``credit`` None: as the title has them already.

    ``film_name`` is the file's name as it came, where the file at hand has another. ``cause`` is
    the id of the event that led to this. ``is_public`` and ``rights`` None: as the title has them.
    ``languages``: see ``with_languages``.
    ``place`` is where the film lies, where ``film`` is but a copy for this run.
    ``generation`` is that of its keys; None: the newest.
    """

    film: Path
    name: str | None
    credit: str | None
    sidecars: tuple[Sidecar, ...]
    profile: Profile
    proofs: Proofs
    accept_damage: bool = False
    crop: bool = False
    film_name: str | None = None
    is_public: bool | None = None
    rights: tuple[datetime | None, datetime | None] | None = None
    cause: str | None = None
    preview: bool = False
    budget_s: float | None = None
    on_late: Callable[[float], None] = lambda _: None
    languages: Mapping[str, Sequence[str]] = field(default_factory=dict)
    place: str | None = None
    generation: int | None = None

    @property
    def shown_film(self) -> str:
        """The film's file name, for people."""
        return shown_name(self.film_name or self.film.name)

    def of_film(self, timeline: Timeline | None, *, has_time: bool = True) -> "Request":
        """The same, as it is known how long the film is; None: it may be any length."""
        has_time = has_time and self.proofs.scored and self.budget_s is None
        duration = timeline.duration if timeline else Fraction(LONG_ENOUGH)
        profile = self.profile if self.budget_s is None else self.profile.with_budget(None)
        return replace(self, profile=profile.for_film(duration, has_time=has_time))
