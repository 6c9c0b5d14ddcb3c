"""Two sides of encodes, compared: what must hold whatever was encoded."""

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from matinee.core.time import FrameSpan
from matinee.media.comparison import (
    FEWEST,
    Encode,
    Part,
    by_second,
    compare_sides,
    parts_of,
    worth,
)
from matinee.media.sample import spread

PARTS = [Part(FrameSpan(40 * n, 40 * n + 20), 20 * n) for n in range(8)]
FRAMES = 160
HARD = np.repeat([1, 2, 4, 1, 3, 1, 2, 5], 20)
"""How hard each frame is to code, the same in each shot."""


def encode(
    crf: float, *, more: float = 1.0, size: tuple[int, int] = (640, 360), own: bool = False
) -> Encode:
    """As an encoder might: six steps of CRF for half the bits, the harder the worse it looks."""
    sizes = (1000 * more * HARD * 2 ** (-(crf - 23) / 6)).astype(np.int64)
    top = 98 if size[1] >= 360 else 80
    return Encode(
        name=f"{size[1]}p CRF {crf:g}", width=size[0], height=size[1], crf=crf, is_own=own,
        sizes=sizes, scores=np.clip(top - (crf - 15) * (0.5 + HARD / 4), 1, 100), cpu_s=10 * more,
    )  # fmt: skip


def side(more: float = 1.0, crfs: Sequence[float] = (18, 23, 28, 33)) -> list[Encode]:
    sizes = ((640, 360), (320, 180))
    return [encode(c, more=more, size=size, own=c == 23) for size in sizes for c in crfs]


def test_a_side_beside_itself_gains_nothing() -> None:
    found = compare_sides(side(), side(), PARTS, seed=1, looked_at=4)

    for rung in (found.overall, *found.rungs):
        assert rung.gain is not None
        assert rung.gain.bd_rate.value == pytest.approx(0, abs=1e-9)
        assert (rung.gain.bd_rate.low, rung.gain.bd_rate.high) == pytest.approx((0, 0), abs=1e-9)
        assert rung.gain.bd_quality == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("more", [0.5, 0.9, 1.7])
def test_so_many_times_the_bits_are_so_many_percent_in_every_rung(more: float) -> None:
    found = compare_sides(side(), side(more), PARTS, seed=1, looked_at=0)

    assert [rung.size for rung in found.rungs] == [(320, 180), (640, 360)]
    for rung in (found.overall, *found.rungs):
        assert rung.gain is not None
        assert rung.gain.bd_rate.value == pytest.approx((more - 1) * 100, abs=0.2)
    assert found.differences[-1].bits.value == pytest.approx((more - 1) * 100, abs=0.2)
    assert found.differences[-1].quality.value == 0


def test_the_interval_lies_around_the_value_and_comes_again_with_the_seed() -> None:
    b = [encode(c, more=1.3) if c != 28 else encode(c, more=0.8) for c in (18.0, 23.0, 28.0, 33.0)]
    uneven = [replace(one, sizes=(one.sizes * (1 + HARD / 5)).astype(np.int64)) for one in b]
    first, again, other = (
        compare_sides(side(), uneven, PARTS, seed=seed, looked_at=0).overall.gain
        for seed in (1, 1, 2)
    )

    assert first is not None and first == again and first != other
    rate = first.bd_rate
    assert rate.low is not None and rate.high is not None
    assert rate.low < rate.value < rate.high


def test_too_few_shots_have_no_interval() -> None:
    few = PARTS[: FEWEST - 1]
    cut = [
        replace(one, sizes=one.sizes[: 20 * len(few)], scores=one.scores[: 20 * len(few)])
        for one in side()
    ]

    gain = compare_sides(cut, cut, few, seed=1, looked_at=0).overall.gain

    assert gain is not None
    assert (gain.bd_rate.low, gain.bd_rate.high) == (None, None)


def test_one_encode_is_no_curve_but_is_compared_as_it_is() -> None:
    found = compare_sides([encode(23)], [encode(28)], PARTS, seed=1, looked_at=2)

    assert found.overall.gain is None
    assert "one point" in found.overall.why
    assert found.differences[0].bits.value < 0
    assert found.differences[0].quality.value < 0


def test_the_pair_is_of_the_ladders_own_settings_on_the_largest_rung() -> None:
    found = compare_sides(side(), side(1.1), PARTS, seed=1, looked_at=0)

    assert [one.name for one in found.pair] == ["360p CRF 23", "360p CRF 23"]


def test_sides_without_a_common_size_are_compared_over_all() -> None:
    small = [encode(c, size=(320, 180)) for c in (18.0, 23.0, 28.0)]
    large = [encode(c) for c in (33.0, 38.0, 43.0)]

    found = compare_sides(small, large, PARTS, seed=1, looked_at=1)

    assert found.rungs == ()
    assert [one.height for one in found.pair] == [180, 360]


def test_another_count_of_frames_is_refused() -> None:
    short = replace(encode(23), scores=encode(23).scores[:-1])
    with pytest.raises(ValueError, match="has not the 160 frames"):
        compare_sides([short], [encode(28)], PARTS, seed=1, looked_at=0)


def test_the_worst_shots_are_those_that_score_least_and_that_are_furthest_apart() -> None:
    b = encode(23)
    scores = b.scores.copy()
    scores[65] -= 40  # in shot 3, which is an easy one
    spoilt = replace(b, scores=scores)

    worst = compare_sides([encode(23)], [spoilt], PARTS, seed=1, looked_at=3).worst

    assert [one.shot for one in worst][:2] == [7, 3]
    assert worst[1].frame == 40 * 3 + 5
    assert len({one.shot for one in worst}) == len(worst) == 3


def test_only_what_is_on_the_hull_is_worth_its_bits() -> None:
    wasteful = encode(20, more=9)

    assert worth([*side(), wasteful]) != []
    assert wasteful not in worth([*side(), wasteful])


SPANS = st.lists(st.tuples(st.integers(1, 30), st.integers(1, 90)), min_size=1, max_size=5)


@given(gaps=SPANS, cuts=st.lists(st.integers(1, 600), max_size=20), shortest=st.integers(1, 30))
def test_parts_cover_the_spans_and_are_not_too_short(
    gaps: list[tuple[int, int]], cuts: list[int], shortest: int
) -> None:
    spans, place = [], 0
    for gap, length in gaps:
        spans.append(FrameSpan(place + gap, place + gap + length))
        place += gap + length
    bounds = [0, *sorted(set(cuts)), 10_000]
    shots = [FrameSpan(a, b) for a, b in pairwise(bounds)]

    parts = parts_of(shots, spans, shortest)

    frames = [frame for part in parts for frame in range(part.frames.start, part.frames.end)]
    assert frames == [frame for span in spans for frame in range(span.start, span.end)]
    assert [part.place for part in parts] == [
        sum(len(p.frames) for p in parts[:n]) for n in range(len(parts))
    ]
    lengths = {len(span) for span in spans}
    assert all(len(p.frames) >= shortest or len(p.frames) in lengths for p in parts)
    starts = {shot.start for shot in shots} | {span.start for span in spans}
    assert all(part.frames.start in starts for part in parts)


def test_seconds_are_those_of_the_film_and_only_those_that_are_compared() -> None:
    found = by_second(encode(23), PARTS, Fraction(20))

    assert [second for second, _, _ in found] == [2 * n for n in range(8)]
    assert [bits for _, _, bits in found] == [8 * 20_000.0 * h for h in (1, 2, 4, 1, 3, 1, 2, 5)]


@given(
    lengths=st.lists(st.integers(100, 300), min_size=1, max_size=40),
    seconds=st.integers(0, 400), seed=st.integers(0, 9),
)  # fmt: skip
def test_a_sample_is_spread_over_the_film(lengths: list[int], seconds: int, seed: int) -> None:
    ends = np.cumsum(lengths).tolist()
    spans = [FrameSpan(a, b) for a, b in zip([0, *ends], ends, strict=False)]

    chosen = spread(spans, Fraction(seconds), Fraction(24), seed)

    assert chosen == sorted(set(chosen)) == spread(spans, Fraction(seconds), Fraction(24), seed)
    if seconds == 0 or seconds * 24 >= ends[-1]:
        assert chosen == list(range(len(spans)))
    else:
        share = len(spans) / len(chosen)
        assert all(abs(n - (k + 0.5) * share) <= share + 1 for k, n in enumerate(chosen))
