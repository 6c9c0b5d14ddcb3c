"""Work starts while an upload still goes on, and what it made is what the whole film needs."""

import http.client
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.conftest import Ended, run_ffmpeg
from tests.service.running import Up, eventually, new_library
from tests.ways.running import BODY
from tests.ways.test_tus import metadata

from matinee.config import Settings
from matinee.core.ids import Digest
from matinee.wiring.library import Library, open_library

pytestmark = [pytest.mark.slow, pytest.mark.tools]

Run = Callable[..., Ended]
NAME = "Early bird"
TUS = {"Tus_Resumable": "1.0.0"}


@pytest.fixture(scope="module")
def early_film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Seven chunks or so, their index in front."""
    path = tmp_path_factory.mktemp("early") / "film.mp4"
    run_ffmpeg(
        "-f", "lavfi", "-i", "testsrc2=s=256x144:r=24000/1001:d=60",
        "-f", "lavfi", "-i", "sine=440:beep_factor=4:r=48000:d=60",
        "-c:v", "libx264", "-preset", "veryfast", "-bf", "3", "-g", "50", "-crf", "28",
        "-pix_fmt", "yuv420p", "-c:a", "aac", "-movflags", "+faststart", path,
    )  # fmt: skip
    return path


def send(up: Up, path: str, token: str, offset: int, content: bytes) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", up.port, timeout=60)
    headers = {
        "authorization": f"Bearer {token}", "tus-resumable": "1.0.0", "content-type": BODY,
        "upload-offset": str(offset),
    }  # fmt: skip
    try:
        connection.request("PATCH", path, content, headers)
        assert connection.getresponse().status == 204
    finally:
        connection.close()


def keys_made(library: Library, function: str, least: int) -> set[Digest]:
    """The keys of what a function made that the ledger has, once there are so many."""
    tried = library.ledger.attempts()
    made = {a.key for a in tried if (a.function, a.outcome) == (function, "done")}
    return made if len(made) >= least else set()


@pytest.mark.parametrize(
    ("settings", "function"), [("fixed", "encode_chunk"), ("per-title", "measure_point")]
)
def test_what_is_made_of_a_paused_upload_is_what_the_whole_film_needs(
    settings: str, function: str, early_film: Path, ladder: Path, matinee: Run, tmp_path: Path
) -> None:
    content = early_film.read_bytes()
    wished = tmp_path / "wished.toml"
    wished.write_text(ladder.read_text().replace("crf =", f'settings = "{settings}"\ncrf ='))
    part = 6 * len(content) // 10
    library = new_library(tmp_path, wished)
    ended = matinee("token", "add", "tests", "--scope", "upload", "--library", library)
    token = ended.out.strip()
    with Up(library, ["--workers", 2]).running() as up:
        told = metadata(filename="film.mp4", name=NAME)
        length = str(len(content))
        made = up.ask(
            "/uploads", "POST", None, token, Upload_Length=length, Upload_Metadata=told, **TUS
        )
        path = made.headers["location"]
        send(up, path, token, 0, content[:part])
        opened = open_library(Settings(library, 1))
        early = eventually(lambda: keys_made(opened, function, 4), up)

        assert up.get("/v1/runs") == [] and up.get("/v1/titles") == []
        assert [up.events(f"{kind}.*") for kind in ("film", "run", "title")] == [[], [], []]
        send(up, path, token, part, content[part:])
        assert up.ended("film.mp4")["state"] == "done"
    (package,) = opened.packages.of_title("early-bird")
    tries = Counter(attempt.key for attempt in opened.ledger.attempts())
    assert [key for key in early if tries[key] > 1] == []

    plain = tmp_path / "plain"
    options = ("--ladder", wished, "--no-scores", "--title", NAME)
    assert matinee("publish", early_film, *options, "--library", plain).exit_code == 0
    alone = open_library(Settings(plain, 1))
    (reference,) = alone.packages.of_title("early-bird")
    assert early <= keys_made(alone, function, 4)
    assert (package.id, package.files) == (reference.id, reference.files)
