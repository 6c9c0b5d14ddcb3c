"""Deadlines: with which preset a film is done in time, or when it will be done all the same."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from matinee.media.estimate import X264_COST, encode_cost, scan_cost, score_cost
from matinee.media.ladder import Ladder, Rung

CAUTION = 1.5
"""So much longer than estimated may it take: estimates are right within a factor of two."""

FIXED_S = 10.0
"""What every film costs, however short: reading, packaging, judging."""


@dataclass(frozen=True, slots=True)
class Haste:
    """The preset to work with, how many seconds that will take, and whether it is soon enough."""

    preset: str
    expected_s: float
    is_soon_enough: bool


def preset_in_time(
    ladder: Ladder, rungs: Sequence[Rung], frames: int, size: tuple[int, int], budget_s: float,
    workers: int, *, scored: bool,
) -> Haste:  # fmt: skip
    """The ladder's own preset where it does, else the slowest of the faster ones that does.

    When none does, the fastest.

    Args:
        ladder: What was asked for.
        rungs: What it makes of the film.
        frames: Of the film.
        size: Of the film's picture, width and height.
        budget_s: Seconds from the begin of the work to the deadline.
        workers: Tools that work at once.
        scored: Whether quality is measured.
    """
    own = X264_COST[ladder.preset]
    faster = sorted((p for p in X264_COST if X264_COST[p] <= own), key=X264_COST.__getitem__)
    for preset in reversed(faster):
        per_frame = sum(encode_cost(replace(rung, preset=preset)) for rung in rungs)
        per_frame += scan_cost(*size) + (len(rungs) * score_cost(*size) if scored else 0.0)
        expected_s = FIXED_S + CAUTION * per_frame * frames / workers
        if expected_s <= budget_s or preset == faster[0]:
            return Haste(preset, expected_s, expected_s <= budget_s)
    raise AssertionError("a ladder has a preset")
