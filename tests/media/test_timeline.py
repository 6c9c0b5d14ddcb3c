"""The frame index, the one constant rate, and the packets that a clip needs."""

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matinee.core.errors import SourceDamaged, SourceUnsupported
from matinee.core.ids import digest_of
from matinee.media.timeline import (
    DISCARD,
    KEY,
    PACKET,
    STANDARD_RATES,
    Packets,
    build_timeline,
)

MS = Fraction(1, 1000)
TS = Fraction(1, 90_000)
CONFIGURATION = digest_of(b"extradata")


def rounded(time: Fraction, time_base: Fraction) -> int:
    return round(time / time_base)


def times(rate: Fraction, frames: int, time_base: Fraction, start: Fraction) -> list[int]:
    """Times of frames as a container with that clock writes them."""
    return [rounded(start + number / rate, time_base) for number in range(frames)]


def index(
    shown_at: Sequence[int], keys: Sequence[int] = (0,), discarded: Sequence[int] = ()
) -> Packets:
    """An index with packets in decode order; ``keys`` and ``discarded`` are places in it."""
    rows = []
    for place, pts in enumerate(shown_at):
        flags = (KEY if place in keys else 0) | (DISCARD if place in discarded else 0)
        digest = digest_of(f"packet {place}".encode())
        rows.append((pts, place, 100 + place, flags, bytes.fromhex(digest)))
    return np.array(rows, dtype=PACKET)


def in_groups(frames: int, group: int) -> list[int]:
    """Decode order as shown numbers: each anchor before the B-frames that are shown before it."""
    order: list[int] = []
    for first in range(0, frames, group):
        last = min(first + group, frames) - 1
        order += [first] if first == last else [first, last, *range(first + 1, last)]
    return order


def open_groups(groups: int, length: int) -> tuple[list[int], list[int]]:
    """Decode order with open groups: two leading pictures follow each key frame but the first."""
    order, keys = [0], [0]
    order += range(1, length - 2)
    for number in range(1, groups):
        key = number * length
        keys.append(len(order))
        order += [key, key - 2, key - 1, *range(key + 1, key + length - 2)]
    last = groups * length - 2
    return [*order, last, last + 1], keys


# The rate


@pytest.mark.parametrize("rate", STANDARD_RATES, ids=str)
@pytest.mark.parametrize("frames", [2, 7, 100, 5003])
@pytest.mark.parametrize("claimed", [True, False], ids=["claimed", "unclaimed"])
def test_exact_times_give_their_own_rate(rate: Fraction, frames: int, claimed: bool) -> None:
    packets = index_of_times(times(rate, frames, 1 / rate / 1000, Fraction(0)))

    timeline = build_timeline(packets, 1 / rate / 1000, rate if claimed else None)

    assert timeline.rate == rate
    assert timeline.frames == frames
    assert timeline.duration == frames / rate


def index_of_times(pts: Sequence[int]) -> Packets:
    packets = np.zeros(len(pts), dtype=PACKET)
    packets["pts"] = pts
    packets["flags"][0] = KEY
    return packets


@pytest.mark.parametrize("rate", STANDARD_RATES, ids=str)
@pytest.mark.parametrize("frames", [601, 1433, 10_007])
@pytest.mark.parametrize("claimed", [True, False], ids=["claimed", "unclaimed"])
def test_times_that_matroska_rounds_to_milliseconds_give_the_standard_rate(
    rate: Fraction, frames: int, claimed: bool
) -> None:
    packets = index_of_times(times(rate, frames, MS, Fraction(0)))

    assert build_timeline(packets, MS, rate if claimed else None).rate == rate


@pytest.mark.parametrize("rate", STANDARD_RATES, ids=str)
@pytest.mark.parametrize("start", [Fraction(0), Fraction(7, 5), Fraction(95_443, 7)], ids=str)
def test_times_of_a_transport_stream_give_the_standard_rate(
    rate: Fraction, start: Fraction
) -> None:
    packets = index_of_times(times(rate, 1433, TS, start))

    timeline = build_timeline(packets, TS, None)

    assert timeline.rate == rate
    assert timeline.start == rounded(start, TS) * TS


@settings(deadline=None)
@given(
    rate=st.sampled_from(STANDARD_RATES),
    frames=st.integers(2, 400),
    start=st.fractions(0, 100, max_denominator=1000),
)
def test_a_standard_rate_is_preferred_to_the_measured_mean(
    rate: Fraction, frames: int, start: Fraction
) -> None:
    timeline = build_timeline(index_of_times(times(rate, frames, MS, start)), MS, rate)

    assert timeline.rate in STANDARD_RATES


@pytest.mark.parametrize("frames", [5, 24, 100, 601])
def test_the_containers_claim_is_preferred_to_the_measured_mean(frames: int) -> None:
    claim = Fraction(18)
    packets = index_of_times(times(claim, frames, MS, Fraction(0)))

    assert build_timeline(packets, MS, claim).rate == claim


def test_a_rate_that_is_no_standard_is_measured_where_nothing_claims_it() -> None:
    packets = index_of_times(times(Fraction(18), 900, Fraction(1, 18_000), Fraction(0)))

    assert build_timeline(packets, Fraction(1, 18_000), None).rate == 18


@pytest.mark.parametrize("nominal", [None, Fraction(25)], ids=str)
def test_a_film_of_one_frame_has_a_rate(nominal: Fraction | None) -> None:
    timeline = build_timeline(index([40]), MS, nominal)

    assert timeline.rate == (nominal or STANDARD_RATES[0])
    assert (timeline.frames, timeline.start) == (1, Fraction(40, 1000))


@settings(deadline=None)
@given(
    rate=st.sampled_from(STANDARD_RATES),
    frames=st.integers(60, 400),
    seed=st.integers(0, 2**32),
)
def test_jitter_below_a_quarter_of_a_frame_is_no_varying_rate(
    rate: Fraction, frames: int, seed: int
) -> None:
    exact = np.array(times(rate, frames, TS, Fraction(1)))
    most = int(Fraction(1, 10) / rate / TS)
    moves = np.random.default_rng(seed).integers(-most, most, frames)
    moves[0] = moves[-1] = 0

    assert build_timeline(index_of_times(list(exact + moves)), TS, rate).rate == rate


@settings(deadline=None)
@given(
    rate=st.sampled_from(STANDARD_RATES),
    frames=st.integers(20, 400),
    data=st.data(),
)
def test_a_film_that_lacks_a_frame_has_a_varying_rate(
    rate: Fraction, frames: int, data: st.DataObject
) -> None:
    exact = times(rate, frames, TS, Fraction(0))
    del exact[data.draw(st.integers(2, frames - 3))]

    with pytest.raises(SourceUnsupported, match="the frame rate varies") as met:
        build_timeline(index_of_times(exact), TS, rate)
    assert "cfr" in met.value.hint


def test_a_film_of_two_rates_is_refused_with_the_place_of_its_longest_frame() -> None:
    slow = [number * 40 for number in range(100)]
    fast = [4000 + number * 20 for number in range(100)]

    with pytest.raises(SourceUnsupported, match=r"from 20\.0 to 40\.0 ms"):
        build_timeline(index_of_times(slow + fast), MS, Fraction(25))


@pytest.mark.parametrize("rate", [Fraction(120_000, 1001), Fraction(72), Fraction(120)], ids=str)
def test_more_than_60_frames_a_second_are_refused(rate: Fraction) -> None:
    packets = index_of_times(times(rate, 700, Fraction(1, 1_000_000), Fraction(0)))

    with pytest.raises(SourceUnsupported, match="the most is 60"):
        build_timeline(packets, Fraction(1, 1_000_000), rate)


# The order of showing


@settings(deadline=None)
@given(groups=st.integers(1, 12), group=st.integers(1, 9), start=st.integers(-5000, 5000))
def test_frames_are_numbered_as_they_are_shown(groups: int, group: int, start: int) -> None:
    order = in_groups(groups * group, group)
    packets = index([start + 40 * shown for shown in order])

    timeline = build_timeline(packets, MS, Fraction(25))

    assert list(packets["pts"][timeline.decode_order]) == sorted(packets["pts"])
    assert [order[place] for place in timeline.decode_order] == list(range(groups * group))
    assert timeline.start == start * MS


def test_frames_to_be_discarded_are_not_on_the_timeline() -> None:
    packets = index([40 * n for n in range(10)], discarded=[0, 1, 9])

    timeline = build_timeline(packets, MS, Fraction(25))

    assert list(timeline.decode_order) == [2, 3, 4, 5, 6, 7, 8]
    assert timeline.start == Fraction(80, 1000)


def test_a_film_whose_frames_are_all_discarded_is_damaged() -> None:
    with pytest.raises(SourceDamaged, match="no frame that is shown"):
        build_timeline(index([0, 40], discarded=[0, 1]), MS, None)


def test_a_film_without_frames_is_damaged() -> None:
    with pytest.raises(SourceDamaged, match="no frame that is shown"):
        build_timeline(np.empty(0, dtype=PACKET), MS, Fraction(25))


@settings(deadline=None)
@given(frames=st.integers(2, 50), data=st.data())
def test_two_frames_at_one_time_are_damage(frames: int, data: st.DataObject) -> None:
    pts = [40 * n for n in range(frames)]
    place = data.draw(st.integers(1, frames - 1))
    pts[place] = pts[place - 1]

    with pytest.raises(SourceDamaged, match="at one time") as met:
        build_timeline(index_of_times(pts), MS, Fraction(25))
    assert f"{pts[place] / 1000:.3f} s" in str(met.value)


def test_a_doubled_time_of_a_discarded_frame_is_no_damage() -> None:
    packets = index([0, 0, 40, 80], discarded=[0])

    assert build_timeline(packets, MS, Fraction(25)).frames == 3
