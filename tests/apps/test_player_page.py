"""The player's page in a real browser, over a film that the program published."""

import functools
import itertools
import re
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.apps.cinema import CHAPTERS, HEIGHTS, PITCHES, SECONDS, TITLE, Cinema
from tests.apps.live_server import LiveServer
from tests.apps.viewer import PHONE, Viewer
from tests.comparisons import compared_film
from tests.conftest import run_ffmpeg
from tests.films import Films
from tests.per_title import Run, publish_fitted

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.tools,
    pytest.mark.usefixtures("browser"),  # first of all: without one there is nothing to wait for
]

NARROW_LINE, WIDE_LINE = 400_000, 40_000_000
LINE_SHOWN = re.compile(r"Line at \d+ seconds")
LOWEST, HIGHEST = HEIGHTS[0], HEIGHTS[-1]


def choose(page: Any, menu: str, kind: str) -> list[str]:
    """Choose Spanish in a menu of languages; gives what there was to choose."""
    page.mouse.move(600, 300)
    page.locator(".shaka-overflow-menu-button").click()
    page.locator(".shaka-overflow-menu").get_by_role("button", name=menu).first.click()
    choices = page.locator(f".shaka-{kind}-languages").get_by_role("menuitemradio")
    choices.filter(has_text="Spanish").wait_for()
    names: list[str] = choices.all_inner_texts()
    choices.filter(has_text="Spanish").click()
    return [name for name in names if name != "Off"]


@pytest.mark.parametrize("format_", ["hls", "dash"])
def test_it_plays_in_time_with_the_clock(
    view: Callable[..., Viewer], cinema: Cinema, format_: str
) -> None:
    viewer = view()
    viewer.watch(f"format={format_}&t=2")

    viewer.until("matinee.state().time > 3")
    state = viewer.state()
    rungs = {r["name"]: r["vmaf"]["mean"] for r in cinema.report["renditions"] if r["vmaf"]}
    assert len(rungs) == len(HEIGHTS)
    assert state["format"] == format_
    assert state["duration"] == pytest.approx(SECONDS, abs=0.1)
    assert state["rung"]["vmaf"] == rungs[state["rung"]["name"]]
    assert (state["audio_language"], state["text_language"], state["error"]) == ("en", None, None)


@pytest.mark.parametrize("format_", ["hls", "dash"])
def test_all_of_it_is_there_and_it_ends(view: Callable[..., Viewer], format_: str) -> None:
    viewer = view()
    page = viewer.watch(f"format={format_}")

    page.evaluate(f"matinee.player.configure('streaming.bufferingGoal', {2 * SECONDS})")
    viewer.until(f"matinee.state().time + matinee.state().buffer_s > {SECONDS - 0.1}")
    ranges = page.evaluate(
        "[...Array(video.buffered.length).keys()]"
        ".map((i) => [video.buffered.start(i), video.buffered.end(i)])"
    )
    assert len(ranges) == 1, ranges
    assert ranges[0] == [pytest.approx(0, abs=0.05), pytest.approx(SECONDS, abs=0.1)]
    page.evaluate(f"video.currentTime = {SECONDS - 2}")
    viewer.until("video.ended")
    stats = page.evaluate("matinee.player.getStats()")
    assert (stats["gapsJumped"], viewer.state()["error"]) == (0, None)


@pytest.mark.parametrize("format_", ["hls", "dash"])
def test_subtitles_come_at_their_time_in_each_language(
    view: Callable[..., Viewer], format_: str
) -> None:
    viewer = view()
    page = viewer.watch(f"format={format_}&t=4")

    def shown_at() -> tuple[str, float]:
        text, time = page.evaluate(
            "[document.querySelector('.shaka-text-container')?.innerText ?? '', video.currentTime]"
        )
        return text, time

    page.keyboard.press("c")
    page.locator(".shaka-text-container").get_by_text(LINE_SHOWN).wait_for()
    text, time = shown_at()
    if found := LINE_SHOWN.search(text):  # else it went between the two looks
        at = int(re.sub(r"\D", "", found[0]))
        assert at - 0.3 < time < at + 2.3
    assert viewer.state()["text_language"] == "en"
    page.keyboard.press("c")
    viewer.until("matinee.state().text_language === null")
    page.keyboard.press("c")
    viewer.until("matinee.state().text_language === 'en'")

    assert choose(page, "Captions", "text") == ["English", "Spanish"]
    page.locator(".shaka-text-container").get_by_text(re.compile("Línea a los")).wait_for()
    assert viewer.state()["text_language"] == "es"


@pytest.mark.parametrize("format_", ["hls", "dash"])
def test_another_language_is_heard(view: Callable[..., Viewer], format_: str) -> None:
    viewer = view()
    page = viewer.watch(f"format={format_}&t=1")
    page.keyboard.press("m")
    viewer.listen()

    viewer.until(f"Math.abs(pitch() - {PITCHES['en']}) < 12")
    assert choose(page, "Language", "audio") == ["English", "Spanish"]
    viewer.until("matinee.state().audio_language === 'es'")
    viewer.until(f"Math.abs(pitch() - {PITCHES['es']}) < 12")
    assert not viewer.state()["paused"]


@pytest.mark.parametrize("format_", ["hls", "dash"])
def test_thumbnails_follow_the_pointer(
    view: Callable[..., Viewer], cinema: Cinema, format_: str
) -> None:
    viewer = view()
    page = viewer.watch(f"format={format_}")
    bar = page.locator(".shaka-seek-bar-container").bounding_box()
    sheet = cinema.report["thumbnails"]
    assert sheet["columns"] * sheet["rows"] * sheet["interval_s"] < SECONDS  # two sheets
    image = "document.querySelector('.shaka-player-ui-thumbnail-image')"
    around = f"{image}.closest('.shaka-player-ui-thumbnail-container')"
    whole = f"{image}.naturalWidth === {sheet['columns'] * sheet['width']}"
    steps = itertools.cycle((0, 1))

    def point_at(part: float) -> None:
        x = bar["x"] + bar["width"] * part + next(steps)
        page.mouse.move(x, bar["y"] + bar["height"] / 2)

    places = []
    for part in (0.2, 0.7, 0.97):
        at = f"0:{int(SECONDS * part):02}"  # the clock that the thumbnail shows
        viewer.until(
            f"{whole} && getComputedStyle({around}).visibility === 'visible'"
            f" && {around}.innerText.includes('{at}')",
            meanwhile=functools.partial(point_at, part),
        )
        places.append(page.evaluate(f"[{image}.src, {image}.style.cssText]"))
    (first, early), (second, late), (last, _) = places
    assert first == second != last
    assert early != late


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
    viewer.until(f"matinee.state().rung.height === {HIGHEST}")
    line(NARROW_LINE)
    viewer.until(f"matinee.state().rung.height === {LOWEST}")
    line(WIDE_LINE)
    viewer.until(f"matinee.state().rung.height === {HIGHEST}")
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
    assert "VMAF" in panel and "Mbit/s" in panel and f"{HIGHEST}p" in panel
    assert page.locator(".nerd li.now").count() == 1
    press("i", "!document.querySelector('.nerd').checkVisibility()")


def test_it_waits_for_the_viewer_unless_told(view: Callable[..., Viewer]) -> None:
    viewer = view()
    viewer.open(f"/watch/{TITLE}")
    viewer.until("window.matinee && matinee.state().buffer_s > 1")

    assert viewer.state()["paused"]
    assert not viewer.state()["muted"]


@pytest.mark.parametrize("path", ["/", f"/watch/{TITLE}", f"/titles/{TITLE}", "/watch/none"])
def test_a_phone_needs_no_sideways_scrolling(view: Callable[..., Viewer], path: str) -> None:
    viewer = view(viewport=PHONE, is_mobile=True, has_touch=True, device_scale_factor=2)
    page = viewer.open(path)
    if path.startswith("/titles"):
        page.locator("#plot-bits canvas").wait_for()
    if path == f"/watch/{TITLE}":
        viewer.until("window.matinee && matinee.state().buffer_s > 0")
        page.locator("#nerd-button").click()
    width = page.evaluate("[document.documentElement.scrollWidth, document.body.scrollWidth]")
    if path == "/watch/none":
        viewer.complaints.clear()  # the browser tells of the 404 itself

    assert max(width) <= PHONE["width"]


@pytest.mark.parametrize("format_", ["hls", "dash"])
def test_chapters_are_marked_on_the_seek_bar(view: Callable[..., Viewer], format_: str) -> None:
    viewer = view()
    page = viewer.watch(f"format={format_}")

    viewer.until("matinee.player.getChaptersTracks().length")
    chapters = page.evaluate("matinee.player.getChaptersAsync('und')")
    assert [(one["startTime"], one["endTime"]) for one in chapters] == [
        (start, end) for _, start, end in CHAPTERS
    ]
    assert chapters[0]["title"] == CHAPTERS[0][0]
    page.locator("#player").hover()  # its bar is drawn while it is shown
    viewer.until(
        "document.querySelector('.shaka-chapter-markers').style.background.includes('gradient')"
    )


@pytest.fixture(scope="module")
def fitted_server(
    tmp_path_factory: pytest.TempPathFactory, films: Films, matinee: Run
) -> Iterator[LiveServer]:
    """Over a title with sound, ``heard``, whose rungs come from itself: several of one size."""
    fitted = publish_fitted(tmp_path_factory, films, matinee)
    folder = tmp_path_factory.mktemp("heard")
    library, ladder = folder / "library", fitted.library.with_name("fitted.toml")
    shutil.copytree(fitted.library, library)
    run_ffmpeg(
        "-i", compared_film(films), "-f", "lavfi", "-t", "26", "-i", "sine", "-map", "0:v",
        "-map", "1:a", "-c:v", "copy", "-c:a", "aac", folder / "heard.mp4",
    )  # fmt: skip
    where = ("--library", library, "--ladder", ladder, "--proofs", "packets", "--no-scores")
    ended = matinee("publish", folder / "heard.mp4", *where)
    assert ended.exit_code == 0, ended.err
    with LiveServer.over(library) as server:
        yield server


@pytest.mark.parametrize("format_", ["hls", "dash"])
def test_rungs_of_one_size_are_told_apart_and_chosen_by_their_rate(
    open_viewer: Callable[..., Viewer], fitted_server: LiveServer, format_: str
) -> None:
    viewer = open_viewer(fitted_server.address)
    page = viewer.open(f"/watch/heard?autoplay&format={format_}")
    viewer.until("window.matinee && matinee.state().time > 0.3")
    report = page.evaluate("fetch('/v1/titles/heard').then((answer) => answer.json())")["report"]
    pictures = [one for one in report["renditions"] if one["type"] == "video"]
    sizes = Counter(one["height"] for one in pictures)
    rungs = {}
    for one in pictures:
        rate = f" · {one['bits_per_second'] / 1000:.0f} kbit/s"
        rungs[f"{one['height']}p{rate if sizes[one['height']] > 1 else ''}"] = one["name"]
    of_one_size = [(label, name) for label, name in rungs.items() if "·" in label]

    def menu() -> Any:
        page.mouse.move(600, next(steps))
        page.locator(".shaka-overflow-menu-button").click()
        playing = page.locator(".shaka-current-auto-quality").text_content()
        page.locator(".shaka-resolution-button").click()
        return playing, page.locator(".shaka-resolutions").get_by_role("menuitemradio")

    steps = itertools.count(300)
    playing, choices = menu()
    assert rungs[playing] == viewer.state()["rung"]["name"]
    assert sorted(choices.all_inner_texts()) == sorted([*rungs, "Auto"])
    assert len(rungs) == len(pictures) and len(of_one_size) > 1
    page.keyboard.press("Escape")
    for label, name in of_one_size:
        _, choices = menu()
        choices.filter(has_text=label).click()
        viewer.until(f"matinee.state().rung.name === '{name}'")
        page.keyboard.press("Escape")
