"""A long title goes on after a crash: from a new process to the first chunk that is to be made.

The library has a film's index of 24 frames a second and every chunk of one rung, encoded, signed
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
from itertools import pairwise
from pathlib import Path

import numpy as np

from benchmarks.film import ROOT
from benchmarks.table import Bar, Figure
from benchmarks.workplace import Workplace, tell
from matinee.apps.cli.main import FEW_CYCLES
from matinee.assets.asset import Asset, object_key
from matinee.assets.derivation import Cost, Derivation, Step
from matinee.config import Settings
from matinee.core.ids import canonical_json, digest_of
from matinee.core.progress import Silent
from matinee.flows.board import Board
from matinee.flows.house import House
from matinee.ladders import load_ladder
from matinee.media.frame_index import KEY
from matinee.media.ladder import fit
from matinee.media.plan import plan_film
from matinee.media.source import Colour, Picture, SourceInfo, Track, source_as_json
from matinee.media.timeline import PACKET, Packets
from matinee.stages.bench import Bench
from matinee.stages.cells import keep_cells
from matinee.stages.chunks import (
    Film,
    Proofs,
    count_reused,
    drop_lost,
    encode_step,
    film_of,
    look_up,
    score_step,
    sign_step,
)
from matinee.stages.encode import tell_stages
from matinee.stages.inspect import inspect
from matinee.wiring.publishing import open_house

NAME = "resume"
RATE = 24
CHUNK_S = 8
GROUP = 48
"""Frames from one key frame to the next, in the film and in its plan."""

SOURCE = Asset(digest_of(b"film"), 4, "video/x-matroska")


def run(workplace: Workplace) -> Iterator[Figure]:
    """In a process of its own, as often as was asked for."""
    count = workplace.derivations
    with workplace.folder() as folder:
        library = folder / "library"
        tell(f"{NAME}: writing a library of {count} chunks")
        with open_house(Settings(library, 1), Silent(), refresh=False) as (house, bench):
            asyncio.run(_fill(house, bench, count))
        found = []
        for turn in range(1, workplace.repeats + 1):
            tell(f"{NAME}: {turn}/{workplace.repeats}")
            command = [sys.executable, "-m", "benchmarks.resume", str(library)]
            begun = time.monotonic()
            done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
            found.append((time.monotonic() - begun, json.loads(done.stdout)))
    seconds, parts = sorted(found, key=lambda one: one[0])[len(found) // 2]
    name = f"a title of {count} chunks goes on after a crash"
    yield Figure(NAME, name, "s", seconds, bar=Bar(5, "ours"))
    for part, part_s in parts.items():
        yield Figure(NAME, f"of it: {part}", "s", part_s)


def _index(count: int) -> Packets:
    """The frame index of a film of so many chunks."""
    frames = count * CHUNK_S * RATE
    packets = np.zeros(frames, dtype=PACKET)
    packets["pts"] = packets["dts"] = np.arange(frames)
    packets["flags"][::GROUP] = KEY
    numbers = np.arange(frames, dtype="<i8").view("S8")
    packets["digest"] = np.char.add(numbers, b"x" * 24)
    return packets


def _info(count: int) -> SourceInfo:
    """What is in it."""
    picture = Picture(
        1280, 720, Fraction(1), 0, "yuv420p", 8, "progressive",
        Colour("bt709", "bt709", "bt709", full_range=False), Fraction(RATE), digest_of(b""),
    )  # fmt: skip
    track = Track(
        0, "video", "h264", None, "", False, False, False, Fraction(0), Fraction(count * CHUNK_S),
        digest_of(b""),
    )  # fmt: skip
    return SourceInfo("matroska", 1, (track,), 0, picture)


async def _planned(house: House, bench: Bench) -> Film:
    """The film as the ledger knows it, with a plan of one rung."""
    info, timeline = await inspect(bench, house.studio.indexer, Path("gone"), SOURCE)
    cuts = list(range(0, timeline.frames, 2 * GROUP))
    plan = plan_film(cuts, timeline.frames, timeline.rate)
    rungs = fit(load_ladder("standard"), info.picture, timeline.rate)
    return film_of(info, timeline, plan, rungs[:1])


async def _fill(house: House, bench: Bench, count: int) -> None:
    """The inspection, and everything of every chunk but the last."""
    step = Step("inspect", 4, {"film": SOURCE.digest}, {}, bench.tool_ids("pyav"))
    document = {"source": source_as_json(_info(count)), "time_base": f"1/{RATE}"}
    stored = {
        "info": await _stored(bench, canonical_json(document).encode()),
        "index": await _stored(bench, _index(count).tobytes()),
    }
    _record(bench, step, stored)
    film = await _planned(house, bench)
    rung = film.rungs[0]
    for number, clip in enumerate(film.clips[:-1]):
        chunk = await _stored(bench, number.to_bytes(100))
        _record(bench, encode_step(bench, film, clip, rung), {"chunk": chunk})
        _record(bench, sign_step(bench, chunk.digest, rung), {"signature": chunk})
        _record(bench, score_step(bench, film, clip, chunk.digest, rung), {"scores": chunk})


async def _stored(bench: Bench, content: bytes) -> Asset:
    asset = Asset(digest_of(content), len(content), "video/mp4")
    await bench.store.write(object_key(asset.digest), content)
    return asset


def _record(bench: Bench, step: Step, outputs: dict[str, Asset]) -> None:
    attempt = bench.ledger.begin(bench.run, step)
    derivation = Derivation(step, outputs, Cost("here", datetime.now(UTC), 1.0, 2.0))
    digests = [asset.digest for asset in outputs.values()]
    bench.ledger.record(attempt, derivation, [(one, object_key(one)) for one in digests])


async def go_on(library: Path) -> dict[str, float]:
    """Do what a run does before it encodes; gives the seconds of each part."""
    times = [time.monotonic()]
    with open_house(Settings(library, 1), Board("film"), refresh=False) as (house, bench):
        film = await _planned(house, bench)
        times.append(time.monotonic())
        table = look_up(bench, film, Proofs())
        times.append(time.monotonic())
        await drop_lost(bench, table)
        times.append(time.monotonic())
        count_reused(bench, table)
        tell_stages(bench, film, table, Proofs(), await keep_cells(bench, film))
        times.append(time.monotonic())
    left = [row[0] for row in table if row[0].lacks(Proofs())]
    if len(left) != 1:
        raise RuntimeError(f"{len(left)} chunks are to be made, not the last one alone")
    parts = ("index, plan and clips", "what the ledger has", "that its bytes are there", "telling")
    return {
        name: after - before for name, (before, after) in zip(parts, pairwise(times), strict=True)
    }


if __name__ == "__main__":
    gc.set_threshold(FEW_CYCLES)  # as the program does
    print(json.dumps(asyncio.run(go_on(Path(sys.argv[1])))), flush=True)
    os._exit(0)
