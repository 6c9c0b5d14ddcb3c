"""The frame signature: a tiny picture of every frame, to prove that frame i shows frame i.

- A signature is the luma plane of a frame, scaled to 16x9 by area, 16 bits a pixel.
- Coding loss changes all pixels a little; a wrong frame looks like another frame of the source.
- So a frame is wrong when another frame nearby fits it clearly better than its own does, both as it
  is and when brightness and contrast are left aside: in a fade all frames have one structure.
- Where nothing moves, no two frames can be told apart, and none can be wrong to the eye either.
  Where a picture changes evenly, as in a dissolve, an encoder shows it some frames late.
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

NEAR = 0.4
"""How much better a run must fit elsewhere, in 8-bit luma steps, unless it fits twice as well."""

QUIET = 1.5
"""How much better a frame must fit elsewhere, in 8-bit luma steps, where the film is quiet."""

LOSS = 2.0
"""How much better one frame must fit elsewhere, in what coding changes the frames around."""

EVEN = 0.35
"""A film changes evenly where frames are off the middle of their neighbours by less than this share
of the neighbours' difference. Natural motion is above it nearly everywhere."""

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
    own = _differences(source, copy)
    held, even = _held_back(source, copy), _changes_evenly(source)
    found: dict[int, int | None] = {}
    best = own.form.copy()
    for offset in [step for reach in range(1, REACH + 1) for step in (reach, -reach)]:
        other = _differences(source, copy, offset)
        for frame in np.flatnonzero(_clearly_better(own, other, held, even) & (other.form < best)):
            found[int(frame)], best[frame] = offset, other.form[frame]
    for frame in np.flatnonzero(own.whole > FOREIGN):
        found.setdefault(int(frame), None)
    return [Mismatch(start + frame, found[frame]) for frame in sorted(found)]


@dataclass(frozen=True, slots=True)
class _Differences:
    """Of pairs of frames, means of 8-bit steps: as they are, and of one's form from the other's.

    The form is what remains when brightness and contrast are made alike. Infinite where a frame has
    no partner.
    """

    whole: NDArray[np.float64]
    form: NDArray[np.float64]


def _differences(source: Signature, copy: Signature, offset: int = 0) -> _Differences:
    """Of frame i of the copy from frame i + offset of the source, in bounded memory."""
    count = len(source)
    low, high = max(0, -offset), min(count, count - offset)
    whole, form = np.full(count, np.inf), np.full(count, np.inf)
    for start in range(low, high, BLOCK):
        end = min(start + BLOCK, high)
        shown = source[start + offset : end + offset].astype(np.float32) / 256
        coded = copy[start:end].astype(np.float32) / 256
        whole[start:end] = np.abs(coded - shown).mean(axis=1)
        shown -= shown.mean(axis=1, keepdims=True)
        coded -= coded.mean(axis=1, keepdims=True)
        contrast = (shown * coded).sum(axis=1) / np.maximum((shown * shown).sum(axis=1), 1e-3)
        shown *= np.clip(contrast, 0.5, 2)[:, None]
        form[start:end] = np.abs(coded - shown).mean(axis=1)
    return _Differences(whole, form)


def _held_back(source: Signature, copy: Signature) -> NDArray[np.bool_]:
    """Where the copy moves less than half as much as the source: coding left out what moves."""
    copied, moved = (_differences(frames, frames, -1).whole[1:] for frames in (copy, source))
    return np.append(False, _windowed(copied) < 0.5 * _windowed(moved))[: len(source)]


def _changes_evenly(source: Signature) -> NDArray[np.bool_]:
    """Where frames lie about halfway between their neighbours, as in a fade or a dissolve."""
    if len(source) < 3:  # a frame and its two neighbours
        return np.zeros(len(source), dtype=np.bool_)
    frames = source.astype(np.float32)
    off = np.abs(frames[2:] - 2 * frames[1:-1] + frames[:-2]).mean(axis=1)
    way = np.abs(frames[2:] - frames[:-2]).mean(axis=1)
    evenly = _windowed(off.astype(np.float64)) < EVEN * _windowed(way.astype(np.float64))
    return np.concatenate([evenly[:1], evenly, evenly[-1:]])


def _clearly_better(
    own: _Differences, other: _Differences, held: NDArray[np.bool_], even: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """One frame by far (a third of the difference), or a run of frames by half, or by a quarter.

    A starved encoder may all but copy the picture before: that frame fits its neighbour up to
    twice as well as its own, and is no fault. Nor is one that shows a move a frame late, where that
    is little beside what coding loses in all frames around. Where small moves are ``held`` back, or
    the film changes ``even``-ly, a frame must be off by what is seen, or a run fit three times as
    well.
    """
    quiet = held | even
    gap = np.where(np.isfinite(other.whole), own.whole - other.whole, 0)
    least = np.where(quiet, QUIET, LOSS * _windowed(own.whole))
    single = (own.form > 0.4) & (other.form < own.form / 3) & (gap > least)
    form = np.where(np.isfinite(other.form), other.form, own.form)
    own_mean, other_mean = _windowed(own.form), _windowed(form)
    is_far = other_mean < own_mean * np.where(quiet, 1 / 3, 1 / 2)
    is_near = (other_mean < 0.75 * own_mean) & ~even
    is_near &= own_mean - other_mean > np.where(held, QUIET, NEAR)
    lasting = (own_mean > 0.3) & (is_far | is_near)
    # A window tells of its middle: its other frames are of the run if each fits better elsewhere.
    around = _windowed(lasting.astype(np.float64)) > 0
    return np.asarray(single | (around & (form < 0.75 * own.form) & (gap > 0)))


def _windowed(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The mean of the values around each, as if there were zeros beyond both ends."""
    window = min(WINDOW, len(values))
    return np.convolve(values, np.ones(window) / window, "same") if window else values
