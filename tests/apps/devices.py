"""The profile ``devices`` whole, from one film, and in a real browser by three players.

The long form of ``test_every_codec.py``, with real sizes and presets: ``make devices``, or with a
film of your own of 8 s ``make devices FILM=film.mkv``. What it made stays in ``.cache/devices``, so
that the next time only what is new is made.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.apps.live_server import LiveServer
from tests.apps.test_every_codec import UNKNOWN, page_of
from tests.apps.test_other_players import other_site
from tests.apps.viewer import Viewer
from tests.conftest import ROOT, environment, run_ffmpeg
from tests.published import Published

__all__ = ["other_site"]

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.tools]

FOLDER = ROOT / ".cache" / "devices"
TITLE = "Every device"
TITLE_ID = "every-device"
STREAMS = 60

PLAYED = {
    "avc1.42": "mp4a",
    "avc1.4d": "mp4a",
    "avc1.64": "mp4a",
    "vp09.00": "opus",
    "av01.0.04M.08": "flac",
    "av01.0.04M.10": "opus",
}
"""Pictures that Chromium plays, by the begin of their codec strings, each with a sound."""


def generated(path: Path) -> Path:
    """8 seconds of 720p with 5.1 in English, stereo in German, subtitles in both."""
    if not path.exists():
        for language in ("en", "de"):
            text = "1\n00:00:00,500 --> 00:00:03,000\nGood morning\n"
            path.with_suffix(f".{language}.srt").write_text(text)
        run_ffmpeg(
            "-f", "lavfi", "-i", "testsrc2=s=1280x720:r=24:d=8",
            "-f", "lavfi", "-i", "anoisesrc=r=48000:d=8:a=0.2:c=pink,aformat=channel_layouts=5.1",
            "-f", "lavfi", "-i", "sine=r=48000:d=8,aformat=channel_layouts=stereo",
            "-i", path.with_suffix(".en.srt"), "-i", path.with_suffix(".de.srt"),
            *(word for n in range(5) for word in ("-map", str(n))),
            "-c:v", "libx264", "-preset", "veryfast", "-qp", "12", "-c:a", "ac3", "-c:s", "srt",
            "-metadata:s:a:0", "language=eng", "-metadata:s:a:1", "language=deu",
            "-metadata:s:s:0", "language=eng", "-metadata:s:s:1", "language=deu", path,
        )  # fmt: skip
    return path


@pytest.fixture(scope="module")
def devices() -> Published:
    FOLDER.mkdir(parents=True, exist_ok=True)
    film = os.environ.get("FILM") or generated(FOLDER / "film.mkv")
    command = [
        "publish", film, "--profile", "devices", "--title", TITLE,
        "--library", FOLDER / "library", "--json",
    ]  # fmt: skip
    ended = subprocess.run(
        [sys.executable, "-m", "matinee", *map(str, command)],
        stdout=subprocess.PIPE, env=environment(), check=True,
    )  # fmt: skip
    return Published(FOLDER / "library", Path(film), "devices", json.loads(ended.stdout))


@pytest.fixture(scope="module")
def device_server(devices: Published) -> Iterator[LiveServer]:
    with LiveServer.over(devices.library) as server:
        yield server


def test_a_film_has_sixty_streams_and_more_each_proved(devices: Published) -> None:
    document = devices.document
    judged = {(v["judge"], v["subject"]) for v in document["verdicts"]}

    assert document["state"] == "published"
    assert len(document["renditions"]) >= STREAMS
    assert all(verdict["passed"] for verdict in document["verdicts"])
    for video in devices.of_type("video"):
        assert {("frames", video["name"]), ("join", video["name"])} <= judged
    for sound in devices.of_type("audio"):
        assert ("sound", sound["name"]) in judged


@pytest.mark.parametrize("format_", ["hls", "dash"])
def test_our_player_plays_every_codec_that_the_browser_knows(
    open_viewer: Callable[..., Viewer], device_server: LiveServer, format_: str
) -> None:
    viewer = open_viewer(device_server.address)
    page = viewer.open(f"/watch/{TITLE_ID}?autoplay&format={format_}")
    viewer.until("window.matinee && matinee.state().time > 0.2", 60)
    for video, audio in PLAYED.items():
        chosen: dict[str, Any] = {
            "preferredVideo": [{"codec": video}],
            "preferredAudio": [{"codec": audio}],
            "abr": {"enabled": False},
        }
        page.evaluate(
            f"matinee.player.configure({json.dumps(chosen)});"
            "matinee.player.load(matinee.player.getAssetUri(), 4).then(() => window.video.play())"
        )
        viewer.until(
            f"matinee.state().track?.videoCodec?.startsWith('{video[:7]}')"
            f" && matinee.state().track?.audioCodec?.toLowerCase().startsWith('{audio}')"
            " && matinee.state().time > 4.5 && matinee.state().decoded > 5",
            60,
        )
        assert viewer.state()["error"] is None


@pytest.mark.parametrize("format_", ["hls", "dash"])
def test_the_menu_has_each_sound_once(
    open_viewer: Callable[..., Viewer], device_server: LiveServer, format_: str
) -> None:
    viewer = open_viewer(device_server.address)
    page = viewer.open(f"/watch/{TITLE_ID}?autoplay&format={format_}")
    viewer.until("window.matinee && matinee.state().time > 0.2", 60)
    items = "[...document.querySelectorAll('.shaka-audio-languages [role=menuitemradio]')]"
    viewer.until(f"{items}.length > 0", 60)
    told = page.evaluate(f"{items}.map((item) => item.textContent)")

    assert len(told) == len(set(told))


@pytest.mark.parametrize("video", PLAYED)
@pytest.mark.parametrize("script", ["hls.js", "dash.js"])
def test_other_players_play_every_codec_that_the_browser_knows(
    open_viewer: Callable[..., Viewer], device_server: LiveServer, other_site: str, script: str,
    video: str,
) -> None:  # fmt: skip
    if script == "hls.js":
        begin = (
            "const p = new Hls({enableWorker: false}); p.on(Hls.Events.MANIFEST_PARSED, () => {"
            f" const is_it = (level) => level.videoCodec.startsWith('{video}');"
            " p.startLevel = p.currentLevel = p.levels.findIndex(is_it)});"
            " p.loadSource(address + 'main.m3u8'); p.attachMedia(video)"
        )
        is_it = f"p.levels[p.currentLevel]?.videoCodec.startsWith('{video}')"
    else:
        begin = (
            "const p = dashjs.MediaPlayer().create(); p.updateSettings({debug: {logLevel: 0}});"
            " const is_it = (track) =>"
            f" track.type !== 'video' || track.codec.includes('{video[:7]}');"
            " p.setCustomInitialTrackSelectionFunction((all) => all.filter(is_it).slice(0, 1));"
            " p.initialize(video, address + 'main.mpd', true)"
        )
        is_it = f"p.getCurrentTrackFor('video')?.codec.includes('{video[:7]}')"
    page_of(
        open_viewer, device_server, other_site, script, begin,
        f"{is_it} && video.currentTime > 0.5", TITLE_ID, 60,
    )  # fmt: skip


def test_each_codec_is_played_or_is_none_that_the_browser_knows(devices: Published) -> None:
    codecs = {one["codec"] for kind in ("video", "audio") for one in devices.of_type(kind)}
    begins = {begin[:7].lower() for begin in PLAYED} | {*PLAYED.values()}

    left = {codec for codec in codecs if not codec.lower().startswith(tuple(begins))}
    assert {codec for codec in left if not UNKNOWN.match(codec)} == set()
