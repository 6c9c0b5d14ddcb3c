"""An encrypted film in a real browser, by three players."""

import base64
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.apps.conftest import not_run
from tests.apps.live_server import LiveServer
from tests.apps.test_other_players import PLAYERS, other_site
from tests.apps.viewer import Viewer
from tests.conftest import Ended
from tests.encrypted import Encrypted

__all__ = ["other_site"]

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.tools,
    pytest.mark.usefixtures("browser"),  # first of all: without one there is nothing to wait for
]

SHOWS_THE_FILM = """(() => {
  const { totalVideoFrames: frames, corruptedVideoFrames: corrupted } =
    video.getVideoPlaybackQuality();
  return frames > 20 && !corrupted && video.videoHeight > 0 && !video.error;
})()"""
"""What is decrypted in the browser cannot be drawn elsewhere, but it tells what it decoded."""


@pytest.fixture(scope="module")
def served(encrypted: Encrypted) -> Iterator[LiveServer]:
    with LiveServer.over(encrypted.library) as server:
        yield server


def encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def package(encrypted: Encrypted, scheme: str) -> str:
    name = Path(encrypted.by_scheme[scheme]["package"]).name
    return f"/media/titles/{encrypted.title}/packages/{name}/"


def is_encrypted(page: Any) -> bool:
    return bool(page.evaluate("video.mediaKeys !== null"))


@pytest.mark.parametrize("format_", ["hls", "dash"])
def test_the_page_plays_it(
    open_viewer: Callable[..., Viewer], served: LiveServer, encrypted: Encrypted, format_: str
) -> None:
    viewer = open_viewer(served.address)
    page = viewer.open(f"/watch/{encrypted.title}?autoplay&format={format_}")

    viewer.until("window.matinee && matinee.state().time > 1.5")
    assert (viewer.state()["error"], viewer.state()["format"]) == (None, format_)
    assert is_encrypted(page) and page.evaluate(SHOWS_THE_FILM)
    # Across borders of segments and into another shot.
    page.evaluate("video.currentTime = 14")
    viewer.until("matinee.state().time > 15 && !matinee.state().error")
    assert page.evaluate(SHOWS_THE_FILM)


@pytest.mark.parametrize("manifest", ["main.m3u8", "manifest.mpd"])
def test_the_page_plays_the_other_scheme_too(
    open_viewer: Callable[..., Viewer], served: LiveServer, encrypted: Encrypted, manifest: str
) -> None:
    viewer = open_viewer(served.address)
    page = viewer.open(f"/watch/{encrypted.title}?autoplay")
    viewer.until("window.matinee && matinee.state().time > 0.1")

    page.evaluate(
        f"void matinee.player.load('{package(encrypted, 'cenc')}{manifest}')"
        ".then(() => video.play())"
    )

    is_it = f"matinee.player.getAssetUri()?.includes('{package(encrypted, 'cenc')}')"
    viewer.until(f"{is_it} && matinee.state().time > 1.5 && !matinee.state().error")
    assert is_encrypted(page) and page.evaluate(SHOWS_THE_FILM)


def test_a_title_gets_new_keys_while_it_is_watched(
    open_viewer: Callable[..., Viewer], encrypted: Encrypted, matinee: Callable[..., Ended],
    tmp_path: Path,
) -> None:  # fmt: skip
    """The package before plays on with its keys, and whoever comes gets the new one."""
    copy, asked = encrypted.copied_to(tmp_path / "library"), []
    before = package(copy, "cbcs")
    with LiveServer.over(copy.library) as server:
        viewer = open_viewer(server.address)
        page = viewer.open(f"/watch/{copy.title}?autoplay")
        viewer.until("window.matinee && matinee.state().time > 0.5")

        ended = matinee("rekey", copy.title, "--library", copy.library, "--json")
        assert ended.exit_code == 0, ended.err
        viewer.until("matinee.state().time > 2 && !matinee.state().error")
        page.evaluate(f"void matinee.player.load('{before}main.m3u8').then(() => video.play())")
        is_it = f"matinee.player.getAssetUri()?.includes('{before}')"
        viewer.until(f"{is_it} && matinee.state().time > 1.5 && !matinee.state().error")
        assert is_encrypted(page) and page.evaluate(SHOWS_THE_FILM)

        page.on("request", lambda request: asked.append(request.url))
        page = viewer.open(f"/watch/{copy.title}?autoplay")
        viewer.until("window.matinee && matinee.state().time > 1.5 && !matinee.state().error")
        assert is_encrypted(page) and page.evaluate(SHOWS_THE_FILM)
    played = [url for url in asked if "/packages/" in url]
    assert played and all(f"/packages/{ended.json['package']}/" in url for url in played)


PLAY = "void video.play().catch(() => {})"
HLS_JS = (
    "const p = new Hls({enableWorker: false, emeEnabled: true,"
    " drmSystems: {'org.w3.clearkey': {licenseUrl: licence}}});"
    " p.loadSource(address + 'main.m3u8'); p.attachMedia(video)"
)
DASH_JS = (
    "const p = dashjs.MediaPlayer().create(); p.updateSettings({debug: {logLevel: 0}});"
    " const body = JSON.stringify({kids: kids, type: 'temporary'});"
    " fetch(licence, {method: 'POST', body}).then((answer) => answer.json()).then(({keys}) => {"
    "   const clearkeys = Object.fromEntries(keys.map(({kid, k}) => [kid, k]));"
    "   p.initialize(video, address + 'manifest.mpd', true);"
    "   p.setProtectionData({'org.w3.clearkey': {clearkeys}}); })"
)


@pytest.mark.parametrize(
    ("script", "begin", "scheme"),
    [
        pytest.param("hls.js", HLS_JS, "cbcs", id="hls.js cbcs"),
        pytest.param("hls.js", HLS_JS, "cenc", id="hls.js cenc"),
        pytest.param("dash.js", DASH_JS, "cbcs", id="dash.js cbcs"),
        pytest.param("dash.js", DASH_JS, "cenc", id="dash.js cenc"),
    ],
)
def test_other_players_play_it_on_pages_of_other_sites(
    open_viewer: Callable[..., Viewer], served: LiveServer, encrypted: Encrypted,
    other_site: str, script: str, begin: str, scheme: str,
) -> None:  # fmt: skip
    if not (PLAYERS / script).exists():
        not_run(f"{script} was not built (make test-players)")
    viewer = open_viewer(other_site, served.address)
    page = viewer.open(f"/{script}.html")
    address = served.address + package(encrypted, scheme)
    licence = f"{served.address}/media/titles/{encrypted.title}/clearkey"
    kids = [encoded(encrypted.key_of(label).id) for label in ("video", "audio")]
    told = f"const address = '{address}', licence = '{licence}', kids = {kids}"
    page.evaluate(f"{told}; {begin}; {PLAY}")

    viewer.until("video.currentTime > 1.5 && video.videoHeight > 0")
    assert is_encrypted(page)
