"""Sound: every sound track whole, in every layout that is planned, proved to be in step."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from matinee.assets.asset import Asset
from matinee.assets.derivation import Step
from matinee.core.errors import SourceDamaged
from matinee.core.ids import canonical_json
from matinee.core.progress import Stage
from matinee.media.damage import missed, tell_stretches
from matinee.media.sound import PROBE, SoundRendition, measure_lag, probe_times
from matinee.media.source import SourceInfo
from matinee.ports.tools import Encoder, Indexer
from matinee.stages.bench import Bench, Made
from matinee.stages.damage import HINT


@dataclass(frozen=True, slots=True)
class Sound:
    """A sound rendition as made: the coded track, its count of packets and its lags.

    ``damage`` says from when to when the source's track does not decode, "" where all of it does.
    """

    plan: SoundRendition
    asset: Asset
    frames: int
    lags: tuple[dict[str, float], ...]
    damage: str = ""


async def make_sound(
    bench: Bench, encoder: Encoder, indexer: Indexer, film: Path, info: SourceInfo,
    rendition: SoundRendition, *, accept_damage: bool = False,
) -> Sound:  # fmt: skip
    """Encode one rendition and measure whether it sounds when the source does.

    Raises:
        SourceDamaged: a part of the track does not decode, and that is not accepted.
    """
    stage = f"sound {rendition.name}"
    bench.progress.started(Stage(stage, 0))
    step = Step(
        "encode_sound", 3,
        {"track": info.track(rendition.track).packets},
        rendition.as_parameters(),
        bench.tool_ids("ffmpeg", "pyav"),
    )  # fmt: skip

    async def make() -> tuple[dict[str, Made], float]:
        folder = bench.scratch / rendition.name
        folder.mkdir(exist_ok=True)
        async with bench.slots:
            spent = await encoder.encode_sound(film, rendition, folder / "encoded.mp4")
            placed = folder / "placed.mp4"
            frames = await asyncio.to_thread(
                indexer.place_sound,
                folder / "encoded.mp4",
                rendition.coding,
                rendition.lead,
                placed,
            )
            damage = (
                await asyncio.to_thread(indexer.find_sound_damage, film, rendition.track)
                if spent.complaints
                else []
            )
            lags = await asyncio.to_thread(measure_lags, indexer, film, placed, rendition, damage)
        begin, end = rendition.film_start, rendition.film_start + rendition.duration
        lost = missed(damage, begin, end)
        told = tell_stretches([(a - begin, b - begin) for a, b in lost])
        proof = canonical_json({"frames": frames, "lags": lags, "damage": told}).encode()
        return {
            "sound": Made(placed, "audio/mp4"),
            "proof": Made(proof, "application/json"),
        }, spent.cpu_s

    derivation = await bench.derive("sound", step, make)
    proof = json.loads(await bench.read(derivation.outputs["proof"]))
    if proof["damage"] and not accept_damage:
        raise SourceDamaged(f"sound track {rendition.track} is damaged {proof['damage']}", HINT)
    bench.progress.finished(stage)
    return Sound(
        rendition, derivation.outputs["sound"], proof["frames"], tuple(proof["lags"]),
        proof["damage"],
    )  # fmt: skip


def measure_lags(
    indexer: Indexer, film: Path, coded: Path, rendition: SoundRendition,
    damage: Sequence[tuple[Fraction, Fraction]] = (),
) -> list[dict[str, float]]:  # fmt: skip
    """How late the coded sound is beside the source's, in the film's audible and sound places.

    The source's samples are placed by their own time stamps, apart from the way they were encoded.
    """
    start = rendition.film_start
    times = [
        time
        for time in probe_times(rendition.duration)
        if not any(a < start + time + PROBE and start + time - 1 < b for a, b in damage)
    ]
    in_film = [rendition.film_start + time for time in times]
    before = indexer.listen(film, rendition.track, in_film, PROBE)
    after = indexer.listen(coded, 0, times, PROBE)
    lags = []
    for time, one, two in zip(times, before, after, strict=True):
        audible = round(min(PROBE, Fraction(rendition.duration) - time) * len(one) / PROBE)
        lag = measure_lag(one[:audible], two[:audible], time)
        if lag is not None:
            lags.append(
                {
                    "time_s": round(lag.time_s, 3),
                    "lag_s": round(lag.lag_s, 6),
                    "likeness": round(lag.likeness, 4),
                }
            )
    return lags
