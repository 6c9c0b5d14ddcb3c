"""Shaka Packager: writes CMAF segments, HLS playlists and the MPD."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from matinee.adapters.process import Job, run_program
from matinee.adapters.sandbox.rules import Sandbox
from matinee.core.errors import PackagerFailed
from matinee.media.plan import SHORTEST
from matinee.ports.tools import Packager, Spent


class ShakaPackager(Packager):
    """The program at ``path``, inside its walls."""

    def __init__(self, path: Path, sandbox: Sandbox | None = None) -> None:
        self._path, self._sandbox = path, sandbox or Sandbox()

    async def package(
        self, streams: Sequence[Mapping[str, str]], folder: Path, secrets: Sequence[str] = ()
    ) -> Spent:
        job = Job(
            package_command(str(self._path), streams, hears=bool(secrets)),
            folder,
            [folder / stream["in"] for stream in streams],
            doing="packaging",
            tool="the packager",
            writes=_common_folder(streams, folder),
            hears="".join(f"{line}\n" for line in secrets).encode(),
        )
        finished = await run_program(self._sandbox, job)
        if finished.exit_code != 0 or not (folder / "manifest.mpd").exists():
            # It repeats flags that it does not like.
            words = "(not told: it knew keys)" if secrets else finished.last_words
            raise PackagerFailed(f"the packager exited with {finished.exit_code}: {words}")
        return Spent(finished.cpu_s)


def _common_folder(streams: Sequence[Mapping[str, str]], folder: Path) -> Path:
    """The folder that holds all that the packager writes: segments may lie beside its own."""
    fields = ("init_segment", "segment_template")
    names = [stream[field] for stream in streams for field in fields if field in stream]
    return Path(os.path.commonpath([os.path.normpath(folder / name) for name in (".", *names)]))


def package_command(
    packager: str, streams: Sequence[Mapping[str, str]], *, hears: bool = False
) -> list[str]:
    """The command line. The shortest segment as duration makes every IDR frame open a segment.

    ``hears``: further flags come by standard input, for everyone may read a command line.
    """
    descriptors = [
        ",".join(f"{field}={_escaped(value)}" for field, value in stream.items())
        for stream in streams
    ]
    return [
        packager, *descriptors, "--segment_duration", str(int(SHORTEST)),
        "--generate_static_live_mpd", "--hls_master_playlist_output", "main.m3u8",
        "--mpd_output", "manifest.mpd", "--quiet",
        *(["--flagfile=/dev/stdin"] if hears else []),
    ]  # fmt: skip


def _escaped(value: str) -> str:
    if "," in value or "=" in value:
        raise ValueError(f"the packager has no spelling for {value!r}")
    return value
