"""What the pages and the API read: titles, packages and reports, off the event loop."""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from anyio import to_thread

from matinee.apps.web.origin_files import Files
from matinee.core.errors import NotFound
from matinee.core.ids import Digest
from matinee.media.preview import FOLDER, HLS
from matinee.ports.catalog import Package, Packages, Title, TitleDesk, Titles, TitleSearch
from matinee.ports.keys import OpenKeys
from matinee.ports.shelf import Shelf, Shown

_KEPT_REPORTS = 16
_KEPT_SKETCHES = 20_000

Address = Callable[[Title, float | None], str]
"""Where a title's media lie, for one who may see them: of the title and its seconds."""


def plain_address(title: Title, _duration_s: float | None) -> str:
    """Where media lie that are open to whoever reaches the address."""
    return plain_place(title.id)


def plain_place(title: str) -> str:
    """The same, of a title's id."""
    return f"/media/titles/{title}/"


@dataclass(frozen=True, slots=True)
class WebServices:
    """What the web needs: the catalog, assets by digest, the public files of the titles, keys."""

    titles: Titles
    desk: TitleDesk
    shelf: Shelf
    packages: Packages
    read_asset: Callable[[Digest], Awaitable[bytes]]
    media: Files
    open_keys: OpenKeys


@dataclass(frozen=True, slots=True)
class Sketch:
    """What a list shows of a report. ``sheet`` is the first sheet of thumbnails."""

    duration: float | None = None
    sheet: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class TitleCard:
    """A title as a list shows it. ``media`` is where its manifests lie, None while hidden."""

    title: Title
    media: str | None
    sketch: Sketch


@dataclass(frozen=True, slots=True)
class TitleView:
    """A title, its packages (oldest first), and the report of the one that is shown, if any.

    ``preview`` is where the manifests of its preview lie, while it is hidden and has one.
    """

    card: TitleCard
    packages: tuple[Package, ...]
    shown: Package | None
    report: Mapping[str, Any] | None
    preview: str | None = None

    @property
    def title(self) -> Title:
        """The title itself."""
        return self.card.title

    @property
    def media(self) -> str | None:
        """Where the entry manifests lie, or None while the title is hidden."""
        return self.card.media


class Library:
    """Reads titles with their reports; reports never change, so the latest few are kept.

    ``address`` tells where media lie that are on screen, ``place`` where those of a title by its id
    that are not.
    """

    def __init__(
        self, services: WebServices, address: Address = plain_address,
        place: Callable[[str], str] = plain_place,
    ) -> None:  # fmt: skip
        self._services, self._address, self._place = services, address, place
        self._reports: dict[Digest, Mapping[str, Any]] = {}
        self._sketches: dict[Digest, Sketch] = {}

    async def cards(
        self, which: TitleSearch, after: str | None, limit: int
    ) -> tuple[list[TitleCard], bool]:
        """Titles in the catalog's order, and whether more follow.

        Raises:
            NotFound: ``after`` is no title.
        """

        def look() -> tuple[Sequence[Title], Mapping[str, Shown]]:
            titles = self._services.desk.page(which, after, limit + 1)
            return titles, self._services.shelf.shown(titles[:limit])

        titles, shown = await to_thread.run_sync(look)
        cards = [
            self._card(title, await self._sketch(shown.get(title.id))) for title in titles[:limit]
        ]
        return cards, len(titles) > limit

    async def count(self, which: TitleSearch) -> int:
        """How many titles there are."""
        return await to_thread.run_sync(self._services.desk.count, which)

    async def view(self, name: str, package_id: str | None = None) -> TitleView:
        """One title, showing the named package, else the current, else the newest.

        Raises:
            NotFound: no such title, or no such package.
        """

        def look() -> tuple[Title, tuple[Package, ...]]:
            title = self._services.titles.get(name)
            return title, tuple(self._services.packages.of_title(title.id))

        title, packages = await to_thread.run_sync(look)
        shown = _shown(title, packages, package_id)
        report = await self._report(shown.report) if shown else None
        card = self._card(title, _sketch_of(_sketched(report)) if report else Sketch())
        preview = None if card.media else await self._preview(title.id)
        return TitleView(card, packages, shown, report, preview)

    async def _preview(self, title: str) -> str | None:
        """Where the preview plays; None where there is none (any more)."""
        try:
            (await self._services.media.open(f"{title}/{HLS}")).close()
        except NotFound:
            return None
        return f"{self._place(title)}{FOLDER}/"

    def _card(self, title: Title, sketch: Sketch) -> TitleCard:
        media = self._address(title, sketch.duration) if title.current else None
        return TitleCard(title, media, sketch)

    async def _sketch(self, shown: Shown | None) -> Sketch:
        """What a list shows; of a package that has no sketch, from its report."""
        if shown is None:
            return Sketch()
        if shown.sketch is not None:
            return _sketch_of(shown.sketch)
        if shown.report not in self._sketches:
            sketch = _sketch_of(_sketched(await self._report(shown.report)))
            while len(self._sketches) >= _KEPT_SKETCHES:
                self._sketches.pop(next(iter(self._sketches)))
            self._sketches[shown.report] = sketch
        return self._sketches[shown.report]

    async def _report(self, digest: Digest) -> Mapping[str, Any]:
        if digest not in self._reports:
            content = await self._services.read_asset(digest)
            report: Mapping[str, Any] = await to_thread.run_sync(json.loads, content)
            while len(self._reports) >= _KEPT_REPORTS:
                self._reports.pop(next(iter(self._reports)))
            self._reports[digest] = report
        return self._reports[digest]


def _sketched(report: Mapping[str, Any]) -> Mapping[str, Any]:
    """The sketch of a report."""
    duration = (report.get("source") or {}).get("duration")
    return {"duration": duration, "thumbnails": report.get("thumbnails")}


def _sketch_of(kept: Mapping[str, Any]) -> Sketch:
    duration = kept.get("duration")
    return Sketch(None if duration is None else float(duration), kept.get("thumbnails"))


def _shown(title: Title, packages: tuple[Package, ...], asked: str | None) -> Package | None:
    wanted = asked or title.current
    for package in packages:
        if package.id == wanted:
            return package
    if asked:
        raise NotFound(f"title {title.id!r} has no package {asked!r}")
    return packages[-1] if packages else None
