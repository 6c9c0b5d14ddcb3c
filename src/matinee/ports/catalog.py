"""The catalog: titles, their packages, and which one is on screen."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from matinee.core.ids import Digest


@dataclass(frozen=True, slots=True)
class Title:
    """What a viewer chooses. ``published`` when a package is current, else ``hidden``."""

    id: str
    name: str
    source: Digest
    film: str
    """File name of the film as it first came."""
    credit: str
    added_at: datetime
    current: str | None
    """Id of the package on screen."""

    @property
    def state(self) -> str:
        """``published`` or ``hidden``."""
        return "published" if self.current else "hidden"


@dataclass(frozen=True, slots=True)
class Package:
    """An immutable set of manifests over immutable segments, at ``titles/<title>/packages/<id>``.

    ``state`` is ``ready`` (all verdicts passed) or ``held`` (one failed). ``files`` maps each path
    below ``titles/<title>`` to its digest. ``report`` names the report's asset.
    """

    id: str
    title: str
    state: str
    made_at: datetime
    files: Mapping[str, Digest]
    report: Digest
    settings: Mapping[str, Any]


class Titles(Protocol):
    """The titles. A title's row is the truth; its entry manifests are a projection of it."""

    def add(self, title: Title) -> Title:
        """Add a title, or give the one that has the same source already.

        When the id is taken by a film of other bytes, the new title's id gets a suffix.
        """
        ...

    def describe(self, title_id: str, name: str | None, credit: str | None) -> Title:
        """Change what is not None; raises ``NotFound`` for an unknown title."""
        ...

    def get(self, name: str) -> Title:
        """The title of that id, or of that name when only one has it; else raises ``NotFound``."""
        ...

    def of_source(self, source: Digest) -> Title | None:
        """The title whose film has that digest."""
        ...

    def all(self) -> Sequence[Title]:
        """All titles that a package was made of, by name then id."""
        ...


class Packages(Protocol):
    """The packages of the titles, and which one is on screen."""

    def add(self, package: Package) -> None:
        """Add a package; adding the same id again replaces its report, settings and state."""
        ...

    def get(self, title_id: str, package_id: str) -> Package:
        """One package; raises ``NotFound``."""
        ...

    def of_title(self, title_id: str) -> Sequence[Package]:
        """The packages of a title, oldest first."""
        ...

    def point(self, title_id: str, package_id: str | None) -> Title:
        """Put a package on screen, or take the title off with None; gives the title as it is now.

        Keeps the history that ``previous`` reads; pointing at what is current adds nothing to it.
        Raises ``NotFound``.
        """
        ...

    def previous(self, title_id: str) -> str | None:
        """The package that was on screen before the current one (for a rollback), or None."""
        ...
