"""What work will cost: more for more pixels, and never nothing."""

from fractions import Fraction
from pathlib import Path

import pytest

import matinee.ladders
from matinee.core.ids import digest_of
from matinee.media.codecs import CODECS
from matinee.media.codecs.codec import Codec
from matinee.media.estimate import encode_cost, likely_bytes, scan_cost, score_cost
from matinee.media.ladder import Rung, fit
from matinee.media.ladder_file import parse_ladder
from matinee.media.source import Colour, Picture

TEXT = (Path(matinee.ladders.__file__).parent / "standard.toml").read_text(encoding="utf-8")
PICTURE = Picture(
    width=1920,
    height=1080,
    sample_aspect=Fraction(1),
    rotation=0,
    pixel_format="yuv420p",
    bit_depth=8,
    fields="progressive",
    colour=Colour(None, None, None, full_range=False),
    nominal_rate=None,
    configuration=digest_of(b""),
)


def rungs(preset: str = "medium") -> list[Rung]:
    ladder = parse_ladder("mine", TEXT.replace('"medium"', f'"{preset}"'))
    return fit(ladder, PICTURE, Fraction(25))


@pytest.mark.parametrize("preset", CODECS["h264"].presets)
def test_every_preset_of_a_ladder_has_a_cost(preset: str) -> None:
    assert all(encode_cost(rung) > 0 for rung in rungs(preset))


@pytest.mark.parametrize("codec", CODECS.values(), ids=list(CODECS))
def test_slower_presets_cost_more(codec: Codec) -> None:
    costs = list(codec.presets.values())
    assert costs == sorted(costs)
    assert costs[0] > 0


def test_larger_rungs_cost_more_and_take_more() -> None:
    costs = [encode_cost(rung) for rung in rungs()]
    sizes = [likely_bytes(rung, Fraction(60)) for rung in rungs()]

    assert costs == sorted(costs)
    assert sizes == sorted(sizes)


def test_a_rung_takes_no_more_than_its_cap() -> None:
    for rung in rungs():
        assert 0 < likely_bytes(rung, Fraction(10)) < rung.maxrate * 10 / 8


def test_a_scan_costs_less_than_a_score() -> None:
    assert 0 < scan_cost(1920, 1080) < score_cost(1920, 1080)
