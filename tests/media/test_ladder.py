"""Ladders: what fits a film, which level it needs, and what a wrong file is told."""

import re
from dataclasses import replace
from fractions import Fraction
from math import ceil, floor
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import matinee.ladders
from matinee.core.errors import LadderInvalid
from matinee.core.ids import digest_of
from matinee.media.codecs import CODECS
from matinee.media.codecs.codec import Demand
from matinee.media.colour import HLG, PQ, Light
from matinee.media.ladder import NEARLY_THE_SOURCE, Box, Ladder, fit, fit_all
from matinee.media.ladder_checks import AUTO
from matinee.media.ladder_file import parse_ladder
from matinee.media.source import Colour, Picture, display_size

LADDERS = Path(matinee.ladders.__file__).parent
SHIPPED = sorted(LADDERS.glob("*.toml"))
STANDARD = (LADDERS / "standard.toml").read_text(encoding="utf-8")
LADDER = parse_ladder("standard", STANDARD)
RATE = Fraction(24)

# ITU-T H.264 table A-1: MaxMBPS, MaxFS, MaxDpbMbs, MaxBR, MaxCPB (1000 bit/s and 1000 bits).
TABLE_A_1 = {
    "1.1": (3_000, 396, 900, 192, 500),
    "1.2": (6_000, 396, 2_376, 384, 1_000),
    "1.3": (11_880, 396, 2_376, 768, 2_000),
    "2": (11_880, 396, 2_376, 2_000, 2_000),
    "2.1": (19_800, 792, 4_752, 4_000, 4_000),
    "2.2": (20_250, 1_620, 8_100, 4_000, 4_000),
    "3": (40_500, 1_620, 8_100, 10_000, 10_000),
    "3.1": (108_000, 3_600, 18_000, 14_000, 14_000),
    "3.2": (216_000, 5_120, 20_480, 20_000, 20_000),
    "4": (245_760, 8_192, 32_768, 20_000, 25_000),
    "4.1": (245_760, 8_192, 32_768, 50_000, 62_500),
    "4.2": (522_240, 8_704, 34_816, 50_000, 62_500),
    "5": (589_824, 22_080, 110_400, 135_000, 135_000),
    "5.1": (983_040, 36_864, 184_320, 240_000, 240_000),
    "5.2": (2_073_600, 36_864, 184_320, 240_000, 240_000),
    "6": (4_177_920, 139_264, 696_320, 240_000, 240_000),
}
HIGH = Fraction(5, 4)
"""cpbBrVclFactor of the High profile over that of the Main profile (table A-2)."""


def picture(width: int, height: int, aspect: Fraction = Fraction(1), rotation: int = 0) -> Picture:
    return Picture(
        width=width,
        height=height,
        sample_aspect=aspect,
        rotation=rotation,
        pixel_format="yuv420p",
        bit_depth=8,
        fields="progressive",
        colour=Colour(None, None, None, full_range=False),
        nominal_rate=None,
        configuration=digest_of(b""),
    )


def sizes(width: int, height: int, **other: object) -> list[tuple[int, int]]:
    shape = picture(width, height, **other)  # type: ignore[arg-type]
    return [(rung.width, rung.height) for rung in fit(LADDER, shape, RATE)]


LENGTHS = st.integers(16, 8192)
EVEN = st.integers(8, 2048).map(lambda half: 2 * half)
ASPECTS = st.sampled_from(
    [
        Fraction(1),
        Fraction(16, 15),
        Fraction(64, 45),
        Fraction(8, 9),
        Fraction(32, 27),
        Fraction(4, 3),
    ]
)
PICTURES = st.builds(picture, LENGTHS, LENGTHS, ASPECTS, st.sampled_from([0, 90, 180, 270]))


def shown(film: Picture) -> tuple[Fraction, Fraction]:
    """The exact size in square pixels, upright; the picture is only ever widened or heightened."""
    width = film.width * max(film.sample_aspect, Fraction(1))
    height = film.height / min(film.sample_aspect, Fraction(1))
    return (height, width) if film.rotation in (90, 270) else (Fraction(width), height)


# Fitting


@given(width=LENGTHS, height=LENGTHS, rotation=st.sampled_from([0, 90, 180, 270]))
def test_no_rung_is_larger_than_the_source(width: int, height: int, rotation: int) -> None:
    film = picture(width, height, rotation=rotation)
    most_wide, most_high = shown(film)

    rungs = fit(LADDER, film, RATE)

    assert all(rung.width <= most_wide and rung.height <= most_high for rung in rungs)


@given(film=PICTURES)
def test_the_top_rung_is_the_films_own_size(film: Picture) -> None:
    top = fit(LADDER, film, RATE)[-1]
    width, height = shown(film)

    assert (top.width, top.height) == display_size(film)
    assert abs(top.width - width) <= 2 and abs(top.height - height) <= 2


@given(film=PICTURES)
def test_sizes_are_even_and_grow(film: Picture) -> None:
    rungs = fit(LADDER, film, RATE)
    areas = [rung.width * rung.height for rung in rungs]

    assert all(rung.width % 2 == rung.height % 2 == 0 for rung in rungs)
    assert all(rung.width >= 2 and rung.height >= 2 for rung in rungs)
    assert areas == sorted(set(areas))


@given(film=PICTURES)
def test_every_rung_has_a_name_of_its_own(film: Picture) -> None:
    names = [rung.name for rung in fit(LADDER, film, RATE)]

    assert sorted(names) == sorted(set(names))


@given(film=PICTURES)
def test_a_box_bounds_every_rung_below_the_top(film: Picture) -> None:
    boxes = {box.name: box for box in LADDER.boxes}
    vertical = display_size(film)[0] < display_size(film)[1]

    for rung in fit(LADDER, film, RATE)[:-1]:
        box = boxes[rung.name]
        within = (box.height, box.width) if vertical else (box.width, box.height)
        assert (rung.width, rung.height) <= within and rung.height <= within[1]


@given(film=PICTURES)
def test_the_aspect_is_kept_as_far_as_even_sizes_allow(film: Picture) -> None:
    width, height = display_size(film)

    for rung in fit(LADDER, film, RATE):
        if min(rung.width, rung.height) > 2:
            assert abs(rung.width * height - rung.height * width) <= width + height


@given(width=LENGTHS, height=LENGTHS)
def test_a_turned_film_has_the_turned_sizes(width: int, height: int) -> None:
    assume(width != height)
    upright = sizes(width, height)

    assert sizes(height, width) == [(y, x) for x, y in upright]
    assert sizes(width, height, rotation=90) == sizes(height, width)
    assert sizes(width, height, rotation=180) == upright


@pytest.mark.parametrize(
    ("width", "height", "expected"),
    [
        (1920, 1080, [(426, 240), (640, 360), (854, 480), (1280, 720), (1920, 1080)]),
        (1920, 800, [(426, 178), (640, 266), (854, 356), (1280, 534), (1920, 800)]),
        (1080, 1920, [(240, 426), (360, 640), (480, 854), (720, 1280), (1080, 1920)]),
        (1280, 720, [(426, 240), (640, 360), (854, 480), (1280, 720)]),
        (640, 480, [(320, 240), (480, 360), (640, 480)]),
        (160, 90, [(160, 90)]),
        (428, 240, [(428, 240)]),
        (2, 2, [(2, 2)]),
    ],
    ids=str,
)
def test_ladders_of_usual_films(width: int, height: int, expected: list[tuple[int, int]]) -> None:
    assert sizes(width, height) == expected


@pytest.mark.parametrize(
    ("size", "aspect", "expected"),
    [
        ((720, 576), Fraction(64, 45), (1024, 576)),
        ((720, 576), Fraction(16, 15), (768, 576)),
        ((720, 480), Fraction(8, 9), (720, 540)),
        ((1440, 1080), Fraction(4, 3), (1920, 1080)),
    ],
    ids=str,
)
def test_pixels_of_another_shape_become_square_and_none_is_lost(
    size: tuple[int, int], aspect: Fraction, expected: tuple[int, int]
) -> None:
    assert display_size(picture(*size, aspect)) == expected
    assert display_size(picture(*size, aspect, 90)) == expected[::-1]
    assert display_size(picture(*size, aspect, 180)) == expected


def test_a_film_above_the_ladder_has_its_own_size_on_top() -> None:
    rungs = fit(LADDER, picture(7680, 4320), RATE)

    assert (rungs[-1].width, rungs[-1].height) == (7680, 4320)
    assert (rungs[-2].width, rungs[-2].height) == (3840, 2160)
    assert rungs[-1].name != rungs[-2].name


def test_a_rung_that_is_nearly_the_source_gives_way_to_it() -> None:
    assert sizes(900, 506) == [(426, 240), (640, 360), (900, 506)]
    assert sizes(960, 540) == [(426, 240), (640, 360), (854, 480), (960, 540)]


def test_a_rung_is_told_what_its_ladder_says() -> None:
    (rung,) = fit(LADDER, picture(426, 240), Fraction(30_000, 1001))

    assert (rung.name, rung.codec, rung.preset, rung.crf) == ("240p", "h264", "medium", 23)
    assert (rung.maxrate, rung.bufsize, rung.reference_frames) == (400_000, 800_000, 3)
    assert rung.rate == Fraction(30_000, 1001)


def test_the_name_of_a_rung_decides_nothing() -> None:
    (rung,) = fit(LADDER, picture(426, 240), RATE)

    assert replace(rung, name="small").as_parameters() == rung.as_parameters()
    for field, value in {"width": 428, "crf": 24, "threads": 2, "rate": Fraction(25)}.items():
        assert replace(rung, **{field: value}).as_parameters() != rung.as_parameters()  # type: ignore[arg-type]


# Levels


def allows(
    level: str, width: int, height: int, rate: Fraction, bufsize: int, references: int
) -> bool:
    """ITU-T H.264 A.3.1 and A.3.2 for the High profile; the buffer is twice the rate."""
    per_second, per_frame, buffered, max_rate, max_buffer = TABLE_A_1[level]
    across, down = ceil(width / 16), ceil(height / 16)
    return (
        across * down <= per_frame
        and across * down * rate <= per_second
        and min(floor(buffered / (across * down)), 16) >= max(references, 3)
        and bufsize <= HIGH * max_buffer * 1000
        and bufsize / 2 <= HIGH * max_rate * 1000
        and across**2 <= 8 * per_frame
        and down**2 <= 8 * per_frame
    )


def h264_level(width: int, height: int, rate: Fraction, kbps: int, references: int) -> str:
    return CODECS["h264"].level(Demand(width, height, rate, 2000 * kbps, references, "high"))


@given(
    width=st.integers(16, 4096), height=st.integers(16, 4096),
    rate=st.sampled_from([Fraction(24), Fraction(30_000, 1001), Fraction(60)]),
    maxrate=st.integers(10, 40_000), references=st.integers(1, 8),
)  # fmt: skip
def test_the_level_allows_the_stream(
    width: int, height: int, rate: Fraction, maxrate: int, references: int
) -> None:
    level = h264_level(width, height, rate, maxrate, references)

    if level != "6":
        assert allows(level, width, height, rate, 2000 * maxrate, references)


@given(
    width=st.integers(16, 4096), height=st.integers(16, 4096),
    rate=st.sampled_from([Fraction(24), Fraction(30_000, 1001), Fraction(60)]),
    maxrate=st.integers(10, 40_000), references=st.integers(1, 8),
)  # fmt: skip
def test_no_lower_level_allows_the_stream(
    width: int, height: int, rate: Fraction, maxrate: int, references: int
) -> None:
    level = h264_level(width, height, rate, maxrate, references)
    lower = list(TABLE_A_1)[: list(TABLE_A_1).index(level)]

    assert not [
        one for one in lower if allows(one, width, height, rate, 2000 * maxrate, references)
    ]


@pytest.mark.parametrize(
    ("size", "rate", "kbps", "references", "level"),
    [
        ((176, 144), 15, 96, 3, "1.1"),
        ((320, 240), 20, 240, 3, "1.2"),
        ((426, 240), 24, 400, 3, "2.1"),
        ((640, 360), 24, 800, 3, "3"),
        ((854, 480), 24, 1400, 3, "3"),
        ((854, 480), 30, 1400, 3, "3.1"),
        ((720, 576), 25, 2000, 3, "3"),
        ((1280, 720), 30, 3200, 3, "3.1"),
        ((1280, 720), 60, 3200, 3, "3.2"),
        ((1920, 1080), 30, 6000, 4, "4"),
        ((1920, 1080), 30, 20_000, 4, "4.1"),
        ((1920, 1080), 60, 6000, 4, "4.2"),
        ((1920, 1080), 30, 6000, 5, "5"),
        ((2560, 1440), 30, 10_000, 3, "5"),
        ((3840, 2160), 30, 18_000, 3, "5.1"),
        ((3840, 2160), 60, 18_000, 3, "5.2"),
        ((7680, 4320), 30, 60_000, 3, "6"),
        ((4096, 64), 24, 1000, 3, "4"),
        ((4112, 64), 24, 1000, 3, "4.2"),
        ((1920, 1080), 30, 14_000, 3, "4"),
    ],
    ids=str,
)
def test_levels_of_the_standard(
    size: tuple[int, int], rate: int, kbps: int, references: int, level: str
) -> None:
    assert h264_level(*size, Fraction(rate), kbps, references) == level


def test_equal_ladders_give_equal_keys() -> None:
    whole = parse_ladder("a", STANDARD)
    point = parse_ladder("a", STANDARD.replace("crf = 23", "crf = 23.0"))
    (one,), (two,) = (fit(ladder, picture(160, 90), RATE) for ladder in (whole, point))

    assert one == two
    assert str(one.as_parameters()) == str(two.as_parameters())


@given(width=EVEN, height=EVEN, film=PICTURES)
def test_a_box_of_even_size_bounds_what_is_fitted_in_it(
    width: int, height: int, film: Picture
) -> None:
    ladder = replace(LADDER, boxes=(Box("only", width, height, 1000), Box("top", 8192, 8192, 9000)))
    turned = display_size(film)[0] < display_size(film)[1]
    within = (height, width) if turned else (width, height)

    for rung in fit(ladder, film, RATE):
        if rung.name == "only":
            assert rung.width <= within[0] and rung.height <= within[1]


@given(film=PICTURES)
def test_a_ladder_may_end_at_its_largest_box(film: Picture) -> None:
    box = Box("only", 640, 640, 1000)
    (rung,) = fit(replace(LADDER, boxes=(box,), own_size=False), film, RATE)
    largest = max(display_size(film))

    assert max(rung.width, rung.height) <= max(640 / NEARLY_THE_SOURCE + 2, 640)
    if largest <= 640:
        assert (rung.width, rung.height) == display_size(film)


def test_rungs_of_other_families_are_named_by_them() -> None:
    film = picture(640, 360)
    names = {
        fit(replace(LADDER, codec=codec, depth=depth, profile=profile), film, RATE)[0].name
        for codec, depth, profile in (
            ("h264", 8, "high"), ("h264", 8, "baseline"), ("hevc", 8, "main"),
            ("hevc", 10, "main10"), ("av1", 10, "main"), ("vp9", 8, "0"),
        )
    }  # fmt: skip
    assert names == {
        "240p", "h264-baseline-240p", "hevc-240p", "hevc-10-240p", "av1-10-240p", "vp9-240p",
    }  # fmt: skip


def test_keys_of_the_first_family_are_those_that_they_were() -> None:
    (one, *_) = fit(LADDER, picture(640, 360), RATE)
    ten = replace(one, codec="av1", depth=10, profile="main")

    assert not {"depth", "profile"} & one.as_parameters().keys()
    assert {"depth", "profile"} <= ten.as_parameters().keys()


EVERY = [parse_ladder(path.stem, path.read_text(encoding="utf-8")) for path in SHIPPED]


@given(
    ladders=st.lists(st.sampled_from(EVERY), min_size=1, unique_by=lambda one: one.family),
    transfer=st.sampled_from([None, "bt709", PQ, HLG]),
    width=st.integers(100, 4000),
    height=st.integers(100, 4000),
)
def test_a_high_dynamic_range_is_kept_where_there_is_one_and_beside_what_all_screens_show(
    ladders: list[Ladder], transfer: str | None, width: int, height: int
) -> None:
    film = replace(
        picture(width, height), colour=Colour("bt2020", transfer, "bt2020nc", full_range=False)
    )
    rungs = fit_all(ladders, film, RATE)
    bright = [rung for rung in rungs if rung.hdr]

    assert rungs[0].hdr is None
    assert len({rung.name for rung in rungs}) == len(rungs)
    assert list(rungs[len(rungs) - len(bright) :]) == bright
    if film.is_hdr:
        families = {(ladder.codec, ladder.profile) for ladder in ladders if ladder.hdr}
        assert {(rung.codec, rung.profile) for rung in bright} == families
        assert {(rung.depth, rung.hdr) for rung in bright} <= {(10, film.hdr)}
        asked = {(ladder.codec, ladder.profile): ladder.crf for ladder in ladders if ladder.hdr}
        for rung in bright:
            low, high = CODECS[rung.codec].crf
            assert low <= rung.crf < min(high, asked[rung.codec, rung.profile])
    else:
        assert rungs == tuple(r for ladder in ladders for r in fit(ladder, film, RATE))


def test_only_ladders_of_ten_bits_in_codecs_that_tell_colours_keep_a_range() -> None:
    assert {ladder.name for ladder in EVERY if ladder.hdr} == {
        "hevc-10", "av1-10", "download", "archive",
    }  # fmt: skip
    with pytest.raises(LadderInvalid, match=r"HEVC and AV1 of 10 have"):
        parse_ladder("mine", STANDARD.replace('"h264"', '"h264"\nhdr = true', 1))
    text = (LADDERS / "hevc-10.toml").read_text(encoding="utf-8")
    assert not parse_ladder("mine", text.replace("depth = 10", "depth = 10\nhdr = false", 1)).hdr


# Settings per shot


def with_video(*lines: str) -> str:
    return STANDARD.replace("crf = 23", "\n".join(["crf = 23", *lines]))


def test_a_ladder_that_says_nothing_is_fixed() -> None:
    assert not LADDER.is_searched
    assert LADDER.target_vmaf is None


def test_a_target_asks_for_settings_per_shot() -> None:
    ladder = parse_ladder("wish", with_video("target_vmaf = 93"))

    assert ladder.is_searched
    assert (ladder.target_vmaf, ladder.shot_margin) == (93.0, 1.5)
    assert not ladder.with_settings("fixed").is_searched
    assert LADDER.with_target(90).target_vmaf == 90
    assert parse_ladder("wish", with_video('settings = "per-shot"')).is_searched


def test_rungs_from_the_title_may_have_a_target() -> None:
    plain = parse_ladder("wish", with_video('settings = "per-title"'))
    aimed = parse_ladder("wish", with_video('settings = "per-title"', "target_vmaf = 93"))

    assert plain.is_per_title
    assert plain.with_target(93) == replace(aimed, name="wish")
    assert not LADDER.with_target(93).is_per_title


@pytest.mark.parametrize(
    ("seconds", "has_time", "settings"),
    [(60, True, "per-title"), (Fraction(5999, 100), True, "fixed"), (7200, False, "fixed")],
)
def test_a_film_that_is_long_enough_has_rungs_of_its_own_by_itself(
    seconds: Fraction, has_time: bool, settings: str
) -> None:
    ladder = parse_ladder("wish", with_video('settings = "auto"', "slowest_kbps = 99"))

    assert not ladder.is_searched
    assert ladder.for_film(seconds, has_time=has_time) == ladder.with_settings(settings)
    assert LADDER.for_film(seconds, has_time=has_time) == LADDER


@pytest.mark.parametrize(
    ("lines", "fault"),
    [
        (['settings = "best"'], "settings 'best' are not fixed, per-shot, per-title or auto"),
        (['settings = "auto"', "target_vmaf = 93"], "target_vmaf is for settings per-shot or"),
        (['settings = "fixed"', "target_vmaf = 93"], "target_vmaf is for settings per-shot or"),
        (["target_vmaf = 12"], "target_vmaf is not from 20 to 99"),
        (["target_vmaf = 99.5"], "target_vmaf is not from 20 to 99"),
        (["target_vmaf = 93", "shot_margin = 0"], "shot_margin is not from 0.1 to 20"),
        (['settings = "per-shot"', "shot_margin = 2"], "shot_margin is for a ladder with target"),
        (["slowest_kbps = 99"], "slowest_kbps is for settings per-title or auto"),
        (['settings = "per-title"', "slowest_kbps = 5"], "slowest_kbps is not from 10 to 5000"),
        (["shot_margin = 2"], "shot_margin is for settings per-shot"),
        (['target_vmaf = "high"'], "target_vmaf = 'high' is of a wrong type"),
    ],
)
def test_settings_that_make_no_sense_are_refused(lines: list[str], fault: str) -> None:
    with pytest.raises(LadderInvalid, match=re.escape(fault)):
        parse_ladder("wish", with_video(*lines))


# Film grain


AV1_TEXT = (LADDERS / "av1.toml").read_text(encoding="utf-8")


def with_grain(value: str, *lines: str, text: str = AV1_TEXT) -> Ladder:
    said = 'film_grain = "auto"'
    assert said in text
    return parse_ladder("mine", text.replace(said, "\n".join([f"film_grain = {value}", *lines])))


def test_film_grain_is_off_where_nothing_is_said_and_auto_in_shipped_ladders_of_av1() -> None:
    asked = {ladder.codec for ladder in EVERY if ladder.film_grain}

    assert asked == {"av1"}
    assert {ladder.film_grain for ladder in EVERY if ladder.codec == "av1"} == {AUTO}
    assert with_grain('"off"').film_grain == with_grain("0").film_grain == 0


def test_a_strength_is_that_of_every_rung_and_what_is_off_is_not_in_keys() -> None:
    film = picture(640, 360)
    rungs = {value: fit(with_grain(value), film, RATE) for value in ("12", '"auto"', '"off"')}

    assert {rung.film_grain for rung in rungs["12"]} == {12}
    assert rungs['"auto"'] == rungs['"off"']
    assert all(rung.as_parameters()["film_grain"] == 12 for rung in rungs["12"])
    assert not any("film_grain" in rung.as_parameters() for rung in rungs['"off"'])


def test_with_a_target_of_vmaf_there_is_no_grain() -> None:
    assert with_grain('"auto"', "target_vmaf = 90").film_grain == 0
    assert with_grain("12").with_target(90).film_grain == 0
    with pytest.raises(LadderInvalid, match="film_grain and target_vmaf exclude each other"):
        with_grain("12", "target_vmaf = 90")


@pytest.mark.parametrize("value", ["51", "-1", '"some"', "1.5", "true"])
def test_a_strength_that_is_none_is_refused(value: str) -> None:
    with pytest.raises(LadderInvalid, match="film_grain"):
        with_grain(value)


def test_other_codecs_tell_no_grain() -> None:
    with pytest.raises(LadderInvalid, match=re.escape("H.264 tells no film grain; AV1 does")):
        parse_ladder("mine", with_video('film_grain = "auto"'))
    assert parse_ladder("mine", with_video('film_grain = "off"')).film_grain == 0


def test_av1_with_static_metadata_is_tone_mapped_where_it_is_encrypted() -> None:
    ladders = [one for one in EVERY if one.name in ("hevc-10", "av1-10")]
    film = replace(
        picture(640, 360), colour=Colour("bt2020", PQ, "bt2020nc", full_range=False),
        light=Light(1000, 400),
    )  # fmt: skip

    def kept(film: Picture) -> set[str]:
        rungs = fit_all(ladders, film, RATE, is_encrypted=True)
        return {rung.codec for rung in rungs if rung.hdr}

    assert kept(film) == {"hevc"}
    assert kept(replace(film, light=None)) == {"hevc", "av1"}
