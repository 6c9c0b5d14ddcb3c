"""Where a bad film meets the program: base films, bait, a library, and what was left behind."""

import json
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from tests.conftest import TINY_LADDER, Ended, environment, run_ffmpeg
from tests.forks import run_module
from tests.hostile.canary import Canary

from matinee.config import Settings
from matinee.wiring.library import DATABASE, open_library

PATIENCE_S = 120
"""A program that is not at its end by then hangs."""

SUBTITLES = "1\n00:00:00,500 --> 00:00:02,000\nGood morning\n"


@dataclass(frozen=True)
class Scene:
    """One row's own folder, and what its input is made of."""

    folder: Path
    films: Path
    canary: Canary

    @property
    def library(self) -> Path:
        return self.folder / "library"

    def base(self, name: str) -> Path:
        """A good film of three seconds, by the ending of its name; made once."""
        return base_film(self.films, name)

    def file(self, name: str, content: bytes | str) -> Path:
        """A file of this scene."""
        path = self.folder / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def command(self, film: object, *options: object) -> list[str]:
        """How a user publishes the film, in the fastest way."""
        ladder = self.file("tiny.toml", TINY_LADDER)
        return [
            sys.executable, "-m", "matinee", "publish", "--library", str(self.library),
            "--ladder", str(ladder), "--no-scores", "--proofs", "packets", "--json",
            *map(str, options), "--", str(film),
        ]  # fmt: skip

    def publish(
        self, film: object, *options: object, under: Sequence[str] = (), **variables: str
    ) -> Ended:
        """Publish in a process of its own, ``under`` another program."""
        return run([*under, *self.command(film, *options)], **variables)


def run(command: Sequence[str], **variables: str) -> Ended:
    """Run a program to its end."""
    environ = {**environment(), **variables}
    if list(command[:2]) == [sys.executable, "-m"]:
        done = run_module(*command[2:], variables=environ, timeout_s=PATIENCE_S)
    else:
        done = subprocess.run(
            command, capture_output=True, env=environ, timeout=PATIENCE_S, check=False
        )
    return Ended(done.returncode, done.stdout.decode(), done.stderr.decode())


LARGE = {
    "noisy.mkv": ("testsrc2=s=256x144:r=24:d=5,noise=alls=60:allf=t+u", 5),
    "still.mkv": ("testsrc2=s=256x144:r=24:d=1,loop=1440:1,trim=end=60", 60),
}
"""Films of which one stage writes more than all others: their packets, or what a scan finds."""


@cache
def base_film(folder: Path, name: str) -> Path:
    """Three seconds with B-frames, a hard cut, sound and subtitles: ``film.mp4`` and its kin."""
    path = folder / name
    if name == "film.mp4":
        (folder / "film.srt").write_text(SUBTITLES)
        run_ffmpeg(
            "-f", "lavfi", "-i", "testsrc2=s=128x72:r=24:d=3",
            "-f", "lavfi", "-i", "anoisesrc=a=0.2:r=48000:d=3:seed=7",
            "-i", folder / "film.srt",
            "-map", "0:v", "-map", "1:a", "-map", "2:s", "-c:v", "libx264", "-preset", "veryfast",
            "-bf", "2", "-g", "24", "-pix_fmt", "yuv420p", "-c:a", "aac", "-b:a", "64k", "-c:s",
            "mov_text", "-metadata:s:a:0", "language=eng", path,
        )  # fmt: skip
        return path
    if name in LARGE:
        picture, seconds = LARGE[name]
        run_ffmpeg(
            "-f", "lavfi", "-i", picture,
            "-f", "lavfi", "-i", f"anoisesrc=a=0.2:r=48000:d={seconds}:seed=7",
            "-c:v", "libx264", "-preset", "veryfast", "-qp", "30", "-pix_fmt", "yuv420p",
            "-threads", "1", "-c:a", "aac", path,
        )  # fmt: skip
        return path
    options = {
        "front.mp4": ["-movflags", "+faststart"],
        "fragments.mp4": ["-movflags", "+frag_keyframe+empty_moov", "-sn"],
        "film.mov": ["-sn"],
        "film.mkv": ["-c:s", "srt"],
        "film.ts": ["-sn"],
    }[name]
    run_ffmpeg("-i", base_film(folder, "film.mp4"), "-map", "0", "-c", "copy", *options, path)
    return path


def error_lines(ended: Ended) -> list[str]:
    """The lines of standard error that tell an error."""
    return [
        line for line in ended.err.splitlines() if re.search(r"^matinee: .* \[[a-z_.]+\]$", line)
    ]


def document(ended: Ended) -> Any:
    """What ``--json`` printed for the film."""
    return json.loads(ended.out.splitlines()[-1]) if ended.out else None


def shown(library: Path) -> list[str]:
    """All that a viewer or a list could meet of a library."""
    found = [str(path) for path in library.glob("titles/*/main.*")]
    if (library / DATABASE).exists():
        found += [title.id for title in open_library(Settings(library, 1)).titles.all()]
    return found


def leftovers(library: Path) -> list[str]:
    """Files in the scratch folder of a library that nobody works in."""
    return [str(path) for path in (library / "scratch").rglob("*") if path.is_file()]
