"""Ratios of runs that took turns: A B A B, then the median of each A over the B beside it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Ratio:
    """Ours over the peer's: the median of the pairs, and the lowest and highest of them."""

    middle: float
    lowest: float
    highest: float


def ratio_of(ours: Sequence[float], peer: Sequence[float]) -> Ratio:
    """The ratio of runs that were made in pairs.

    Pairs share the machine's mood, so their ratios scatter less than the runs do.
    """
    pairs = [one / other for one, other in zip(ours, peer, strict=True)]
    return Ratio(median(pairs), min(pairs), max(pairs))


def take_turns(
    arms: Mapping[str, Callable[[], T]], repeats: int, on_turn: Callable[[str, int], None]
) -> dict[str, list[T]]:
    """Call every arm once a round; gives the results by arm."""
    results: dict[str, list[T]] = {name: [] for name in arms}
    for round_number in range(1, repeats + 1):
        for name, arm in arms.items():
            on_turn(name, round_number)
            results[name].append(arm())
    return results
