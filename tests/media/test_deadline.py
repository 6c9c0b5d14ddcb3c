"""With a deadline a film gets the slowest preset that is done in time."""

from dataclasses import replace
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from matinee.media.codecs import CODECS
from matinee.media.deadline import Haste, hurried, presets_in_time
from matinee.media.ladder import Rung

RUNG = Rung(
    name="720p", width=1280, height=720, rate=Fraction(24), codec="h264", preset="medium", crf=23,
    maxrate=3_200_000, bufsize=6_400_000, level="3.1", reference_frames=3, threads=1,
)  # fmt: skip


SLOW = replace(RUNG, codec="av1", preset="9", profile="main")


def chosen(budget_s: float, frames: int = 14_400, workers: int = 2) -> Haste:
    return presets_in_time([RUNG, SLOW], frames, (1280, 720), budget_s, workers, scored=False)


def test_with_time_enough_the_ladders_own_presets_stay() -> None:
    assert chosen(1e6) == Haste(0, chosen(1e6).expected_s, is_soon_enough=True)
    assert hurried(RUNG, 0) == RUNG


def test_without_any_time_it_is_the_fastest_and_says_so() -> None:
    assert hurried(RUNG, chosen(0).steps).preset == "ultrafast"
    assert hurried(SLOW, chosen(0).steps).preset == next(iter(CODECS["av1"].presets))
    assert not chosen(0).is_soon_enough


@given(st.floats(0, 1e5), st.integers(1, 10**6), st.integers(1, 64))
def test_more_time_never_gives_a_faster_preset(budget_s: float, frames: int, workers: int) -> None:
    less, more = (chosen(b, frames, workers) for b in (budget_s, 2 * budget_s))

    assert less.steps >= more.steps
    assert less.is_soon_enough == (less.expected_s <= budget_s)


@given(st.floats(0, 1e5), st.integers(1, 10**6))
def test_what_is_chosen_for_the_time_it_takes_stays(budget_s: float, frames: int) -> None:
    haste = chosen(budget_s, frames)

    assert chosen(haste.expected_s, frames) == Haste(haste.steps, haste.expected_s, True)
