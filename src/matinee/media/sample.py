"""Which part of a film stands for it: pieces spread over its whole length, chosen by a seed."""

import random
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from math import ceil

from matinee.core.time import FrameSpan


def spread(spans: Sequence[FrameSpan], seconds: Fraction, rate: Fraction, seed: int) -> list[int]:
    """Numbers of the spans, ascending, that together last about ``seconds``.

    One out of each of as many equal stretches of the film. All of them where the film is not longer
    than ``seconds``, or where that is 0. The same seed chooses the same.
    """
    frames = spans[-1].end - spans[0].start
    wanted = ceil(seconds * rate)
    if wanted <= 0 or wanted >= frames:
        return list(range(len(spans)))
    count = min(len(spans), max(1, round(wanted * len(spans) / frames)))
    choose = random.Random(seed)  # noqa: S311  # no secret
    bounds = [round(n * len(spans) / count) for n in range(count + 1)]
    return [choose.randrange(low, high) for low, high in pairwise(bounds)]
