"""What a ladder's encodes leave on the table: a CRF for each shot, a size for each shot.

Between the CRFs that were encoded, bits and loss of each shot are interpolated (their logarithms
are smooth in CRF), in the same way for every arm: so the arms differ in what is chosen alone. A
shot's bits are those that it has in its chunk; encoded for itself it may need a little more.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from matinee.media.comparison import Encode, Part
from matinee.media.curves import Curve, CurvesApart, Point, bd_rate, frontier, upper_hull
from matinee.media.hull import (
    Allocation,
    Place,
    ShotCurve,
    harmonic_mean,
    loss_of,
    place_rungs,
    shot_curve,
    title_hull,
)

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
    no player may be given. ``places`` are the rungs that the film needs, one just-noticeable
    difference apart, each with the CRFs of its shots chosen at one slope.
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
    titles = {size: list(title_hull(_curves(each, parts))) for size, each in shots.items()}
    mixed = [[point for each in shots.values() for point in each[n]] for n in range(len(parts))]
    free = list(title_hull(_curves(mixed, parts)))
    try:
        return Headroom(
            bd_rate(one, _hull(titles)),
            bd_rate(one, _hull({(0, 0): free})),
            tuple(place_rungs(titles, LOWEST, HIGHEST)),
        )
    except CurvesApart:
        return None


def cost_of_search(
    side: Sequence[Encode], proxy: Sequence[Encode], parts: Sequence[Part]
) -> float | None:
    """Percent of bits more when a proxy's curves choose each shot's CRF, not the side's own.

    The proxy is another, cheaper way to encode the same sizes at the same CRFs, such as a faster
    preset. What it chooses is what the side then encodes; which size a rung takes is decided by
    the side's own figures, as they are known once it is encoded. None where there are no curves.
    """
    own, other = _by_size(side), _by_size(proxy)
    sizes = [size for size in own if size in other and _crfs(own[size]) == _crfs(other[size])]
    if not sizes:
        return None
    best, found = [], []
    for size in sizes:
        true = _shots(own[size], parts)
        best += _points(title_hull(_curves(true, parts)))
        guessed = _curves(_shots(other[size], parts), parts)
        for allocation in title_hull(guessed):
            numbers = [c.choices[n].number for c, n in zip(guessed, allocation.places, strict=True)]
            chosen = [points[n] for points, n in zip(true, numbers, strict=True)]
            found.append(_title(chosen, parts))
    try:
        return bd_rate(upper_hull(best), frontier(found))
    except CurvesApart:
        return None


def _crfs(encodes: Sequence[Encode]) -> list[float]:
    return sorted(encode.crf for encode in encodes if encode.crf is not None)


def _by_size(side: Sequence[Encode]) -> Mapping[Size, list[Encode]]:
    sizes: dict[Size, dict[float, Encode]] = defaultdict(dict)
    for encode in side:
        if encode.crf is not None:
            sizes[encode.size][encode.crf] = encode
    return {size: list(crfs.values()) for size, crfs in sizes.items() if len(crfs) >= FEWEST_CRFS}


def _shots(encodes: Sequence[Encode], parts: Sequence[Part]) -> list[list[Point]]:
    """For each shot its points at every interpolated CRF, from the lowest CRF up."""
    crfs = sorted(encode.crf for encode in encodes if encode.crf is not None)
    steps = np.linspace(crfs[0], crfs[-1], round((crfs[-1] - crfs[0]) / STEP) + 1).tolist()
    found = []
    for part in parts:
        points = [(encode.crf or 0.0, encode.point(part.among)) for encode in encodes]
        frames = len(part.frames)
        bits = Curve([(crf, math.log(max(p.size, 1.0))) for crf, p in points])
        loss = Curve([(crf, math.log(loss_of(p.quality, frames))) for crf, p in points])
        found.append(
            [
                Point(math.exp(bits.value(crf)), harmonic_mean(math.exp(loss.value(crf)), frames))
                for crf in steps
            ]
        )
    return found


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


def _hull(titles: Mapping[Size, Sequence[Allocation]]) -> list[Point]:
    return upper_hull([point for each in titles.values() for point in _points(each)])


def _points(title: Iterable[Allocation]) -> list[Point]:
    return [Point(allocation.bits, allocation.quality) for allocation in title]
