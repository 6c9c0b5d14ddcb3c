"""Players that are not ours, on a page of another site."""

import functools
import shutil
import threading
from collections.abc import Callable, Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from tests.apps.cinema import SECONDS, TITLE
from tests.apps.conftest import not_run
from tests.apps.live_server import LiveServer
from tests.apps.viewer import Viewer

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.tools,
    pytest.mark.usefixtures("browser"),  # first of all: without one there is nothing to wait for
]

PLAYERS = Path(__file__).parents[2] / ".cache" / "test-players"
PAGE = (
    '<!doctype html><html lang="en"><title>player</title><link rel="icon" href="data:,">'
    '<video id="video" muted playsinline></video><script src="{script}"></script>'
)


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
        """Says nothing."""


@pytest.fixture(scope="module")
def other_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a site with a bare page for each player."""
    folder = tmp_path_factory.mktemp("site")
    for script in PLAYERS.glob("*.js"):
        shutil.copy(script, folder)
        (folder / f"{script.name}.html").write_text(PAGE.format(script=script.name))
    handler = functools.partial(Quiet, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as site:
        thread = threading.Thread(target=site.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{site.server_port}"
        site.shutdown()
        thread.join()


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
def test_other_players_play_it_too(
    open_viewer: Callable[..., Viewer],
    cinema_server: LiveServer,
    other_site: str,
    script: str,
    begin: str,
) -> None:
    if not (PLAYERS / script).exists():
        not_run(f"{script} was not built (make test-players)")
    viewer = open_viewer(other_site, cinema_server.address)
    page = viewer.open(f"/{script}.html")
    address = f"{cinema_server.address}/media/titles/{TITLE}/"
    page.evaluate(f"const address = '{address}'; {begin}; video.play()")

    viewer.until("video.currentTime > 2 && video.videoHeight > 0")
    assert page.evaluate("video.duration") == pytest.approx(SECONDS, abs=0.1)
