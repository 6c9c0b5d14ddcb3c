"""Command lines that compare copies of a film and draw their frames, as pure functions."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

from matinee.adapters.ffmpeg.commands import (
    BITEXACT,
    CLIPS,
    GRAPH,
    QUIET,
    RAW,
    SIGN,
    TELL,
    vmaf_model,
)
from matinee.adapters.ffmpeg.picture_filters import upright, wanted
from matinee.media.source import Picture, display_size
from matinee.ports.tools import Clip

WEBP = (
    "-c:v", "libwebp", "-quality", "95", "-compression_level", "4", "-threads:v", "1",
    "-pix_fmt", "bgra", *BITEXACT, "-frames:v", "1", "-f", "webp",
)  # fmt: skip
"""Finer than any encode that is worth looking at; a tenth of what a PNG takes."""


def measure_copy_command(
    ffmpeg: str, clip: Clip, picture: Picture, copy: Clip, copied: Picture, rate: Fraction
) -> list[str]:
    """Score a copy's clip against the film's: both as shown, at the film's size.

    Outputs lie in the working folder: ``copy.sig``, ``reference.sig`` and ``copy.json``.
    """
    width, height = display_size(picture)
    alike = f"scale={width}:{height}:flags=bicubic,setsar=1,format=yuv420p"
    score = (
        f"model=version={vmaf_model(height)}:log_fmt=json:log_path=copy.json:"
        "n_threads=1:shortest=1,nullsink"
    )
    graph = [
        f"[0:v:0]{wanted(copy, rate)},{upright(copied)},split=2[own][dis]",
        f"[own]{SIGN}[copy]",
        f"[dis]{alike}[big]",
        f"[1:v:0]{wanted(clip, rate)},{upright(picture)},{alike},split=2[ref][refsig]",
        f"[refsig]{SIGN}[reference]",
        f"[big][ref]libvmaf={score}",
    ]
    return [
        ffmpeg, *QUIET, *TELL, "-y", "-copyts", *_opened(copy.path), *_opened(clip.path),
        *GRAPH, ";".join(graph),
        "-map", "[copy]", *RAW, "copy.sig", "-map", "[reference]", *RAW, "reference.sig",
    ]  # fmt: skip


def draw_command(
    ffmpeg: str, clip: Clip, picture: Picture, rate: Fraction, size: tuple[int, int], output: Path
) -> list[str]:
    """The first frame of a clip, as shown."""
    graph = f"[0:v:0]{wanted(clip, rate)},{upright(picture)},{_sized(size)}[drawn]"
    return [
        ffmpeg, *QUIET, "-y", "-copyts", *_opened(clip.path), *GRAPH, graph,
        "-map", "[drawn]", *WEBP, str(output),
    ]  # fmt: skip


def draw_coded_command(
    ffmpeg: str, chunk: Path, frame: int, size: tuple[int, int], output: Path
) -> list[str]:
    """One frame of a chunk of ours."""
    return [
        ffmpeg, *QUIET, "-y", "-threads", "1", *CLIPS, "-i", str(chunk),
        "-vf", f"select=eq(n\\,{frame}),{_sized(size)}", "-fps_mode", "passthrough",
        *WEBP, str(output),
    ]  # fmt: skip


def _opened(clip: Path) -> Sequence[str]:
    return ("-noautorotate", "-threads", "1", *CLIPS, "-i", str(clip))


def _sized(size: tuple[int, int]) -> str:
    return f"scale={size[0]}:{size[1]}:flags=bicubic,setsar=1"
