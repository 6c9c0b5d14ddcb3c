"""Points of rate and quality: what a rung at a setting gives on some of a film's chunks.

Each chunk of each setting is encoded and scored as ``publish`` does it, so that both find what the
other has made, and a search that was interrupted goes on.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from matinee.assets.asset import Asset
from matinee.media.comparison import Encode
from matinee.media.ladder import Rung
from matinee.media.signature import Signature
from matinee.stages.bench import Bench
from matinee.stages.chunks import Film, Proofs, Table
from matinee.stages.encode import Studio, encode


@dataclass(frozen=True, slots=True)
class RungPoint:
    """A rung's encode of the chunks in hand, and those chunks in order."""

    encode: Encode
    chunks: tuple[Asset, ...]


async def measure_rungs(
    bench: Bench, studio: Studio, source: Path, film: Film, reference: Signature,
    own: Sequence[Rung],
) -> list[RungPoint]:  # fmt: skip
    """Encode and score the film's clips at every rung; those in ``own`` are marked as such."""
    table = await encode(bench, studio, source, film, reference, Proofs(signed=False, scored=True))
    return [
        await _point(bench, studio, table, column, rung, is_own=rung in own)
        for column, rung in enumerate(film.rungs)
    ]


async def _point(
    bench: Bench, studio: Studio, table: Table, column: int, rung: Rung, *, is_own: bool
) -> RungPoint:
    states = [row[column] for row in table]
    chunks = tuple(state.chunk for state in states if state.chunk)
    scores = [np.frombuffer(await bench.read(s.scores), "<f4") for s in states if s.scores]
    async with bench.files(chunks) as files:
        sizes = await asyncio.to_thread(lambda: [studio.indexer.frame_bytes(f) for f in files])
    encoded = Encode(
        name=f"{rung.name} CRF {rung.crf:g}",
        width=rung.width,
        height=rung.height,
        crf=rung.crf,
        is_own=is_own,
        sizes=np.concatenate(sizes),
        scores=np.concatenate(scores).astype(np.float64),
        cpu_s=sum(state.encoded.cost.cpu_s for state in states if state.encoded),
    )
    return RungPoint(encoded, chunks)
