"""Inspect: what tracks the film has, and the index of its frames."""

import asyncio
import json
from fractions import Fraction
from pathlib import Path

import numpy as np

from matinee.assets.asset import Asset
from matinee.assets.derivation import Step
from matinee.core.ids import canonical_json
from matinee.core.time import as_text
from matinee.media.clocks import straightened
from matinee.media.source import SourceInfo, source_as_json, source_from_json
from matinee.media.timeline import PACKET, Packets, Timeline, build_timeline
from matinee.ports.tools import Indexer
from matinee.stages.bench import Bench, Made

RECORDINGS = ("mpegts", "mpeg")
"""Containers in which what was on air is kept as it came, from any moment on."""


async def inspect(
    bench: Bench, indexer: Indexer, film: Path, source: Asset
) -> tuple[SourceInfo, Timeline]:
    """The film's tracks and its reference timeline, from the ledger or by reading it once."""
    step = Step("inspect", 3, {"film": source.digest}, {}, bench.tool_ids("pyav"))

    async def read() -> tuple[dict[str, Made], float]:
        info, packets, time_base = await asyncio.to_thread(indexer.inspect, film)
        document = {"source": source_as_json(info), "time_base": as_text(time_base)}
        return {
            "info": Made(canonical_json(document).encode(), "application/json"),
            "index": Made(packets.tobytes(), "application/x-matinee-index"),
        }, 0.0

    derivation = await bench.derive("inspect", step, read)
    document = json.loads(await bench.read(derivation.outputs["info"]))
    packets: Packets = np.frombuffer(await bench.read(derivation.outputs["index"]), dtype=PACKET)
    info = source_from_json(document["source"])
    return info, timeline_of(info, packets, Fraction(document["time_base"]))


def timeline_of(info: SourceInfo, packets: Packets, time_base: Fraction) -> Timeline:
    """The reference timeline of a film.

    Raises:
        SourceDamaged: no frame is shown, or their times make no sense.
    """
    picture, track = info.picture, info.track(info.video)
    end: Fraction | None
    end = track.start + track.duration
    if info.declared is not None:
        begin = min(track.start for track in info.tracks)
        end = min(end, begin + info.declared)
    if info.clock_jumps:  # as its straightened copy has them
        packets, end = straightened(packets, time_base), None
    return build_timeline(
        packets, time_base, picture.nominal_rate, picture.fields, end,
        is_recording=info.container in RECORDINGS,
    )  # fmt: skip
