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
from matinee.media.source import SourceInfo, source_as_json, source_from_json
from matinee.media.source_timeline import timeline_of
from matinee.media.timeline import PACKET, Packets, Timeline
from matinee.ports.tools import Indexer
from matinee.stages.bench import Bench, Made


async def inspect(
    bench: Bench, indexer: Indexer, film: Path, source: Asset
) -> tuple[SourceInfo, Timeline]:
    """The film's tracks and its reference timeline, from the ledger or by reading it once."""
    step = Step("inspect", 4, {"film": source.digest}, {}, bench.tool_ids("pyav"))

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
