"""Two sides of encodes of the same frames, compared: curves, their distance, the worst shots.

- Every figure is of the same frames on both sides; quality is VMAF at the film's own size.
- Quality is pooled as the harmonic mean, so that bad frames count.
- How sure a figure is, is told by resampling the shots (bootstrap): the interval says what other
  shots of such a film would be likely to give, not how exact a measurement is.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from math import ceil

import numpy as np
from numpy.typing import NDArray

from matinee.core.time import FrameSpan
from matinee.media.curves import (
    CurvesApart,
    Point,
    bd_quality,
    bd_rate,
    common_quality,
    frontier,
    upper_hull,
)
from matinee.media.plan import SHORTEST, SegmentPlan
from matinee.media.quality import Scores

RESAMPLES = 1000
FEWEST = 5
"""Shots, below which no interval is given."""

INTERVAL = (2.5, 97.5)
"""Percentiles of the resamples: an interval of 95 %."""

Weights = NDArray[np.int64]
Shape = Callable[[Sequence[Point]], list[Point]]


@dataclass(frozen=True, slots=True, eq=False)
class Encode:
    """One encode of the frames that are compared: bytes and VMAF of each, in order of showing.

    ``is_own``: at the setting that its ladder gives, not at another for the sake of a curve.
    ``cpu_s`` is what encoding took, None where that is not known.
    """

    name: str
    width: int
    height: int
    crf: float | None
    is_own: bool
    sizes: NDArray[np.int64]
    scores: Scores
    cpu_s: float | None = None

    @property
    def size(self) -> tuple[int, int]:
        """The coded size."""
        return self.width, self.height

    @property
    def bits(self) -> int:
        """Of all frames."""
        return 8 * int(self.sizes.sum())

    @property
    def quality(self) -> float:
        """Harmonic mean of VMAF, as libvmaf pools it."""
        return float(len(self.scores) / np.sum(1 / (self.scores + 1)) - 1)

    def point(self, place: slice = slice(None)) -> Point:
        """Bits and quality of some of its frames."""
        scores = self.scores[place]
        quality = float(len(scores) / np.sum(1 / (scores + 1)) - 1)
        return Point(8 * float(self.sizes[place].sum()), quality)


@dataclass(frozen=True, slots=True)
class Part:
    """A shot, as far as it is compared: frames of the film, and the place of the first of them."""

    frames: FrameSpan
    place: int

    @property
    def among(self) -> slice:
        """Where its frames lie among those that are compared."""
        return slice(self.place, self.place + len(self.frames))


@dataclass(frozen=True, slots=True)
class Range:
    """A figure with its interval; None where there are too few shots to tell."""

    value: float
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Gain:
    """What B needs beside A.

    ``bd_rate`` is in percent of bits at equal quality, ``bd_quality`` in points at equal bits
    (None: no rate in common), ``qualities`` what both reach.
    """

    bd_rate: Range
    bd_quality: float | None
    qualities: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Difference:
    """Two single encodes: how many percent more bits B has, how many points more quality."""

    a: Encode
    b: Encode
    bits: Range
    quality: Range


@dataclass(frozen=True, slots=True)
class RungGain:
    """The gain on one coded size, or over all (``size`` None); ``why`` there is none."""

    size: tuple[int, int] | None
    gain: Gain | None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Shot:
    """One shot on both sides, at the pair of encodes that stands for them."""

    part: Part
    a: Point
    b: Point
    bd_rate: float | None


@dataclass(frozen=True, slots=True)
class Worst:
    """A shot to be looked at: ``frame`` of the film, ``why`` it was chosen."""

    shot: int
    frame: int
    why: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """Everything that is said of two sides. ``pair`` stands for them where one encode must."""

    parts: tuple[Part, ...]
    overall: RungGain
    rungs: tuple[RungGain, ...]
    differences: tuple[Difference, ...]
    pair: tuple[Encode, Encode]
    shots: tuple[Shot, ...]
    worst: tuple[Worst, ...]


def parts_of(shots: Sequence[FrameSpan], spans: Sequence[FrameSpan], shortest: int) -> list[Part]:
    """The shots within ``spans``, which are what is compared, in order.

    Together they cover the spans. A piece of less than ``shortest`` frames joins the one before it
    in its span, the first the next.
    """
    parts: list[Part] = []
    place = 0
    for span in spans:
        starts = [span.start]
        for shot in shots:
            if shot.start - starts[-1] >= shortest and span.end - shot.start >= shortest:
                starts.append(shot.start)
        for start, end in zip(starts, [*starts[1:], span.end], strict=True):
            parts.append(Part(FrameSpan(start, end), place))
            place += end - start
    return parts


def shots_in_chunks(shots: Sequence[FrameSpan], plan: SegmentPlan) -> list[FrameSpan]:
    """The shots of a film as far as one chunk holds them; see ``parts_of``."""
    shortest = ceil(SHORTEST * plan.rate / 2)
    return [part.frames for part in parts_of(shots, plan.chunks, shortest)]


def compare_sides(
    a: Sequence[Encode], b: Sequence[Encode], parts: Sequence[Part], seed: int, looked_at: int
) -> Comparison:
    """Compare two sides, each of one encode or more, all of the same frames.

    ``looked_at`` is how many shots are chosen to be looked at, at most.

    Raises:
        ValueError: an encode has another count of frames than the others.
    """
    frames = sum(len(part.frames) for part in parts)
    for encode in (*a, *b):
        if {len(encode.sizes), len(encode.scores)} != {frames}:
            raise ValueError(f"{encode.name} has not the {frames} frames that are compared")
    weights = _weights(len(parts), seed)
    sizes = sorted({e.size for e in a} & {e.size for e in b})
    rungs = [
        _rung_gain(size, _of_size(a, size), _of_size(b, size), parts, weights, frontier)
        for size in sizes
    ]
    pairs = [_nearest(_own(_of_size(a, size)), _own(_of_size(b, size))) for size in sizes]
    pair = pairs[-1] if pairs else _nearest(_largest(_own(a)), _largest(_own(b)))
    shots = [_shot(part, a, b, pair) for part in parts]
    return Comparison(
        parts=tuple(parts),
        overall=_rung_gain(None, a, b, parts, weights, upper_hull),
        rungs=tuple(rungs),
        differences=tuple(_difference(*each, parts, weights) for each in pairs or [pair]),
        pair=pair,
        shots=tuple(shots),
        worst=tuple(_worst(shots, pair, looked_at)),
    )


def worth(side: Sequence[Encode]) -> list[Encode]:
    """The encodes of a side that lie on its convex hull: no others are worth their bits."""
    hull = upper_hull([encode.point() for encode in side])
    return [encode for encode in side if encode.point() in hull]


def _weights(parts: int, seed: int) -> Weights:
    """How often each part is in each resample; the first row is the film itself."""
    once = np.ones((1, parts), dtype=np.int64)
    if parts < FEWEST:
        return once
    drawn = np.random.default_rng(seed).multinomial(parts, np.full(parts, 1 / parts), RESAMPLES)
    return np.concatenate([once, drawn])


def _of_size(side: Sequence[Encode], size: tuple[int, int]) -> list[Encode]:
    return [encode for encode in side if encode.size == size]


def _own(side: Sequence[Encode]) -> list[Encode]:
    return [encode for encode in side if encode.is_own] or list(side)


def _largest(side: Sequence[Encode]) -> list[Encode]:
    return _of_size(side, max(encode.size for encode in side))


def _nearest(a: Sequence[Encode], b: Sequence[Encode]) -> tuple[Encode, Encode]:
    """The two that are nearest in bits."""
    return min(product(a, b), key=lambda two: abs(np.log(two[0].bits / two[1].bits)))


def _pooled(
    encode: Encode, parts: Sequence[Part], weights: Weights
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Bits and quality of an encode in every resample."""
    places = [part.place for part in parts]
    frames = np.array([len(part.frames) for part in parts])
    bits = weights @ (8.0 * np.add.reduceat(encode.sizes, places))
    inverse = weights @ np.add.reduceat(1 / (encode.scores + 1), places)
    return bits, (weights @ frames) / inverse - 1


def _curves(
    side: Sequence[Encode], parts: Sequence[Part], weights: Weights, shape: Shape
) -> Iterator[list[Point]]:
    """The side's curve in every resample."""
    pooled = [_pooled(encode, parts, weights) for encode in side]
    bits, quality = (np.stack([each[n] for each in pooled], axis=1).tolist() for n in (0, 1))
    for sizes, qualities in zip(bits, quality, strict=True):
        yield shape([Point(*pair) for pair in zip(sizes, qualities, strict=True)])


def _rung_gain(
    size: tuple[int, int] | None, a: Sequence[Encode], b: Sequence[Encode],
    parts: Sequence[Part], weights: Weights, shape: Shape,
) -> RungGain:  # fmt: skip
    both = zip(_curves(a, parts, weights, shape), _curves(b, parts, weights, shape), strict=True)
    curve_a, curve_b = next(both)
    for name, curve in (("A", curve_a), ("B", curve_b)):
        if len(curve) < 2:
            return RungGain(size, None, f"{name} has one point: a curve needs two or more")
    try:
        value, qualities = bd_rate(curve_a, curve_b), common_quality(curve_a, curve_b)
    except CurvesApart as error:
        return RungGain(size, None, str(error))
    try:
        better: float | None = bd_quality(curve_a, curve_b)
    except CurvesApart:
        better = None
    found = [rate for pair in both if (rate := _rate_or_none(*pair)) is not None]
    return RungGain(size, Gain(_range(value, found, len(weights) - 1), better, qualities))


def _rate_or_none(a: Sequence[Point], b: Sequence[Point]) -> float | None:
    try:
        return bd_rate(a, b)
    except CurvesApart:
        return None


def _range(value: float, found: Sequence[float], asked: int) -> Range:
    """The interval, if all but a few of the resamples could be told."""
    if not asked or len(found) < 0.95 * asked:
        return Range(value, None, None)
    low, high = np.percentile(found, INTERVAL)
    return Range(value, float(low), float(high))


def _difference(a: Encode, b: Encode, parts: Sequence[Part], weights: Weights) -> Difference:
    bits_a, quality_a = _pooled(a, parts, weights)
    bits_b, quality_b = _pooled(b, parts, weights)
    ratio, more = (bits_b / bits_a - 1) * 100, quality_b - quality_a
    asked = len(weights) - 1
    return Difference(
        a, b, *(_range(float(each[0]), each[1:].tolist(), asked) for each in (ratio, more))
    )


def _shot(
    part: Part, a: Sequence[Encode], b: Sequence[Encode], pair: tuple[Encode, Encode]
) -> Shot:
    """A shot at the pair, and on the hulls of all encodes."""
    hulls = [upper_hull([encode.point(part.among) for encode in side]) for side in (a, b)]
    one, other = (encode.point(part.among) for encode in pair)
    return Shot(part, one, other, _rate_or_none(*hulls))


def _worst(shots: Sequence[Shot], pair: tuple[Encode, Encode], most: int) -> list[Worst]:
    """The worst of either side, and those in which they are furthest apart, in turn."""
    order = range(len(shots))
    orders = [
        ("the worst of A", sorted(order, key=lambda n: shots[n].a.quality)),
        ("the worst of B", sorted(order, key=lambda n: shots[n].b.quality)),
        ("B loses most", sorted(order, key=lambda n: shots[n].b.quality - shots[n].a.quality)),
        ("B gains most", sorted(order, key=lambda n: shots[n].a.quality - shots[n].b.quality)),
    ]
    chosen: dict[int, Worst] = {}
    for rank in order:
        for why, ranked in orders:
            number = ranked[rank]
            if len(chosen) < most and number not in chosen:
                frame = _frame_to_look_at(shots[number].part, pair, why)
                chosen[number] = Worst(number, frame, why)
    return list(chosen.values())


def _frame_to_look_at(part: Part, pair: tuple[Encode, Encode], why: str) -> int:
    a, b = (encode.scores[part.among] for encode in pair)
    keys = {
        "the worst of A": a, "the worst of B": b, "B loses most": b - a, "B gains most": a - b,
    }  # fmt: skip
    return part.frames.start + int(np.argmin(keys[why]))


def by_second(
    encode: Encode, parts: Sequence[Part], rate: Fraction
) -> list[tuple[int, float, float]]:
    """Second of the film, mean VMAF and bits per second, for the seconds that are compared."""
    frames = np.concatenate([np.arange(p.frames.start, p.frames.end) for p in parts])
    seconds = np.floor(frames / float(rate) + 1e-9).astype(np.int64)
    found = []
    for second in np.unique(seconds):
        among = seconds == second
        bits = 8 * encode.sizes[among].sum() * float(rate) / among.sum()
        found.append((int(second), float(encode.scores[among].mean()), float(bits)))
    return found
