"""Shared by all tests: tiny films, a fast ladder, and the program run as a user runs it."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hypothesis
import imageio_ffmpeg
import pytest
from tests.databases import postgres
from tests.encrypted import Encrypted, encrypt
from tests.films import films
from tests.forks import run_module
from tests.s3_server import s3
from tests.shared import made_once

__all__ = ["films", "postgres", "s3"]

# A busy machine is slow, not wrong.
hypothesis.settings.register_profile("matinee", deadline=None)
hypothesis.settings.load_profile("matinee")

# In what shells start in the background Ctrl-C is ignored; what tests start is to hear it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

ROOT = Path(__file__).resolve().parent.parent

TINY_LADDER = """
[video]
codec = "h264"
preset = "veryfast"
crf = 30
reference_frames = 1
threads = 1

[[rung]]
name = "72p"
width = 128
height = 72
maxrate_kbps = 200

[[rung]]
name = "144p"
width = 256
height = 144
maxrate_kbps = 500

[audio]
mono_kbps = 48
stereo_kbps = 64
per_channel_kbps = 48
"""

SUBTITLES = """1
00:00:01,000 --> 00:00:03,000
Good <i>morning</i>

2
00:00:09,000 --> 00:00:14,500
over a border
"""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended."""

    exit_code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def run_ffmpeg(*arguments: object) -> None:
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-v", "error", "-y"]
    subprocess.run([*command, *map(str, arguments)], check=True)


def make_film(
    path: Path,
    seconds: float = 25.5,
    *,
    text: bool = False,
    pictures: Sequence[str] = ("testsrc2", "mandelbrot", "testsrc"),
) -> Path:
    """Three shots, B-frames, 24000/1001 frames a second: three chunks; beeps in two languages."""
    path.parent.mkdir(parents=True, exist_ok=True)
    shot = seconds / len(pictures)
    inputs: list[object] = []
    for picture in pictures:
        inputs += ["-f", "lavfi", "-t", shot, "-i", f"{picture}=s=256x144:r=24000/1001"]
    for pitch in (440, 660):
        inputs += ["-f", "lavfi", "-t", seconds, "-i", f"sine={pitch}:beep_factor=4:r=48000"]
    shots = range(len(pictures))
    graph = "".join(f"[{n}:v]format=yuv420p[s{n}];" for n in shots)
    graph += "".join(f"[s{n}]" for n in shots) + f"concat=n={len(pictures)}:v=1:a=0[v]"
    sound = len(pictures)
    subtitles = path.with_suffix(".text.srt")
    extra: list[object] = []
    if text:
        subtitles.write_text(SUBTITLES)
        inputs += ["-i", subtitles]
        extra = ["-map", f"{sound + 2}:s", "-c:s", "mov_text" if path.suffix == ".mp4" else "srt"]
        extra += ["-metadata:s:s:0", "language=eng"]
    run_ffmpeg(
        *inputs, "-filter_complex", graph, "-map", "[v]", "-map", f"{sound}:a",
        "-map", f"{sound + 1}:a",
        "-c:v", "libx264", "-preset", "veryfast", "-bf", "3", "-g", "50", "-crf", "20",
        "-c:a", "aac", "-b:a", "96k", "-metadata:s:a:0", "language=eng",
        "-metadata:s:a:1", "language=deu", *extra, path,
    )  # fmt: skip
    return path


@pytest.fixture(scope="session")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_once(
        tmp_path_factory, "film", lambda folder: make_film(folder / "Three Shots.mp4", text=True)
    )


@pytest.fixture(scope="session")
def ladder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("ladder") / "tiny.toml"
    path.write_text(TINY_LADDER)
    return path


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT / "src")}


def standing_in(path: Path, script: Path) -> dict[str, str]:
    """Variables that let the program at ``path``, which runs ``script``, stand in for a tool.

    Such a program is read from outside a tool's walls, so they are told where it lies.
    """
    path.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{script}" "$@"\n')
    path.chmod(0o755)
    parts = ["/bin", "/usr/bin", sys.base_prefix, sys.prefix, script.parent]
    name = "MATINEE_PACKAGER" if path.name == "packager" else "MATINEE_FFMPEG"
    return {name: str(path), "MATINEE_TOOL_READ": ":".join(map(str, parts))}


@pytest.fixture(scope="session")
def matinee() -> Callable[..., Ended]:
    """Runs the program in a process of its own, forked from one that has loaded it."""

    def run(*arguments: object, **variables: str) -> Ended:
        finished = run_module(
            "matinee", *arguments, variables={**environment(), **variables}, timeout_s=240
        )
        return Ended(finished.returncode, finished.stdout.decode(), finished.stderr.decode())

    return run


@pytest.fixture(scope="session")
def published(
    tmp_path_factory: pytest.TempPathFactory, film: Path, ladder: Path
) -> tuple[Path, dict[str, Any]]:
    """A library with one title, published whole with proofs and scores; tests leave it as it is.

    By a program of its own: what others make anew and compare had other seeds of hashes.
    """

    def make(library: Path) -> tuple[Path, dict[str, Any]]:
        command = [sys.executable, "-m", "matinee", "publish", str(film), "--json"]
        ended = subprocess.run(
            [*command, "--library", str(library), "--ladder", str(ladder)],
            capture_output=True, env=environment(), timeout=240, check=True,
        )  # fmt: skip
        return library, json.loads(ended.stdout)

    return made_once(tmp_path_factory, "published", make)


@pytest.fixture(scope="session")
def unscored(
    tmp_path_factory: pytest.TempPathFactory,
    film: Path,
    ladder: Path,
    matinee: Callable[..., Ended],
) -> tuple[Path, dict[str, Any]]:
    """The same, published with ``--no-scores``."""

    def make(library: Path) -> tuple[Path, dict[str, Any]]:
        settings = ("--library", library, "--ladder", ladder, "--no-scores", "--json")
        ended = matinee("publish", film, *settings)
        assert ended.exit_code == 0, ended.err
        return library, ended.json

    return made_once(tmp_path_factory, "unscored", make)


@pytest.fixture
def stocked(unscored: tuple[Path, dict[str, Any]], tmp_path: Path) -> tuple[Path, dict[str, Any]]:
    """A copy of ``unscored`` to work with, and what was printed when it was made."""
    library = tmp_path / "library"
    shutil.copytree(unscored[0], library)
    told = json.dumps(unscored[1])
    return library, json.loads(told.replace(str(unscored[0]), str(library)))


@pytest.fixture(scope="session")
def encrypted(
    tmp_path_factory: pytest.TempPathFactory, matinee: Callable[..., Ended], film: Path,
    ladder: Path, unscored: tuple[Path, dict[str, Any]],
) -> Encrypted:  # fmt: skip
    """The film of ``unscored``, encrypted by each scheme; tests leave it as it is."""
    return made_once(
        tmp_path_factory,
        "encrypted",
        lambda folder: encrypt(folder, matinee, film, ladder, unscored),
    )


@pytest.fixture(scope="session")
def every_codec(tmp_path_factory: pytest.TempPathFactory, matinee: Callable[..., Ended]) -> Any:
    """A film in every codec; tests leave it as it is."""
    from tests.every_codec import publish_every_codec

    return made_once(
        tmp_path_factory, "every-codec", lambda folder: publish_every_codec(folder, matinee)
    )
