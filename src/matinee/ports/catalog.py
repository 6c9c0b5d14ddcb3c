"""The catalog: titles, their packages, and which one is on screen."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from matinee.core.ids import Digest


@dataclass(frozen=True, slots=True)
class Title:
    """What a viewer chooses. ``state`` is ``published`` when a package is current, else ``hidden``."""

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


class Catalog(Protocol):
    """Titles and packages. The row of a title is the truth; entry manifests are its projection."""

    def add_title(self, title: Title) -> Title:
        """Add a title, or give the one that has the same source already.

        When the id is taken by a film of other bytes, the new title's id gets a suffix.
        """
        ...

    def rename_title(self, title_id: str, name: str | None, credit: str | None) -> Title:
        """Change what is not None; raises ``NotFound`` for an unknown title."""
        ...

    def title(self, title_id: str) -> Title:
        """The title of that id, or of that name when only one has it; else raises ``NotFound``."""
        ...

    def titles(self) -> Sequence[Title]:
        """All titles, by name then id."""
        ...

    def add_package(self, package: Package) -> None:
        """Add a package; adding the same id again replaces its report and state."""
        ...

    def package(self, title_id: str, package_id: str) -> Package:
        """One package; raises ``NotFound``."""
        ...

    def packages(self, title_id: str) -> Sequence[Package]:
        """The packages of a title, oldest first."""
        ...

    def point(self, title_id: str, package_id: str | None) -> Title:
        """Put a package on screen, or take the title off with None; gives the title as it is now.

        Keeps the history that ``previous`` reads. Raises ``NotFound``.
        """
        ...

    def previous(self, title_id: str) -> str | None:
        """The package that was on screen before the current one (for a rollback), or None."""
        ...
