"""Films of every kind that is read, made by the real ffmpeg, tiny and in a few seconds."""

import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from pathlib import Path

import imageio_ffmpeg
import pytest
from tests.shared import alone, made_once

FFMPEG = Path(imageio_ffmpeg.get_ffmpeg_exe())
NTSC = Fraction(24_000, 1001)
WIDTH, HEIGHT = 160, 90
SCENE = 90
"""Frames from one hard cut to the next."""

SUBTITLES = """1
00:00:01,000 --> 00:00:02,000
First

2
00:00:04,500 --> 00:00:05,250
Second <i>one</i>
"""
X264 = ("-c:v", "libx264", "-preset", "veryfast", "-bf", "3", "-g", "48", "-threads", "1")
X265 = (
    "-c:v", "libx265", "-preset", "ultrafast", "-x265-params",
    "open-gop=1:keyint=40:min-keyint=40:bframes=3:scenecut=0:log-level=error",
)  # fmt: skip
VP9 = ("-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-b:v", "300k", "-g", "60")
AV1 = ("-c:v", "libsvtav1", "-preset", "12", "-crf", "40", "-g", "60")
MPEG2 = ("-c:v", "mpeg2video", "-bf", "2", "-g", "15", "-b:v", "1M")


@dataclass(frozen=True)
class Recipe:
    """How a film is made. ``audio`` and ``subtitles``: ffmpeg's output options, empty for none."""

    file: str
    rate: Fraction
    frames: int
    video: tuple[str, ...]
    container: str
    audio: tuple[str, ...] = ()
    channels: int = 0
    subtitles: str = ""


RECIPES = {
    "mp4-h264-b-frames": Recipe(
        "film.mp4", NTSC, 700, X264, "mov", ("-c:a", "aac", "-b:a", "192k"), 6, "mov_text"
    ),
    "mkv-hevc-open-gop": Recipe(
        "film.mkv", Fraction(25), 300, X265, "matroska", ("-c:a", "ac3"), 2, "srt"
    ),
    "webm-vp9": Recipe(
        "film.webm", Fraction(30), 330, VP9, "matroska", ("-c:a", "libopus"), 2, "webvtt"
    ),
    "mkv-av1": Recipe("film-av1.mkv", Fraction(25), 275, AV1, "matroska", ("-c:a", "libopus"), 1),
    "ts-h264": Recipe("film.ts", Fraction(50), 550, X264, "mpegts", ("-c:a", "mp2"), 2),
    "ts-mpeg2": Recipe("film2.ts", Fraction(25), 275, MPEG2, "mpegts", ("-c:a", "ac3"), 2),
    "mov-h264": Recipe("film.mov", Fraction(30_000, 1001), 330, X264, "mov"),
}


def ffmpeg(*arguments: str, folder: Path) -> None:
    """Run the real program; a failure is told with its last words."""
    command = [str(FFMPEG), "-nostdin", "-hide_banner", "-v", "error", "-y", *arguments]
    done = subprocess.run(
        command, cwd=folder, check=False, capture_output=True, timeout=120,
        env={"SVT_LOG": "1", "PATH": "/usr/bin:/bin"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr.decode(errors="replace")[-2000:]


def moving_picture(rate: Fraction, frames: int) -> str:
    """A picture that moves as a whole, cut hard every ``SCENE`` frames."""
    return (
        f"testsrc2=s={WIDTH}x{HEIGHT}:r={rate},trim=end_frame={frames},"
        "scroll=horizontal=0.013:vertical=0.007,"
        f"negate=enable='mod(floor(n/{SCENE}),2)',hue=h='floor(n/{SCENE})*70',format=yuv420p"
    )


def rustle(channels: int) -> str:
    """Sound that is nowhere like itself a moment later."""
    layout = {1: "mono", 2: "stereo", 6: "5.1"}[channels]
    return f"anoisesrc=r=48000:a=0.2:seed=7:c=pink,aformat=channel_layouts={layout}"


@dataclass(frozen=True)
class Meeting:
    """A film with a flash and a beep at each of ``flashes`` (frames), for frames of ``rate``.

    ``offset_s``: how much later than the picture the sound track begins (less than 0: earlier).
    """

    name: str
    file: str
    rate: Fraction
    flashes: tuple[int, ...]
    frames: int
    video: tuple[str, ...]
    audio: tuple[str, ...]
    offset_s: Fraction = Fraction(0)

    @cached_property
    def times(self) -> tuple[Fraction, ...]:
        """When each flash is to be seen, and each beep heard, in seconds of the film."""
        return tuple(frame / self.rate for frame in self.flashes)


class Films:
    """Makes each film once, when it is first asked for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def get(self, name: str) -> Path:
        """The film of ``RECIPES[name]``."""
        recipe = RECIPES[name]
        return self._made(recipe.file, lambda path: self._film(recipe, path))

    def meeting(self, meeting: Meeting) -> Path:
        """A film in which flashes and beeps meet."""
        return self._made(
            f"meeting-{meeting.name}{meeting.file}", lambda path: self._meeting(meeting, path)
        )

    def special(self, file: str, *arguments: str) -> Path:
        """A film by ffmpeg's own arguments, the output left out."""
        return self._made(file, lambda path: ffmpeg(*arguments, path.name, folder=self.folder))

    def _made(self, file: str, make: Callable[[Path], None]) -> Path:
        path, done = self.folder / file, self.folder / f"{file}.made"
        with alone(self.folder / f"{file}.lock"):
            if not done.exists():
                make(path)
                done.touch()
        return path

    def _film(self, recipe: Recipe, path: Path) -> None:
        inputs = ["-f", "lavfi", "-i", moving_picture(recipe.rate, recipe.frames)]
        outputs = ["-map", "0:v", *recipe.video]
        seconds = f"{float(recipe.frames / recipe.rate):.6f}"
        if recipe.audio:
            inputs += ["-f", "lavfi", "-t", seconds, "-i", rustle(recipe.channels)]
            outputs += ["-map", "1:a", *recipe.audio, "-metadata:s:a:0", "language=deu"]
        if recipe.subtitles:
            subtitles = path.with_suffix(".srt")
            subtitles.write_text(SUBTITLES)
            inputs += ["-i", subtitles.name]
            outputs += ["-map", "2:s", "-c:s", recipe.subtitles, "-metadata:s:s:0", "language=fra"]
        ffmpeg(*inputs, *outputs, path.name, folder=self.folder)

    def _meeting(self, meeting: Meeting, path: Path) -> None:
        flash = "+".join(f"between(n,{frame},{frame + 1})" for frame in meeting.flashes)
        starts = [float(time - meeting.offset_s) for time in meeting.times]
        beep = "+".join(f"gte(t,{start:.9f})*lt(t,{start + 0.05:.9f})" for start in starts)
        length = float(meeting.frames / meeting.rate - meeting.offset_s)
        picture = (
            f"color=c=black:s={WIDTH}x{HEIGHT}:r={meeting.rate},trim=end_frame={meeting.frames},"
            f"drawbox=c=white:t=fill:enable='{flash}',format=yuv420p"
        )
        sound = (
            f"aevalsrc='0.6*sin(2*PI*1500*t)*({beep})':s=48000:d={length:.6f},"
            "aformat=channel_layouts=stereo"
        )
        late_picture = max(Fraction(0), -meeting.offset_s)
        late_sound = max(Fraction(0), meeting.offset_s)
        ffmpeg(
            "-itsoffset", f"{float(late_picture)}", "-f", "lavfi", "-i", picture,
            "-itsoffset", f"{float(late_sound)}", "-f", "lavfi", "-i", sound,
            "-map", "0:v", *meeting.video, "-map", "1:a", *meeting.audio, path.name,
            folder=self.folder,
        )  # fmt: skip


@pytest.fixture(scope="session")
def films(tmp_path_factory: pytest.TempPathFactory) -> Films:
    """All films of a test run."""
    return Films(made_once(tmp_path_factory, "films", lambda folder: folder))
