"""Ladders that others ship, encoded by one ffmpeg command each, as they would have it.

The encoder, its preset and its one thread are ours, so that rungs and rate control alone differ.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

from benchmarks.film import CACHE, ffmpeg
from benchmarks.measure import run
from matinee.core.ids import digest_of

PRESET = "medium"


@dataclass(frozen=True, slots=True)
class FixedRung:
    """A rung of a box: a mean bit rate; or with a CRF that quality, the rate being its cap.

    ``bufsize_kbit`` is the decoder's buffer, where there is a cap.
    """

    name: str
    width: int
    height: int
    kbps: int
    crf: float | None = None
    bufsize_kbit: int = 0


@dataclass(frozen=True, slots=True)
class FixedLadder:
    """``segment_s`` are seconds from key frame to key frame at most.

    ``main_below``: rungs of fewer lines have the Main profile. ``passes`` 2: the first pass looks
    at the whole film, the second spreads the bits.
    """

    name: str
    words: str
    rungs: tuple[FixedRung, ...]
    segment_s: int
    main_below: int = 0
    b_frames: int = 3
    passes: int = 1
    is_even: bool = False


SHAKA = FixedLadder(
    "Shaka Streamer",
    "its default rates (1.5.1), its options for ffmpeg but the preset, one pass",
    (
        FixedRung("144p", 256, 144, 108),
        FixedRung("240p", 426, 240, 242),
        FixedRung("360p", 640, 360, 400),
        FixedRung("480p", 854, 480, 1000),
        FixedRung("576p", 1024, 576, 1500),
        FixedRung("720p", 1280, 720, 2000),
        FixedRung("1080p", 1920, 1080, 4000),
    ),
    segment_s=4,
    main_below=720,
    is_even=True,
)
"""``streamer/bitrate_configuration.py`` and ``transcoder_node.py``; it gives no cap."""

TWO_PASSES = replace(
    SHAKA,
    name="two passes",
    words="the same rates in two passes, High profile in all rungs, key frames at cuts",
    main_below=0,
    passes=2,
    is_even=False,
)

AWS = FixedLadder(
    "AWS QVBR",
    "caps of AWS's template of 1080p (Video on Demand on AWS 6), by capped CRF: its quality levels "
    "7, 8 and 9 have no published equal, and stand for CRF 25, 23 and 21",
    (
        FixedRung("270p", 480, 270, 400, 25, 1000),
        FixedRung("360p", 640, 360, 1500, 25, 3750),
        FixedRung("540p", 960, 540, 3500, 23, 8750),
        FixedRung("720p", 1280, 720, 6000, 23, 15000),
        FixedRung("1080p", 1920, 1080, 8500, 21, 21250),
    ),
    segment_s=3,
    b_frames=5,
)
"""``1080p_avc_aac_16x9_qvbr_no_preset.json``: 3 references, 5 B-frames, key frames 3 s apart."""


def fitting(ladder: FixedLadder, width: int, height: int) -> FixedLadder:
    """The ladder without rungs that are larger than the film."""
    rungs = tuple(r for r in ladder.rungs if r.width <= width and r.height <= height)
    return replace(ladder, rungs=rungs)


def commands(
    program: str, film: Path, ladder: FixedLadder, rate: Fraction, outputs: Sequence[Path]
) -> list[list[str]]:
    """One command, or one for each pass; they run in one folder."""
    found = []
    for number in range(1, ladder.passes + 1):
        command = [program, "-nostdin", "-v", "error", "-y", "-i", str(film)]
        for place, (rung, output) in enumerate(zip(ladder.rungs, outputs, strict=True)):
            command += ["-map", "0:v:0", "-an", *_coder(ladder, rung, rate)]
            if ladder.passes > 1:
                command += ["-pass", str(number), "-passlogfile", f"pass-{place}"]
            is_last = number == ladder.passes
            command += [str(output)] if is_last else ["-f", "null", "-"]
        found.append(command)
    return found


def _coder(ladder: FixedLadder, rung: FixedRung, rate: Fraction) -> list[str]:
    distance = int(ladder.segment_s * rate)
    grid = ["-keyint_min", str(distance)] if ladder.is_even else []
    rates = (
        ["-b:v", f"{rung.kbps}k"]
        if rung.crf is None
        else [
            "-crf", f"{rung.crf:g}", "-maxrate", f"{rung.kbps}k",
            "-bufsize", f"{rung.bufsize_kbit}k",
        ]
    )  # fmt: skip
    return [
        "-vf", f"scale=-2:{rung.height},setsar=1:1", "-c:v", "libx264", "-preset", PRESET,
        "-profile:v", "main" if rung.height < ladder.main_below else "high",
        "-pix_fmt", "yuv420p", "-flags", "+cgop+loop", *rates,
        "-refs", "3", "-bf", str(ladder.b_frames), *grid, "-g", str(distance),
        "-threads:v", "1",
    ]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Made:
    """The files of a ladder, smallest first, and the processor seconds that they took."""

    ladder: FixedLadder
    files: tuple[Path, ...]
    cpu_s: float


def make_ladder(film: Path, ladder: FixedLadder, rate: Fraction) -> Made:
    """Encode a film by the ladder, once; files and what they took are kept in the cache."""
    names = [f"{rung.name}.mp4" for rung in ladder.rungs]
    plan = commands(ffmpeg(), film, ladder, rate, [Path(name) for name in names])
    told = json.dumps([plan, film.stat().st_size]).encode()
    folder = CACHE / "ladders" / digest_of(told)[:16]
    files, spent = tuple(folder / name for name in names), folder / "cpu.json"
    if not spent.exists():  # written last
        folder.mkdir(parents=True, exist_ok=True)
        cpu_s = sum(run(command, folder)[0].cpu_s for command in plan)
        spent.write_text(json.dumps(cpu_s))
    return Made(ladder, files, json.loads(spent.read_text()))
