"""Pooling of quality scores. Scores are per frame, of what ships, paired by frame number."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matinee.core.time import FrameSpan

Scores = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Pooled:
    """Scores of a rendition in a few numbers, VMAF points.

    ``p1`` is None below 100 frames. ``worst_shot`` is the shot with the lowest mean.
    """

    mean: float
    harmonic_mean: float
    p5: float
    p1: float | None
    minimum: float
    worst_shot: FrameSpan
    worst_shot_mean: float

    def as_json(self) -> dict[str, Any]:
        """The printed form, two decimals."""
        return {
            "mean": round(self.mean, 2),
            "harmonic_mean": round(self.harmonic_mean, 2),
            "p5": round(self.p5, 2),
            "p1": None if self.p1 is None else round(self.p1, 2),
            "min": round(self.minimum, 2),
            "worst_shot": {
                "start": self.worst_shot.start,
                "end": self.worst_shot.end,
                "mean": round(self.worst_shot_mean, 2),
            },
        }


def pool(scores: Scores, shots: Sequence[FrameSpan]) -> Pooled:
    """Pool the scores of all frames.

    The harmonic mean is libvmaf's: of scores raised by one, less one, so that a zero has a weight
    but does not decide alone.
    """
    means = [float(np.mean(scores[shot.start : shot.end])) for shot in shots]
    worst = int(np.argmin(means))
    return Pooled(
        mean=float(np.mean(scores)),
        harmonic_mean=float(len(scores) / np.sum(1.0 / (scores + 1.0)) - 1.0),
        p5=float(np.percentile(scores, 5)),
        p1=float(np.percentile(scores, 1)) if len(scores) >= 100 else None,
        minimum=float(np.min(scores)),
        worst_shot=shots[worst],
        worst_shot_mean=means[worst],
    )


def by_second(scores: Scores, rate: float) -> list[float]:
    """The mean of each second, for plots."""
    return [
        round(float(np.mean(scores[round(second * rate) : round((second + 1) * rate)])), 2)
        for second in range(int(np.ceil(len(scores) / rate)))
        if len(scores[round(second * rate) : round((second + 1) * rate)])
    ]
