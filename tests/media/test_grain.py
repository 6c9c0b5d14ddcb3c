"""Grain is told by its noise alone: neither texture nor movement counts, and drawings have none."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.media.test_ladder import picture

from matinee.media.grain import (
    BLOCK,
    FRAMES,
    LEAST,
    WINDOW,
    Grain,
    Luma,
    Place,
    grain_of,
    halved,
    noise_of,
    place_of,
    window_of,
)

HEIGHT, WIDTH = 192, 320
BOUNDS = (1, 50)

seeds = st.integers(0, 10_000)
speeds = st.integers(-9, 9)


def drawn(seed: int, speed: int) -> Luma:
    """A drawing that moves: a sky that grows lighter, figures with edges, a wall with texture."""
    rng = np.random.default_rng(seed)
    down, across = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    wall = rng.uniform(60, 200, (HEIGHT, WIDTH)).astype(np.float32)
    figures = [(*rng.integers(0, (HEIGHT, WIDTH)), rng.uniform(30, 220)) for _ in range(6)]
    frames = []
    for time in range(FRAMES):
        frame = 90 + 0.15 * across + 0.1 * down + 0.4 * time
        frame[2 * HEIGHT // 3 :] = np.roll(wall, speed * time, axis=1)[2 * HEIGHT // 3 :]
        for top, left, light in figures:
            at = (int(left) + speed * time) % WIDTH
            frame[top : top + 40, at : at + 50] = light
        frames.append(frame)
    return np.stack(frames).astype(np.float32)


def with_noise(frames: Luma, sigma: float, seed: int, *, coarse: bool = False) -> Luma:
    """What a camera of that noise would have seen, in whole steps."""
    noise = np.random.default_rng(seed).normal(size=frames.shape)
    if coarse:  # grain larger than a pixel
        noise = noise + np.roll(noise, 1, axis=1) + np.roll(noise, 1, axis=2)
        noise /= noise.std()
    return np.clip(np.round(frames + sigma * noise), 16, 235).astype(np.float32)


@settings(max_examples=25, deadline=None)
@given(seed=seeds, speed=speeds, sigma=st.floats(0.8, 10), coarse=st.booleans())
def test_the_noise_of_a_film_is_found_whatever_moves_in_it(
    seed: int, speed: int, sigma: float, coarse: bool
) -> None:
    found = noise_of(with_noise(drawn(seed, speed), sigma, seed, coarse=coarse))

    assert found is not None
    assert found == pytest.approx(sigma, rel=0.12, abs=0.15)


@settings(max_examples=25, deadline=None)
@given(seed=seeds, speed=speeds)
def test_a_drawing_without_noise_has_none(seed: int, speed: int) -> None:
    assert (noise_of(np.round(drawn(seed, speed))) or 0.0) < LEAST / 2


@given(seed=seeds, speed=st.integers(1, 9))
@settings(max_examples=10, deadline=None)
def test_texture_that_moves_is_no_noise(seed: int, speed: int) -> None:
    frame = np.random.default_rng(seed).uniform(60, 200, (HEIGHT, WIDTH)).astype(np.float32)
    smooth = sum(np.roll(frame, (y, x), (0, 1)) for y in range(6) for x in range(6)) / 36
    frames = np.stack([np.roll(smooth, speed * time, axis=1) for time in range(FRAMES)])

    assert (noise_of(frames.astype(np.float32)) or 0.0) < LEAST


def test_a_frame_that_is_shown_twice_hides_no_noise() -> None:
    frames = with_noise(drawn(1, 2), 3.0, 1)
    frames[1] = frames[0]

    assert noise_of(frames) == pytest.approx(3.0, rel=0.12)


def test_where_light_is_cut_off_nothing_is_told() -> None:
    black = with_noise(np.full((FRAMES, HEIGHT, WIDTH), 16, np.float32), 4.0, 1)

    assert noise_of(black) is None
    assert noise_of(np.full((FRAMES, BLOCK - 1, WIDTH), 90, np.float32)) is None
    assert place_of(7, black) == Place(7, None, None)
    assert place_of(7, with_noise(drawn(1, 2), 3.0, 1)[:2]) == Place(7, None, None)


def test_at_half_the_size_white_noise_is_half_and_coarse_noise_is_more() -> None:
    plain = drawn(3, 0)
    white, coarse = (
        place_of(0, with_noise(plain, 6.0, 3, coarse=is_coarse)) for is_coarse in (False, True)
    )

    assert white.noise and white.halved and coarse.noise and coarse.halved
    assert white.halved / white.noise == pytest.approx(0.5, abs=0.05)
    assert coarse.halved / coarse.noise > 0.6
    assert halved(plain).shape == (FRAMES, HEIGHT // 2, WIDTH // 2)


def test_a_film_has_what_most_of_its_places_have() -> None:
    places = [Place(0, 0.1, 0.1), Place(9, 3.0, 1.6), Place(20, 3.4, 1.8), Place(30, None, None)]

    assert grain_of(places) == Grain(3.0, 1.6)
    assert grain_of([Place(0, None, None)]) == Grain(None, None)
    assert grain_of([]).strength(1.0, BOUNDS) == 0


@given(
    noise=st.floats(0, 40), fall=st.floats(0.3, 1.2),
    shares=st.lists(st.fractions(Fraction(1, 10), 1), min_size=2, max_size=5),
)  # fmt: skip
def test_smaller_rungs_have_no_more_grain_and_all_are_in_bounds(
    noise: float, fall: float, shares: list[Fraction]
) -> None:
    grain = Grain(noise, noise * 2**-fall)
    strengths = [grain.strength(float(share), BOUNDS) for share in sorted(shares)]

    assert strengths == sorted(strengths)
    assert all(0 <= one <= 50 for one in strengths)
    assert grain.at(1.0) == pytest.approx(noise)
    assert (grain.strength(1.0, BOUNDS) == 0) == (noise < LEAST)


def test_of_large_pictures_the_middle_is_looked_at() -> None:
    assert window_of(picture(3840, 2160)) == WINDOW
    assert window_of(picture(640, 272)) == (640, 272)
