"""What earlier titles foretell of a title's curves."""

import json
import math
from dataclasses import replace

import pytest
from hypothesis import given
from tests.media.test_title_ladder import FEWER, SIZES, alike, point, rung, titles

from matinee.media.foretold import (
    DIGITS,
    ENOUGH,
    Lesson,
    Start,
    curves_from,
    foretold,
    holds,
    lesson_json,
    lesson_of,
    read_lesson,
    start_of,
)
from matinee.media.hull import JND
from matinee.media.shot_models import Measured, ShotModel, logit
from matinee.media.title_ladder import SizeCurve

CRFS = (23.0, 33.0, 43.0)
BASE = SIZES[2]


def base_of(title: list[SizeCurve], more_bits: float = 1.0) -> SizeCurve:
    """The proxies of one size: a cheap preset needs more bits and is a little worse."""
    models = [
        ShotModel(
            model.frames,
            tuple(
                Measured(one.crf, one.bits * more_bits, one.quality - 2, one.worst - 2)
                for one in model.proxies[:2]
            ),
        )
        for model in title[2].models
    ]
    return SizeCurve(title[2].rung, tuple(models))


def lesson(title: list[SizeCurve]) -> Lesson:
    return lesson_of(base_of(title), title, CRFS)


@FEWER
@given(titles())
def test_a_title_like_those_before_has_their_curves(title: list[SizeCurve]) -> None:
    start = foretold([lesson(title)] * ENOUGH, base_of(title))
    curves = curves_from(start, [one.rung for one in title], base_of(title).models)

    for told, true in zip(curves, title, strict=True):
        for crf in CRFS:
            # Of many shots it is a title's mean that is foretold, not each shot.
            assert math.log2(told.at(crf).rate / true.at(crf).rate) == pytest.approx(0, abs=0.25)
            assert logit(told.at(crf).quality) == pytest.approx(
                logit(true.at(crf).quality), abs=0.3
            )


def test_a_film_of_one_shot_is_foretold_as_it_is() -> None:
    title = alike(1.5, 0.6, CRFS)
    start = foretold([lesson(title)] * ENOUGH, base_of(title, 1.3))

    for told, true in zip(
        curves_from(start, [one.rung for one in title], base_of(title, 1.3).models), title,
        strict=True,
    ):  # fmt: skip
        assert told.at(33).quality == pytest.approx(true.at(33).quality, abs=0.05)
        assert told.at(33).rate == pytest.approx(1.3 * true.at(33).rate, rel=0.01)


def test_the_nearest_are_asked() -> None:
    calm, wild = alike(0.2, 0.9, CRFS), alike(8, 0.2, CRFS)
    lessons = [lesson(wild)] * ENOUGH + [lesson(calm)] * ENOUGH

    assert foretold(lessons, base_of(calm)) == foretold(lessons[ENOUGH:], base_of(calm))
    assert foretold(lessons, base_of(wild)) == foretold(lessons[:ENOUGH], base_of(wild))


@FEWER
@given(titles())
def test_lessons_and_starts_are_read_as_they_were_written(title: list[SizeCurve]) -> None:
    own = lesson(title)
    read = read_lesson(json.loads(json.dumps(lesson_json(own))))
    start = foretold([own] * ENOUGH, base_of(title))

    assert read.sizes.keys() == own.sizes.keys() == set(SIZES)
    for kept, was in zip(read.base, own.base, strict=True):
        assert kept.crf == was.crf
        assert kept.bits == pytest.approx(was.bits, abs=0.5)
        assert kept.quality == pytest.approx(was.quality, abs=0.005)
    assert start_of(json.loads(json.dumps(start.as_json()))) == start
    assert all(
        round(shift.bits, DIGITS) == shift.bits
        for shifts in start.shifts.values()
        for _, shift in shifts
    )


@pytest.mark.parametrize(("off", "is_held"), [(0.0, True), (JND - 0.5, True), (JND + 0.5, False)])
def test_what_ships_bears_it_out_or_not(off: float, is_held: bool) -> None:
    before = alike(1, 0.6, CRFS)
    (model,) = before[3].models
    at = model.at(30)
    known = replace(at, quality=at.quality - off, worst=at.worst - off)
    after = [*before[:3], SizeCurve(before[3].rung, (model.with_final(known),))]

    assert holds(before, after) is is_held
    assert holds(before, before)  # nothing was encoded: nothing belies it


def test_a_start_has_a_curve_for_every_rung() -> None:
    title = alike(1, 0.5, CRFS)
    start = foretold([lesson(title)] * ENOUGH, base_of(title))
    shots = [ShotModel(96, (point(BASE, 23, 96, 1, 0.5), point(BASE, 38, 96, 1, 0.5)))]

    curves = curves_from(start, [rung(size) for size in SIZES], shots)

    assert isinstance(start, Start)
    assert start.titles == ENOUGH
    assert [one.size for one in curves] == list(SIZES)
    assert [[p.crf for p in one.models[0].proxies] for one in curves] == [list(CRFS)] * len(SIZES)
