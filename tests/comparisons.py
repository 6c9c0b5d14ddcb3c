"""Comparisons by the program, made once: of two ladders, and of two files."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.conftest import TINY_LADDER, Ended
from tests.films import X264, Films, ffmpeg

FRAMES, SHOT = 320, 32
"""Ten shots in three chunks: few frames a second, so that shots last with few frames."""

LADDER = TINY_LADDER.replace("width = 128\nheight = 72", "width = 96\nheight = 54").replace(
    "width = 256\nheight = 144", "width = 160\nheight = 90"
)  # fmt: skip

Run = Callable[..., Ended]


@dataclass(frozen=True)
class Made:
    """What the program printed, and where its page and library lie."""

    film: Path
    library: Path
    page: Path
    command: tuple[str, ...]
    document: dict[str, Any]


def compared_film(films: Films) -> Path:
    """Ten shots that move, with B-frames, at a fractional rate."""
    picture = (
        f"testsrc2=s=160x90:r=12000/1001,trim=end_frame={FRAMES},scroll=horizontal=0.013:"
        f"vertical=0.007,negate=enable='mod(floor(n/{SHOT}),2)',hue=h='floor(n/{SHOT})*70',"
        "format=yuv420p"
    )
    return films.special("compare.mp4", "-f", "lavfi", "-i", picture, *X264)


def compare_ladders(folder: Path, films: Films, matinee: Run) -> Made:
    """A slow preset and a quick one, each at three CRFs on two rungs."""
    for name, preset in (("slower", "veryfast"), ("quicker", "ultrafast")):
        (folder / f"{name}.toml").write_text(LADDER.replace("veryfast", preset))
    return _compared(
        folder, films, matinee, folder / "slower.toml", folder / "quicker.toml",
        "--crfs", "24,40", "--seconds", "0", "--shots", "3",
    )  # fmt: skip


def compare_files(folder: Path, films: Films, matinee: Run) -> Made:
    """Two files of another size, codec and container each, one on a clock of milliseconds."""
    film = compared_film(films)
    scale = ("-map", "0:v", "-vf", "scale=96:54", "-fps_mode", "passthrough")
    ffmpeg(
        "-i", str(film), *scale, "-c:v", "libx264", "-preset", "veryfast", "-crf", "30",
        str(folder / "small.mkv"), folder=folder,
    )  # fmt: skip
    ffmpeg(
        "-i", str(film), "-map", "0:v", "-fps_mode", "passthrough", "-c:v", "libvpx-vp9",
        "-deadline", "realtime", "-cpu-used", "8", "-crf", "45", "-b:v", "0",
        str(folder / "large.webm"), folder=folder,
    )  # fmt: skip
    return _compared(
        folder, films, matinee, folder / "small.mkv", folder / "large.webm", "--seconds", "0",
        "--shots", "1",
    )  # fmt: skip


def _compared(folder: Path, films: Films, matinee: Run, *arguments: object) -> Made:
    film, library, page = compared_film(films), folder / "library", folder / "page.html"
    command = (
        "compare", *map(str, arguments), "--film", str(film), "--library", str(library), "--json",
    )  # fmt: skip
    ended = matinee(*command, "--page", page)
    assert ended.exit_code == 0, ended.err
    return Made(film, library, page, command, ended.json)
