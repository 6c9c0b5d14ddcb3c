"""The command line that scores some frames of chunks: cheap, for searches."""

from collections.abc import Sequence
from pathlib import Path

from matinee.adapters.ffmpeg.commands import CLIPS, GRAPH, QUIET, TELL, opened, vmaf_model
from matinee.adapters.ffmpeg.picture_filters import upright, wanted
from matinee.media.ladder import Rung
from matinee.media.source import Picture, display_size
from matinee.ports.tools import Clip


def sample_command(
    ffmpeg: str,
    clip: Clip,
    picture: Picture,
    rungs: Sequence[Rung],
    chunks: Sequence[Path],
    names: Sequence[str],
    every: int,
) -> list[str]:
    """VMAF at the source's size of one frame in ``every``, to ``<name>.json`` for each chunk.

    Two frames of each run are kept, and the first is scored: VMAF's motion feature is the lesser of
    those to the frames before and after, so it is that of the two. What is left out is neither
    scaled nor looked at, which ``n_subsample`` alone would do.
    """
    rate = rungs[0].rate
    width, height = display_size(picture)
    size = f"scale={width}:{height}:flags=bicubic,setsar=1,format=yuv420p"
    clock = f"settb={rate.denominator}/{rate.numerator},setpts=N"
    some = f"select=lt(mod(n\\,{every})\\,2),{clock}"
    command = [ffmpeg, *QUIET, *TELL, "-y", *opened(rungs, chunks)]
    command += ["-copyts", "-noautorotate", "-threads", "1", *CLIPS, "-i", str(clip.path)]
    copies = "".join(f"[ref{n}]" for n in range(len(chunks)))
    graph = [
        (
            f"[{len(chunks)}:v:0]{wanted(clip, rate)},{some},{upright(picture)},{size},"
            f"split={len(chunks)}{copies}"
        )
    ]
    for n, name in enumerate(names):
        graph.append(
            f"[{n}:v:0]{clock},{some},{size}[dis{n}];[dis{n}][ref{n}]libvmaf="
            f"model=version={vmaf_model(height)}:log_fmt=json:log_path={name}.json:n_threads=1:"
            f"n_subsample=2:shortest=1[out{n}]"
        )
    command += [*GRAPH, ";".join(graph)]
    for n in range(len(chunks)):
        command += ["-map", f"[out{n}]", "-fps_mode", "passthrough", "-f", "null", "-"]
    return command
