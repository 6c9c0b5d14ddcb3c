"""Which shots are encoded next: few at first, then as few as possible again."""

from dataclasses import replace

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from matinee.media.choice import CLOSE, Goal, Range, lack_of, mean_of, target_goal
from matinee.media.codecs import CODECS
from matinee.media.shot_models import Measured, ShotModel, usual_model, usual_shift
from matinee.media.waves import SMALL, WAVES, corrected, next_choice, waves_of

BOUNDS = Range(11, 51, 0.5)
USUAL = CODECS["h264"].usual
ABOVE = 0.1
FEWER = settings(max_examples=15, deadline=None)


@st.composite
def true_shots(draw: st.DrawFn) -> ShotModel:
    """A shot as it really is: better or worse than usual, and steeper or flatter."""
    better, steep = draw(st.floats(-4, 2)), draw(st.floats(0.8, 1.25))
    usual = tuple(
        replace(one, crf=23 + (one.crf - 23) / steep, quality=one.quality + better) for one in USUAL
    )
    return usual_model(usual, draw(st.integers(48, 240)))


TITLE = st.lists(true_shots(), min_size=1, max_size=9)


@given(shots=st.integers(1, 2000))
def test_every_shot_is_in_one_wave_and_the_first_is_spread_over_the_film(shots: int) -> None:
    waves = waves_of(shots)
    first = waves[0]

    assert sorted(number for wave in waves for number in wave) == list(range(shots))
    assert all(wave == sorted(wave) for wave in waves)
    assert len(first) == -(-shots // WAVES[0])
    assert first[0] < WAVES[0]
    assert shots - WAVES[0] <= first[-1] < shots


def test_later_waves_are_spread_too() -> None:
    assert waves_of(1) == [[0]]
    assert waves_of(6) == [[3], [0, 4], [1, 2, 5]]
    assert waves_of(16) == [[4, 12], [0, 2, 6, 8, 10, 14], [1, 3, 5, 7, 9, 11, 13, 15]]


@FEWER
@given(title=TITLE, target=st.floats(86, 94))
def test_a_target_is_reached_whatever_the_film_is_like(
    title: list[ShotModel], target: float
) -> None:
    goal = target_goal(target, 1.5, len(title), ABOVE)
    models = [usual_model(USUAL, one.frames) for one in title]
    points: dict[int, Measured] = {}
    for wave in waves_of(len(title)):
        chosen = next_choice(models, points, goal, BOUNDS)
        kept = {n: p.crf for n, p in points.items() if p.worst >= goal.floors[n]}
        assert all(chosen.crfs[number] == crf for number, crf in kept.items())
        models = _encoded(title, models, points, {n: chosen.crfs[n] for n in wave})
    for _ in range(5):
        now = [points[number] for number in range(len(title))]
        if lack_of(models, now, goal) == 0:
            return
        crfs = corrected(models, now, goal, BOUNDS).crfs
        changes = {n: crf for n, crf in enumerate(crfs) if crf != points[n].crf}
        assume(changes)  # else it is out of reach
        models = _encoded(title, models, points, changes)
    pytest.fail("the target was not found")


def _encoded(
    title: list[ShotModel], models: list[ShotModel], points: dict[int, Measured],
    crfs: dict[int, float],
) -> list[ShotModel]:  # fmt: skip
    """What is known when these shots were encoded at these CRFs."""
    points |= {number: title[number].at(crf) for number, crf in crfs.items()}
    known = [
        model.with_final(points[number]) if number in crfs else model
        for number, model in enumerate(models)
    ]
    usual = usual_shift(known)
    return [replace(model, shift=usual) for model in known]


def found(*encodes: tuple[float, float, float]) -> tuple[list[ShotModel], list[Measured]]:
    """Shots of 100 frames by CRF, VMAF and the VMAF of the worst shot within."""
    points = [Measured(crf, 4e5, quality, worst) for crf, quality, worst in encodes]
    return [usual_model(USUAL, 100).with_final(point) for point in points], points


def test_only_what_is_below_its_floor_changes_where_the_mean_is_right() -> None:
    models, points = found((24, 93.4, 92.5), (24, 92.6, 91.0), (24, 93.2, 92.8), (24, 93, 92))
    crfs = corrected(models, points, target_goal(93, 1.5, 4, ABOVE), BOUNDS).crfs

    assert (crfs[0], *crfs[2:]) == (24, 24, 24)
    assert crfs[1] < 24


def test_one_shot_makes_up_for_a_mean_that_is_a_little_low() -> None:
    models, points = found((24, 93, 92.5), (24, 92.4, 92), (24, 93.2, 92.8), (24, 93, 92))
    goal = target_goal(93, 1.5, 4, ABOVE)
    again = corrected(models, points, goal, BOUNDS)
    moved = [abs(crf - 24) for crf in again.crfs if crf != 24]

    assert len(moved) == 1
    assert moved[0] >= SMALL * BOUNDS.step
    assert goal.quality < again.quality <= goal.quality + CLOSE


def test_what_is_much_too_good_gives_bits_back_but_stays_above_its_floor() -> None:
    models, points = found(*[(22, 95.0 + n / 10, 94.6) for n in range(8)])
    goal = target_goal(93, 1.5, 8, ABOVE)
    again = corrected(models, points, goal, BOUNDS)
    likely = [model.at(crf) for model, crf in zip(models, again.crfs, strict=True)]

    assert goal.quality <= mean_of(models, likely) <= goal.quality + CLOSE
    assert min(point.worst for point in likely) >= 91.5
    assert sum(point.bits for point in likely) < sum(point.bits for point in points)


def test_a_goal_out_of_reach_moves_only_what_is_below_its_floor() -> None:
    low = Range(24, 51, 0.5)
    models, points = found((24, 93.4, 92.5), (25, 40, 38), (24, 93.2, 92.8))
    crfs = corrected(models, points, Goal(93, (91.5,) * 3, ABOVE), low).crfs

    assert crfs == (24, 24, 24)
