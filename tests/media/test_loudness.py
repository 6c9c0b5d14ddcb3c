"""Loudness: read as ffmpeg tells it, changed by one gain that no peak goes over."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matinee.media.loudness import (
    CLOSE,
    Loudness,
    Target,
    gain_db,
    loudness_faults,
    read_loudness,
)

SUMMARY = """[Parsed_ebur128_0 @ 0x7f] Summary:

  Integrated loudness:
    I:         {i} LUFS
    Threshold: -38.6 LUFS

  Loudness range:
    LRA:         {lra} LU
    Threshold: -48.6 LUFS
    LRA low:   -28.6 LUFS
    LRA high:  -28.6 LUFS

  True peak:
    Peak:      {peak} dBFS
[out#0/null @ 0x55] video:0KiB audio:7031KiB
"""
LEVELS = st.floats(-69, 0).map(lambda level: round(level, 1))
TARGETS = st.builds(Target, st.floats(-40, -5), st.floats(-9, 0))


def test_what_ffmpeg_tells_is_read() -> None:
    told = SUMMARY.format(i="-28.6", lra="0.1", peak="-14.9")

    assert read_loudness(told) == Loudness(-28.6, 0.1, -14.9)


@pytest.mark.parametrize("peak", ["-inf", "nan"])
def test_silence_has_no_loudness(peak: str) -> None:
    told = read_loudness(SUMMARY.format(i="-70.0", lra="0.0", peak=peak))

    assert told == Loudness(None, None, None)
    assert gain_db(told, Target(-23, -1)) == 0
    assert loudness_faults(told, Target(-23, -1)) == []


def test_a_text_without_a_summary_says_nothing() -> None:
    assert read_loudness("Conversion failed!") is None


@given(LEVELS, st.floats(-60, 3), TARGETS)
def test_the_gain_reaches_the_target_or_the_bound_of_peaks(
    level: float, peak: float, target: Target
) -> None:
    gain = gain_db(Loudness(level, 1.0, peak), target)
    after = Loudness(level + gain, 1.0, peak + gain)

    assert peak + gain <= target.true_peak + 0.01
    assert level + gain <= target.integrated + 0.01
    assert loudness_faults(after, target) == []


@given(LEVELS, TARGETS, st.floats(CLOSE + 0.1, 20))
def test_sound_that_is_too_loud_is_a_fault(level: float, target: Target, more: float) -> None:
    found = Loudness(target.integrated + more, 1.0, -30.0)

    assert loudness_faults(found, target)


def test_sound_that_could_be_louder_is_a_fault() -> None:
    assert loudness_faults(Loudness(-30.0, 1.0, -20.0), Target(-23, -1))
    assert not loudness_faults(Loudness(-30.0, 1.0, -1.5), Target(-23, -1))
