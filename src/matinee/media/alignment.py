"""Where in a film a piece of somebody's copy belongs, told by frame signatures."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from matinee.core.time import FrameSpan
from matinee.media.signature import FOREIGN, NEAR, Signature

PIECE = 24
"""Frames that tell where a piece belongs."""

REACH = 720
"""How many frames to each side a piece is looked for."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a piece fits best: the film's frame, None if nowhere within reach."""

    expected: int
    found: int | None

    @property
    def shift(self) -> int | None:
        """How many frames later in the film the piece belongs than it lies in the copy."""
        return None if self.found is None else self.found - self.expected


def lively(source: Signature, spans: Sequence[FrameSpan]) -> list[FrameSpan]:
    """A piece of each span in which the picture changes most: there a shift shows best.

    A span shorter than ``PIECE`` is a piece as it is.
    """
    steps = np.abs(np.diff(source.astype(np.float32), axis=0)).mean(axis=1)
    pieces = []
    for span in spans:
        if len(span) <= PIECE:
            pieces.append(span)
            continue
        moves = np.convolve(steps[span.start : span.end - 1], np.ones(PIECE - 1), "valid")
        start = span.start + int(np.argmax(moves))
        pieces.append(FrameSpan(start, start + PIECE))
    return pieces


def find_piece(source: Signature, piece: Signature, expected: int) -> Place:
    """The place in ``source`` that a piece shows; ``expected`` unless another fits clearly better.

    ``expected`` may lie beyond the source's end.
    """
    low = max(0, expected - REACH)
    high = min(len(source) - len(piece), expected + REACH)
    if high < low:
        return Place(expected, None)
    differences = _differences(source[low : high + len(piece)], piece)
    best = int(np.argmin(differences))
    own = differences[expected - low] if low <= expected <= high else np.inf
    if not (differences[best] < own / 2 and own - differences[best] > NEAR):
        best = expected - low
    fits = differences[best] <= FOREIGN
    return Place(expected, low + best if fits else None)


def _differences(source: Signature, piece: Signature) -> NDArray[np.float64]:
    """Mean difference of the piece from the source at every offset, in 8-bit luma steps."""
    count = len(source) - len(piece) + 1
    total = np.zeros(count)
    for number, frame in enumerate(piece.astype(np.float32)):
        beside = source[number : number + count].astype(np.float32)
        total += np.abs(beside - frame).mean(axis=1, dtype=np.float64)
    return total / len(piece) / 256
