"""What a ladder's encodes leave on the table: a CRF for each shot, a size for each shot.

Between the CRFs that were encoded, each shot's bits (their logarithm) and VMAF (its logit) are
interpolated, in the same way for every arm: so the arms differ in what is chosen alone (ADR 21). A
shot's bits are those that it has in its chunk; encoded for itself it may need a little more.
"""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from matinee.media.choice import Range, choose_as_fixed
from matinee.media.comparison import Encode, Part
from matinee.media.curves import Curve, CurvesApart, Point, bd_rate, frontier, upper_hull
from matinee.media.hull import (
    Place,
    ShotCurve,
    corners,
    harmonic_mean,
    loss_of,
    place_rungs,
    shot_curve,
    title_hull,
)
from matinee.media.shot_models import Measured, ShotModel

STEP = 0.5
"""Of CRF, between interpolated points."""

FEWEST_CRFS = 3
"""With fewer on a size, nothing is interpolated."""

LOWEST, HIGHEST = 30.0, 95.0
"""VMAF of the smallest rung that is worth having, and of the largest that is seen to be better."""

Size = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Headroom:
    """Percent of bits at equal quality, beside one CRF for each rung (less than 0: fewer).

    ``crf_per_shot`` keeps one size in each rung; ``free`` chooses each shot's size as well, which
    no player may be given. ``places`` are the rungs that the film needs, a step apart, each with
    the CRFs of its shots chosen at one slope.
    """

    crf_per_shot: float
    free: float
    places: tuple[Place, ...]


def headroom(side: Sequence[Encode], parts: Sequence[Part]) -> Headroom | None:
    """What choosing per shot would gain over the side's own encodes; None where it has no curves.

    Encodes without a CRF, and sizes with fewer than ``FEWEST_CRFS`` of them, are left out.
    """
    shots = {size: _shots(each, parts) for size, each in _by_size(side).items()}
    if not shots:
        return None
    one = upper_hull([point for each in shots.values() for point in _one_crf(each, parts)])
    titles = {size: corners(title_hull(_curves(each, parts))) for size, each in shots.items()}
    mixed = [[point for each in shots.values() for point in each[n]] for n in range(len(parts))]
    free = corners(title_hull(_curves(mixed, parts)))
    kept = [point for title in titles.values() for point in title]
    try:
        return Headroom(
            bd_rate(one, upper_hull(kept)),
            bd_rate(one, upper_hull(free)),
            tuple(place_rungs(titles, LOWEST, HIGHEST)),
        )
    except CurvesApart:
        return None


@dataclass(frozen=True, slots=True)
class Placed:
    """A rung with one CRF for all shots, and what it is guessed to give."""

    size: Size
    crf: float
    quality: float
    bits: float


def every_rung(side: Sequence[Encode], parts: Sequence[Part]) -> list[Placed]:
    """Each size with one CRF for all shots, at every interpolated CRF; none without curves."""
    found = []
    for size, encodes in _by_size(side).items():
        lowest, _ = _reach(encodes)
        for number, point in enumerate(_one_crf(_shots(encodes, parts), parts)):
            found.append(Placed(size, lowest + STEP * number, point.quality, point.size))
    return found


def rungs_instead(every: Sequence[Placed], peer: Sequence[Encode]) -> list[Placed]:
    """The title's own rungs in place of a peer's ladder, spread as those of ``per-title`` are.

    The smallest takes no more bits than the peer's smallest, the largest is as good as the peer's
    best; both as far as ``every_rung`` reaches. None where there is none.
    """
    if not every:
        return []
    known = {(one.size, Point(one.bits, one.quality)): one for one in every}
    titles: dict[Size, list[Point]] = defaultdict(list)
    for size, point in known:
        titles[size].append(point)
    smallest = min(encode.bits for encode in peer)
    affordable = [one.quality for one in every if one.bits <= smallest]
    best = max(encode.quality for encode in peer)
    places = place_rungs(titles, max(affordable, default=0.0), best)
    return [known[place.size, Point(place.bits, place.quality)] for place in places]


def cost_of_steps(
    side: Sequence[Encode], proxies: Sequence[Encode], parts: Sequence[Part], crf: float,
    bounds: Range, every: int = 1,
) -> float | None:  # fmt: skip
    """Percent of bits more than by the exhaustive choice, where ``publish`` would choose.

    Each shot has one step from the CRF that is for all, in every size and at every CRF of the side.

    Args:
        side: Sizes at several CRFs each; None comes of fewer, or where there is no curve.
        proxies: Cheap encodes of the same shots at one size, two CRFs or more.
        parts: The shots.
        crf: The one for which steps are chosen.
        bounds: The CRFs that may be taken then.
        every: Of a proxy's frames one in so many is scored.
    """
    sizes = _by_size(side)
    if not sizes:
        return None
    ascending = sorted(proxies, key=lambda one: one.crf or 0.0)
    models = [
        ShotModel(len(part.frames), tuple(_measured(one, part, every) for one in ascending))
        for part in parts
    ]
    chosen, _ = choose_as_fixed(models, crf, bounds)
    steps = [round((one - crf) / STEP) for one in chosen.crfs]
    best: list[Point] = []
    found: list[Point] = []
    for encodes in sizes.values():
        shots = _shots(encodes, parts)
        best += corners(title_hull(_curves(shots, parts)))
        last = len(shots[0]) - 1
        found += [
            _title([p[min(last, max(0, n + k))] for p, k in zip(shots, steps, strict=True)], parts)
            for n in range(last + 1)
        ]
    try:
        return bd_rate(upper_hull(best), frontier(found))
    except CurvesApart:
        return None


def _measured(encode: Encode, part: Part, every: int) -> Measured:
    point = _sampled(encode, part, every)
    return Measured(encode.crf or 0.0, point.size, point.quality, point.quality)


def _reach(encodes: Sequence[Encode]) -> tuple[float, float]:
    """The lowest CRF and the highest."""
    crfs = [encode.crf for encode in encodes if encode.crf is not None]
    return min(crfs), max(crfs)


def _by_size(side: Sequence[Encode]) -> Mapping[Size, list[Encode]]:
    sizes: dict[Size, dict[float, Encode]] = defaultdict(dict)
    for encode in side:
        if encode.crf is not None:
            sizes[encode.size][encode.crf] = encode
    return {size: list(crfs.values()) for size, crfs in sizes.items() if len(crfs) >= FEWEST_CRFS}


def _shots(encodes: Sequence[Encode], parts: Sequence[Part]) -> list[list[Point]]:
    """For each shot its points at every interpolated CRF, from the lowest CRF up."""
    low, high = _reach(encodes)
    steps = np.linspace(low, high, round((high - low) / STEP) + 1).tolist()
    found = []
    for part in parts:
        points = [(encode.crf or 0.0, encode.point(part.among)) for encode in encodes]
        bits = Curve([(crf, math.log(max(p.size, 1.0))) for crf, p in points])
        seen = Curve([(crf, _logit(p.quality)) for crf, p in points])
        found.append([Point(math.exp(bits.value(crf)), _unlogit(seen.value(crf))) for crf in steps])
    return found


def _sampled(encode: Encode, part: Part, every: int) -> Point:
    """Of the scores, one frame in ``every`` counts, of the bits all."""
    some = slice(part.among.start, part.among.stop, every)
    return Point(encode.point(part.among).size, encode.point(some).quality)


def _logit(quality: float) -> float:
    """VMAF from 0 to 100 on a scale without ends, on which it is almost straight over CRF."""
    return math.log((quality + 1) / (101 - quality))


def _unlogit(value: float) -> float:
    return 101 - 102 / (1 + math.exp(value))


def _one_crf(shots: Sequence[Sequence[Point]], parts: Sequence[Part]) -> list[Point]:
    """The title with the same CRF for every shot, at every CRF."""
    return [_title(column, parts) for column in zip(*shots, strict=True)]


def _title(chosen: Sequence[Point], parts: Sequence[Part]) -> Point:
    """The title with a point chosen for each shot."""
    frames = [len(part.frames) for part in parts]
    loss = math.fsum(loss_of(p.quality, n) for p, n in zip(chosen, frames, strict=True))
    return Point(math.fsum(p.size for p in chosen), harmonic_mean(loss, sum(frames)))


def _curves(shots: Sequence[Sequence[Point]], parts: Sequence[Part]) -> list[ShotCurve]:
    return [shot_curve(points, len(part.frames)) for points, part in zip(shots, parts, strict=True)]
