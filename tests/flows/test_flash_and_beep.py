"""Sound and picture meet in what is published, with edit lists and without.

A white flash and a beep come together every second; both are found again in the package.
"""

import re
import subprocess
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import imageio_ffmpeg
import numpy as np
import pytest
from tests.conftest import Ended, run_ffmpeg

from matinee.media.cmaf import read_init, read_segment

pytestmark = pytest.mark.tools

FFMPEG = imageio_ffmpeg.get_ffmpeg_exe()
SECONDS = 13
TOGETHER_S = 0.005
AAC_FRAME_S = 1024 / 48_000


def flash_and_beep(path: Path, rate: str, late_s: float) -> Path:
    """A flash of two frames at each whole second from 1 on, and a beep of 1 kHz with it."""
    flash = f"color=black:s=256x144:r={rate}:d={SECONDS},format=yuv420p"
    white = "geq=lum='if(gte(T,0.99)*lt(mod(T+0.001,1),0.06),235,16)':cb=128:cr=128"
    at = f"(t+{late_s})"
    tone = f"if(gte({at},0.99)*lt(mod({at}+1e-6,1),0.06),0.8*sin(2*PI*1000*{at}),0)"
    beep = f"aevalsrc='{tone}':s=48000:d={SECONDS}"
    run_ffmpeg(
        "-f", "lavfi", "-i", f"{flash},{white}", "-itsoffset", late_s, "-f", "lavfi", "-i", beep,
        "-c:v", "libx264", "-bf", "3", "-preset", "veryfast", "-c:a", "aac", "-b:a", "128k", path,
    )  # fmt: skip
    return path


def flashes(manifest: Path) -> list[float]:
    """When the picture turns white, by presentation time."""
    told = subprocess.run(
        [
            FFMPEG, "-nostdin", "-v", "info", "-copyts", "-i", str(manifest), "-map", "0:v:0",
            "-vf", "signalstats,metadata=print:key=lavfi.signalstats.YAVG", "-f", "null", "-",
        ],
        capture_output=True, check=True, text=True,
    ).stderr  # fmt: skip
    frames = re.findall(r"pts_time:([\d.]+)\n.*?YAVG=([\d.]+)", told)
    bright = [(float(time), float(luma) > 120) for time, luma in frames]
    return [
        time for (time, now), (_, before) in zip(bright[1:], bright, strict=False)
        if now and not before
    ]  # fmt: skip


def beeps(manifest: Path) -> list[float]:
    """When the sound sets in, by presentation time."""
    told = subprocess.run(
        [
            FFMPEG, "-nostdin", "-v", "error", "-copyts", "-i", str(manifest), "-map", "0:a:0",
            "-af", "aresample=48000:async=1:first_pts=0", "-ac", "1", "-f", "f32le", "-",
        ],
        capture_output=True, check=True,
    ).stdout  # fmt: skip
    loud = np.abs(np.frombuffer(told, dtype="<f4")) > 0.2
    onsets = np.flatnonzero(loud[1:] & ~loud[:-1]) / 48_000
    return [float(t) for n, t in enumerate(onsets) if n == 0 or t - onsets[n - 1] > 0.5]


def media_time_s(title: Path, pattern: str) -> Fraction:
    """Where a rendition begins on screen in its media timeline, from its own boxes."""
    init_file = next(title.glob(f"renditions/{pattern}/init.mp4"))
    init = read_init(init_file.read_bytes())
    segment = read_segment((init_file.parent / "00001.m4s").read_bytes(), init)
    assert segment.base_decode_time == 0
    earliest = min(segment.presentation_ticks) + init.media_time
    return Fraction(max(init.media_time, earliest), init.timescale)


@pytest.mark.parametrize(
    ("suffix", "rate", "late_s"),
    [(".mp4", "24000/1001", 0.0), (".mkv", "30", 0.4), (".ts", "25", 0.0), (".mov", "60", 0.0)],
)
def test_flash_and_beep_come_together(
    suffix: str, rate: str, late_s: float, ladder: Path,
    matinee: Callable[..., Ended], tmp_path: Path,
) -> None:  # fmt: skip
    film = flash_and_beep(tmp_path / f"flash{suffix}", rate, late_s)
    document: dict[str, Any] = matinee(
        "publish", film, "--library", tmp_path / "library", "--ladder", ladder, "--no-scores",
        "--json",
    ).json  # fmt: skip
    assert document["state"] == "published"

    seen, heard = flashes(Path(document["hls"])), beeps(Path(document["hls"]))

    assert len(seen) == SECONDS - 1
    assert len(heard) == SECONDS - 1
    frame_s = 1 / float(Fraction(rate))
    assert all(
        abs(two - one) <= frame_s / 2 + TOGETHER_S for one, two in zip(seen, heard, strict=True)
    )
    assert all(abs(two - round(two)) <= TOGETHER_S for two in heard)
    title = Path(document["hls"]).parent
    apart = abs(media_time_s(title, "video-72p-*") - media_time_s(title, "audio-*"))
    assert apart <= AAC_FRAME_S
