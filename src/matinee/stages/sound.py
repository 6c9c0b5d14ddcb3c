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
from matinee.media.loudness import Loudness
from matinee.media.sound import PROBE, SoundRendition, measure_lag, probe_times
from matinee.media.source import SourceInfo
from matinee.ports.tools import Indexer, Meter
from matinee.stages.bench import Bench, Made
from matinee.stages.damage import HINT
from matinee.stages.encode import Studio


@dataclass(frozen=True, slots=True)
class Sound:
    """A sound rendition as made: the coded track, its count of packets and its lags.

    ``damage`` says from when to when the source's track does not decode, "" where all of it does.
    ``loudness`` is of the coded track.
    """

    plan: SoundRendition
    asset: Asset
    frames: int
    lags: tuple[dict[str, float], ...]
    loudness: Loudness
    damage: str = ""


async def make_sound(
    bench: Bench, studio: Studio, film: Path, info: SourceInfo, rendition: SoundRendition, *,
    accept_damage: bool = False,
) -> Sound:  # fmt: skip
    """Encode one rendition; measure whether it sounds when the source does, and how loud it is.

    Raises:
        SourceDamaged: a part of the track does not decode, and that is not accepted.
    """
    encoder, indexer = studio.encoder, studio.indexer
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
            encoded, placed = folder / "encoded.mp4", folder / "placed.mp4"
            spent = await encoder.encode_sound(film, rendition, encoded)
            frames = await asyncio.to_thread(
                indexer.place_sound, encoded, rendition.coding, rendition.lead, placed
            )
            damage = (
                await asyncio.to_thread(indexer.find_sound_damage, film, rendition.track)
                if spent.complaints
                else []
            )
            lags = await asyncio.to_thread(measure_lags, indexer, film, placed, rendition, damage)
        told = _damage_in(rendition, damage)
        proof = canonical_json({"frames": frames, "lags": lags, "damage": told}).encode()
        return {
            "sound": Made(placed, "audio/mp4"),
            "proof": Made(proof, "application/json"),
        }, spent.cpu_s

    derivation = await bench.derive("sound", step, make)
    proof = json.loads(await bench.read(derivation.outputs["proof"]))
    if proof["damage"] and not accept_damage:
        raise SourceDamaged(f"sound track {rendition.track} is damaged {proof['damage']}", HINT)
    loudness = await _loudness(bench, studio.meter, derivation.outputs["sound"], rendition.name)
    bench.progress.finished(stage)
    return Sound(
        rendition, derivation.outputs["sound"], proof["frames"], tuple(proof["lags"]),
        loudness, proof["damage"],
    )  # fmt: skip


def _damage_in(rendition: SoundRendition, damage: Sequence[tuple[Fraction, Fraction]]) -> str:
    """From when to when of the film a track does not decode, in words."""
    begin, end = rendition.film_start, rendition.film_start + rendition.duration
    lost = missed(damage, begin, end)
    return tell_stretches([(a - begin, b - begin) for a, b in lost])


async def _loudness(bench: Bench, meter: Meter, sound: Asset, name: str) -> Loudness:
    """What the ledger knows of a coded sound's loudness, or what is measured now."""

    async def make() -> tuple[dict[str, Made], float]:
        folder = bench.scratch / f"{name}-loudness"
        folder.mkdir(exist_ok=True)
        async with bench.files([sound]) as (path,), bench.slots:
            found, spent = await meter.loudness(path, folder)
        document = canonical_json(found.as_json()).encode()
        return {"loudness": Made(document, "application/json")}, spent.cpu_s

    step = Step("measure_loudness", 1, {"sound": sound.digest}, {}, bench.tool_ids("ffmpeg"))
    derivation = await bench.derive("sound", step, make)
    told = json.loads(await bench.read(derivation.outputs["loudness"]))
    return Loudness(told["integrated_lufs"], told["range_lu"], told["true_peak_dbtp"])


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
