"""Which rungs are searched, and by what."""

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest

from matinee.core.errors import UsageError
from matinee.core.ids import digest_of
from matinee.ladders import load_ladder
from matinee.media.choice import UNCAPPED
from matinee.media.ladder import fit
from matinee.media.source import Colour, Picture
from matinee.stages.chunks import Proofs
from matinee.stages.settings import check_wishes, grain_of_own, steps_of, wanted_of
from matinee.stages.title_wish import TitleWish

PICTURE = Picture(
    width=640,
    height=360,
    sample_aspect=Fraction(1),
    rotation=0,
    pixel_format="yuv420p",
    bit_depth=8,
    fields="progressive",
    colour=Colour(None, None, None, full_range=False),
    nominal_rate=None,
    configuration=digest_of(b""),
)


def test_the_largest_rung_of_each_ladder_that_asks_is_searched() -> None:
    ladders = [load_ladder("standard").with_target(93), load_ladder("av1"), load_ladder("hevc")]
    ladders[2] = ladders[2].with_target(90)
    rungs = [rung for ladder in ladders for rung in fit(ladder, PICTURE, Fraction(24))]
    h264, hevc = wanted_of(ladders, rungs)

    assert (h264.rung.name, h264.followers) == ("360p", ("240p",))
    assert (hevc.rung.name, hevc.ladder.target_vmaf) == ("hevc-360p", 90)
    assert all(name.startswith("hevc-") for name in hevc.followers)
    assert (h264.proxies, h264.first) == ([], None)
    assert wanted_of([load_ladder("av1")], rungs) == []


def test_without_a_target_proxies_are_fast_and_smaller_and_have_a_wide_range() -> None:
    ladder = load_ladder("standard").with_settings("per-shot")
    (wanted,) = wanted_of([ladder], fit(ladder, PICTURE, Fraction(24)))

    assert [(one.preset, one.crf) for one in wanted.proxies] == [
        ("veryfast", 19), ("veryfast", 38),
    ]  # fmt: skip
    assert {one.width for one in wanted.proxies} == {wanted.sample.width} == {426}
    assert {one.maxrate for one in wanted.proxies} == {UNCAPPED}
    assert (wanted.rung.width, wanted.rung.maxrate) == (640, 800_000)


def test_nothing_is_chosen_per_shot_where_no_proxy_tells_how_shots_differ() -> None:
    av1 = load_ladder("av1").with_settings("per-shot")
    rungs = fit(av1, PICTURE, Fraction(24))

    assert wanted_of([av1], rungs) == []
    assert len(wanted_of([av1.with_target(90)], rungs)) == 1
    assert wanted_of([av1.with_settings("per-title")], rungs) == []


def test_rungs_that_come_from_the_title_follow_one_choice_without_a_target() -> None:
    ladder = load_ladder("standard").with_settings("per-title")
    (wanted,) = wanted_of([ladder], fit(ladder, PICTURE, Fraction(24)))

    assert (wanted.rung.name, wanted.followers, wanted.likely) == ("360p", ("240p",), None)
    assert steps_of({"fixed_crf": 23, "shots": [{"crf": 21.5}, {"crf": 26}]}) == (-1.5, 3)


def test_rungs_that_come_from_the_title_say_where_their_target_is_likely() -> None:
    ladder = load_ladder("standard").with_settings("per-title").with_target(90)
    *_, best = fit(ladder, PICTURE, Fraction(24))
    (wanted,) = wanted_of([ladder], [replace(best, crf=26.5)])

    assert (wanted.first, wanted.rung.crf) == ((26.5, 90), ladder.crf)


def test_a_target_that_nothing_would_prove_is_refused() -> None:
    ladder = load_ladder("standard").with_target(93)

    with pytest.raises(UsageError, match="needs scores"):
        check_wishes([ladder], Proofs(scored=False))
    check_wishes([ladder], Proofs())
    check_wishes([ladder.with_settings("fixed")], Proofs(scored=False))


def test_grain_is_told_of_the_rungs_that_a_title_has_not_of_those_it_could_have() -> None:
    av1, h264 = load_ladder("av1"), load_ladder("standard")
    could_be = fit(av1, PICTURE, Fraction(24))
    others = fit(h264, PICTURE, Fraction(24))
    told: dict[str, Any] = {
        "noise": 3.0,
        "rungs": {"video-av1-240p": 5, "video-av1-360p": 9, "video-hevc-360p": 7},
    }
    rich, lean = (
        replace(could_be[-1], name=name, film_grain=9) for name in ("av1-360p", "av1-360p-2")
    )
    asked = TitleWish(av1, tuple(could_be))
    own = grain_of_own(told, asked, [lean, rich])
    plain = grain_of_own(told, TitleWish(h264, tuple(others)), others[:1])

    assert [rung.name for rung in could_be[-2:]] == ["av1-240p", "av1-360p"]
    assert own == {
        "noise": 3.0,
        "rungs": {"video-hevc-360p": 7, "video-av1-360p": 9, "video-av1-360p-2": 9},
    }
    assert plain == told
    assert set(told["rungs"]) == {"video-av1-240p", "video-av1-360p", "video-hevc-360p"}
