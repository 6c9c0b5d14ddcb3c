"""Grain: how much of it a film has, and the strength at which each rung has it made anew.

A few places of the film are decoded, spread evenly; it is a step of the ledger, taken only where a
ladder asks for grain as the film has it.
"""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from matinee.assets.derivation import Step
from matinee.core.ids import canonical_json
from matinee.core.progress import Stage
from matinee.media.clips import ClipPlan
from matinee.media.grain import FRAMES, Grain, Place, grain_of, place_of
from matinee.media.ladder import Ladder, Rung
from matinee.media.ladder_checks import AUTO
from matinee.media.source import display_size, picture_parameters
from matinee.ports.tools import Clip
from matinee.stages.bench import Bench, Made
from matinee.stages.chunks import Film
from matinee.stages.encode import Studio
from matinee.stages.passing import each_clip

PLACES = 12
"""How many places of a film are looked at, at most."""

MOST_IN_A_CLIP = 4
"""How many of them lie in one clip, at most."""

STAGE = "grain"

GrainTold = Mapping[str, Any]
"""The document of what was found, and of what came of it for each rung."""


async def settle_grain(
    bench: Bench, studio: Studio, source: Path, film: Film, ladders: Sequence[Ladder]
) -> tuple[Film, GrainTold | None]:
    """The film with the strength of every rung, and why; as it is, where no ladder asks for it.

    A high dynamic range keeps its grain as it is.
    """
    asked = {(one.codec, one.depth, one.profile) for one in ladders if one.film_grain == AUTO}
    wanted = [rung for rung in film.rungs if _kind(rung) in asked and rung.hdr is None]
    if not wanted:
        return film, None
    document = await _measured(bench, studio, source, film)
    places = [Place(**one) for one in document["places"]]
    grain, (width, _) = grain_of(places), display_size(film.picture)
    rungs = [_with_grain(rung, grain, width) if rung in wanted else rung for rung in film.rungs]
    told = {
        "noise": _rounded(grain.noise),
        "halved": _rounded(grain.halved),
        "places": [asdict(place) for place in places],
        "rungs": {f"video-{rung.name}": rung.film_grain for rung in rungs if _kind(rung) in asked},
    }
    return replace(film, rungs=tuple(rungs)), told


def _kind(rung: Rung) -> tuple[str, int, str]:
    return rung.codec, rung.depth, rung.profile


def _with_grain(rung: Rung, grain: Grain, width: int) -> Rung:
    bounds = rung.coding.film_grain
    assert bounds is not None
    return replace(rung, film_grain=grain.strength(min(1.0, rung.width / width), bounds))


def places_in(clips: Sequence[ClipPlan]) -> list[ClipPlan]:
    """The clips that are looked into, spread evenly."""
    long_enough = [clip for clip in clips if len(clip.frames) >= FRAMES]
    count = min(PLACES, len(long_enough))
    return [long_enough[(2 * n + 1) * len(long_enough) // (2 * count)] for n in range(count)]


def looked_at(clip: ClipPlan, clips: int) -> list[range]:
    """The frames of one of so many clips that are looked at, from its first; more if they are few.

    Not at its begin, where there is a cut.
    """
    count = min(MOST_IN_A_CLIP, max(1, PLACES // clips))
    firsts = ((2 * n + 1) * (len(clip.frames) - FRAMES) // (2 * count) for n in range(count))
    return [range(first, first + FRAMES) for first in dict.fromkeys(firsts)]


async def _measured(bench: Bench, studio: Studio, source: Path, film: Film) -> Mapping[str, Any]:
    clips = places_in(film.clips)
    folder = bench.scratch / STAGE

    async def look() -> tuple[dict[str, Made], float]:
        folder.mkdir(exist_ok=True)
        found: dict[int, Place] = {}
        spent = [0.0]

        async def see(clip: Clip) -> None:
            for frames in looked_at(clip.plan, len(clips)):
                luma, cost = await studio.meter.luma(
                    clip, film.picture, film.plan.rate, frames, folder
                )  # fmt: skip
                first = clip.plan.frames.start + frames.start
                found[first] = await asyncio.to_thread(place_of, first, luma)
                spent.append(cost.cpu_s)
            clip.path.unlink(missing_ok=True)

        await each_clip(
            bench, studio.indexer, source, film.info, film.timeline, clips, folder, see
        )  # fmt: skip
        places = [_place_json(found[first]) for first in sorted(found)]
        body = canonical_json({"places": places}).encode()
        return {"grain": Made(body, "application/json")}, sum(spent)

    bench.progress.started(Stage(STAGE, 0))
    known = await bench.derive(STAGE, _step(bench, film, clips), look)
    bench.progress.finished(STAGE)
    document: Mapping[str, Any] = json.loads(await bench.read(known.outputs["grain"]))
    return document


def _step(bench: Bench, film: Film, clips: Sequence[ClipPlan]) -> Step:
    inputs = {f"clip/{number:05d}": clip.digest for number, clip in enumerate(clips)}
    parameters = {
        "picture": picture_parameters(film.picture),
        "starts": [clip.frames.start for clip in clips],
        "frames": [[part.start for part in looked_at(clip, len(clips))] for clip in clips],
    }
    return Step("measure_grain", 1, inputs, parameters, bench.tool_ids("ffmpeg"))


def _place_json(place: Place) -> dict[str, Any]:
    return {**asdict(place), "noise": _rounded(place.noise), "halved": _rounded(place.halved)}


def _rounded(noise: float | None) -> float | None:
    return None if noise is None else round(noise, 3)
