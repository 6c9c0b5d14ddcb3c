"""What a ladder gives its viewers and takes of its keeper, whoever made it.

All ladders that are compared are encodes of the same frames. A viewer's line carries so many bits
per second; the player takes the best rung that fits.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from matinee.media.comparison import Encode
from matinee.media.curves import bd_rate, upper_hull

NOTHING = 0.0
"""VMAF of what is seen where no rung fits."""

NOTICED = 0.1
"""Points of VMAF, below which two ladders count as alike on a line."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A rung as a player sees it: the bits per second that a line must carry, and its VMAF."""

    rate: float
    quality: float


def mean_offers(ladder: Sequence[Encode], rate: Fraction) -> list[Offer]:
    """The rungs by their mean bit rate, of frames that come at ``rate``."""
    return [Offer(e.bits * float(rate) / len(e.sizes), e.quality) for e in ladder]


def peak_offers(ladder: Sequence[Encode], rate: Fraction, seconds: float) -> list[Offer]:
    """The rungs by the most that any stretch of so many seconds takes, as manifests tell it."""
    return [Offer(peak_rate(e, rate, seconds), e.quality) for e in ladder]


def peak_rate(encode: Encode, rate: Fraction, seconds: float) -> float:
    """Bits per second of the stretch that takes most; of all, where it is not that long."""
    frames = max(1, min(len(encode.sizes), round(seconds * float(rate))))
    until = np.concatenate([[0], np.cumsum(encode.sizes)])
    return 8 * float((until[frames:] - until[:-frames]).max()) * float(rate) / frames


def lines(lowest: float, highest: float, count: int) -> list[float]:
    """Bits per second of so many lines, two or more, evenly spread over their logarithm."""
    return [float(rate) for rate in np.geomspace(lowest, highest, count)]


def seen(offers: Sequence[Offer], line: float) -> float:
    """VMAF of the best rung that the line carries; ``NOTHING`` where it carries none."""
    return max((offer.quality for offer in offers if offer.rate <= line), default=NOTHING)


@dataclass(frozen=True, slots=True)
class Views:
    """What viewers see of two ladders: means over all lines, and where ours is the worse one.

    ``lower`` counts the lines on which ours is lower by ``NOTICED`` or more, ``deficit`` is how
    much it is at most.
    """

    ours: float
    peer: float
    lines: int
    lower: int
    deficit: float


def views(ours: Sequence[Offer], peer: Sequence[Offer], rates: Sequence[float]) -> Views:
    """Two ladders over the same lines, one or more."""
    pairs = [(seen(ours, line), seen(peer, line)) for line in rates]
    losses = [other - own for own, other in pairs]
    return Views(
        math.fsum(own for own, _ in pairs) / len(pairs),
        math.fsum(other for _, other in pairs) / len(pairs),
        len(pairs),
        sum(loss >= NOTICED for loss in losses),
        max(0.0, *losses),
    )


def fewest_instead(candidates: Sequence[Offer], peer: Sequence[Offer]) -> list[Offer]:
    """The fewest bits in all that leave no line with less than the peer gives it.

    From the peer's best rung down, each that nothing taken stands for is given the candidate of the
    fewest bits that is as good and no dearer, or else stays. That is the least there is: what the
    best one left asks for has to be taken, and a dearer one stands for no more of those below it.
    """
    taken: list[Offer] = []
    for wanted in sorted(peer, key=lambda offer: (-offer.quality, offer.rate)):
        if not _standing_for(wanted, taken):
            taken.append(min(_standing_for(wanted, [*candidates, wanted]), key=lambda o: o.rate))
    return taken[::-1]


def _standing_for(wanted: Offer, offers: Sequence[Offer]) -> list[Offer]:
    return [o for o in offers if o.rate <= wanted.rate and o.quality >= wanted.quality]


def bits_at_equal_quality(ours: Sequence[Encode], peer: Sequence[Encode]) -> float:
    """Percent of bits that our ladder needs more (less: negative) than the peer's (BD-rate).

    Along the upper hulls of the rungs: so a rung of the peer's that another one beats does not
    count against it.

    Raises:
        CurvesApart: they reach no quality in common, or one has fewer than two rungs.
    """
    return bd_rate(*(upper_hull([e.point() for e in ladder]) for ladder in (peer, ours)))


def stored_bytes(ladder: Sequence[Encode]) -> int:
    """Bytes of all rungs' frames, without containers."""
    return sum(int(encode.sizes.sum()) for encode in ladder)


def spent_cpu_s(ladder: Sequence[Encode]) -> float:
    """Processor seconds that encoding all rungs took, as far as they are known."""
    return math.fsum(encode.cpu_s or 0 for encode in ladder)
