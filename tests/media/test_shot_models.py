"""What is guessed of a shot between and beyond its points."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matinee.media.codecs import CODECS
from matinee.media.codecs.codec import Codec, Usual
from matinee.media.shot_models import (
    REACH,
    Measured,
    Shift,
    ShotModel,
    logit,
    unlogit,
    usual_model,
    usual_shift,
)

PROXIES = (Measured(18, 8e5, 96, 94), Measured(26, 3e5, 90, 87), Measured(34, 1e5, 78, 72))
MODEL = ShotModel(240, PROXIES)


def test_a_model_goes_through_its_proxies() -> None:
    for point in PROXIES:
        found = MODEL.at(point.crf)
        assert found.bits == pytest.approx(point.bits)
        assert found.quality == pytest.approx(point.quality)
        assert found.worst == pytest.approx(point.worst)


def test_a_model_goes_through_what_ships_too() -> None:
    finals = [Measured(30, 2.2e5, 88, 85), Measured(22, 6e5, 95, 93)]
    model = MODEL.with_finals(finals)

    for point in finals:
        assert model.at(point.crf) == point
        near = model.at(point.crf + 1e-6)
        assert near.quality == pytest.approx(point.quality, abs=1e-3)
        assert near.bits == pytest.approx(point.bits, rel=1e-3)


def test_a_shot_without_encodes_is_shifted_as_others_are() -> None:
    known = [MODEL.with_finals([Measured(26, 2.4e5, 92, 90)]), MODEL]
    usual = usual_shift(known)
    assert usual is not None
    shifted = ShotModel(240, PROXIES, (), usual).at(26)

    assert shifted.quality == pytest.approx(92)
    assert shifted.bits == pytest.approx(2.4e5)
    assert usual_shift([MODEL]) is None


@given(low=st.floats(14, 38), step=st.floats(0, 10))
def test_a_higher_crf_is_neither_better_nor_larger(low: float, step: float) -> None:
    before, after = MODEL.at(low), MODEL.at(min(low + step, 38))

    assert after.bits <= before.bits * (1 + 1e-9)
    assert after.quality <= before.quality + 1e-9
    assert after.worst <= before.worst + 1e-9


@given(quality=st.floats(0, 100))
def test_the_logit_has_an_inverse(quality: float) -> None:
    assert unlogit(logit(quality)) == pytest.approx(quality, abs=1e-6)


def test_it_is_believed_a_little_beyond_its_points() -> None:
    assert MODEL.span == (18 - REACH, 34 + REACH)
    wider = MODEL.with_finals([Measured(12, 2e6, 98, 97)])
    assert wider.span == (12 - REACH, 34 + REACH)
    assert ShotModel(1, PROXIES, (), Shift(0, 9, 9)).at(14).quality <= 100


@pytest.mark.parametrize("codec", CODECS.values(), ids=lambda one: one.name)
def test_a_shot_that_nothing_is_known_of_is_as_films_of_its_codec_usually_are(codec: Codec) -> None:
    low, high = codec.crf
    model = usual_model(codec.usual, 100)

    assert len(codec.usual) > 1
    for one in codec.usual:
        assert low < one.crf < high
        assert model.at(one.crf).quality == pytest.approx(one.quality)
        assert model.at(one.crf).worst < one.quality
        assert model.at(low).quality > one.quality > model.at(high).quality


def test_a_curve_that_is_usual_goes_through_what_is_likely() -> None:
    usual = CODECS["h264"].usual
    model, other = usual_model(usual, 100, (25, 80)), usual_model(usual, 100)

    assert model.at(25).quality == pytest.approx(80)
    assert model.at(25).bits == pytest.approx(other.at(25).bits)


def test_one_encode_places_the_curve_that_is_usual_and_another_bends_it() -> None:
    usual = (Usual(20, 95, 2), Usual(30, 80, 1))
    fall = (logit(95) - logit(80)) / 10
    first, second = Measured(24, 9e5, 90, 88), Measured(26, 6e5, 87, 84)
    placed = usual_model(usual, 100).with_final(first)
    bent = placed.with_final(second)

    assert placed.at(24) == first
    assert logit(placed.at(25).quality) == pytest.approx(logit(90) - fall)
    assert math.log(placed.at(25).bits) == pytest.approx(math.log(9e5) - math.log(2) / 10)
    assert (bent.at(24), bent.at(26)) == (first, second)
    assert bent.with_final(second) == bent
    assert logit(bent.at(25).quality) == pytest.approx((logit(90) + logit(87)) / 2)
