"""The catalog: titles, their packages, and which one is on screen."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from matinee.core.events import Event, Fact
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
    is_public: bool = False
    """Whether anybody may fetch its media, without a signed address."""
    opens_at: datetime | None = None
    closes_at: datetime | None = None
    """Its rights window: it may be shown from ``opens_at`` on, and before ``closes_at``."""
    removes_at: datetime | None = None
    """Deleted: from then on garbage collection may remove it for good."""
    was_shown: str | None = None
    """Deleted: the package that was on screen."""

    @property
    def state(self) -> str:
        """``published``, ``hidden`` or ``deleted``."""
        if self.removes_at is not None:
            return "deleted"
        return "published" if self.current else "hidden"

    def may_be_shown(self, now: datetime) -> bool:
        """Whether it is in its rights window, or has none; a deleted one may not."""
        has_opened = self.opens_at is None or self.opens_at <= now
        has_closed = self.closes_at is not None and self.closes_at <= now
        return self.removes_at is None and has_opened and not has_closed


@dataclass(frozen=True, slots=True)
class Package:
    """An immutable set of manifests over immutable segments, at ``titles/<title>/packages/<id>``.

    ``state`` is ``ready`` (all verdicts passed) or ``held`` (one failed). ``files`` maps each path
    below ``titles/<title>`` to its digest. ``report`` names the report's asset,
    ``sketch`` is what lists show of it: ``duration`` and ``thumbnails``.
    """

    id: str
    title: str
    state: str
    made_at: datetime
    files: Mapping[str, Digest]
    report: Digest
    settings: Mapping[str, Any]
    sketch: Mapping[str, Any] | None = None


class Titles(Protocol):
    """The titles. A title's row is the truth; its entry manifests are a projection of it."""

    def add(self, title: Title) -> Title:
        """Add a title, or give the one that has the same source already.

        When the id is taken by a film of other bytes, the new title's id gets a suffix.
        """
        ...

    def describe(
        self, title_id: str, name: str | None, credit: str | None, cause: str | None = None
    ) -> Title:
        """Change what is not None and tell ``title.changed`` when it is another now.

        Raises ``NotFound`` for an unknown title.
        """
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


@dataclass(frozen=True, slots=True)
class TitleSearch:
    """Which of the titles that a package was made of: all conditions that are not None hold.

    ``text`` is part of the name, in any case; ``state`` is that of the title. Deleted ones are left
    out unless ``state`` asks for them.
    """

    text: str | None = None
    state: str | None = None


class TitleDesk(Protocol):
    """Titles as people look through them, and who may see them when."""

    def page(self, which: TitleSearch, after: str | None, limit: int) -> Sequence[Title]:
        """Titles by name in one case, then id; ``after`` is the last one's id of the page before.

        Raises ``NotFound`` for an unknown one.
        """
        ...

    def count(self, which: TitleSearch) -> int:
        """How many there are."""
        ...

    def open_to_all(self, title_id: str, is_public: bool, cause: str | None = None) -> Title:
        """Let anybody fetch its media, or not; tells ``title.changed``. Raises ``NotFound``."""
        ...

    def set_window(
        self,
        title_id: str,
        opens_at: datetime | None,
        closes_at: datetime | None,
        cause: str | None = None,
    ) -> Title:
        """Set the rights window; tells ``title.changed``. Raises ``NotFound``."""
        ...


class Rights(Protocol):
    """Rights windows as time passes them."""

    def turn(self, now: datetime) -> Sequence[Event]:
        """Tell ``rights.opened`` and ``rights.closed`` of titles whose window did so.

        A title is open until it is told to be closed: each change from what was told last is told
        once, whoever asks how often. A window that opened and closed while nobody asked is not
        told of.
        """
        ...

    def next_turn(self, now: datetime) -> datetime | None:
        """When the next window opens or closes."""
        ...


class Packages(Protocol):
    """The packages of the titles, and which one is on screen."""

    def add(self, package: Package, cause: str | None = None, facts: Sequence[Fact] = ()) -> None:
        """Add a package; adding the same id again replaces its report, settings and state.

        Tells ``title.made`` of one that is ready and was not before, then ``facts``.
        """
        ...

    def get(self, title_id: str, package_id: str) -> Package:
        """One package; raises ``NotFound``."""
        ...

    def of_title(self, title_id: str) -> Sequence[Package]:
        """The packages of a title, oldest first."""
        ...

    def point(self, title_id: str, package_id: str | None, cause: str | None = None) -> Title:
        """Put a package on screen, or take the title off with None; gives the title as it is now.

        A deleted title that is put on screen is deleted no more.

        Tells ``title.published`` or ``title.hidden`` and keeps the history that ``previous`` reads;
        pointing at what is current does neither.
        Raises ``NotFound``.
        """
        ...

    def delete(self, title_id: str, removes_at: datetime, cause: str | None = None) -> Title:
        """Take a title off the screen, to be removed for good from then on.

        Tells ``title.deleted``; deleting it again changes the time only. Raises ``NotFound``.
        """
        ...

    def undelete(self, title_id: str, cause: str | None = None) -> Title:
        """Take that back, and put on screen what was there; tells ``title.undeleted``.

        A title that is not deleted stays as it is. Raises ``NotFound``.
        """
        ...

    def previous(self, title_id: str) -> str | None:
        """The package that was on screen before the current one (for a rollback), or None.

        One that is held by now is passed over.
        """
        ...
