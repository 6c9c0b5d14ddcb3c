"""The plain peer: one ffmpeg command that makes every rendition of a plan, and nothing else."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.film import ffmpeg
from benchmarks.measure import Spent, run, size_of_folder
from benchmarks.ours import Plan
from benchmarks.workplace import Workplace
from matinee.media.plan import LONGEST


@dataclass(frozen=True, slots=True)
class Encoded:
    """What the command took and how large the renditions are."""

    spent: Spent
    rendition_bytes: int


def encoding(workplace: Workplace, plan: Plan, *, same_threads: bool) -> Callable[[], Encoded]:
    """What encodes the cut with the plain command, again and again."""

    def once() -> Encoded:
        with workplace.folder() as folder:
            command = plain_command(ffmpeg(), workplace.film.cut, plan, same_threads=same_threads)
            spent, _ = run(command, folder)
            return Encoded(spent, size_of_folder(folder))

    return once


def plain_command(program: str, film: Path, plan: Plan, *, same_threads: bool) -> list[str]:
    """Sizes, scaler, CRF, caps, preset, x264 options and threads of the plan; IDR every 6 s.

    Without ``same_threads``, as many threads for each encoder as ffmpeg takes by itself.
    """
    count = len(plan.rungs)
    graph = [f"[0:v:0]split={count}" + "".join(f"[in{n}]" for n in range(count))]
    for n, rung in enumerate(plan.rungs):
        scale = f"scale={rung.width}:{rung.height}:flags=bicubic"
        graph.append(f"[in{n}]{scale},setsar=1,format=yuv420p[out{n}]")
    command = [program, "-nostdin", "-v", "error", "-y", "-i", str(film)]
    command += ["-filter_complex", ";".join(graph)]
    for n, rung in enumerate(plan.rungs):
        options = (
            f"scenecut=0:keyint=infinite:ref={rung.reference_frames}:bframes={rung.b_frames}:"
            "b-pyramid=normal:open-gop=0"
        )
        threads = ["-threads:v", str(rung.threads)] if same_threads else []
        command += [
            "-map", f"[out{n}]", "-c:v", "libx264", "-preset", rung.preset,
            "-crf", f"{rung.crf:g}", "-maxrate", str(rung.maxrate), "-bufsize", str(rung.bufsize),
            "-profile:v", "high", "-level", rung.level, *threads,
            "-force_key_frames", f"expr:gte(t,n_forced*{LONGEST})", "-forced-idr", "1",
            "-x264-params", options, f"{rung.name}.mp4",
        ]  # fmt: skip
    if plan.stereo_bit_rate:
        command += [
            "-map", "0:a:0", "-c:a", "aac", "-ac", "2", "-ar", "48000",
            "-b:a", str(plan.stereo_bit_rate), "audio.mp4",
        ]  # fmt: skip
    return command
