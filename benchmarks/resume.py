"""A long title goes on after a crash: from a new process to the first chunk that is to be made.

The film is an index of 24 frames a second, the library has every chunk of one rung, encoded, signed
and scored, but the last. Chunks are a few bytes here: reading them again to see that they are whole
is told apart, as so many bytes a second.
"""

import asyncio
import gc
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path

import numpy as np

from benchmarks.film import ROOT
from benchmarks.table import Bar, Figure
from benchmarks.workplace import Workplace, tell
from matinee.apps.cli.main import FEW_CYCLES
from matinee.assets.asset import Asset, object_key
from matinee.assets.derivation import Cost, Derivation, Step
from matinee.config import Settings
from matinee.core.ids import digest_of
from matinee.core.progress import Silent
from matinee.ladders import load_ladder
from matinee.media.frame_index import KEY
from matinee.media.ladder import fit
from matinee.media.plan import plan_film
from matinee.media.source import Colour, Picture, SourceInfo, Track
from matinee.media.timeline import PACKET, Timeline, build_timeline
from matinee.stages.bench import Bench
from matinee.stages.chunks import (
    Film,
    Proofs,
    drop_lost,
    encode_step,
    film_of,
    look_up,
    score_step,
    sign_step,
)
from matinee.wiring.publishing import open_house

NAME = "resume"
RATE = 24
CHUNK_S = 8
GROUP = 48
"""Frames from one key frame to the next, in the film and in its plan."""


def run(workplace: Workplace) -> Iterator[Figure]:
    """In a process of its own, as often as was asked for."""
    count = workplace.derivations
    with workplace.folder() as folder:
        library = folder / "library"
        tell(f"{NAME}: writing a library of {count} chunks")
        with open_house(Settings(library, 1), Silent(), refresh=False) as (_, bench):
            asyncio.run(_fill(bench, film_of_chunks(count)))
        found = []
        for turn in range(1, workplace.repeats + 1):
            tell(f"{NAME}: {turn}/{workplace.repeats}")
            command = [sys.executable, "-m", "benchmarks.resume", str(library), str(count)]
            begun = time.monotonic()
            done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
            found.append((time.monotonic() - begun, json.loads(done.stdout)))
    seconds, parts = sorted(found, key=lambda one: one[0])[len(found) // 2]
    name = f"a title of {count} chunks goes on after a crash"
    yield Figure(NAME, name, "s", seconds, bar=Bar(5, "ours"))
    for part, part_s in parts.items():
        yield Figure(NAME, f"of it: {part}", "s", part_s)


def film_of_chunks(count: int) -> Film:
    """A film of so many chunks and one rung."""
    timeline = _timeline(count * CHUNK_S * RATE)
    picture = Picture(
        1280, 720, Fraction(1), 0, "yuv420p", 8, "progressive",
        Colour("bt709", "bt709", "bt709", full_range=False), Fraction(RATE), digest_of(b""),
    )  # fmt: skip
    track = Track(
        0, "video", "h264", None, "", False, False, False, Fraction(0), timeline.duration,
        digest_of(b""),
    )  # fmt: skip
    info = SourceInfo("matroska", 1, (track,), 0, picture)
    cuts = list(range(0, timeline.frames, 2 * GROUP))
    plan = plan_film(cuts, timeline.frames, timeline.rate)
    return film_of(info, timeline, plan, fit(load_ladder("standard"), picture, timeline.rate)[:1])


def _timeline(frames: int) -> Timeline:
    packets = np.zeros(frames, dtype=PACKET)
    packets["pts"] = packets["dts"] = np.arange(frames)
    packets["flags"][::GROUP] = KEY
    numbers = np.arange(frames, dtype="<i8").view("S8")
    packets["digest"] = np.char.add(numbers, b"x" * 24)
    return build_timeline(packets, Fraction(1, RATE), Fraction(RATE))


async def _fill(bench: Bench, film: Film) -> None:
    """Everything of every chunk but the last."""
    rung = film.rungs[0]
    for number, clip in enumerate(film.clips[:-1]):
        content = number.to_bytes(100)
        chunk = Asset(digest_of(content), len(content), "video/mp4")
        await bench.store.write(object_key(chunk.digest), content)
        _record(bench, encode_step(bench, film, clip, rung), "chunk", chunk)
        _record(bench, sign_step(bench, chunk.digest, rung), "signature", chunk)
        _record(bench, score_step(bench, film, clip, chunk.digest, rung), "scores", chunk)


def _record(bench: Bench, step: Step, role: str, asset: Asset) -> None:
    attempt = bench.ledger.begin(bench.run, step)
    derivation = Derivation(step, {role: asset}, Cost("here", datetime.now(UTC), 1.0, 2.0))
    bench.ledger.record(attempt, derivation, [(asset.digest, object_key(asset.digest))])


def go_on(library: Path, count: int) -> dict[str, float]:
    """Do what a run does before it encodes; gives the seconds of each part."""
    begun = time.monotonic()
    film = film_of_chunks(count)
    planned = time.monotonic()
    with open_house(Settings(library, 1), Silent(), refresh=False) as (_, bench):
        table = look_up(bench, film, Proofs())
        found = time.monotonic()
        asyncio.run(drop_lost(bench, table))
    left = [row[0] for row in table if row[0].lacks(Proofs())]
    if len(left) != 1:
        raise RuntimeError(f"{len(left)} chunks are to be made, not the last one alone")
    return {
        "plan and clips": planned - begun,
        "what the ledger has": found - planned,
        "that its bytes are there": time.monotonic() - found,
    }


if __name__ == "__main__":
    gc.set_threshold(FEW_CYCLES)  # as the program does
    print(json.dumps(go_on(Path(sys.argv[1]), int(sys.argv[2]))), flush=True)
    os._exit(0)
