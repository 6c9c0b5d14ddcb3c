"""Rungs that come from the title, on titles of many kinds."""

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from math import log2

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matinee.ladders import load_ladder
from matinee.media.hull import CLOSEST, JND
from matinee.media.ladder import Rung
from matinee.media.shot_models import Measured, ShotModel, logit, unlogit
from matinee.media.title_explanation import Fitted, hull_json, rungs_of
from matinee.media.title_ladder import (
    LOWEST,
    NEAR,
    TOLERANCE,
    SizeCurve,
    Spot,
    below,
    beside,
    corrections,
    ends,
    growing,
    instead,
    named,
    near,
    place,
    sampled,
    spots_of,
    together,
    unsure,
    wanted_places,
)

RATE = Fraction(24)
SIZES = ((426, 240), (640, 360), (854, 480), (1280, 720))
FEWER = settings(max_examples=12)
LADDER_CRF = 23.0
SLOWEST = 145_000.0


def rung(size: tuple[int, int]) -> Rung:
    width, height = size
    return Rung(
        f"{height}p", width, height, RATE, "h264", "medium", LADDER_CRF, 3_000_000, 6_000_000,
        "3.1", 3, 1,
    )  # fmt: skip


def point(size: tuple[int, int], crf: float, frames: int, hard: float, soft: float) -> Measured:
    """A film that needs more bits the harder it is, and loses less by few pixels the softer."""
    pixels = size[0] * size[1] / (1280 * 720)
    bits = 60_000 * hard * pixels**0.8 * 2 ** (-(crf - 23) / 6) * frames
    ceiling = 99.5 - (1 - soft) * 30 * (-log2(pixels)) ** 0.7 if pixels < 1 else 99.5
    coding = unlogit(3.2 - 0.11 * (crf - 20) - 0.1 * log2(hard))
    quality = ceiling * coding / 100
    return Measured(crf, bits, quality, quality - 1)


@st.composite
def titles(draw: st.DrawFn) -> list[SizeCurve]:
    """A curve for each size, of a few shots that differ."""
    soft = draw(st.floats(0.2, 1))
    shots = draw(st.lists(st.floats(0.1, 8), min_size=1, max_size=3))
    return [
        SizeCurve(
            rung(size),
            tuple(
                ShotModel(
                    200, tuple(point(size, crf, 200, hard, soft) for crf in (23.0, 33.0, 43.0))
                )
                for hard in shots
            ),
        )
        for size in SIZES
    ]


def alike(hard: float, soft: float, crfs: tuple[float, ...] = (23.0, 33.0)) -> list[SizeCurve]:
    """A title of one shot."""
    return [
        SizeCurve(
            rung(size), (ShotModel(200, tuple(point(size, crf, 200, hard, soft) for crf in crfs)),)
        )
        for size in SIZES
    ]


def top_of(title: list[SizeCurve]) -> float:
    return title[-1].at(LADDER_CRF).quality


@FEWER
@given(title=titles())
def test_rungs_leave_out_nothing_that_a_viewer_would_miss(title: list[SizeCurve]) -> None:
    spots, top = spots_of(title), top_of(title)
    taken = place(spots, top, SLOWEST)

    assert all(a.rate < b.rate and a.quality < b.quality for a, b in pairwise(taken))
    for worse, better in pairwise(taken):
        # What is clearly better than a rung, for clearly more bits, is not cheaper than the next.
        told = [
            spot
            for spot in spots
            if spot.quality >= worse.quality + 2 * JND and spot.rate >= CLOSEST**2 * worse.rate
        ]
        assert all(spot.rate >= better.rate for spot in told)
    assert taken[-1].quality >= top - 1e-9
    for one in taken:
        as_good = [spot for spot in spots if spot.quality >= one.quality - 1e-9]
        assert one.rate == min(spot.rate for spot in as_good)


@FEWER
@given(title=titles())
def test_the_smallest_rung_fits_a_slow_line_or_is_no_worse_than_is_worth_having(
    title: list[SizeCurve],
) -> None:
    spots = spots_of(title)
    smallest = place(spots, top_of(title), SLOWEST)[0]
    fitting = [spot for spot in spots if spot.rate <= SLOWEST]

    if smallest.rate <= SLOWEST:
        best = max(spot.quality for spot in fitting)
        assert smallest.quality == pytest.approx(min(best, top_of(title)), abs=1.0)
    else:
        assert not fitting or max(spot.quality for spot in fitting) < LOWEST
        assert not fitting or smallest.quality >= LOWEST


@FEWER
@given(title=titles(), target=st.floats(40, 97))
def test_a_target_is_where_the_ladder_ends(title: list[SizeCurve], target: float) -> None:
    spots = spots_of(title)
    best = place(spots, target, SLOWEST)[-1]
    reached = max(spot.quality for spot in spots)

    assert best.quality >= min(target, reached) - 1e-9
    # No step of CRF down is as good.
    assert best.rate <= min(spot.rate for spot in spots if spot.quality >= best.quality)


def test_without_a_target_the_ladders_own_best_stays() -> None:
    spots = [Spot(rung(SIZES[n]), 100_000 * 2**n, 60 + 10 * n) for n in range(3)]
    own = Spot(rung(SIZES[3]), 420_000, 79)

    assert below(spots, own) == [*spots[:2], own]
    assert below(spots, replace(own, rate=150_000)) == [spots[0], replace(own, rate=150_000)]


def test_a_still_film_has_few_rungs() -> None:
    def count(hard: float) -> int:
        title = alike(hard, 0.9)
        return len(place(spots_of(title), top_of(title), SLOWEST))

    assert count(0.05) < count(0.5) < count(5)


def test_rungs_of_one_size_have_names_of_their_own() -> None:
    spots = [
        Spot(replace(rung(size), name=name), n, n)
        for n, (size, name) in enumerate(
            [(SIZES[0], "a"), (SIZES[3], "x"), (SIZES[2], "x-2"), (SIZES[3], "x"), (SIZES[3], "x")]
        )
    ]

    candidates = [rung(SIZES[0]), rung(SIZES[2]), rung(SIZES[3])]
    names = ["a", "x-2", "x"]
    candidates = [replace(one, name=name) for one, name in zip(candidates, names, strict=True)]

    assert [one.rung.name for one in named(spots, candidates)] == ["a", "x-4", "x-2", "x-3", "x"]


@FEWER
@given(title=titles(), off=st.floats(-0.6, 0.6), slope=st.floats(-0.02, 0.02))
def test_a_rung_that_is_far_from_its_place_comes_near_it(
    title: list[SizeCurve], off: float, slope: float
) -> None:
    """What ships differs from what was believed, in VMAF's logit, more at higher CRFs."""

    def true(spot: Spot) -> Measured:
        quality = unlogit(logit(spot.quality) + off + slope * (spot.rung.crf - LADDER_CRF))
        return Measured(spot.rung.crf, spot.rate * 200 / 24, quality, quality)

    def found(spot: Spot, own: Rung) -> Spot:
        return Spot(own, spot.rate, true(spot).quality)

    by_size = {curve.size: curve for curve in title}
    taken = place(spots_of(title), top_of(title), SLOWEST)
    pairs = [(spot, true(spot)) for spot in taken]
    whole = together([
        curve.with_whole(200, [one for spot, one in pairs if spot.size == curve.size])
        for curve in title
    ])  # fmt: skip
    ladder = [found(spot, spot.rung) for spot in taken]
    spots = spots_of(whole)
    wanted = wanted_places(spots, ladder, SLOWEST)
    again = corrections(spots, ladder, SLOWEST)

    assert len(ladder) - 1 not in again
    for number, spot in again.items():
        comes = found(by_size[spot.size].at(spot.rung.crf), spot.rung)
        before = abs(ladder[number].quality - wanted[number])
        is_near = abs(comes.quality - wanted[number]) <= before
        cheaper = [one for one in spots if wanted[number] <= one.quality and one.rate < spot.rate]
        assert is_near or not cheaper
        assert comes.quality >= wanted[number] - 2 * TOLERANCE


def test_rungs_at_their_places_stay() -> None:
    spots = [Spot(replace(rung(SIZES[n]), crf=20.0 + n), 100_000 * 2**n, 60 + 10 * n)
             for n in range(4)]  # fmt: skip

    assert corrections(spots, spots, SLOWEST) == {}
    assert corrections(spots, spots[:1], SLOWEST) == {}


def test_anchors_are_the_ends_of_each_size() -> None:
    spots = [Spot(rung(SIZES[n // 3]), 1e5 * n + 1, 10.0 * n) for n in range(7)]

    assert ends(spots) == [spots[n] for n in (0, 2, 3, 5, 6)]


def test_a_rung_takes_what_is_made_where_that_is_near() -> None:
    spot = Spot(rung(SIZES[1]), 1e5, 70)
    others = [replace(spot, quality=70 + off) for off in (-NEAR - 0.1, 1.2, -0.4)]
    elsewhere = Spot(rung(SIZES[2]), 1e5, 70)

    assert near(spot, [elsewhere, *others]) == others[2]
    assert near(spot, [elsewhere, others[0]]) == spot


def test_a_rung_that_a_better_one_makes_needless_is_left_out() -> None:
    kept = [Spot(rung(SIZES[n]), 100_000 * 2**n, 60 + 10 * n) for n in range(4)]
    dearer = Spot(rung(SIZES[0]), 300_000, 65)

    assert growing([kept[0], dearer, *kept[1:]]) == kept


@FEWER
@given(title=titles())
def test_the_whole_title_goes_through_what_was_found_of_it(title: list[SizeCurve]) -> None:
    curve = title[2]
    one = Measured(28.0, 3e6, 71.0, 70.0)
    whole = curve.with_whole(1000, [one])

    assert whole.at(28.0).quality == pytest.approx(71.0)
    assert whole.at(28.0).rate == pytest.approx(3e6 / 1000 * 24)
    assert whole.at(30.0).quality < 71.0


def test_sizes_without_an_encode_of_their_own_are_shifted_as_others_are() -> None:
    title = alike(1, 0.7)[2:]
    known = title[1].at(23.0)
    dearer = Measured(23.0, 2 * known.rate * 200 / 24, known.quality, known.quality - 1)
    small, large = together([title[0].with_anchors([[]]), title[1].with_anchors([[dearer]])])

    assert large.at(23.0).rate == pytest.approx(2 * known.rate)
    assert small.at(30.0).rate == pytest.approx(2 * title[0].at(30.0).rate)
    assert small.at(30.0).quality == pytest.approx(title[0].at(30.0).quality, abs=0.5)


@given(count=st.integers(1, 200), share=st.integers(1, 9), least=st.integers(1, 5))
def test_chunks_are_taken_from_all_over_the_film(count: int, share: int, least: int) -> None:
    digests = [f"{n * 7919 % 1009:04d}" for n in range(count)]
    taken = sampled(digests, share, least, 16)

    assert len(taken) == min(count, max(least, min(16, -(-count // share))))
    assert taken == sorted(set(taken)) == sampled(digests, share, least, 16)
    for number, one in enumerate(taken):
        assert number * count // len(taken) <= one < (number + 1) * count // len(taken)


def test_a_size_is_measured_further_where_the_hull_may_go() -> None:
    assert unsure(alike(0.05, 0.5), 20.0, SLOWEST) == []  # a slow line carries enough of it already
    assert 0 in unsure(alike(20, 0.5), 20.0, SLOWEST)
    assert 3 not in unsure(alike(20, 0.5), 20.0, SLOWEST)


def test_an_explanation_names_the_rungs_again() -> None:
    title = alike(1, 0.6, (23.0, 33.0, 43.0))
    spots = spots_of(title)
    taken = place(spots, top_of(title), SLOWEST)
    own = tuple(named(taken, [rung(size) for size in SIZES]))
    ladder = load_ladder("standard").with_settings("per-title")
    per_shot = frozenset([own[-1].rung.name])
    document = hull_json(ladder, Fitted(tuple(title), own, 3, 1, 1, per_shot), "ultrafast", 7)

    assert rungs_of(document, [rung(size) for size in SIZES]) == [spot.rung for spot in own]
    assert [one["per_shot"] for one in document["rungs"]] == [False] * (len(own) - 1) + [True]
    for told, spot in zip(document["rungs"], own, strict=True):
        assert told["beside"] == [
            {"width": o.rung.width, "height": o.rung.height, "crf": o.rung.crf,
             "bits_per_second": round(o.rate), "vmaf": round(o.quality, 2)}
            for o in beside(spots, spot)
        ]  # fmt: skip
        dearer = instead(spots, spot)
        assert all(one.rate >= spot.rate and one.quality >= spot.quality for one in dearer)
        assert len(told["instead"]) == len(dearer)


def test_bits_fall_and_quality_too_along_a_curve() -> None:
    spots = alike(1, 0.6)[1].spots()

    assert all(a.rate > b.rate and a.quality > b.quality for a, b in pairwise(spots))
    assert LADDER_CRF in {spot.rung.crf for spot in spots}
