"""The frame index, the one constant rate, and the packets that a clip needs."""

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matinee.core.errors import SourceDamaged
from matinee.core.ids import digest_of
from matinee.media.frame_index import DISCARD, KEY, ROW
from matinee.media.rates import STANDARD_RATES
from matinee.media.timeline import PACKET, Packets, build_timeline, whole_groups

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
    packets["pts"] = packets["dts"] = pts
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


# A varying rate


@settings(deadline=None)
@given(
    rate=st.sampled_from([rate for rate in STANDARD_RATES if rate >= 10]),
    frames=st.integers(20, 400),
    data=st.data(),
)
def test_a_frame_that_is_missing_is_shown_by_the_one_before(
    rate: Fraction, frames: int, data: st.DataObject
) -> None:
    exact = times(rate, frames, TS, Fraction(0))
    missing = data.draw(st.integers(2, frames - 3))
    del exact[missing]

    timeline = build_timeline(index_of_times(exact), TS, rate)

    expected = [frame if frame < missing else frame - 1 for frame in range(frames)]
    assert (timeline.rate, timeline.frames) == (rate, frames)
    assert list(timeline.shown(0, frames)) == expected
    assert "varies" in timeline.notes[0]


@settings(deadline=None)
@given(
    steps=st.lists(st.integers(1, 400), min_size=2, max_size=60),
    nominal=st.sampled_from([None, Fraction(30), Fraction(1000)]),
)
def test_every_frame_shows_the_newest_that_is_due(
    steps: list[int], nominal: Fraction | None
) -> None:
    pts = [sum(steps[:n]) for n in range(len(steps) + 1)]

    timeline = build_timeline(index_of_times(pts), MS, nominal)

    shown = timeline.shown(0, timeline.frames)
    assert 10 <= timeline.rate <= 60 or timeline.slots is None
    assert shown[0] == 0 or timeline.slots is not None
    assert list(shown) == sorted(shown)
    for frame, number in enumerate(shown.tolist()):
        late = frame / timeline.rate - Fraction(pts[number], 1000)
        assert late > -Fraction(1) / timeline.rate
        if number + 1 < len(pts):
            due = Fraction(pts[number + 1], 1000) - frame / timeline.rate
            assert due > -Fraction(1) / timeline.rate


def test_a_film_of_two_rates_takes_the_faster_one() -> None:
    slow = [number * 40 for number in range(100)]
    fast = [4000 + number * 20 for number in range(100)]

    timeline = build_timeline(index_of_times(slow + fast), MS, Fraction(25))

    assert (timeline.rate, timeline.frames) == (Fraction(50), 300)
    assert "from 20.0 to 40.0 ms" in timeline.notes[0]


@pytest.mark.parametrize(
    ("rate", "target"),
    [
        (Fraction(120_000, 1001), Fraction(60_000, 1001)),
        (Fraction(72), Fraction(36)),
        (Fraction(120), Fraction(60)),
        (Fraction(240), Fraction(60)),
        (Fraction(1000), Fraction(1000, 17)),
    ],
    ids=str,
)
def test_a_faster_film_shows_every_second_or_third_frame(rate: Fraction, target: Fraction) -> None:
    packets = index_of_times(times(rate, 700, Fraction(1, 1_000_000_000), Fraction(0)))

    timeline = build_timeline(packets, Fraction(1, 1_000_000_000), rate)

    step = int(rate / target)
    assert timeline.rate == target
    assert list(np.diff(timeline.shown(0, timeline.frames)))[:-1] == [step] * (timeline.frames - 2)
    assert "become" in timeline.notes[0]


def test_the_last_picture_stays_as_long_as_the_container_says() -> None:
    slides = [0, 4000, 9000]

    timeline = build_timeline(index_of_times(slides), MS, None, end=Fraction(15))

    assert (timeline.rate, timeline.frames) == (Fraction(10), 150)


def test_times_that_last_for_days_are_damage() -> None:
    with pytest.raises(SourceDamaged, match="lasts 278 hours"):
        build_timeline(index_of_times([0, 40, 1_000_000_000]), MS, None)


# Fields


def test_fields_are_shown_one_by_one() -> None:
    packets = index_of_times([40 * n for n in range(100)])

    timeline = build_timeline(packets, MS, Fraction(25), "interlaced")

    assert (timeline.rate, timeline.frames, timeline.slots) == (Fraction(50), 200, None)
    assert timeline.notes == (
        "interlaced: its fields are shown one by one, 25 frames a second become 50 frames a second",
    )


def test_pulldown_gives_four_frames_of_five() -> None:
    pts = times(Fraction(30_000, 1001), 100, TS, Fraction(1))

    timeline = build_timeline(index_of_times(pts), TS, Fraction(30_000, 1001), "telecine")

    assert (timeline.rate, timeline.frames) == (Fraction(24_000, 1001), 80)


def test_fields_of_a_varying_rate_are_taken_apart_but_no_pulldown_is_undone() -> None:
    pts = times(Fraction(30_000, 1001), 100, TS, Fraction(1))
    del pts[40:50]

    timeline = build_timeline(index_of_times(pts), TS, Fraction(30_000, 1001), "telecine")

    assert (timeline.rate, timeline.fields) == (Fraction(60_000, 1001), "interlaced")
    assert timeline.field_frames == 180
    assert timeline.frames == 200


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


def test_pictures_that_are_all_at_one_time_are_damaged() -> None:
    with pytest.raises(SourceDamaged, match="all 3 pictures are at one time"):
        build_timeline(index([40, 40, 40]), MS, Fraction(25))


@pytest.mark.parametrize(("hours", "is_recording"), [(1, True), (2, False)])
def test_one_time_stamp_that_is_hours_off_makes_no_film_of_hours(
    hours: int, is_recording: bool
) -> None:
    packets = index([3_600_000 * hours if n == 7 else 40 * n for n in range(20)])
    packets["dts"] = [40 * n - 80 for n in range(20)]

    told = rf"decoded at 0.200 s is to be shown at {3600 * hours}.000 s"
    with pytest.raises(SourceDamaged, match=told):
        build_timeline(packets, MS, Fraction(25), is_recording=is_recording)


def test_a_film_whose_last_picture_comes_late_may_be_decoded_before_that() -> None:
    """It is decoded before the B-frames that are shown before it."""
    packets = index([0, 2_400_000, 40, 80])
    packets["dts"] = [-80, -40, 0, 40]

    assert build_timeline(packets, MS, Fraction(25)).duration > 2400


def test_a_picture_that_stays_for_hours_is_the_films_own() -> None:
    packets = index([0, 40, 80, 7_200_080, 7_200_000, 7_200_040])
    packets["dts"] = [-80, -40, 0, 40, 80, 7_200_000]

    assert build_timeline(packets, MS, Fraction(25)).duration > 7200


def test_a_picture_of_a_recording_may_wait_before_it_is_shown() -> None:
    packets = index([40 * n for n in range(20)])
    packets["dts"] = [40 * n - 60_000 for n in range(20)]

    assert build_timeline(packets, MS, Fraction(25), is_recording=True).frames == 20


def test_of_two_frames_at_one_time_the_later_is_shown() -> None:
    pts = [40 * n for n in range(400)]
    pts[7] = pts[6]

    timeline = build_timeline(index_of_times(pts), MS, Fraction(25))

    assert list(timeline.shown(5, 9)) == [5, 7, 7, 8]


def test_a_doubled_time_of_a_discarded_frame_is_no_damage() -> None:
    packets = index([0, 0, 40, 80], discarded=[0])

    assert build_timeline(packets, MS, Fraction(25)).frames == 3


def test_a_row_of_the_index_is_the_same_with_numpy_and_without() -> None:
    digest = bytes(range(32))
    (row,) = np.frombuffer(ROW.pack(-5, -7, 9, KEY | DISCARD, digest), dtype=PACKET)

    assert ROW.size == PACKET.itemsize
    assert (row["pts"], row["dts"], row["size"], row["flags"]) == (-5, -7, 9, KEY | DISCARD)
    assert bytes(row["digest"]).ljust(32, b"\0") == digest


@given(
    groups=st.lists(st.lists(st.booleans(), max_size=5), min_size=1, max_size=6),
    leading=st.integers(0, 2),
)
def test_whole_groups_show_before_all_that_comes_later(
    groups: list[list[bool]], leading: int
) -> None:
    """A key, B-frames that are shown before it, and others after it: as an open group has them."""
    shown, keys, at = list[int](), list[int](), 0
    for number, others in enumerate(groups):
        before = leading if number else 0
        keys.append(len(shown))
        shown += [at + before, *range(at, at + before)]
        shown += range(at + before + 1, at + before + 1 + len(others))
        at = len(shown)
    packets = index(shown, keys)

    count = whole_groups(packets)

    assert count == (keys[-1] if len(keys) > 1 else 0)
    assert sorted(shown[:count]) == list(range(count))
    assert whole_groups(packets[:0]) == 0
    assert whole_groups(index(shown, keys, discarded=[0])) == 0 or len(keys) == 1
