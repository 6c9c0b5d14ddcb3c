"""Approach: a rung's chunks are encoded as they ship until its target of VMAF is met."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import inf

from matinee.media.choice import CLOSE, Chosen, Goal, Range, as_found, lack_of
from matinee.media.ladder import Rung
from matinee.media.shot_models import Measured, ShotModel, usual_shift
from matinee.media.signature import Signature
from matinee.media.waves import corrected, next_choice, waves_of
from matinee.stages.search import Quest, measure_finals

CORRECTIONS = 4
"""How often chunks are encoded again before a target is given up."""

GAIN = 0.8
"""What a correction may leave of what was lacking at best before, to count as one that helped."""

FEW = 3
"""Chunks from which on it is known how far their worst shots are below them in this film."""

FRUITLESS = 2
"""How many corrections in a row that did not help end the search."""


@dataclass
class Approach:
    """The way to one rung's target.

    Decisions take seconds for films of many chunks, so they are made beside the event loop.
    ``models`` are of the chunks, in order; ``points`` their encodes as they are now, by number.
    """

    quest: Quest
    rung: Rung
    models: list[ShotModel]
    goal: Goal
    bounds: Range
    reference: Signature
    points: dict[int, Measured] = field(default_factory=dict)
    rounds: int = 0

    async def run(self) -> Chosen:
        """Encode in waves, then correct, until the goal is reached or nothing is gained."""
        slope = None
        for wave in waves_of(len(self.models)):
            chosen = await asyncio.to_thread(
                next_choice, self.models, self.points, self.goal, self.bounds
            )
            slope = chosen.slope
            await self._encode({number: chosen.crfs[number] for number in wave})
        kept, best = None, (inf, inf)  # by what it lacks, then by its bits
        was_good = False  # what is only too good is made smaller once
        fruitless, last = 0, self.rounds + CORRECTIONS
        while True:
            points = [self.points[number] for number in range(len(self.models))]
            found = as_found(self.models, points, slope)
            lack = lack_of(self.models, points, self.goal)
            fruitless = 0 if lack <= GAIN * best[0] else fruitless + 1
            if kept is None or (lack, found.bits) < best:
                kept, best = found, (lack, found.bits)
            is_good = lack == 0
            is_near = is_good and (was_good or found.quality <= self.goal.quality + CLOSE)
            is_stuck = best[0] > 0 and fruitless == FRUITLESS  # as where a cap forbids it
            if is_near or is_stuck or self.rounds == last:
                return kept
            again = await asyncio.to_thread(corrected, self.models, points, self.goal, self.bounds)
            if again.crfs == found.crfs:
                return kept
            await self._encode(_changes(found.crfs, again.crfs))
            slope, was_good = again.slope, is_good

    async def _encode(self, crfs: Mapping[int, float]) -> None:
        """Encode chunks as they ship; what is found of them shifts the curves of all."""
        self.rounds += 1
        line = f"round {self.rounds} {self.rung.name}"
        found = await measure_finals(self.quest, self.rung, crfs, self.reference, line)
        self.points |= found
        known = [
            model.with_final(found[number]) if number in found else model
            for number, model in enumerate(self.models)
        ]
        usual = usual_shift(known)
        if usual and len(self.points) < FEW:
            usual = replace(usual, worst=usual.quality)
        self.models = [replace(model, shift=usual) for model in known]


def _changes(before: Sequence[float], after: Sequence[float]) -> dict[int, float]:
    """The CRFs that are others, by number."""
    pairs = enumerate(zip(before, after, strict=True))
    return {number: crf for number, (old, crf) in pairs if crf != old}
