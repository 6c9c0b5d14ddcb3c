"""Rate-quality curves, and what one needs beside another.

- Bjontegaard's differences (VCEG-M33) with piecewise cubic Hermite interpolation over log rate,
  which never swings between points as one polynomial does.
- A curve goes through the points that are worth their bits; what costs more and looks no better is
  left out.
"""

import math
from bisect import bisect_right
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


def frontier(points: Sequence[Point]) -> list[Point]:
    """The points that no other one beats: of growing size and of growing quality."""
    best: list[Point] = []
    for point in sorted(points, key=lambda p: (p.size, -p.quality)):
        if not best or point.quality > best[-1].quality:
            best.append(point)
    return best


def upper_hull(points: Sequence[Point]) -> list[Point]:
    """The points of the frontier that lie on its upper convex hull, of growing size.

    Along it each further bit buys less quality than the one before.
    """
    hull: list[Point] = []
    for point in frontier(points):
        while len(hull) > 1 and not _bends_down(hull[-2], hull[-1], point):
            hull.pop()
        hull.append(point)
    return hull


def _bends_down(one: Point, two: Point, three: Point) -> bool:
    before = (two.quality - one.quality) * (three.size - two.size)
    return before > (three.quality - two.quality) * (two.size - one.size)


def common_quality(anchor: Sequence[Point], test: Sequence[Point]) -> tuple[float, float]:
    """The qualities that both curves reach, from and to.

    Raises:
        CurvesApart: there are none, or one is no curve.
    """
    curves = [_quality_curve(anchor), _quality_curve(test)]
    low, high = max(curve.low for curve in curves), min(curve.high for curve in curves)
    if low >= high:
        raise CurvesApart("the curves have no quality in common")
    return low, high


def bd_rate(anchor: Sequence[Point], test: Sequence[Point]) -> float:
    """Percent of bits that ``test`` needs more (less: negative) than ``anchor``.

    Over the qualities that both reach. Each curve needs two points or more, of different quality.

    Raises:
        CurvesApart: they reach no quality in common.
    """
    low, high = common_quality(anchor, test)
    before, after = (
        _quality_curve(points).integral(low, high) / (high - low) for points in (anchor, test)
    )
    return (math.exp(after - before) - 1) * 100


def bd_quality(anchor: Sequence[Point], test: Sequence[Point]) -> float:
    """Points of quality that ``test`` gives more (less: negative) than ``anchor`` at equal rate.

    Over the rates that both have.

    Raises:
        CurvesApart: they have no rate in common, or one is no curve.
    """
    curves = [_rate_curve(points) for points in (anchor, test)]
    low, high = max(curve.low for curve in curves), min(curve.high for curve in curves)
    if low >= high:
        raise CurvesApart("the curves have no rate in common")
    before, after = (curve.integral(low, high) / (high - low) for curve in curves)
    return after - before


def _quality_curve(points: Sequence[Point]) -> "Curve":
    """Log of size over quality."""
    return Curve([(point.quality, math.log(point.size)) for point in points])


def _rate_curve(points: Sequence[Point]) -> "Curve":
    """Quality over log of size."""
    return Curve([(math.log(point.size), point.quality) for point in points])


class Curve:
    """A piecewise cubic through points (x, y), monotone wherever they are (Fritsch and Carlson).

    Raises:
        CurvesApart: fewer than two points, or two at one x.
    """

    def __init__(self, points: Sequence[tuple[float, float]]) -> None:
        ordered = sorted(points)
        self._x = [x for x, _ in ordered]
        self._y = [y for _, y in ordered]
        if len(ordered) < 2 or any(one == other for one, other in pairwise(self._x)):
            raise CurvesApart("a curve needs two points or more, no two alike")
        self._slopes = _slopes(self._x, self._y)

    @property
    def low(self) -> float:
        """The least x."""
        return self._x[0]

    @property
    def high(self) -> float:
        """The greatest x."""
        return self._x[-1]

    def value(self, x: float) -> float:
        """Y at x, which is from ``low`` to ``high``."""
        piece = max(0, min(bisect_right(self._x, x) - 1, len(self._x) - 2))
        return self._at(piece, x)

    def integral(self, low: float, high: float) -> float:
        """From x to x within the points; exact: Simpson's rule has no error for cubics."""
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
