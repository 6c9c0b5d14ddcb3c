"""Every codec that a browser knows plays in it, by our player and by two others."""

import json
import re
from collections.abc import Callable, Iterator

import pytest
from tests.apps.conftest import not_run
from tests.apps.live_server import LiveServer
from tests.apps.test_other_players import PLAYERS, other_site
from tests.apps.viewer import Viewer
from tests.every_codec import SECONDS, TITLE
from tests.published import Published

__all__ = ["other_site"]

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.tools,
    pytest.mark.usefixtures("browser"),  # first of all: without one there is nothing to wait for
]

PAIRS = [
    ("avc1.42", "mp4a"),
    ("avc1.64", "flac"),
    ("vp09.00", "opus"),
    ("vp09.02", "opus"),
    ("av01.0.00M.08", "flac"),
    ("av01.0.00M.10", "opus"),
]
"""Pictures and sounds that Chromium plays, by the begin of their codec strings."""

UNKNOWN = re.compile("hvc1|ac-3|ec-3")
"""What Chromium does not play; it is decoded whole elsewhere."""


@pytest.fixture(scope="module")
def codec_server(every_codec: Published) -> Iterator[LiveServer]:
    with LiveServer.over(every_codec.library) as server:
        yield server


@pytest.mark.parametrize("format_", ["hls", "dash"])
def test_our_player_plays_every_codec_that_the_browser_knows(
    open_viewer: Callable[..., Viewer], codec_server: LiveServer, format_: str
) -> None:
    viewer = open_viewer(codec_server.address)
    page = viewer.open(f"/watch/{TITLE}?autoplay&format={format_}")
    viewer.until("window.matinee && matinee.state().time > 0.2")

    for video, audio in PAIRS:
        chosen = json.dumps(
            {
                "preferredVideo": [{"codec": video}],
                "preferredAudio": [{"codec": audio}],
                "abr": {"enabled": False},
            }
        )
        page.evaluate(
            f"matinee.player.configure({chosen});"
            f"matinee.player.load(matinee.player.getAssetUri(), {SECONDS / 2})"
            ".then(() => window.video.play())"
        )
        begins = [f"matinee.state().track?.{kind}Codec" for kind in ("video", "audio")]
        viewer.until(
            f"{begins[0]}?.startsWith('{video}')"
            f" && {begins[1]}?.toLowerCase().startsWith('{audio}')"
            f" && matinee.state().time > {SECONDS / 2 + 0.5} && matinee.state().decoded > 5"
        )
        assert viewer.state()["error"] is None


@pytest.mark.parametrize("format_", ["hls", "dash"])
def test_a_language_is_once_in_the_menu_whatever_it_is_coded_in(
    open_viewer: Callable[..., Viewer], codec_server: LiveServer, format_: str
) -> None:
    viewer = open_viewer(codec_server.address)
    page = viewer.open(f"/watch/{TITLE}?autoplay&format={format_}")
    viewer.until("window.matinee && matinee.state().time > 0.2")
    items = "[...document.querySelectorAll('.shaka-audio-languages [role=menuitemradio]')]"
    viewer.until(f"{items}.length > 0")

    assert page.evaluate(f"{items}.map((item) => item.textContent)") == ["English", "German"]
    page.evaluate(f"{items}[1].click()")
    viewer.until("matinee.state().audio_language === 'de' && matinee.state().time > 0.5")
    assert viewer.state()["error"] is None


def test_our_player_shows_imsc1(
    open_viewer: Callable[..., Viewer], codec_server: LiveServer
) -> None:
    viewer = open_viewer(codec_server.address)
    page = viewer.open(f"/watch/{TITLE}?autoplay&format=dash")
    viewer.until("window.matinee && matinee.state().time > 0.2")

    is_it = "(track) => track.label === 'English (IMSC1)'"
    page.evaluate("video.pause(); video.currentTime = 1.5")
    viewer.until("video.currentTime > 1.4 && !video.seeking && video.readyState > 2")
    page.evaluate(f"matinee.player.selectTextTrack(matinee.player.getTextTracks().find({is_it}))")

    viewer.until("/Good.morning/.test(document.querySelector('.shaka-text-container')?.innerText)")


def test_beside_imsc1_players_of_hls_take_webvtt_for_what_it_is(
    open_viewer: Callable[..., Viewer], codec_server: LiveServer
) -> None:
    viewer = open_viewer(codec_server.address)
    page = viewer.open(f"/watch/{TITLE}?autoplay&format=hls")
    viewer.until("window.matinee && matinee.state().time > 0.2")

    kinds = page.evaluate("matinee.player.getTextTracks().map((track) => track.mimeType)")
    assert kinds == ["text/vtt"]


@pytest.mark.parametrize("video", dict.fromkeys(video for video, _ in PAIRS))
def test_hls_js_plays_every_codec_that_the_browser_knows(
    open_viewer: Callable[..., Viewer], codec_server: LiveServer, other_site: str, video: str
) -> None:
    page_of(
        open_viewer, codec_server, other_site, "hls.js",
        "const p = new Hls({enableWorker: false}); p.on(Hls.Events.MANIFEST_PARSED, () => {"
        f" const is_it = (level) => level.videoCodec.startsWith('{video}');"
        " p.startLevel = p.currentLevel = p.levels.findIndex(is_it)});"
        " p.loadSource(address + 'main.m3u8'); p.attachMedia(video)",
        f"p.levels[p.currentLevel]?.videoCodec.startsWith('{video}') && video.currentTime > 0.5",
    )  # fmt: skip


@pytest.mark.parametrize("video", dict.fromkeys(video for video, _ in PAIRS))
def test_dash_js_plays_every_codec_that_the_browser_knows(
    open_viewer: Callable[..., Viewer], codec_server: LiveServer, other_site: str, video: str
) -> None:
    page_of(
        open_viewer, codec_server, other_site, "dash.js",
        "const p = dashjs.MediaPlayer().create(); p.updateSettings({debug: {logLevel: 0}});"
        f" const is_it = (track) => track.type !== 'video' || track.codec.includes('{video}');"
        " p.setCustomInitialTrackSelectionFunction((all) => all.filter(is_it).slice(0, 1));"
        " p.initialize(video, address + 'main.mpd', true)",
        f"p.getCurrentTrackFor('video')?.codec.includes('{video}') && video.currentTime > 0.5",
    )  # fmt: skip


def page_of(
    open_viewer: Callable[..., Viewer], server: LiveServer, site: str, script: str, begin: str,
    condition: str, title: str = TITLE, timeout_s: float = 20,
) -> None:  # fmt: skip
    """Another site's page plays until a condition holds, pictures on screen."""
    if not (PLAYERS / script).exists():
        not_run(f"{script} was not built (make test-players)")
    viewer = open_viewer(site, server.address)
    page = viewer.open(f"/{script}.html")
    address = f"{server.address}/media/titles/{title}/"
    page.evaluate(f"const address = '{address}'; {begin}; window.p = p; video.play()")

    viewer.until(f"{condition} && video.videoHeight > 0", timeout_s)
    assert page.evaluate("video.duration") == pytest.approx(SECONDS, abs=0.1)


def test_each_codec_is_played_or_is_none_that_the_browser_knows(every_codec: Published) -> None:
    codecs = {one["codec"] for kind in ("video", "audio") for one in every_codec.of_type(kind)}
    played = tuple(begin.lower() for pair in PAIRS for begin in pair)

    left = {codec for codec in codecs if not codec.lower().startswith(played)}
    left -= {codec for codec in left if UNKNOWN.match(codec) or codec.startswith("avc1.4d")}
    assert left == set()
