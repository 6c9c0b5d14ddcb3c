"""Frame rates: the one rate of a film whose frames come evenly, and the grid for one whose do not.

- Frames within a quarter of a frame of an even grid come at that grid's rate.
- Others are laid on a grid at a standard rate: each grid place shows the newest frame that is due.
- No grid is faster than ``FASTEST``.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

FASTEST = Fraction(60)
"""Frames per second beyond which no rendition goes."""

STANDARD_RATES = tuple(
    Fraction(*pair)
    for pair in [
        (24000, 1001), (24, 1), (25, 1), (30000, 1001), (30, 1), (48, 1), (50, 1), (60000, 1001),
        (60, 1), (15, 1), (12, 1), (10, 1), (20, 1), (15000, 1001), (12000, 1001),
    ]
)  # fmt: skip

SLOWEST_GRID = Fraction(10)
"""A slide show is not laid on a slower grid than this: seeking would feel dead."""

SLOWEST = Fraction(5)
"""A film whose frames come evenly, but more slowly than this, is laid on a grid as well."""

LEFT_OUT = Fraction(1, 200)
"""The share of frames that a grid may leave out when a faster one would not."""

Ticks = NDArray[np.int64]


def constant_rate(pts: Ticks, time_base: Fraction, nominal: Fraction | None) -> Fraction | None:
    """The one rate on whose grid every frame lies, within a quarter of a frame; None if none does.

    None as well below ``SLOWEST``.

    A standard rate is preferred to the container's claim, and the claim to the measured mean.
    """
    claimed = [nominal] if nominal else []
    if len(pts) == 1:
        return max(claimed[0], SLOWEST) if claimed else STANDARD_RATES[0]
    if pts[-1] <= pts[0]:
        return None
    mean = (len(pts) - 1) / (int(pts[-1] - pts[0]) * time_base)
    nearest = sorted(STANDARD_RATES, key=lambda rate: abs(rate - mean))
    candidates = [*nearest, *claimed, mean.limit_denominator(1001)]
    fitting = (rate for rate in candidates if rate >= SLOWEST)
    return next((rate for rate in fitting if _lies_on_grid(pts, time_base, rate)), None)


def _lies_on_grid(pts: Ticks, time_base: Fraction, rate: Fraction) -> bool:
    elapsed = (pts - pts[0]).astype(np.float64) * float(time_base * rate)
    return bool(np.max(np.abs(elapsed - np.arange(len(pts)))) < 0.25)


def thinned(rate: Fraction) -> Fraction:
    """A whole fraction of a rate, the fastest that is not above ``FASTEST``."""
    return rate / -(-rate // FASTEST)


def grid_slots(pts: Ticks, time_base: Fraction, rate: Fraction) -> Ticks:
    """The grid place that each frame falls on: the nearest one, the first frame on place 0."""
    scale = time_base * rate
    doubled = (pts - pts[0]).astype(object) * (2 * scale.numerator) + scale.denominator
    return np.asarray(doubled // (2 * scale.denominator), dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Grid:
    """A rate, and the place of every frame on its grid."""

    rate: Fraction
    slots: Ticks

    @property
    def left_out(self) -> int:
        """Frames that a later one takes the place of."""
        return int(np.sum(np.diff(self.slots) == 0))


def lay_on_grid(pts: Ticks, time_base: Fraction, nominal: Fraction | None) -> Grid:
    """The slowest grid that shows nearly every frame of a film of varying frame rate.

    The container's claim is tried first, when it is a standard rate. Of rates that are nearly the
    same, such as 29.97 and 30, the one that the times lie nearer to is taken.
    """
    found: Grid | None = None
    for rate in _grid_rates(nominal):
        found = Grid(rate, grid_slots(pts, time_base, rate))
        if found.left_out <= len(pts) * LEFT_OUT:
            break
    assert found is not None
    alike = [rate for rate in STANDARD_RATES if abs(rate - found.rate) <= found.rate / 500]
    grids = [Grid(rate, grid_slots(pts, time_base, rate)) for rate in alike]
    return min(grids, key=lambda grid: _apart(pts, time_base, grid))


def _apart(pts: Ticks, time_base: Fraction, grid: Grid) -> float:
    """How far frames lie from their places, on average, in frames."""
    elapsed = (pts - pts[0]).astype(np.float64) * float(time_base * grid.rate)
    return float(np.abs(elapsed - grid.slots).mean())


def _grid_rates(nominal: Fraction | None) -> Iterator[Fraction]:
    standard = sorted(rate for rate in STANDARD_RATES if rate >= SLOWEST_GRID)
    if nominal:
        nearest = min(standard, key=lambda rate: abs(rate - nominal))
        if abs(nearest - nominal) <= nearest / 1000:
            yield nearest
    yield from standard
