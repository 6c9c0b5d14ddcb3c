"""Shaka Packager: writes CMAF segments, HLS playlists and the MPD."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from matinee.adapters.process import run_program
from matinee.core.errors import PackagerFailed
from matinee.media.plan import SHORTEST
from matinee.ports.tools import Packager, Spent


class ShakaPackager(Packager):
    """The program at ``path``."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def package(self, streams: Sequence[Mapping[str, str]], folder: Path) -> Spent:
        finished = await run_program(package_command(str(self._path), streams), folder)
        if finished.exit_code != 0 or not (folder / "manifest.mpd").exists():
            raise PackagerFailed(
                f"the packager exited with {finished.exit_code}: {finished.last_words}"
            )
        return Spent(finished.cpu_s)


def package_command(packager: str, streams: Sequence[Mapping[str, str]]) -> list[str]:
    """The command line. The shortest segment as duration makes every IDR frame open a segment."""
    descriptors = [
        ",".join(f"{field}={_escaped(value)}" for field, value in stream.items())
        for stream in streams
    ]
    return [
        packager, *descriptors, "--segment_duration", str(int(SHORTEST)),
        "--generate_static_live_mpd", "--hls_master_playlist_output", "main.m3u8",
        "--mpd_output", "manifest.mpd", "--quiet",
    ]  # fmt: skip


def _escaped(value: str) -> str:
    if "," in value or "=" in value:
        raise ValueError(f"the packager has no spelling for {value!r}")
    return value
