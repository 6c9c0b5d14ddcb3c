"""Time stamps are damaged where picture and sound contradict them alike, and nowhere else."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matinee.media.pace import ALIKE, LEAST, is_damaged

paces = st.fractions(min_value=Fraction(1, 4), max_value=4, max_denominator=10_000)


@given(pace=paces)
def test_what_stretches_both_alike_is_damage(pace: Fraction) -> None:
    assert is_damaged(pace, pace) == (abs(pace - 1) > LEAST)


@given(picture=paces, sound=paces)
def test_one_that_runs_right_or_in_its_own_way_proves_nothing(
    picture: Fraction, sound: Fraction
) -> None:
    assert not is_damaged(picture, Fraction(1))
    assert not is_damaged(Fraction(1), sound)
    assert not is_damaged(picture, None)
    if abs(sound - picture) > ALIKE * picture:
        assert not is_damaged(picture, sound)


@pytest.mark.parametrize("claimed", [Fraction(24), Fraction(25), Fraction(30)])
def test_rates_that_people_confuse_are_no_damage(claimed: Fraction) -> None:
    pace = claimed / (claimed * 1000 / 1001)

    assert not is_damaged(pace, pace)
