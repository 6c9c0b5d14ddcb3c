"""The packets that a clip needs, and the digest that names it."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.media.test_timeline import CONFIGURATION, MS, TS, in_groups, index, open_groups

from matinee.core.errors import SourceDamaged
from matinee.core.ids import Digest, digest_of, digest_of_value
from matinee.core.time import FrameSpan
from matinee.media.clips import USUAL, ClipPlan, clip_plans, plan_clip
from matinee.media.frame_index import DISCARD, KEY
from matinee.media.timeline import Packets, Timeline, build_timeline


def closed_film(frames: int = 60, group: int = 12, start: int = 0) -> Timeline:
    order = in_groups(frames, group)
    keys = [place for place, shown in enumerate(order) if shown % group == 0]
    return build_timeline(index([start + 40 * n for n in order], keys), MS, Fraction(25))


def open_film() -> tuple[Timeline, list[int]]:
    order, keys = open_groups(5, 12)
    return build_timeline(index([40 * n for n in order], keys), MS, Fraction(25)), order


def check_clip(timeline: Timeline, clip: ClipPlan) -> None:
    """What every clip keeps, whatever the film."""
    packets = timeline.packets
    wanted = timeline.decode_order[clip.frames.start : clip.frames.end]
    first_pts = packets["pts"][wanted[0]]
    inside = packets["pts"][clip.first : clip.last + 1]
    assert set(wanted) <= set(range(clip.first, clip.last + 1))
    assert packets["flags"][clip.first] & KEY
    assert packets["pts"][clip.first] <= first_pts
    assert clip.last == max(wanted)
    earlier = inside[inside < first_pts]
    assert clip.skip_before <= first_pts
    assert all(pts < clip.skip_before for pts in earlier)


@settings(deadline=None)
@given(data=st.data(), frames=st.integers(1, 80), group=st.integers(1, 15))
def test_a_clip_holds_its_frames_from_a_key_frame_on(
    data: st.DataObject, frames: int, group: int
) -> None:
    timeline = closed_film(frames, group, data.draw(st.integers(-3000, 3000)))
    first = data.draw(st.integers(0, frames - 1))
    span = FrameSpan(first, data.draw(st.integers(first + 1, frames)))

    check_clip(timeline, plan_clip(timeline, span, CONFIGURATION))


def test_a_clip_begins_no_earlier_than_it_must() -> None:
    timeline = closed_film()

    clip = plan_clip(timeline, FrameSpan(30, 36), CONFIGURATION)

    assert (clip.first, clip.last) == (24, 35)


@settings(deadline=None)
@given(first=st.integers(0, 59), length=st.integers(1, 30))
def test_clips_of_open_groups_hold_the_key_frame_before_their_leading_pictures(
    first: int, length: int
) -> None:
    timeline, order = open_film()
    span = FrameSpan(first, min(60, first + length))

    clip = plan_clip(timeline, span, CONFIGURATION)

    check_clip(timeline, clip)
    assert order[clip.first] <= first  # else the leading pictures lack what they refer to


def test_a_clip_that_begins_with_leading_pictures_begins_at_the_group_before() -> None:
    timeline, order = open_film()

    clip = plan_clip(timeline, FrameSpan(22, 30), CONFIGURATION)

    assert order[clip.first] == 12


def test_a_clip_that_begins_at_an_open_groups_key_frame_begins_there() -> None:
    timeline, order = open_film()

    clip = plan_clip(timeline, FrameSpan(24, 30), CONFIGURATION)

    assert order[clip.first] == 24


def test_frames_before_the_first_key_frame_cannot_be_decoded() -> None:
    timeline = build_timeline(index([40 * n for n in range(20)], [6]), MS, Fraction(25))

    with pytest.raises(SourceDamaged, match=r"no key frame before 0\.080 s"):
        plan_clip(timeline, FrameSpan(2, 9), CONFIGURATION)
    assert plan_clip(timeline, FrameSpan(6, 9), CONFIGURATION).first == 6


def test_discarded_frames_before_the_film_are_skipped_by_their_time() -> None:
    packets = index([40 * n for n in range(30)], [0], discarded=range(5))
    timeline = build_timeline(packets, MS, Fraction(25))

    clip = plan_clip(timeline, FrameSpan(0, 25), CONFIGURATION)

    assert clip.first == 0
    assert 160 < clip.skip_before <= 200


def test_there_is_a_clip_for_each_span() -> None:
    timeline = closed_film()
    spans = [FrameSpan(0, 24), FrameSpan(24, 48), FrameSpan(48, 60)]

    clips = clip_plans(timeline, spans, CONFIGURATION)

    assert [clip.frames for clip in clips] == spans
    assert clips == [plan_clip(timeline, span, CONFIGURATION) for span in spans]


# The digest of a clip


def clip_digest(packets: Packets, time_base: Fraction = MS, **other: Digest) -> Digest:
    timeline = build_timeline(packets, time_base, Fraction(25))
    configuration = other.get("configuration", CONFIGURATION)
    return plan_clip(timeline, FrameSpan(14, 24), configuration).digest


def film_index() -> Packets:
    return closed_film(36, 12).packets.copy()


@settings(deadline=None)
@given(start=st.integers(-10_000, 10_000))
def test_a_clips_digest_does_not_depend_on_where_the_film_begins(start: int) -> None:
    moved = film_index()
    moved["pts"] += start
    moved["dts"] += start

    assert clip_digest(moved) == clip_digest(film_index())


def test_a_clips_digest_does_not_depend_on_the_containers_clock() -> None:
    remuxed = film_index()
    remuxed["pts"] *= 90
    remuxed["dts"] = 0

    assert clip_digest(remuxed, TS) == clip_digest(film_index())


def test_a_clips_digest_does_not_depend_on_what_follows_or_goes_before() -> None:
    longer = closed_film(60, 12).packets[12:]

    timeline = build_timeline(longer, MS, Fraction(25))
    late = plan_clip(timeline, FrameSpan(2, 12), CONFIGURATION)

    assert late.digest == clip_digest(film_index())


@pytest.mark.parametrize("place", [12, 15, 23])
def test_a_clips_digest_depends_on_every_packet(place: int) -> None:
    changed = film_index()
    changed["digest"][place] = bytes(31) + b"x"

    assert clip_digest(changed) != clip_digest(film_index())


def test_a_clips_digest_depends_on_the_order_of_showing() -> None:
    changed = film_index()
    changed["pts"][[15, 16]] = changed["pts"][[16, 15]]

    assert clip_digest(changed) != clip_digest(film_index())


def test_a_clips_digest_depends_on_the_order_of_decoding() -> None:
    changed = film_index()
    changed[[15, 16]] = changed[[16, 15]]

    assert clip_digest(changed) != clip_digest(film_index())


def test_a_clips_digest_depends_on_what_is_discarded() -> None:
    changed = film_index()
    changed["flags"][0] |= DISCARD  # shown frames count one less: the same packets, other frames

    assert clip_digest(changed) != clip_digest(film_index())


def test_a_clips_digest_depends_on_the_decoders_configuration() -> None:
    other = clip_digest(film_index(), configuration=digest_of(b"other"))

    assert other != clip_digest(film_index())


def test_a_clips_digest_depends_on_its_frames() -> None:
    timeline = closed_film(36, 12)
    whole, later, shorter = (
        plan_clip(timeline, span, CONFIGURATION).digest
        for span in (FrameSpan(13, 24), FrameSpan(14, 24), FrameSpan(13, 23))
    )

    assert len({whole, later, shorter}) == 3


def test_a_digest_that_ends_in_zeros_is_kept_whole() -> None:
    """NumPy strips trailing zeros of byte strings."""
    one, two = film_index(), film_index()
    one["digest"][15] = b"a" * 30 + bytes(2)
    two["digest"][15] = b"a" * 30

    assert clip_digest(one) == clip_digest(two)
    assert bytes(one["digest"][15]).ljust(32, b"\0") == b"a" * 30 + bytes(2)


def canonical_digest(timeline: Timeline, clip: ClipPlan) -> Digest:
    packets = timeline.packets[clip.first : clip.last + 1]
    first_pts = timeline.packets["pts"][timeline.decode_order[clip.frames.start]]
    ranks = np.argsort(np.argsort(packets["pts"], kind="stable"))
    ranks = ranks - int(np.sum(packets["pts"] < first_pts))
    named = [
        [int(rank), bytes(digest).ljust(32, b"\0").hex(), int(flags) & DISCARD]
        for rank, digest, flags in zip(ranks, packets["digest"], packets["flags"], strict=True)
    ]
    described = {"configuration": CONFIGURATION, "frames": len(clip.frames), "packets": named}
    return digest_of_value(described)


def test_a_clips_digest_is_that_of_canonical_json() -> None:
    packets = film_index()
    packets["digest"][3] = b"ends in zeros"
    packets["flags"][0] |= DISCARD
    timeline = build_timeline(packets, MS, None)
    clip = plan_clip(timeline, FrameSpan(0, timeline.frames), CONFIGURATION)

    assert clip.digest == canonical_digest(timeline, clip)


@pytest.mark.parametrize("before", [0, 3, USUAL, USUAL + 1])
def test_so_it_is_however_long_the_clip_is(before: int) -> None:
    """Packets before the first wanted frame have ranks below zero."""
    timeline = build_timeline(index(range(3 * USUAL), keys=(0,)), Fraction(1, 25), None)
    for after in (1, USUAL, USUAL + 1):
        clip = plan_clip(timeline, FrameSpan(before, before + after), CONFIGURATION)

        assert clip.digest == canonical_digest(timeline, clip)


def test_a_key_frame_is_found_however_far_back_it_is() -> None:
    frames = 3000
    timeline = build_timeline(index(range(frames), keys=(0, 5)), Fraction(1, 25), None)
    for start, first in ((frames - 7, 5), (1000, 5), (5, 5), (4, 0), (0, 0)):
        clip = plan_clip(timeline, FrameSpan(start, start + 1), CONFIGURATION)
        assert (clip.first, clip.last) == (first, start)
