"""The frame signature: honest coding passes, a wrong frame is found, a still film has no alarm."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matinee.media.signature import (
    FRAME_BYTES,
    HEIGHT,
    WIDTH,
    Mismatch,
    Signature,
    compare,
    read_signature,
)

PIXELS = WIDTH * HEIGHT
STEP = 256
"""One step of 8-bit luma."""

SEEDS = st.integers(0, 2**32)


def film(seed: int, frames: int = 60, motion: float = 3.0) -> Signature:
    """A picture that drifts: each frame differs from the one before by ``motion`` steps a pixel."""
    generator = np.random.default_rng(seed)
    first = generator.uniform(60, 180, (1, PIXELS))
    moves = generator.normal(0, motion, (frames, PIXELS))
    pictures = np.clip(first + np.cumsum(moves, axis=0), 16, 235)
    return np.asarray(pictures * STEP, dtype=np.uint16)


def pan(seed: int, frames: int = 60, speed: float = 0.5) -> Signature:
    """A smooth picture that moves sideways at a constant speed, in signature pixels a frame."""
    generator = np.random.default_rng(seed)
    across = np.arange(WIDTH)[None, None, :] + speed * np.arange(frames)[:, None, None]
    waves = sum(
        generator.uniform(10, 25) * np.sin(2 * np.pi * across / length + phase)
        for length, phase in zip((37.0, 23.0, 11.0), generator.uniform(0, 6, 3), strict=True)
    )
    pictures = 120 + waves + 10 * np.sin(np.arange(HEIGHT))[None, :, None]
    return np.asarray(pictures.reshape(frames, PIXELS) * STEP, dtype=np.uint16)


def still(seed: int, frames: int = 60) -> Signature:
    return np.repeat(film(seed, 1), frames, axis=0)


def coded(source: Signature, seed: int, loss: float = 0.3) -> Signature:
    """What coding leaves of it: a little noise on every pixel."""
    noise = np.random.default_rng(seed).normal(0, loss * STEP, source.shape)
    return np.asarray(np.clip(source + noise, 0, 65_535), dtype=np.uint16)


def wrong_frames(source: Signature, copy: Signature) -> dict[int, int | None]:
    return {mismatch.frame: mismatch.offset for mismatch in compare(source, copy)}


@settings(deadline=None)
@given(seed=SEEDS, motion=st.floats(0, 20), loss=st.floats(0, 1.5))
def test_honest_coding_passes(seed: int, motion: float, loss: float) -> None:
    source = film(seed, motion=motion)

    assert compare(source, coded(source, seed + 1, loss)) == []


@settings(deadline=None)
@given(seed=SEEDS, speed=st.floats(0, 3), loss=st.floats(0, 0.5))
def test_an_honest_pan_passes(seed: int, speed: float, loss: float) -> None:
    source = pan(seed, speed=speed)

    assert compare(source, coded(source, seed + 1, loss)) == []


@settings(deadline=None)
@given(seed=SEEDS, brighter=st.floats(-2, 2))
def test_an_even_change_of_brightness_passes(seed: int, brighter: float) -> None:
    source = film(seed)
    copy = np.asarray(np.clip(source + brighter * STEP, 0, 65_535), dtype=np.uint16)

    assert compare(source, copy) == []


@settings(deadline=None)
@given(seed=SEEDS, loss=st.floats(0, 1.5), order=st.permutations(range(60)))
def test_a_still_film_has_no_alarm_whatever_happens(
    seed: int, loss: float, order: list[int]
) -> None:
    source = still(seed)

    assert compare(source, coded(source, seed + 1, loss)[order]) == []


@settings(deadline=None)
@given(seed=SEEDS, frame=st.integers(0, 49))
def test_a_dropped_frame_is_found(seed: int, frame: int) -> None:
    """All later frames come one early, and the last is doubled so that the count is right."""
    source = film(seed)
    copy = coded(source, seed + 1)
    copy = np.concatenate([copy[:frame], copy[frame + 1 :], copy[-1:]])

    found = wrong_frames(source, copy)

    assert min(found) == frame
    assert [found[number] for number in range(frame, 59)] == [1] * (59 - frame)


@settings(deadline=None)
@given(seed=SEEDS, frame=st.integers(0, 58))
def test_a_doubled_frame_is_found(seed: int, frame: int) -> None:
    source = film(seed)
    copy = coded(source, seed + 1)
    copy = np.concatenate([copy[: frame + 1], copy[frame:-1]])

    found = wrong_frames(source, copy)

    assert found == dict.fromkeys(range(frame + 1, 60), -1)


@settings(deadline=None)
@given(seed=SEEDS, frame=st.integers(0, 58))
def test_two_frames_exchanged_are_found(seed: int, frame: int) -> None:
    source = film(seed)
    copy = coded(source, seed + 1)
    copy[[frame, frame + 1]] = copy[[frame + 1, frame]]

    assert wrong_frames(source, copy) == {frame: 1, frame + 1: -1}


@settings(deadline=None)
@given(seed=SEEDS, offset=st.sampled_from([-3, -2, -1, 1, 2, 3]))
def test_a_shifted_film_is_found_with_its_offset(seed: int, offset: int) -> None:
    source = film(seed)
    places = np.clip(np.arange(60) + offset, 0, 59)

    found = wrong_frames(source, coded(source, seed + 1)[places])

    assert len(found) >= 57
    assert set(list(found.values())[3:-3]) == {offset}


@settings(deadline=None)
@given(seed=SEEDS, speed=st.floats(0.15, 2), offset=st.sampled_from([-1, 1]))
def test_a_slow_pan_that_is_shifted_by_one_is_found(seed: int, speed: float, offset: int) -> None:
    source = pan(seed, speed=speed)
    places = np.clip(np.arange(60) + offset, 0, 59)

    found = compare(source, coded(source, seed + 1, 0.1)[places])

    assert len(found) > 30


@settings(deadline=None)
@given(seed=SEEDS, frame=st.integers(0, 59))
def test_a_frame_of_another_film_is_found(seed: int, frame: int) -> None:
    source = film(seed)
    copy = coded(source, seed + 1)
    copy[frame] = film(seed + 2, 1)[0]

    assert wrong_frames(source, copy) == {frame: None}


def test_a_black_frame_is_found() -> None:
    source = film(1)
    copy = coded(source, 2)
    copy[30] = 16 * STEP

    assert compare(source, copy) == [Mismatch(30, None)]


def test_a_grey_film_is_not_the_film() -> None:
    source = film(1)
    grey = np.full_like(source, 128 * STEP)

    assert len(compare(source, grey)) == len(source)


def test_frames_are_numbered_from_the_first_of_the_chunk() -> None:
    source = film(1)
    copy = source.copy()
    copy[7] = 16 * STEP

    assert compare(source, copy, start=1000) == [Mismatch(1007, None)]


@pytest.mark.parametrize("frames", [1, 2, 3, 11, 12, 13])
def test_short_chunks_are_compared_too(frames: int) -> None:
    source = film(1, frames)
    foreign = source.copy()
    foreign[-1] = 16 * STEP

    assert compare(source, coded(source, 2)) == []
    assert [mismatch.frame for mismatch in compare(source, foreign)] == [frames - 1]


@pytest.mark.parametrize("frames", [59, 61, 0])
def test_unequal_counts_cannot_be_paired(frames: int) -> None:
    with pytest.raises(ValueError, match=f"{frames} frames to compare with 60"):
        compare(film(1, 60), np.zeros((frames, PIXELS), dtype=np.uint16))


@given(frames=st.integers(0, 5))
def test_a_signature_is_read_frame_by_frame(frames: int) -> None:
    raw = np.arange(frames * PIXELS, dtype="<u2")

    signature = read_signature(raw.tobytes())

    assert signature.shape == (frames, PIXELS)
    assert np.array_equal(signature.reshape(-1), raw)


@pytest.mark.parametrize("size", [1, FRAME_BYTES - 2, FRAME_BYTES + 1])
def test_half_a_frame_is_no_signature(size: int) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        read_signature(bytes(size))


def test_a_picture_that_a_starved_encoder_all_but_copied_is_no_fault() -> None:
    source = film(seed=1)
    copy = source.copy()
    copy[20] = (0.33 * source[20] + 0.67 * source[19]).astype(np.uint16)

    assert compare(source, copy) == []


def dissolve(seed: int, frames: int = 60) -> Signature:
    """One picture becomes another, by 0.7 steps a pixel and frame on average."""
    generator = np.random.default_rng(seed)
    first, last = generator.uniform(60, 180, (2, 1, PIXELS))
    last = first + (last - first) * 0.7 * frames / np.abs(last - first).mean()
    share = np.linspace(0, 1, frames)[:, None]
    return np.asarray(np.clip(first + share * (last - first), 0, 255) * STEP, dtype=np.uint16)


@settings(deadline=None)
@given(seed=SEEDS, frames_late=st.integers(1, 3))
def test_a_dissolve_that_an_encoder_shows_some_frames_late_is_no_fault(
    seed: int, frames_late: int
) -> None:
    source = dissolve(seed)
    late = source[np.clip(np.arange(60) - frames_late, 0, 59)]

    assert compare(source, coded(source, seed + 1, 1.5)) == []
    assert compare(source, coded(late, seed + 1, 1.5)) == []


def test_a_fade_from_black_that_begins_late_is_no_fault() -> None:
    """What is nearly black has no form: brightness alone tells its frames apart."""
    picture = film(1, 1)
    fade = np.concatenate([np.full(12, 0.0), np.linspace(0.01, 0.6, 48)])[:, None]
    source = np.asarray(16 * STEP + fade * (picture - 16 * STEP), dtype=np.uint16)
    late = np.concatenate([source[:1], source[:-1]])

    assert compare(source, coded(late, 2, 0.5)) == []


def test_a_change_that_coding_leaves_out_is_no_fault() -> None:
    """A step of a gradient by less than one step of luma, in a film that else stands still."""
    source = np.concatenate([still(1, 30), still(1, 30)])
    source[30:, ::2] += STEP + STEP // 2

    assert compare(source, np.repeat(coded(source[:1], 2, 0.05), 60, axis=0)) == []


@settings(deadline=None)
@given(seed=SEEDS, offset=st.sampled_from([-3, -1, 1, 3]))
def test_a_dissolve_in_which_things_move_is_found_when_it_is_shifted(
    seed: int, offset: int
) -> None:
    moving = film(seed).astype(np.int64) + dissolve(seed + 1) - dissolve(seed + 1)[:1]
    source = np.asarray(np.clip(moving, 0, 65_535), dtype=np.uint16)
    places = np.clip(np.arange(60) + offset, 0, 59)

    assert len(compare(source, coded(source, seed + 2)[places])) > 30


@pytest.mark.parametrize(("lost", "is_fault"), [(0.1, True), (0.4, False)])
def test_a_small_move_that_is_shown_late_is_a_fault_where_coding_loses_less(
    lost: float, is_fault: bool
) -> None:
    source = still(1).astype(np.int64)
    source[30:] += np.where(np.arange(PIXELS) % 2, STEP, -STEP) // 2
    copy = coded(np.asarray(source, np.uint16), 2, 0.1).astype(np.int64) + int(lost * STEP)
    copy[30] = coded(np.asarray(source[:1], np.uint16), 3, 0.1)[0]

    found = wrong_frames(np.asarray(source, np.uint16), np.asarray(copy, np.uint16))

    assert (30 in found) is is_fault
    assert len(found) == is_fault
