"""A cinema for the tests of the web: a published film, its server, and a browser."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest
from tests.apps.cinema import Cinema, Run, open_cinema
from tests.apps.live_server import LiveServer
from tests.apps.shelf import Shelf, stock_shelf
from tests.apps.viewer import DESKTOP, Viewer
from tests.shared import made_once

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
]


def not_run(reason: str) -> NoReturn:
    """Skip, said loudly; a failure where the browser's tests are required."""
    if os.environ.get("MATINEE_REQUIRE_BROWSER") == "1":
        pytest.fail(f"{reason}, and MATINEE_REQUIRE_BROWSER=1")
    pytest.skip(f"NOT RUN: {reason}")


@pytest.fixture(scope="session")
def cinema(tmp_path_factory: pytest.TempPathFactory, matinee: Run) -> Cinema:
    """Made once; tests leave it as it is."""
    return made_once(tmp_path_factory, "cinema", lambda folder: open_cinema(folder, matinee))


@pytest.fixture(scope="session")
def cinema_server(cinema: Cinema) -> Iterator[LiveServer]:
    with LiveServer.over(cinema.library) as server:
        yield server


@pytest.fixture(scope="session")
def shelf(
    tmp_path_factory: pytest.TempPathFactory, cinema: Cinema, matinee: Run, ladder: Path
) -> Shelf:
    return made_once(
        tmp_path_factory, "shelf", lambda folder: stock_shelf(folder, cinema, matinee, ladder)
    )


@pytest.fixture(scope="session")
def server(shelf: Shelf) -> Iterator[LiveServer]:
    with LiveServer.over(shelf.library) as live:
        yield live


@pytest.fixture(scope="module")  # its event loop must not outlive the tests that need it
def browser() -> Iterator[Any]:
    program = next((path for path in map(shutil.which, BROWSERS) if path), None)
    if program is None:
        not_run(f"no browser ({', '.join(BROWSERS)}) on PATH")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        not_run("no browser driver (playwright)")
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield launched
        launched.close()


@pytest.fixture
def open_viewer(browser: Any) -> Iterator[Callable[..., Viewer]]:
    """Opens viewers; afterwards none may have complained or asked another host."""
    viewers: list[Viewer] = []

    def opened(*addresses: str, viewport: dict[str, int] | None = None, **options: Any) -> Viewer:
        context = browser.new_context(viewport=viewport or DESKTOP, **options)
        viewers.append(Viewer(context.new_page(), *addresses))
        return viewers[-1]

    yield opened
    for viewer in viewers:
        viewer.page.context.close()
        assert viewer.complaints == []
        assert viewer.strays == []


@pytest.fixture
def view(open_viewer: Callable[..., Viewer], cinema_server: LiveServer) -> Callable[..., Viewer]:
    """Opens viewers of the cinema."""

    def opened(**options: Any) -> Viewer:
        return open_viewer(cinema_server.address, **options)

    return opened
