"""Encodes of a reel at many settings, in a library that is kept: so no point is made twice."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

from benchmarks.reels import LIBRARY, SEED, Reel
from matinee.config import Settings
from matinee.core.progress import Silent
from matinee.flows.compare import LadderSide, Side, Sides, measure_sides
from matinee.ladders import load_ladder
from matinee.media.ladder import Ladder
from matinee.stages.bench import Bench
from matinee.wiring.comparing import open_stand

CRFS = (19.0, 23.0, 29.0, 38.0)


def grid_side(ladder: Ladder, crfs: Sequence[float] = CRFS) -> LadderSide:
    """The sizes of the ladder ``standard`` at every CRF, without caps, by a ladder's encoder."""
    boxes = load_ladder("standard").boxes
    side = replace(ladder, boxes=boxes, crf=crfs[0])
    name = f"grid, {ladder.codec} {ladder.preset}"
    return LadderSide(name, side, tuple(crfs), capped=False)


def measured(reel: Reel, sides: Sequence[Side], seconds: int = 0) -> Sides:
    """Every setting of the sides, over so many seconds of a reel, in pieces; 0: over all of it."""
    return asyncio.run(_measured(reel, sides, seconds))[0]


def measured_with_price(reel: Reel, sides: Sequence[Side]) -> tuple[Sides, float]:
    """The same, and the processor seconds that scoring took."""
    found, bench = asyncio.run(_measured(reel, sides))
    return found, bench.tallies["score"].cpu_s


async def _measured(reel: Reel, sides: Sequence[Side], seconds: int = 0) -> tuple[Sides, Bench]:
    with open_stand(Settings(LIBRARY, workers=2), Silent()) as (stand, bench):
        return await measure_sides(stand, bench, reel.path, sides, Fraction(seconds), SEED), bench
