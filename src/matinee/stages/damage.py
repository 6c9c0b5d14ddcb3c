"""Damage: what of a film does not decode, found once and remembered."""

import asyncio
import json
from dataclasses import asdict
from fractions import Fraction
from pathlib import Path

from matinee.assets.derivation import Derivation, Step
from matinee.core.errors import SourceDamaged
from matinee.core.ids import canonical_json
from matinee.core.time import FrameSpan
from matinee.media.damage import Damage, tell_damage
from matinee.media.pace import is_damaged, pace_of_picture
from matinee.media.remarks import told_end, told_pace
from matinee.media.source import SourceInfo
from matinee.media.timeline import Timeline
from matinee.ports.tools import Indexer
from matinee.stages.bench import Bench, Made

HINT = (
    "try another copy of the film; or publish with --accept-damage: there the picture stands still "
    "and the sound is silent"
)

HINT_CUT_OFF = "try another copy of the film; or publish what is there with --accept-damage"

HINT_PACE = (
    "try another copy of the film; or put its times right: "
    "ffmpeg -itsscale {:.9g} -i FILM -map 0 -c copy OUT.mkv"
)

QUICKLY_READ = 256 << 20
"""Bytes beyond which a film is looked at before all of it is read: refusals come soon."""


def check_whole(
    indexer: Indexer, film: Path, info: SourceInfo, timeline: Timeline, *, accept_damage: bool
) -> Fraction | None:
    """The file holds what its header promises, at the times of its frames; gives their pace.

    Raises:
        SourceDamaged: it was cut off; says where. Or its time stamps are damaged.
    """
    told, pace = told_end(info), find_pace(indexer, film, info, timeline)
    if told and not accept_damage:
        raise SourceDamaged(told, HINT_CUT_OFF)
    if pace and not accept_damage:
        raise SourceDamaged(told_pace(pace), HINT_PACE.format(float(1 / pace)))
    return pace


def look_first(indexer: Indexer, film: Path, *, accept_damage: bool) -> None:
    """Refuse what a glance tells, before all of a large film is read.

    Raises:
        SourceRefused: it is no film, or not handled. SourceDamaged: it was cut off.
    """
    if film.stat().st_size > QUICKLY_READ:
        told = indexer.look(film)
        if told and not accept_damage:
            raise SourceDamaged(told, HINT_CUT_OFF)


def find_pace(
    indexer: Indexer, film: Path, info: SourceInfo, timeline: Timeline
) -> Fraction | None:
    """How many seconds a second lasts by damaged time stamps; None where they are not."""
    picture = pace_of_picture(info, timeline)
    if picture is None or info.clock_jumps:
        return None
    sounds = (track.index for track in info.of_type("audio") if not track.fault)
    found = (indexer.sound_pace(film, index) for index in sounds)
    is_known = any(is_damaged(picture, sound) for sound in found)
    return picture if is_known else None  # measured over all of the film, so the closer one


async def recorded_damage(bench: Bench, info: SourceInfo) -> Damage | None:
    """The damage that was found before; None where none was, or nobody looked."""
    found = bench.find(_step(bench, info))
    return await _read(bench, found) if found else None


async def _read(bench: Bench, found: Derivation) -> Damage | None:
    document = json.loads(await bench.read(found.outputs["damage"]))
    if document is None:
        return None
    lost, damaged = (
        tuple(FrameSpan(**span) for span in document[name]) for name in ("lost", "damaged")
    )
    return Damage(lost, damaged)


async def find_damage(
    bench: Bench, indexer: Indexer, film: Path, info: SourceInfo, timeline: Timeline
) -> Damage | None:
    """Decode every packet and see which give no sound picture."""

    async def look() -> tuple[dict[str, Made], float]:
        damage = await asyncio.to_thread(indexer.find_damage, film, info, timeline)
        document = canonical_json(asdict(damage) if damage else None).encode()
        return {"damage": Made(document, "application/json")}, 0.0

    return await _read(bench, await bench.derive("damage", _step(bench, info), look))


def _step(bench: Bench, info: SourceInfo) -> Step:
    inputs = {"video": info.track(info.video).packets, "configuration": info.picture.configuration}
    return Step("find_damage", 1, inputs, {}, bench.tool_ids("pyav"))


def refuse(timeline: Timeline, damage: Damage) -> SourceDamaged:
    """The refusal of a film whose pictures do not decode; says from when to when."""
    count = len(timeline.decode_order)
    return SourceDamaged(
        f"the picture is damaged {tell_damage(timeline, damage)}: {damage.frames} of {count} "
        "frames cannot be shown",
        HINT,
    )
