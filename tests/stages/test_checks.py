"""When a rung's cap is blamed for what its encoder or a check says."""

from dataclasses import replace
from fractions import Fraction

import pytest
from tests.stages.test_chunks import PICTURE

from matinee.core.errors import EncoderFailed, MatineeError, RungStarved, ToolError, ToolKilled
from matinee.ladders import SHIPPED, load_ladder
from matinee.media.ladder import Rung, fit
from matinee.stages.checks import blamed_on_caps

RUNGS = fit(load_ladder("standard"), PICTURE, Fraction(25))
LOW = replace(RUNGS[-1], name="low", maxrate=10_000)


@pytest.mark.parametrize("name", sorted(path.stem for path in SHIPPED.glob("*.toml")))
def test_no_ladder_of_ours_starves_a_rung(name: str) -> None:
    picture = replace(PICTURE, width=3840, height=2160)

    assert not [rung for rung in fit(load_ladder(name), picture, Fraction(60)) if rung.is_starved]


@pytest.mark.parametrize("error", [EncoderFailed("frame 3 is another"), ToolError("no frames")])
def test_a_failure_beside_a_starved_rung_names_it_and_what_it_needs(error: MatineeError) -> None:
    with pytest.raises(RungStarved) as found, blamed_on_caps([*RUNGS, LOW]):
        raise error

    assert "rung low has a cap of 10 kbit/s" in str(found.value)
    assert "1280x720" in str(found.value)
    assert str(error) in str(found.value)
    assert not found.value.retryable


@pytest.mark.parametrize(
    ("rungs", "error"),
    [(RUNGS, EncoderFailed("it crashed")), ([LOW], ToolKilled("it was killed"))],
)
def test_other_failures_are_told_as_they_are(rungs: list[Rung], error: MatineeError) -> None:
    with pytest.raises(type(error)) as found, blamed_on_caps(rungs):
        raise error

    assert found.value is error
