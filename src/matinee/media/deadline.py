"""Deadlines: with which presets a film is done in time, or when it will be done all the same."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from matinee.media.estimate import encode_cost, scan_cost, score_cost
from matinee.media.ladder import Rung

CAUTION = 1.5
"""So much longer than estimated may it take: estimates are right within a factor of two."""

FIXED_S = 10.0
"""What every film costs, however short: reading, packaging, judging."""


@dataclass(frozen=True, slots=True)
class Haste:
    """How many presets faster to work, how many seconds that takes, and whether that is soon."""

    steps: int
    expected_s: float
    is_soon_enough: bool


def presets_in_time(
    rungs: Sequence[Rung], frames: int, size: tuple[int, int], budget_s: float, workers: int, *,
    scored: bool,
) -> Haste:  # fmt: skip
    """The presets as they are where they do, else as few steps faster as do.

    Each rung's preset goes faster by so many steps of its own encoder, as far as that goes. When
    none is fast enough, the fastest.

    Args:
        rungs: What is to be made of the film.
        frames: Of the film.
        size: Of the film's picture, width and height.
        budget_s: Seconds from the begin of the work to the deadline.
        workers: Tools that work at once.
        scored: Whether quality is measured.
    """
    most = max(list(rung.coding.presets).index(rung.preset) for rung in rungs)
    steps = 0
    while True:
        per_frame = sum(encode_cost(hurried(rung, steps)) for rung in rungs)
        per_frame += scan_cost(*size) + (len(rungs) * score_cost(*size) if scored else 0.0)
        expected_s = FIXED_S + CAUTION * per_frame * frames / workers
        if expected_s <= budget_s or steps == most:
            return Haste(steps, expected_s, expected_s <= budget_s)
        steps += 1


def hurried(rung: Rung, steps: int) -> Rung:
    """The rung with a preset that is so many steps faster, or the fastest."""
    presets = list(rung.coding.presets)
    return replace(rung, preset=presets[max(0, presets.index(rung.preset) - steps)])
