"""Where a piece of a copy belongs."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matinee.core.time import FrameSpan
from matinee.media.alignment import PIECE, REACH, find_piece, lively
from matinee.media.signature import HEIGHT, WIDTH, Signature

FRAMES = 2000


def moving(seed: int, frames: int = FRAMES) -> Signature:
    """A picture that drifts: near frames are alike, far ones are not."""
    steps = np.random.default_rng(seed).normal(0, 400, (frames, WIDTH * HEIGHT)).cumsum(axis=0)
    return np.asarray(np.clip(32_000 + steps, 0, 65_535), dtype=np.uint16)


FILM = moving(1)


@settings(max_examples=25)
@given(start=st.integers(0, FRAMES - PIECE), shift=st.integers(-60, 60))
def test_a_shift_is_found_and_told_with_its_sign(start: int, shift: int) -> None:
    real = start + shift
    if not 0 <= real <= FRAMES - PIECE:
        return

    place = find_piece(FILM, FILM[real : real + PIECE], start)

    assert (place.found, place.shift) == (real, shift)


@settings(max_examples=25)
@given(start=st.integers(0, FRAMES - PIECE), seed=st.integers(0, 5))
def test_coding_loss_is_no_shift(start: int, seed: int) -> None:
    piece = FILM[start : start + PIECE].astype(np.float64)
    noise = np.random.default_rng(seed).normal(0, 256, piece.shape)

    assert find_piece(FILM, (piece + noise).clip(0, 65_535).astype(np.uint16), start).shift == 0


def test_where_nothing_moves_no_shift_is_claimed() -> None:
    still = np.full((400, WIDTH * HEIGHT), 30_000, dtype=np.uint16)

    assert find_piece(still, still[10 : 10 + PIECE], 300).shift == 0


def test_another_film_belongs_nowhere() -> None:
    other = 65_535 - moving(2)

    assert find_piece(FILM, other[500 : 500 + PIECE], 500).found is None


@pytest.mark.parametrize("expected", [FRAMES + REACH + 1, FRAMES + 5])
def test_a_piece_from_beyond_the_films_end_belongs_nowhere_or_where_it_is_found(
    expected: int,
) -> None:
    last = FILM[-PIECE:]
    found = find_piece(FILM, last, expected).found

    assert found == (FRAMES - PIECE if expected < FRAMES + REACH else None)


def test_pieces_are_taken_where_the_picture_changes_most() -> None:
    film = np.full((300, WIDTH * HEIGHT), 20_000, dtype=np.uint16)
    film[60:70] = moving(3, 10)

    (piece, short) = lively(film, [FrameSpan(0, 200), FrameSpan(290, 300)])

    assert piece.start <= 60 and piece.end >= 70
    assert short == FrameSpan(290, 300)
