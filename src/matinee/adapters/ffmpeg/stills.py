"""Pictures out of files, with the program ``ffmpeg``."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np

from matinee.adapters.ffmpeg.commands import BITEXACT, CLIPS, QUIET
from matinee.adapters.ffmpeg.copy_commands import draw_coded_command, draw_command
from matinee.adapters.ffmpeg.program import Ffmpeg
from matinee.core.errors import ToolError
from matinee.media.posters import Picture
from matinee.media.source import Picture as Pictured
from matinee.ports.tools import Clip, Spent, Stills


class FfmpegStills(Stills):
    """Reads JPEG sheets, draws stills."""

    def __init__(self, ffmpeg: Ffmpeg) -> None:
        self._ffmpeg = ffmpeg

    async def pixels(self, sheet: Path, width: int, height: int, folder: Path) -> Picture:
        output = folder / "sheet.rgb"
        command = pixels_command(self._ffmpeg.path, sheet, width, height, output)
        finished = await self._ffmpeg.run("reading thumbnails", command, folder)
        if finished.exit_code != 0:
            raise ToolError(f"thumbnails cannot be decoded: {finished.last_words}")
        pixels = np.frombuffer(output.read_bytes(), dtype=np.uint8)
        output.unlink()
        return pixels.reshape(height, width, 3)

    async def still(self, part: Path, frame: int, output: Path) -> Spent:
        command = still_command(self._ffmpeg.path, part, frame, output)
        finished = await self._ffmpeg.run("drawing a poster", command, output.parent)
        if finished.exit_code != 0:
            raise ToolError(f"frame {frame} of a segment cannot be drawn: {finished.last_words}")
        return Spent(finished.cpu_s)

    async def draw(
        self, clip: Clip, picture: Pictured, rate: Fraction, size: tuple[int, int], output: Path
    ) -> Spent:
        return await self._draw(
            draw_command(self._ffmpeg.path, clip, picture, rate, size, output), output
        )

    async def draw_coded(
        self, chunk: Path, frame: int, size: tuple[int, int], output: Path
    ) -> Spent:
        return await self._draw(
            draw_coded_command(self._ffmpeg.path, chunk, frame, size, output), output
        )

    async def _draw(self, command: Sequence[str], output: Path) -> Spent:
        finished = await self._ffmpeg.run("drawing a frame", command, output.parent)
        if finished.exit_code != 0:
            raise ToolError(f"a frame cannot be drawn: {finished.last_words}")
        return Spent(finished.cpu_s)


def pixels_command(ffmpeg: str, sheet: Path, width: int, height: int, output: Path) -> list[str]:
    """A JPEG file as raw pixels."""
    return [
        ffmpeg, *QUIET, "-y", "-protocol_whitelist", "file", "-f", "image2", "-i", str(sheet),
        "-vf", f"scale={width}:{height}", "-frames:v", "1", "-pix_fmt", "rgb24",
        "-f", "rawvideo", str(output),
    ]  # fmt: skip


def still_command(ffmpeg: str, part: Path, frame: int, output: Path) -> list[str]:
    """One frame of a rendition's piece as a JPEG file, in the full range that JPEG has."""
    return [
        ffmpeg, *QUIET, "-y", "-threads", "1", *CLIPS, "-i", str(part),
        "-vf", f"select=eq(n\\,{frame}),scale=out_range=pc", "-frames:v", "1", "-update", "1",
        "-c:v", "mjpeg", "-q:v", "3", "-threads:v", "1", "-pix_fmt", "yuvj420p", *BITEXACT,
        "-f", "image2", str(output),
    ]  # fmt: skip
