"""Work starts while an upload still goes on, and what it made is what the whole film needs."""

import http.client
import json
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import Ended, run_ffmpeg
from tests.service.running import Up, eventually, new_library
from tests.ways.running import BODY
from tests.ways.test_tus import metadata

from matinee.assets.asset import object_key
from matinee.config import Settings
from matinee.core.ids import Digest
from matinee.ports.catalog import Package
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


def chunks_made(library: Library, least: int) -> set[Digest]:
    """The keys of the chunks that the ledger has, once there are so many."""
    tried = library.ledger.attempts()
    made = {a.key for a in tried if (a.function, a.outcome) == ("encode_chunk", "done")}
    return made if len(made) >= least else set()


def report_of(library: Path, package: Package) -> Mapping[str, Any]:
    report: Mapping[str, Any] = json.loads((library / object_key(package.report)).read_bytes())
    return report


@pytest.fixture(params=["fixed", "per-title"])
def wished(request: pytest.FixtureRequest, ladder: Path, tmp_path: Path) -> Path:
    """A ladder whose best rung is known before the whole film is, at least."""
    path = tmp_path / "wished.toml"
    path.write_text(ladder.read_text().replace("crf =", f'settings = "{request.param}"\ncrf ='))
    return path


def test_chunks_of_a_paused_upload_are_made_and_the_whole_film_uses_them(
    early_film: Path, wished: Path, matinee: Run, tmp_path: Path
) -> None:
    content = early_film.read_bytes()
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
        early = eventually(lambda: chunks_made(opened, 2), up)

        assert up.get("/v1/runs") == [] and up.get("/v1/titles") == []
        assert [up.events(f"{kind}.*") for kind in ("film", "run", "title")] == [[], [], []]
        send(up, path, token, part, content[part:])
        assert up.ended("film.mp4")["state"] == "done"
    (package,) = opened.packages.of_title("early-bird")
    stages = {stage["name"]: stage for stage in report_of(library, package)["stages"]}
    assert stages["encode"]["reused"] >= len(early) >= 2
    tries = Counter(attempt.key for attempt in opened.ledger.attempts())
    assert [key for key in early if tries[key] > 1] == []

    plain = tmp_path / "plain"
    options = ("--ladder", wished, "--no-scores", "--title", NAME)
    assert matinee("publish", early_film, *options, "--library", plain).exit_code == 0
    (reference,) = open_library(Settings(plain, 1)).packages.of_title("early-bird")
    assert (package.id, package.files) == (reference.id, reference.files)
