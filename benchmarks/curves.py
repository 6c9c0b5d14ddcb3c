"""BD-rate: how many more bits one encoder needs than another at equal quality, on average.

Bjontegaard's method (VCEG-M33) with piecewise cubic Hermite interpolation of log rate over quality,
which never swings between points as one polynomial does.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise


class CurvesApart(ValueError):
    """The two curves have no quality in common, or one is no curve."""


@dataclass(frozen=True, slots=True)
class Point:
    """One encode: its size (any unit, the same for all) and its quality."""

    size: float
    quality: float


def bd_rate(anchor: Sequence[Point], test: Sequence[Point]) -> float:
    """Percent of bits that ``test`` needs more (less: negative) than ``anchor``.

    Over the qualities that both reach. Each curve needs two points or more, of different quality.

    Raises:
        CurvesApart: they reach no quality in common.
    """
    curves = [_Curve(anchor), _Curve(test)]
    low = max(curve.low for curve in curves)
    high = min(curve.high for curve in curves)
    if low >= high:
        raise CurvesApart("the curves have no quality in common")
    before, after = (curve.integral(low, high) / (high - low) for curve in curves)
    return (math.exp(after - before) - 1) * 100


class _Curve:
    """Log of size over quality, monotone wherever the points are (Fritsch and Carlson)."""

    def __init__(self, points: Sequence[Point]) -> None:
        ordered = sorted(points, key=lambda point: point.quality)
        self._x = [point.quality for point in ordered]
        self._y = [math.log(point.size) for point in ordered]
        if len(ordered) < 2 or any(one == other for one, other in pairwise(self._x)):
            raise CurvesApart("a curve needs two points or more, each of another quality")
        self._slopes = _slopes(self._x, self._y)

    @property
    def low(self) -> float:
        return self._x[0]

    @property
    def high(self) -> float:
        return self._x[-1]

    def integral(self, low: float, high: float) -> float:
        """Exact: Simpson's rule has no error for cubics."""
        total = 0.0
        for n, (start, end) in enumerate(pairwise(self._x)):
            a, b = max(low, start), min(high, end)
            if a < b:
                values = self._at(n, a) + 4 * self._at(n, (a + b) / 2) + self._at(n, b)
                total += (b - a) / 6 * values
        return total

    def _at(self, piece: int, x: float) -> float:
        width = self._x[piece + 1] - self._x[piece]
        t = (x - self._x[piece]) / width
        start, end = self._y[piece : piece + 2]
        leaving, arriving = self._slopes[piece : piece + 2]
        return (
            start * (1 + 2 * t) * (1 - t) ** 2
            + leaving * width * t * (1 - t) ** 2
            + end * t**2 * (3 - 2 * t)
            + arriving * width * t**2 * (t - 1)
        )


def _slopes(x: Sequence[float], y: Sequence[float]) -> list[float]:
    widths = [b - a for a, b in pairwise(x)]
    secants = [(b - a) / width for (a, b), width in zip(pairwise(y), widths, strict=True)]
    if len(secants) == 1:
        return [secants[0], secants[0]]
    inner = [
        _inner_slope(w0, w1, s0, s1)
        for (w0, w1), (s0, s1) in zip(pairwise(widths), pairwise(secants), strict=True)
    ]
    first = _end_slope(widths[0], widths[1], secants[0], secants[1])
    last = _end_slope(widths[-1], widths[-2], secants[-1], secants[-2])
    return [first, *inner, last]


def _inner_slope(w0: float, w1: float, s0: float, s1: float) -> float:
    if s0 * s1 <= 0:
        return 0.0
    a, b = 2 * w1 + w0, w1 + 2 * w0
    return (a + b) / (a / s0 + b / s1)


def _end_slope(w0: float, w1: float, s0: float, s1: float) -> float:
    """Three-point estimate at an end, kept in the shape of the points."""
    slope = ((2 * w0 + w1) * s0 - w0 * s1) / (w0 + w1)
    if slope * s0 <= 0:
        return 0.0
    if s0 * s1 <= 0 and abs(slope) > 3 * abs(s0):
        return 3 * s0
    return slope
