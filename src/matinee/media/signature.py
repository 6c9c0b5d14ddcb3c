"""The frame signature: a tiny picture of every frame, to prove that frame i shows frame i.

- A signature is the luma plane of a frame, scaled to 16x9 by area, 16 bits a pixel.
- Coding loss changes all pixels a little; a wrong frame looks like another frame of the source.
- So a frame is wrong when another frame nearby fits it clearly better than its own does. Where
  nothing moves, no two frames can be told apart, and none can be wrong to the eye either.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

WIDTH, HEIGHT = 16, 9
FRAME_BYTES = WIDTH * HEIGHT * 2

REACH = 3
"""How many frames to each side a frame is compared with."""

FOREIGN = 12.0
"""Mean difference (8-bit luma steps) beyond which a frame shows something else altogether."""

VISIBLE = 1.0
"""A difference of less than a step of 8-bit luma is seen by nobody, and an encoder leaves it out,
or shows it some frames late."""

WINDOW = 12
"""Frames that are judged together."""

BLOCK = 4096
"""Frames compared at a time."""

Signature = NDArray[np.uint16]


def read_signature(data: bytes) -> Signature:
    """Frames x pixels, from raw little-endian 16-bit grey.

    Raises:
        ValueError: the bytes are not whole frames.
    """
    return np.frombuffer(data, dtype="<u2").reshape(-1, WIDTH * HEIGHT)


@dataclass(frozen=True, slots=True)
class Mismatch:
    """Frame ``frame`` of the copy fits frame ``frame + offset`` of the source, or none (None)."""

    frame: int
    offset: int | None


def compare(source: Signature, copy: Signature, start: int = 0) -> list[Mismatch]:
    """Frames of ``copy`` that do not show their own frame of the source, in order.

    Both have the same count of frames. ``start`` is the number of the first, for the answer.

    Raises:
        ValueError: unequal counts; pairing by number has no meaning then.
    """
    if len(source) != len(copy):
        raise ValueError(f"{len(copy)} frames to compare with {len(source)}")
    own, held = _difference(source, copy), _held_back(source, copy)
    found: dict[int, int | None] = {}
    best = own.copy()
    for offset in [step for reach in range(1, REACH + 1) for step in (reach, -reach)]:
        other = _shifted_difference(source, copy, offset)
        for frame in np.flatnonzero(_clearly_better(own, other, held) & (other < best)):
            found[int(frame)], best[frame] = offset, other[frame]
    for frame in np.flatnonzero(own > FOREIGN):
        found.setdefault(int(frame), None)
    return [Mismatch(start + frame, found[frame]) for frame in sorted(found)]


def _difference(source: Signature, copy: Signature) -> NDArray[np.float64]:
    """Mean difference of each pair of frames, in 8-bit steps, in bounded memory."""
    parts = [
        np.abs(
            source[start : start + BLOCK].astype(np.float32)
            - copy[start : start + BLOCK].astype(np.float32)
        ).mean(axis=1, dtype=np.float64)
        for start in range(0, len(source), BLOCK)
    ]
    return np.concatenate(parts) / 256 if parts else np.empty(0)


def _shifted_difference(source: Signature, copy: Signature, offset: int) -> NDArray[np.float64]:
    """Difference of frame i of the copy from frame i + offset of the source; inf where none is."""
    count = len(source)
    other = np.full(count, np.inf)
    if abs(offset) < count:
        low, high = max(0, -offset), min(count, count - offset)
        other[low:high] = _difference(source[low + offset : high + offset], copy[low:high])
    return other


def _held_back(source: Signature, copy: Signature) -> NDArray[np.bool_]:
    """Where the copy moves less than half as much as the source: coding left out what moves."""
    moves = (_windowed(_shifted_difference(frames, frames, -1)[1:]) for frames in (copy, source))
    copied, moved = moves
    return np.append(False, copied < 0.5 * moved) if len(source) else np.empty(0, dtype=np.bool_)


def _clearly_better(
    own: NDArray[np.float64], other: NDArray[np.float64], held: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """One frame by far (a third of the difference), or a run of frames by half or visibly.

    A starved encoder may all but copy the picture before: that frame fits its neighbour up to
    twice as well as its own, and is no fault. Where it ``held`` small moves back, only what is
    visible is one.
    """
    single = (own > 0.4) & (other < own / 3) & (~held | (own - other > VISIBLE))
    finite = np.where(np.isfinite(other), other, own)
    own_mean, other_mean = _windowed(own), _windowed(finite)
    is_far = (other_mean < 0.5 * own_mean) & ~held
    is_seen = (other_mean < 0.75 * own_mean) & (own_mean - other_mean > VISIBLE)
    lasting = (own_mean > 0.3) & (is_far | is_seen)
    # A window tells of its middle: its other frames are of the run if each fits better elsewhere.
    near = _windowed(lasting.astype(np.float64)) > 0
    return np.asarray(single | (near & (finite < 0.75 * own)))


def _windowed(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The mean of the values around each, as if there were zeros beyond both ends."""
    window = min(WINDOW, len(values))
    return np.convolve(values, np.ones(window) / window, "same") if window else values
