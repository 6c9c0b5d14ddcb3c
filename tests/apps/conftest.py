"""A library in memory, over real files, for the tests of the web."""

import dataclasses
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.apps.film_package import PACKAGE_ID, Film, film_of_noise, make_package, report_of
from tests.apps.live_server import LiveServer

from matinee.apps.web.library import WebServices
from matinee.core.errors import NotFound
from matinee.core.ids import Digest, digest_of
from matinee.ports.catalog import Package, Title

SAMPLE = Path(__file__).parent / "sample_report.json"
ADDED = datetime(2026, 11, 20, 18, 30, tzinfo=UTC)


class MemoryTitles:
    """The ``Titles`` port over a dictionary."""

    def __init__(self) -> None:
        self.rows: dict[str, Title] = {}

    def add(self, title: Title) -> Title:
        return self.of_source(title.source) or self.rows.setdefault(title.id, title)

    def describe(self, title_id: str, name: str | None, credit: str | None) -> Title:
        title = self.get(title_id)
        changed = dataclasses.replace(title, name=name or title.name, credit=credit or title.credit)
        self.rows[title_id] = changed
        return changed

    def get(self, name: str) -> Title:
        named = [title for title in self.rows.values() if title.name == name]
        if name in self.rows:
            return self.rows[name]
        if len(named) == 1:
            return named[0]
        raise NotFound(f"no title {name!r}")

    def of_source(self, source: Digest) -> Title | None:
        return next((title for title in self.rows.values() if title.source == source), None)

    def all(self) -> Sequence[Title]:
        return sorted(self.rows.values(), key=lambda title: (title.name, title.id))


class MemoryPackages:
    """The ``Packages`` port over dictionaries; the pointer lives in the titles."""

    def __init__(self, titles: MemoryTitles) -> None:
        self._titles = titles
        self._rows: dict[tuple[str, str], Package] = {}
        self._history: dict[str, list[str]] = {}

    def add(self, package: Package) -> None:
        self._rows[package.title, package.id] = package

    def get(self, title_id: str, package_id: str) -> Package:
        try:
            return self._rows[title_id, package_id]
        except KeyError:
            raise NotFound(f"no package {package_id!r} of {title_id!r}") from None

    def of_title(self, title_id: str) -> Sequence[Package]:
        mine = [package for package in self._rows.values() if package.title == title_id]
        return sorted(mine, key=lambda package: package.made_at)

    def point(self, title_id: str, package_id: str | None) -> Title:
        title = self._titles.get(title_id)
        if package_id and package_id != title.current:
            self.get(title_id, package_id)
            self._history.setdefault(title_id, []).append(package_id)
        self._titles.rows[title_id] = dataclasses.replace(title, current=package_id)
        return self._titles.rows[title_id]

    def previous(self, title_id: str) -> str | None:
        history = self._history.get(title_id, [])
        return history[-2] if len(history) > 1 else None


class MemoryLibrary:
    """Titles, packages and report assets; files lie below ``root``."""

    def __init__(self, root: Path) -> None:
        self.titles = MemoryTitles()
        self.packages = MemoryPackages(self.titles)
        self.assets: dict[Digest, bytes] = {}
        self.services = WebServices(self.titles, self.packages, self.read_asset, root)

    async def read_asset(self, digest: Digest) -> bytes:
        return self.assets[digest]

    def add_title(
        self,
        title_id: str,
        report: Mapping[str, Any],
        *,
        name: str = "A film",
        credit: str = "",
        package_ids: Sequence[str] = (PACKAGE_ID,),
        on_screen: bool = True,
    ) -> None:
        source = digest_of(title_id.encode())
        self.titles.add(Title(title_id, name, source, "film.mp4", credit, ADDED, None))
        content = json.dumps(report).encode()
        self.assets[digest_of(content)] = content
        for day, package_id in enumerate(package_ids, start=1):
            made_at = ADDED.replace(day=day)
            package = Package(
                package_id, title_id, "ready", made_at, {}, digest_of(content), {"preset": "medium"}
            )
            self.packages.add(package)
        if on_screen:
            self.packages.point(title_id, package_ids[-1])


@pytest.fixture(scope="session")
def sample_report() -> dict[str, Any]:
    report: dict[str, Any] = json.loads(SAMPLE.read_text())
    return report


@pytest.fixture(scope="session")
def film() -> Film:
    return film_of_noise(30)


@pytest.fixture(scope="session")
def film_library(
    film: Film, sample_report: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> MemoryLibrary:
    """A library with one real, playable title, made by the real tools."""
    root = tmp_path_factory.mktemp("library")
    title = make_package(film, root, tmp_path_factory.mktemp("scratch"))
    library = MemoryLibrary(root)
    library.add_title(
        film.title_id,
        report_of(film, title, sample_report),
        name="The Test Film",
        credit="Made of noise, by the tests",
        package_ids=("p0000", PACKAGE_ID),
    )
    return library


@pytest.fixture(scope="session")
def film_server(film_library: MemoryLibrary) -> Iterator[LiveServer]:
    with LiveServer.over(film_library.services) as server:
        yield server


def browser_is_required() -> bool:
    return os.environ.get("MATINEE_REQUIRE_BROWSER") == "1"
