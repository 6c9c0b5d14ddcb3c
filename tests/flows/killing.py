"""What is killed at random moments: a scene, and commands that are begun, done or killed."""

import random
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from tests.conftest import TINY_LADDER, environment, make_film
from tests.forks import run_module


@dataclass(frozen=True)
class Scene:
    """A film, its ladder, and a library in which it is published."""

    film: Path
    ladder: Path
    library: Path
    title: str

    def publish(self, library: Path) -> list[str]:
        return [
            "publish", str(self.film), "--ladder", str(self.ladder), "--no-scores",
            "--library", str(library),
        ]  # fmt: skip


def begin(*words: object) -> "subprocess.Popen[bytes]":
    """A command of the program, in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "matinee", *map(str, words)],
        env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
    )  # fmt: skip


def done(*words: object) -> float:
    """Run a command to its good end; gives the seconds that it took."""
    started = time.monotonic()
    ended = run_module("matinee", *words, variables=environment(), timeout_s=240)
    assert ended.returncode == 0, (words, ended.stderr.decode())
    return time.monotonic() - started


def killed(chance: random.Random, longest_s: float, *words: object) -> bool:
    """``kill -9`` a command after a random time; False when it was over before."""
    soon = chance.uniform(0.05, longest_s)
    try:
        run_module("matinee", *words, variables=environment(), timeout_s=soon)
    except subprocess.TimeoutExpired:
        return True
    return False


def scene_in(folder: Path) -> Scene:
    """A scene of its own."""
    film, ladder = make_film(folder / "Three Shots.mp4", text=True), folder / "tiny.toml"
    ladder.write_text(TINY_LADDER)
    scene = Scene(film, ladder, folder / "library", "three-shots")
    done(*scene.publish(scene.library))
    return scene
