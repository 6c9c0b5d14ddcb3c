"""The pipeline beside Shaka Streamer, which turns YAML into one ffmpeg and one packager.

It encodes H.264 at preset slow to a mean bit rate and offers no other; its rates are set to our
caps. So Matinee is run twice: as it ships, and at preset slow with all else as it ships.
"""

import json
import sys
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from benchmarks.measure import run as run_measured
from benchmarks.measure import size_of_folder
from benchmarks.ours import LEAN, Plan, Publish, plan_of, publishing
from benchmarks.plain import Encoded
from benchmarks.table import Figure, paired
from benchmarks.workplace import Workplace
from matinee.ladders import SHIPPED as LADDERS
from matinee.media.plan import LONGEST

NAME = "shaka_streamer"
PRESET = "slow"
"""The preset that Shaka Streamer sets for films."""


def run(workplace: Workplace) -> Iterator[Figure]:
    """Wall, processor and bytes, beside both presets of ours."""
    if find_spec("streamer") is None:
        workplace.note(f"{NAME}: not measured, as it is not installed; `make bench` installs it")
        return
    plan = plan_of(workplace.film.cut, "standard")
    with workplace.folder() as folder:
        slow = folder / f"{PRESET}.toml"
        slow.write_text(_with_preset((LADDERS / "standard.toml").read_text(), PRESET))
        arms: dict[str, Callable[[], Publish | Encoded]] = {
            "matinee, medium": publishing(workplace, "--ladder", "standard", *LEAN),
            f"matinee, {PRESET}": publishing(workplace, "--ladder", str(slow), *LEAN),
            "shaka streamer": _streaming(workplace, plan),
        }
        runs = workplace.alternate(NAME, arms)
    medium, at_slow, peer = runs.values()
    for label, ours in (("medium, as shipped", medium), (f"{PRESET}, the peer's preset", at_slow)):
        for name, unit, of in (("wall", "s", _wall), ("CPU", "s", _cpu), ("bytes", "MB", _size)):
            yield paired(NAME, f"{label}: {name}", unit, [*map(of, ours)], [*map(of, peer)])
    workplace.note(
        f"{NAME}: mean bit rates at our caps, preset {PRESET}, a key frame every {LONGEST} s, AAC "
        "stereo, HLS and DASH, its own ffmpeg and packager; it looks for the end once a second"
    )


def _wall(one: Publish | Encoded) -> float:
    return one.spent.wall_s


def _cpu(one: Publish | Encoded) -> float:
    return one.spent.cpu_s


def _size(one: Publish | Encoded) -> float:
    return one.rendition_bytes / 1e6


def _with_preset(ladder: str, preset: str) -> str:
    """A ladder file with another preset."""
    lines = ladder.splitlines()
    return "\n".join(
        f'preset = "{preset}"' if line.startswith("preset") else line for line in lines
    )


def _streaming(workplace: Workplace, plan: Plan) -> Callable[[], Encoded]:
    program = Path(sys.executable).with_name("shaka-streamer")

    def once() -> Encoded:
        with workplace.folder() as folder:
            command = [sys.executable, str(program), "-o", "out"]
            for option, document in configurations(workplace.film.cut, plan).items():
                file = folder / f"{option}.yaml"
                file.write_text(json.dumps(document))  # JSON is YAML
                command += [f"--{option}-config", str(file)]
            spent, _ = run_measured(command, folder, {"TMPDIR": str(folder)})
            return Encoded(spent, size_of_folder(folder / "out"))

    return once


def configurations(film: Path, plan: Plan) -> dict[str, Any]:
    """The three files of Shaka Streamer: what comes in, what is made, at which sizes and rates."""
    tracks = ["video", "audio"] if plan.stereo_bit_rate else ["video"]
    return {
        "input": {"inputs": [{"name": str(film), "media_type": kind} for kind in tracks]},
        "pipeline": {
            "streaming_mode": "vod",
            "quiet": True,
            "resolutions": [rung.name for rung in plan.rungs],
            "channel_layouts": ["stereo"],
            "audio_codecs": ["aac"],
            "video_codecs": ["h264"],
            "manifest_format": ["dash", "hls"],
            "segment_size": float(LONGEST),
            "segment_per_file": True,
        },
        "bitrate": {
            "video_resolutions": {
                rung.name: {
                    "max_width": rung.width,
                    "max_height": rung.height,
                    "bitrates": {"h264": f"{rung.maxrate // 1000}k"},
                }
                for rung in plan.rungs
            },
            "audio_channel_layouts": {
                "stereo": {
                    "max_channels": 2,
                    "bitrates": {"aac": f"{(plan.stereo_bit_rate or 128_000) // 1000}k"},
                }
            },
        },
    }
