"""The tools, for plans and for ``doctor``."""

from pathlib import Path

from matinee.adapters.ffmpeg.program import Ffmpeg, FfmpegEncoder, FfmpegScanner
from matinee.adapters.tools import find_tools
from matinee.adapters.tools import missing_features as features_missing_in
from matinee.config import read_settings
from matinee.ports.tools import Encoder, Scanner, Tool
from matinee.wiring.reading import sandbox_of


def scanner() -> Scanner:
    """What looks at films, for plans."""
    sandbox = sandbox_of(read_settings(None, None))
    return FfmpegScanner(Ffmpeg(Path(find_tools()["ffmpeg"].path), sandbox))


def text_reader() -> Encoder:
    """What reads subtitle tracks, for ``inspect`` and plans."""
    sandbox = sandbox_of(read_settings(None, None))
    return FfmpegEncoder(Ffmpeg(Path(find_tools()["ffmpeg"].path), sandbox))


def walls() -> tuple[str, ...]:
    """What confines tools on this machine, for ``doctor``.

    Raises:
        ToolError: the kernel has a wall but does not let us build it.
    """
    return sandbox_of(read_settings(None, None)).walls()


def tools() -> dict[str, Tool]:
    """The media tools, for ``doctor``."""
    return find_tools()


def missing_features(found: dict[str, Tool]) -> list[str]:
    """What ffmpeg lacks of what Matinee needs."""
    return features_missing_in(found["ffmpeg"])
