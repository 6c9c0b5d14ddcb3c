"""A film that every player can be tried with, published by the program itself."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.conftest import Ended, run_ffmpeg

Run = Callable[..., Ended]

NAME = "The Test Film"
TITLE = "the-test-film"
RATE = 24
SHOT_FRAMES = 78
"""Two shots are longer than a segment may be, so each shot becomes a segment of 3.25 s."""

PICTURES = ("testsrc2", "mandelbrot", "testsrc", "smptehdbars") * 2
SECONDS = len(PICTURES) * SHOT_FRAMES / RATE
PITCHES = {"en": 440, "es": 880}
LINES = {"en": "Line at {} seconds", "es": "Línea a los {} segundos"}
CHAPTERS = (("Morning", 0, 10), ("Noon & after", 10, 20))
HEIGHTS = (144, 216, 288)

LADDER = """
[video]
codec = "h264"
preset = "veryfast"
crf = 22
reference_frames = 1
threads = 1

[[rung]]
name = "144p"
width = 256
height = 144
maxrate_kbps = 180

[[rung]]
name = "216p"
width = 384
height = 216
maxrate_kbps = 600

[[rung]]
name = "288p"
width = 512
height = 288
maxrate_kbps = 1800

[audio]
mono_kbps = 48
stereo_kbps = 64
per_channel_kbps = 48
"""


@dataclass(frozen=True)
class Cinema:
    """A library with the film in it. ``packages``: without Spanish subtitles, then with them."""

    library: Path
    packages: tuple[str, ...]
    report: dict[str, Any]

    @property
    def title(self) -> Path:
        return self.library / "titles" / TITLE


def open_cinema(folder: Path, matinee: Run) -> Cinema:
    """Make the film and publish it, first as it is, then with a subtitle file beside it."""
    film, library, ladder = folder / "film.mkv", folder / "library", folder / "ladder.toml"
    ladder.write_text(LADDER)
    _write_subtitles(folder / "film.en.srt", LINES["en"])
    _write_subtitles(folder / "film.es.srt", LINES["es"])
    with (folder / "film.es.srt").open("a", encoding="utf-8") as file:
        file.write("\n99\n00:10:00,000 --> 00:10:02,000\nDemasiado tarde\n")
    _make_film(film, folder / "film.en.srt")
    publish = ["publish", film, "--library", library, "--ladder", ladder, "--json"]
    named = ["--title", NAME, "--credit", "Made of noise, by the tests"]
    packages = [
        _package_of(matinee(*publish, *named)),
        _package_of(matinee(*publish, "--subtitles", folder / "film.es.srt")),
    ]
    shown = matinee("show", TITLE, "--library", library, "--json").json
    return Cinema(library, tuple(packages), shown["report"])


def _package_of(ended: Ended) -> str:
    assert ended.exit_code == 0, ended.err
    document = json.loads(ended.out)
    assert document["title"] == TITLE
    return Path(document["package"]).name


def _make_film(path: Path, subtitles: Path) -> None:
    """Noise, so that more bits look better; hard cuts; a tone for each language; a stray file."""
    shot = SHOT_FRAMES / RATE
    inputs: list[object] = []
    for picture in PICTURES:
        inputs += ["-f", "lavfi", "-t", shot, "-i", f"{picture}=s=512x288:r={RATE}"]
    for pitch in PITCHES.values():
        inputs += ["-f", "lavfi", "-t", SECONDS, "-i", f"sine={pitch}:r=48000"]
    shots = range(len(PICTURES))
    graph = ";".join(f"[{n}:v]format=yuv420p[s{n}]" for n in shots)
    graph += ";" + "".join(f"[s{n}]" for n in shots)
    graph += f"concat=n={len(PICTURES)}:v=1:a=0,noise=alls=9:allf=t[picture]"
    sounds = len(PICTURES)
    chapters = path.with_suffix(".chapters.txt")
    chapters.write_text(";FFMETADATA1\n" + "".join(
        f"[CHAPTER]\nTIMEBASE=1/1\nSTART={start}\nEND={end}\ntitle={title}\n"
        for title, start, end in CHAPTERS
    ))  # fmt: skip
    run_ffmpeg(
        *inputs, "-i", subtitles, "-i", chapters, "-map_chapters", sounds + 3,
        "-filter_complex", graph,
        "-map", "[picture]", "-map", f"{sounds}:a", "-map", f"{sounds + 1}:a",
        "-map", f"{sounds + 2}:s", "-attach", subtitles, "-metadata:s:t", "mimetype=text/plain",
        "-c:v", "libx264", "-preset", "superfast", "-crf", "22", "-c:a", "flac", "-c:s", "srt",
        *_languages("a", ("eng", "spa")), *_languages("s", ("eng",)), path,
    )  # fmt: skip


def _languages(kind: str, codes: Sequence[str]) -> list[str]:
    return [
        word
        for number, code in enumerate(codes)
        for word in (f"-metadata:s:{kind}:{number}", f"language={code}")
    ]


def _write_subtitles(path: Path, line: str) -> None:
    """A line every two seconds, shown for 1.9."""
    path.write_text(
        "\n".join(
            f"{number}\n00:00:{at:02},000 --> 00:00:{at + 1:02},900\n{line.format(at)}\n"
            for number, at in enumerate(range(0, int(SECONDS) - 1, 2), start=1)
        ),
        encoding="utf-8",
    )
