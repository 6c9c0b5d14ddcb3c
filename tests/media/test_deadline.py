"""With a deadline a film gets the slowest preset that is done in time."""

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from matinee.ladders import load_ladder
from matinee.media.deadline import Haste, preset_in_time
from matinee.media.estimate import X264_COST
from matinee.media.ladder import Rung

STANDARD = load_ladder("standard")
RUNG = Rung(
    name="720p", width=1280, height=720, rate=Fraction(24), codec="h264", preset="medium", crf=23,
    maxrate=3_200_000, bufsize=6_400_000, level="3.1", reference_frames=3, threads=1,
)  # fmt: skip


def chosen(budget_s: float, frames: int = 14_400, workers: int = 2) -> Haste:
    return preset_in_time(STANDARD, [RUNG], frames, (1280, 720), budget_s, workers, scored=False)


def test_with_time_enough_the_ladders_own_preset_stays() -> None:
    assert chosen(1e6) == Haste("medium", chosen(1e6).expected_s, is_soon_enough=True)


def test_without_any_time_it_is_the_fastest_and_says_so() -> None:
    assert chosen(0).preset == "ultrafast"
    assert not chosen(0).is_soon_enough


@given(st.floats(0, 1e5), st.integers(1, 10**6), st.integers(1, 64))
def test_more_time_never_gives_a_faster_preset(budget_s: float, frames: int, workers: int) -> None:
    less, more = (chosen(b, frames, workers) for b in (budget_s, 2 * budget_s))

    assert X264_COST[less.preset] <= X264_COST[more.preset]
    assert less.is_soon_enough == (less.expected_s <= budget_s)


@given(st.floats(0, 1e5), st.integers(1, 10**6))
def test_what_is_chosen_for_the_time_it_takes_stays(budget_s: float, frames: int) -> None:
    haste = chosen(budget_s, frames)

    assert chosen(haste.expected_s, frames) == Haste(haste.preset, haste.expected_s, True)
