"""The pages in a real browser, over a package made by the real tools."""

import os
import re
import shutil
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.apps.conftest import browser_is_required
from tests.apps.film_package import Film
from tests.apps.live_server import TEST_PLAYERS, LiveServer

sync_api = pytest.importorskip("playwright.sync_api", reason="NOT RUN: no browser driver")

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.tools]

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
DESKTOP = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 844}
NARROW_LINE, WIDE_LINE = 400_000, 40_000_000


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    names = ("chromium", "chromium-browser", "google-chrome")
    program = next((path for path in map(shutil.which, names) if path), None)
    if program is None:
        if browser_is_required():
            pytest.fail("no browser on PATH, and MATINEE_REQUIRE_BROWSER=1")
        pytest.skip(f"NOT RUN: no browser ({', '.join(names)}) on PATH")
    with sync_api.sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield launched
        launched.close()


class Viewer:
    """A page that keeps an account of its console and of where its requests went."""

    def __init__(self, page: Any, address: str) -> None:
        self.page, self.address = page, address
        self.complaints: list[str] = []
        self.strays: list[str] = []
        page.on("console", self._on_console)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", self._on_request)

    def _on_console(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(f"{message.type}: {message.text}")

    def _on_request(self, request: Any) -> None:
        if not request.url.startswith((self.address, "blob:", "data:")):
            self.strays.append(request.url)

    def open(self, path: str) -> Any:
        self.page.goto(self.address + path)
        return self.page

    def watch(self, query: str = "") -> Any:
        self.open(f"/watch/test-film?autoplay&{query}")
        self.until("window.matinee && matinee.state().time > 0.3")
        return self.page

    def state(self) -> dict[str, Any]:
        state: dict[str, Any] = self.page.evaluate("matinee.state()")
        return state

    def until(self, condition: str, timeout_s: float = 15) -> None:
        """Wait; the pages' policy forbids the driver's own way, which evaluates text."""
        deadline = time.monotonic() + timeout_s
        while not self.page.evaluate(f"Boolean({condition})"):
            assert time.monotonic() < deadline, (condition, self.complaints)
            self.page.wait_for_timeout(50)


@pytest.fixture
def view(browser: Any, film_server: LiveServer) -> Iterator[Callable[..., Viewer]]:
    """Opens viewers; afterwards none may have complained or asked another host."""
    opened: list[Viewer] = []

    def open_viewer(viewport: dict[str, int] = DESKTOP, **options: Any) -> Viewer:
        context = browser.new_context(viewport=viewport, **options)
        opened.append(Viewer(context.new_page(), film_server.address))
        return opened[-1]

    yield open_viewer
    for viewer in opened:
        viewer.page.context.close()
        assert viewer.complaints == []
        assert viewer.strays == []


@pytest.mark.parametrize("format_", ["hls", "dash"])
def test_it_plays_with_languages_subtitles_and_thumbnails(
    view: Callable[..., Viewer], film: Film, format_: str
) -> None:
    viewer = view()
    page = viewer.watch(f"format={format_}&t=2")

    viewer.until("matinee.state().time > 3")
    state = viewer.state()
    assert state["format"] == format_
    assert state["duration"] == pytest.approx(film.duration_s, abs=0.1)
    assert state["rung"]["vmaf"] is not None
    assert (state["audio_language"], state["text_language"], state["error"]) == ("en", None, None)

    page.keyboard.press("c")
    page.locator(".shaka-text-container").get_by_text(re.compile(r"Line at \d+ seconds")).wait_for()
    assert viewer.state()["text_language"] == "en"
    page.keyboard.press("c")
    viewer.until("matinee.state().text_language === null")
    page.keyboard.press("c")
    viewer.until("matinee.state().text_language === 'en'")

    page.mouse.move(600, 300)
    page.locator(".shaka-overflow-menu-button").click()
    page.locator(".shaka-overflow-menu").get_by_role("button", name="Language").first.click()
    page.locator(".shaka-audio-languages").get_by_text(re.compile("español|Spanish")).click()
    viewer.until("matinee.state().audio_language === 'es'")

    page.keyboard.press("Escape")
    bar = page.locator(".shaka-seek-bar-container").bounding_box()
    page.mouse.move(bar["x"] + bar["width"] / 2, bar["y"] + bar["height"] / 2)
    picture = ".shaka-player-ui-thumbnail-image"
    viewer.until(
        f"(() => {{ const i = document.querySelector('{picture}');"
        " return i.naturalWidth === 800 && getComputedStyle(i.closest("
        "'.shaka-player-ui-thumbnail-container')).visibility === 'visible' })()"
    )


def test_quality_follows_the_line(view: Callable[..., Viewer]) -> None:
    viewer = view()
    session = viewer.page.context.new_cdp_session(viewer.page)

    def line(bits_per_second: int) -> None:
        session.send(
            "Network.emulateNetworkConditions",
            {
                "offline": False,
                "latency": 5,
                "downloadThroughput": bits_per_second / 8,
                "uploadThroughput": -1,
            },
        )

    session.send("Network.enable")
    session.send("Network.setCacheDisabled", {"cacheDisabled": True})
    viewer.watch()
    viewer.page.evaluate(
        "matinee.player.configure({streaming: {bufferingGoal: 3, bufferBehind: 1},"
        " abr: {switchInterval: 1}})"
    )
    viewer.until("matinee.state().rung.height === 480")
    line(NARROW_LINE)
    viewer.until("matinee.state().rung.height === 240")
    line(WIDE_LINE)
    viewer.until("matinee.state().rung.height === 480")
    assert viewer.state()["error"] is None


def test_the_format_can_be_switched_while_playing(view: Callable[..., Viewer]) -> None:
    viewer = view()
    page = viewer.watch("t=10")
    page.get_by_role("button", name="DASH").click()

    viewer.until("matinee.state().format === 'dash' && matinee.state().time > 10.5")
    assert "format=dash" in page.url
    assert not viewer.state()["paused"]
    assert page.get_by_role("button", name="DASH").get_attribute("aria-pressed") == "true"


def test_everything_has_a_key(view: Callable[..., Viewer]) -> None:
    viewer = view()
    page = viewer.watch("t=5")

    def press(key: str, condition: str) -> None:
        page.keyboard.press(key)
        viewer.until(condition, 5)

    press("k", "video.paused")
    press("Space", "!video.paused")
    press("k", "video.paused")
    at = viewer.state()["time"]
    press("l", f"Math.abs(video.currentTime - {at + 10}) < 0.2")
    press("j", f"Math.abs(video.currentTime - {at}) < 0.2")
    press("ArrowRight", f"Math.abs(video.currentTime - {at + 5}) < 0.2")
    press("ArrowLeft", f"Math.abs(video.currentTime - {at}) < 0.2")
    press("m", "!video.muted")
    press("ArrowDown", "Math.abs(video.volume - 0.9) < 0.01")
    press("ArrowUp", "video.volume === 1")
    press("f", "document.fullscreenElement !== null")
    press("f", "document.fullscreenElement === null")
    press("?", "document.querySelector('dialog').open")
    press("Escape", "!document.querySelector('dialog').open")
    press("i", "document.querySelector('.nerd').checkVisibility()")
    panel = page.locator(".nerd").inner_text()
    assert "VMAF" in panel and "Mbit/s" in panel and "480p" in panel
    assert page.locator(".nerd li.now").count() == 1
    press("i", "!document.querySelector('.nerd').checkVisibility()")


def test_it_waits_for_the_viewer_unless_told(view: Callable[..., Viewer]) -> None:
    viewer = view()
    viewer.open("/watch/test-film")
    viewer.until("window.matinee && matinee.state().buffer_s > 1")

    assert viewer.state()["paused"]
    assert not viewer.state()["muted"]


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_the_report_shows_plots_and_verdicts(
    view: Callable[..., Viewer], sample_report: dict[str, Any], scheme: str
) -> None:
    viewer = view(color_scheme=scheme)
    page = viewer.open("/titles/test-film")
    page.locator("#plot-bits canvas").wait_for()

    assert page.locator("#plot-vmaf canvas").count() == 1
    assert page.locator(".u-legend").first.inner_text().count("h264-") == 3
    page.locator(".judge summary").first.click()
    page.locator(".verdict summary").first.click()
    assert '"expected"' in page.locator(".verdict pre").first.inner_text()
    assert page.locator(".verdict").count() == len(sample_report["verdicts"])
    assert page.get_by_text("All 22 verdicts passed").is_visible()
    body = page.locator("#report-body").inner_text()
    for words in ("What came in", "What was made", "waived", "encode", "p0000", "on screen"):
        assert words in body
    shades = (
        "(() => { const c = document.querySelector('#plot-vmaf canvas');"
        " return new Set(c.getContext('2d').getImageData(0, 0, c.width, c.height).data).size })()"
    )
    assert page.evaluate(shades) > 10

    page.get_by_role("link", name="p0000").click()
    page.locator("#plot-bits canvas").wait_for()
    assert page.url.endswith("?package=p0000")


@pytest.mark.parametrize("path", ["/", "/watch/test-film", "/titles/test-film", "/watch/none"])
def test_a_phone_needs_no_sideways_scrolling(view: Callable[..., Viewer], path: str) -> None:
    viewer = view(PHONE, is_mobile=True, has_touch=True, device_scale_factor=2)
    page = viewer.open(path)
    if path.startswith("/titles"):
        page.locator("#plot-bits canvas").wait_for()
    if path == "/watch/test-film":
        viewer.until("window.matinee && matinee.state().buffer_s > 0")
        page.locator("#nerd-button").click()
    width = page.evaluate("[document.documentElement.scrollWidth, document.body.scrollWidth]")
    if path == "/watch/none":
        viewer.complaints.clear()  # the browser tells of the 404 itself

    assert max(width) <= PHONE["width"]


@pytest.mark.parametrize(
    ("script", "begin"),
    [
        pytest.param(
            "hls.js",
            "const p = new Hls({enableWorker: false}); p.loadSource(address + 'main.m3u8');"
            " p.attachMedia(video)",
            id="hls.js",
        ),
        pytest.param(
            "dash.js",
            "const p = dashjs.MediaPlayer().create();"
            " p.updateSettings({debug: {logLevel: 0}});"
            " p.initialize(video, address + 'main.mpd', true)",
            id="dash.js",
        ),
    ],
)
def test_other_players_play_it_too(view: Callable[..., Viewer], script: str, begin: str) -> None:
    if not (TEST_PLAYERS / script).exists():
        if os.environ.get("MATINEE_REQUIRE_BROWSER") == "1":
            pytest.fail(f"{TEST_PLAYERS / script} was not built")
        pytest.skip(f"NOT RUN: {script} was not built (see web/hls-dash-tests)")
    viewer = view()
    page = viewer.open(f"/bare/{script}")
    page.evaluate(f"const address = '/media/titles/test-film/'; {begin}; video.play()")

    viewer.until("video.currentTime > 2 && video.videoHeight > 0")
    assert page.evaluate("video.duration") == pytest.approx(30, abs=0.1)
