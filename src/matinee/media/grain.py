"""Film grain: how much of it a film has, and how much an encoder is to take out and tell apart.

Noise is what differs from frame to frame where a picture is flat and nothing moves. It is measured
there alone: texture that stands still cancels out, and what moves is known by its form, for it is
coarser than grain, and differs the more the farther apart two frames are.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np
from numpy.typing import NDArray

from matinee.media.source import Picture, display_size

FRAMES = 3
"""Frames in a row that are looked at in each place."""

BLOCK = 16
"""Pixels to a side of what is judged at once."""

CELL = 4
"""Pixels to a side of what texture and movement are told by."""

SHOWN = (24.0, 226.0)
"""Luma, in 8-bit steps, between which noise is not cut off."""

FLATTEST = 0.3
"""The share of blocks, the flattest first, that are looked at."""

FEWEST = 8
"""Blocks without which a place tells nothing."""

COARSE = 3.0
"""How much more of a difference may be in its cells than white noise has there."""

GROWING = 1.5
"""How much more two frames apart may differ than one frame apart."""

WINDOW = (1280, 720)
"""Pixels of a picture that are looked at, at most, from its middle."""

LEAST = 1.5
"""Noise, in 8-bit steps, below which telling of it costs more bits than it saves (ADR 33)."""

STRENGTH = 6.0
"""Strength of SVT-AV1 for a step of noise: what brings about half of it back (ADR 33)."""

PLAIN = 1 / 8
"""How much of a difference's variance a picture's own cells may have."""

UNSEEN = 0.3
"""What no eye sees, in 8-bit steps."""

Luma = NDArray[np.float32]


def window_of(picture: Picture) -> tuple[int, int]:
    """Width and height of what is looked at of a picture as it is shown."""
    width, height = display_size(picture)
    return min(width, WINDOW[0]), min(height, WINDOW[1])


@dataclass(frozen=True, slots=True)
class Place:
    """What was seen at ``frame`` and after: noise at the film's own size and at half of it.

    In 8-bit steps; None where nothing was flat and still.
    """

    frame: int
    noise: float | None
    halved: float | None


def place_of(frame: int, frames: Luma) -> Place:
    """Look at frames in a row, the first of which is ``frame``; too few of them tell nothing."""
    if len(frames) != FRAMES:
        return Place(frame, None, None)
    return Place(frame, noise_of(frames), noise_of(halved(frames)))


@dataclass(frozen=True, slots=True)
class Grain:
    """How much grain a film has, by the median of places: see ``Place``.

    ``noise`` None: no place tells; then it has none that is known.
    """

    noise: float | None
    halved: float | None

    def at(self, share: float) -> float:
        """The noise that is left in the film at a share of its width.

        White noise falls as the size does, coarse grain more slowly.
        """
        if self.noise is None or self.noise == 0:
            return 0.0
        half = self.halved or self.noise / 2
        fall = min(1.0, max(0.0, math.log2(self.noise / half)))
        return self.noise * math.pow(share, fall)

    def strength(self, share: float, bounds: tuple[int, int]) -> int:
        """What an encoder is told at that size; 0 where it is not worth it."""
        noise = self.at(share)
        if noise < LEAST:
            return 0
        low, high = bounds
        return min(high, max(low, round(STRENGTH * noise)))


def grain_of(places: Sequence[Place]) -> Grain:
    """What a film has, whatever single places have."""
    telling = [place for place in places if place.noise is not None]
    noise = [place.noise for place in telling if place.noise is not None]
    half = [place.halved for place in telling if place.halved is not None]
    return Grain(median(noise) if noise else None, median(half) if half else None)


def told_grain(noise: float | None, strengths: Mapping[str, int]) -> tuple[str, ...]:
    """What is said of renditions that have grain made anew; ``noise`` None: it was not measured."""
    made = ", ".join(name for name, strength in strengths.items() if strength)
    if not made:
        return ()
    found = "" if noise is None else f" (noise of {noise:.1f} steps)"
    return (f"film grain{found} is left out and made anew by players in {made}",)


def noise_of(frames: Luma) -> float | None:
    """The standard deviation of the noise in frames in a row, in 8-bit steps of luma.

    None where no part is flat and still enough to tell.

    Args:
        frames: ``FRAMES`` x height x width, in 8-bit steps.
    """
    first, second, third = (_blocks(frame) for frame in frames)
    mean = np.asarray((first + second + third) / 3, np.float32)
    brightness = mean.mean(axis=(1, 2))
    shown = np.flatnonzero((brightness > SHOWN[0]) & (brightness < SHOWN[1]))
    flat = shown[np.argsort(_variance(_cells(_levelled(mean[shown]))), kind="stable")]
    flat = flat[: math.ceil(FLATTEST * len(flat))]
    if len(flat) < FEWEST:
        return None
    early, late, apart = (
        _levelled(b[flat] - a[flat]) for a, b in ((first, second), (second, third), (first, third))
    )
    # A frame that is shown twice tells nothing: of two pairs the one that differs more counts.
    near = early if np.median(_variance(early)) > np.median(_variance(late)) else late
    own = _variance(near)
    is_fine = CELL**2 * _variance(_cells(near)) <= COARSE * own
    is_still = _variance(apart) <= GROWING * own
    is_plain = _variance(_cells(_levelled(second[flat]))) <= np.maximum(own * PLAIN, UNSEEN**2)
    kept = own[is_fine & is_still & (is_plain | (own < UNSEEN**2))]
    if len(kept) < max(FEWEST, len(flat) // 8):
        return None
    degrees = BLOCK**2 / (BLOCK**2 - 3)  # three are gone with the plane
    return math.sqrt(float(np.median(kept)) * degrees / 2)


def halved(frames: Luma) -> Luma:
    """The same at half the size, each pixel the mean of four."""
    count, height, width = frames.shape
    even = frames[:, : height // 2 * 2, : width // 2 * 2]
    shape = (count, height // 2, 2, width // 2, 2)
    return np.asarray(even.reshape(shape).mean(axis=(2, 4)), np.float32)


def _blocks(frame: Luma) -> Luma:
    """Blocks x ``BLOCK`` x ``BLOCK``; what fills none at the edges is left out."""
    down, across = frame.shape[0] // BLOCK, frame.shape[1] // BLOCK
    whole = frame[: down * BLOCK, : across * BLOCK].reshape(down, BLOCK, across, BLOCK)
    return np.asarray(whole.transpose(0, 2, 1, 3).reshape(-1, BLOCK, BLOCK))


def _levelled(blocks: Luma) -> Luma:
    """Blocks without their mean and slope: lights that change are no noise."""
    ramp = np.arange(BLOCK, dtype=np.float32) - (BLOCK - 1) / 2
    size = float((ramp**2).sum()) * BLOCK
    centred = blocks - blocks.mean(axis=(1, 2), keepdims=True)
    down = (centred * ramp[None, :, None]).sum(axis=(1, 2)) / size
    across = (centred * ramp[None, None, :]).sum(axis=(1, 2)) / size
    slope = down[:, None, None] * ramp[None, :, None] + across[:, None, None] * ramp[None, None, :]
    return np.asarray(centred - slope, np.float32)


def _cells(blocks: Luma) -> Luma:
    """The means of cells."""
    count = BLOCK // CELL
    cells = blocks.reshape(-1, count, CELL, count, CELL)
    return np.asarray(cells.mean(axis=(2, 4)), np.float32)


def _variance(blocks: Luma) -> NDArray[np.float64]:
    """Of each block, about 0: they are levelled."""
    return np.asarray((blocks.astype(np.float64) ** 2).mean(axis=(1, 2)))
