"""What the pages and the API read: titles, packages and reports, off the event loop."""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from anyio import to_thread

from matinee.apps.web.origin_files import Files
from matinee.core.errors import NotFound
from matinee.core.ids import Digest
from matinee.ports.catalog import Package, Packages, Title, Titles

_KEPT_REPORTS = 64


@dataclass(frozen=True, slots=True)
class WebServices:
    """What the web needs: the catalog, assets by digest, and the public files of the titles."""

    titles: Titles
    packages: Packages
    read_asset: Callable[[Digest], Awaitable[bytes]]
    media: Files


@dataclass(frozen=True, slots=True)
class TitleView:
    """A title, its packages (oldest first), and the report of the one that is shown, if any."""

    title: Title
    packages: tuple[Package, ...]
    shown: Package | None
    report: Mapping[str, Any] | None

    @property
    def media(self) -> str | None:
        """Where the entry manifests lie, or None while the title is hidden."""
        return f"/media/titles/{self.title.id}/" if self.title.current else None


class Library:
    """Reads titles with their reports; reports never change, so the latest few are kept."""

    def __init__(self, services: WebServices) -> None:
        self._services = services
        self._reports: dict[Digest, Mapping[str, Any]] = {}

    async def views(self) -> list[TitleView]:
        """All titles, in the catalog's order."""
        titles = await to_thread.run_sync(self._services.titles.all)
        return [await self._view(title, None) for title in titles]

    async def view(self, name: str, package_id: str | None = None) -> TitleView:
        """One title, showing the named package, else the current, else the newest.

        Raises:
            NotFound: no such title, or no such package.
        """
        title = await to_thread.run_sync(self._services.titles.get, name)
        return await self._view(title, package_id)

    async def _view(self, title: Title, package_id: str | None) -> TitleView:
        packages = tuple(await to_thread.run_sync(self._services.packages.of_title, title.id))
        shown = _shown(title, packages, package_id)
        report = await self._report(shown.report) if shown else None
        return TitleView(title, packages, shown, report)

    async def _report(self, digest: Digest) -> Mapping[str, Any]:
        if digest not in self._reports:
            report: Mapping[str, Any] = json.loads(await self._services.read_asset(digest))
            while len(self._reports) >= _KEPT_REPORTS:
                self._reports.pop(next(iter(self._reports)))
            self._reports[digest] = report
        return self._reports[digest]


def _shown(title: Title, packages: tuple[Package, ...], asked: str | None) -> Package | None:
    wanted = asked or title.current
    for package in packages:
        if package.id == wanted:
            return package
    if asked:
        raise NotFound(f"title {title.id!r} has no package {asked!r}")
    return packages[-1] if packages else None
