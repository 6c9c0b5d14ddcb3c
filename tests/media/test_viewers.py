"""What ladders give their viewers: small ladders whose answers are known."""

import math
from fractions import Fraction
from itertools import combinations, pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from matinee.media.comparison import Encode
from matinee.media.curves import CurvesApart
from matinee.media.viewers import (
    NOTHING,
    Offer,
    bits_at_equal_quality,
    fewest_instead,
    lines,
    mean_offers,
    peak_rate,
    seen,
    spent_cpu_s,
    stored_bytes,
    views,
)

RATE = Fraction(24000, 1001)
OFFERS = st.lists(
    st.builds(Offer, st.floats(1e4, 1e7), st.floats(0, 100)), min_size=1, max_size=6
)  # fmt: skip


def rung(quality: float, sizes: list[int], cpu_s: float | None = None) -> Encode:
    scores = np.full(len(sizes), quality)
    return Encode("rung", 640, 360, None, False, np.array(sizes), scores, cpu_s)


def test_a_line_takes_the_best_rung_that_it_carries_even_one_that_another_beats() -> None:
    offers = [Offer(100, 40), Offer(200, 70), Offer(300, 60), Offer(400, 90)]

    assert [seen(offers, line) for line in (99, 100, 350, 400, 9000)] == [NOTHING, 40, 70, 90, 90]


@given(offers=OFFERS)
def test_a_faster_line_never_shows_less(offers: list[Offer]) -> None:
    rates = lines(1e4, 1e7, 20)
    qualities = [seen(offers, line) for line in rates]

    assert qualities == sorted(qualities)


@given(offers=OFFERS)
def test_a_ladder_beside_itself_is_lower_nowhere(offers: list[Offer]) -> None:
    found = views(offers, offers, lines(1e4, 1e7, 9))

    assert (found.ours, found.lower, found.deficit) == (found.peer, 0, 0.0)


def test_views_are_means_and_tell_where_ours_is_lower() -> None:
    found = views([Offer(100, 60)], [Offer(200, 80.0)], [50, 100, 200, 400])

    assert (found.ours, found.peer) == (45.0, 40.0)
    assert (found.lines, found.lower, found.deficit) == (4, 2, 20.0)


FEW = st.lists(
    st.builds(Offer, st.integers(1, 9).map(float), st.integers(1, 9).map(float)),
    min_size=1, max_size=5,
)  # fmt: skip


@given(candidates=FEW, peer=FEW)
def test_what_stands_for_a_ladder_gives_every_line_as_much_at_the_fewest_bits(
    candidates: list[Offer], peer: list[Offer]
) -> None:
    def stands(offers: tuple[Offer, ...]) -> bool:
        return all(seen(offers, o.rate) >= seen(peer, o.rate) for o in peer)

    every = [*candidates, *peer]
    subsets = [some for n in range(1, len(every) + 1) for some in combinations(every, n)]
    fewest = min(math.fsum(o.rate for o in some) for some in subsets if stands(some))

    found = fewest_instead(candidates, peer)

    assert stands(tuple(found))
    assert math.fsum(o.rate for o in found) == pytest.approx(fewest)
    assert all(a.quality < b.quality and a.rate < b.rate for a, b in pairwise(found))


def test_lines_are_evenly_spread_over_their_logarithm() -> None:
    assert lines(200, 3200, 5) == pytest.approx([200, 400, 800, 1600, 3200])


def test_the_mean_rate_is_that_of_all_frames() -> None:
    [offer] = mean_offers([rung(80, [1000] * 48)], RATE)

    assert offer.rate == pytest.approx(8000 * float(RATE))
    assert offer.quality == pytest.approx(80)


def test_the_peak_is_the_worst_stretch_wherever_it_begins_and_never_below_the_mean() -> None:
    busy = rung(80, [10] * 5 + [100] * 4 + [10] * 7)

    assert peak_rate(busy, Fraction(2), 2.0) == 8 * 400 / 2
    assert peak_rate(busy, Fraction(2), 60.0) == pytest.approx(8 * 520 / 8)


@given(sizes=st.lists(st.integers(0, 5000), min_size=1, max_size=60), seconds=st.floats(0.1, 9))
def test_a_peak_lies_between_the_mean_and_the_largest_frame(
    sizes: list[int], seconds: float
) -> None:
    peak = peak_rate(rung(80, sizes), RATE, seconds)
    mean = 8 * sum(sizes) / len(sizes) * float(RATE)

    assert peak <= 8 * max(sizes) * float(RATE) + 1e-6
    frames = round(seconds * float(RATE))
    if frames and len(sizes) % frames == 0:  # the film is so many such stretches
        assert peak >= mean - 1e-6


@pytest.mark.parametrize("share", [0.5, 0.85, 1.3])
def test_a_ladder_of_so_many_times_the_bits_needs_so_many_percent(share: float) -> None:
    peer = [rung(quality, [size] * 10) for quality, size in ((60, 1000), (80, 2000), (95, 6000))]
    ours = [rung(e.scores[0], [int(share * e.sizes[0])] * 10) for e in peer]

    assert bits_at_equal_quality(ours, peer) == pytest.approx(100 * (share - 1), abs=0.01)


def test_a_rung_that_another_beats_does_not_count_against_its_ladder() -> None:
    good = [rung(quality, [size] * 10) for quality, size in ((60, 1000), (80, 2000), (95, 6000))]
    poor = rung(70, [3000] * 10)

    assert bits_at_equal_quality(good, [*good, poor]) == pytest.approx(0, abs=1e-9)


def test_ladders_of_no_common_quality_are_not_compared() -> None:
    low = [rung(20, [10]), rung(30, [20])]
    high = [rung(70, [100]), rung(90, [200])]

    with pytest.raises(CurvesApart):
        bits_at_equal_quality(low, high)


def test_all_rungs_are_stored_and_paid_for() -> None:
    ladder = [rung(60, [10, 20], 1.5), rung(80, [300, 400], 2.0), rung(90, [1, 1])]

    assert stored_bytes(ladder) == 732
    assert spent_cpu_s(ladder) == 3.5
