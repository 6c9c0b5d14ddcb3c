"""How a shot's bits and quality hang on its CRF, guessed from a few measured points.

Between points the logarithm of bits and the logit of VMAF are interpolated over CRF (ADR 21). A
shot is here what has one CRF: a chunk of the film, with one or more whole shots in it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import median

import numpy as np

from matinee.media.codecs.codec import Usual
from matinee.media.curves import Curve

REACH = 4.0
"""How far beyond its points a curve is believed, in CRF; it goes on straight there."""


USUAL_BITS = 15_000.0
"""Bits of a frame where nothing is known. Only what one shot has beside another one matters."""

USUAL_WORST = 0.1
"""How far the worst of the shots in a chunk usually is below the chunk, in the logit of VMAF."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One encode of a shot.

    ``quality`` is the harmonic mean of its frames' VMAF, ``worst`` the least mean of the shots that
    are in it.
    """

    crf: float
    bits: float
    quality: float
    worst: float


@dataclass(frozen=True, slots=True)
class ShotModel:
    """A shot's curves: the shape from ``proxies``, the place from encodes as they ship.

    Args:
        frames: How many frames the shot has.
        proxies: Two points or more at different CRFs, by a cheaper encoder or as shots usually are.
        finals: What is known of the encodes that ship; may be empty.
        shift: How far those of other shots lie from their proxies; for a shot without its own.
        reach: How far beyond its points it is believed, in CRF.
    """

    frames: int
    proxies: tuple[Measured, ...]
    finals: tuple[Measured, ...] = ()
    shift: "Shift | None" = None
    reach: float = REACH

    @property
    def span(self) -> tuple[float, float]:
        """The CRFs between which it is believed."""
        crfs = [one.crf for one in (*self.proxies, *self.finals)]
        return min(crfs) - self.reach, max(crfs) + self.reach

    def at(self, crf: float) -> Measured:
        """What an encode at that CRF is likely to give."""
        for known in self.finals:
            if known.crf == crf:
                return known
        return self._shift(crf).of(self._raw(crf))

    def with_finals(self, finals: Sequence[Measured]) -> "ShotModel":
        """The same, knowing these encodes."""
        return replace(self, finals=tuple(sorted(finals, key=lambda one: one.crf)))

    def with_final(self, found: Measured) -> "ShotModel":
        """The same, knowing one encode more."""
        others = [one for one in self.finals if one.crf != found.crf]
        return self.with_finals([*others, found])

    def shifts(self) -> list["Shift"]:
        """How far each of its own encodes lies from its proxies."""
        return [between(self._raw(one.crf), one) for one in self.finals]

    def _shift(self, crf: float) -> "Shift":
        own = self.shifts()
        if not own:
            return self.shift or Shift(0.0, 0.0, 0.0)
        crfs = [one.crf for one in self.finals]
        return Shift(
            *(
                float(np.interp(crf, crfs, [getattr(one, name) for one in own]))
                for name in ("bits", "quality", "worst")
            )
        )

    def _raw(self, crf: float) -> Measured:
        points = self.proxies
        return Measured(
            crf,
            math.exp(_along([(p.crf, math.log(max(p.bits, 1.0))) for p in points], crf)),
            unlogit(_along([(p.crf, logit(p.quality)) for p in points], crf)),
            unlogit(_along([(p.crf, logit(p.worst)) for p in points], crf)),
        )


def usual_model(
    usual: Sequence[Usual], frames: int, likely: tuple[float, float] | None = None
) -> ShotModel:
    """A shot that nothing is known of but its frames; its curve is believed at every CRF.

    ``likely`` is a CRF and the VMAF that it is likely to give, where something tells.
    """
    points = tuple(
        Measured(
            one.crf,
            frames * USUAL_BITS * one.bits,
            one.quality,
            unlogit(logit(one.quality) - USUAL_WORST),
        )
        for one in usual
    )
    model = ShotModel(frames, points, reach=math.inf)
    if likely is None:
        return model
    crf, quality = likely
    off = logit(quality) - logit(model.at(crf).quality)
    return replace(model, shift=Shift(0.0, off, off))


@dataclass(frozen=True, slots=True)
class Shift:
    """From a proxy to what ships: of the logarithm of bits, and of the logits of VMAF."""

    bits: float
    quality: float
    worst: float

    def of(self, one: Measured) -> Measured:
        """What lies so far from a point."""
        return Measured(
            one.crf,
            one.bits * math.exp(self.bits),
            unlogit(logit(one.quality) + self.quality),
            unlogit(logit(one.worst) + self.worst),
        )


def usual_shift(models: Sequence[ShotModel]) -> Shift | None:
    """The median of all shifts that are known; None: none is."""
    known = [shift for model in models for shift in model.shifts()]
    if not known:
        return None
    return Shift(
        *(median(getattr(one, name) for one in known) for name in ("bits", "quality", "worst"))
    )


def between(proxy: Measured, final: Measured) -> Shift:
    """How far one point lies from another."""
    return Shift(
        math.log(max(final.bits, 1.0) / max(proxy.bits, 1.0)),
        logit(final.quality) - logit(proxy.quality),
        logit(final.worst) - logit(proxy.worst),
    )


def _along(points: Sequence[tuple[float, float]], x: float) -> float:
    """A monotone cubic through the points, straight beyond them."""
    curve = Curve(points)
    if curve.low <= x <= curve.high:
        return curve.value(x)
    ordered = sorted(points)
    (x0, y0), (x1, y1) = ordered[:2] if x < curve.low else ordered[-2:]
    slope = (y1 - y0) / (x1 - x0)
    return y0 + slope * (x - x0) if x < curve.low else y1 + slope * (x - x1)


def logit(quality: float) -> float:
    """VMAF on a scale without ends, on which it is almost straight over CRF."""
    inside = min(max(quality, 0.0), 100.0)
    return math.log((inside + 1) / (101 - inside))


def unlogit(value: float) -> float:
    """VMAF from 0 to 100."""
    return min(100.0, max(0.0, 101 - 102 / (1 + math.exp(min(value, 700.0)))))
