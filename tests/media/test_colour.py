"""Colours of a high dynamic range: told in boxes and bitstreams, read back, compared."""

import json
from dataclasses import asdict, replace
from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from matinee.media.boxes import BoxError, boxes, require
from matinee.media.codecs import CODECS, av1, hevc
from matinee.media.codecs.bits import Bits
from matinee.media.colour import (
    HLG,
    PQ,
    ROUNDING,
    Colours,
    Hdr,
    Light,
    Mastering,
    differences,
    hdr_from_json,
    told_hdr,
)
from matinee.media.colour_boxes import colour_boxes, with_colours
from matinee.media.judges import judge_colour
from matinee.media.sample_entries import SampleEntry, read_sample_entry
from matinee.media.source import (
    STILL,
    SourceInfo,
    source_as_json,
    source_from_json,
    still_picture,
)

WORD = st.integers(0, 65_535)
POINT = st.tuples(WORD, WORD)
LIGHTS = st.builds(Light, st.integers(1, 65_535), WORD)
MASTERINGS = st.builds(
    Mastering, POINT, POINT, POINT, POINT, st.integers(1, 2**32 - 1), st.integers(0, 50_000)
)
COLOURS = st.builds(
    Colours, WORD, WORD, WORD, st.booleans(), st.none() | MASTERINGS, st.none() | LIGHTS
)
DISPLAY = Mastering(
    (34_000, 16_000), (13_250, 34_500), (7_500, 3_000), (15_635, 16_450), 10_000_000, 50
)
"""BT.2020 in a display of 1000 cd/m2, as films are mastered."""

HDR10 = Hdr("bt2020", PQ, "bt2020nc", DISPLAY, Light(1000, 400))


def box(kind: str, content: bytes = b"") -> bytes:
    return (8 + len(content)).to_bytes(4, "big") + kind.encode() + content


def init_of(inside: bytes) -> bytes:
    """An init segment as far as colours go, with something behind its sample entry."""
    entry = box("hvc1", bytes(78) + box("hvcC", bytes(23)) + inside)
    stsd = box("stsd", bytes(4) + b"\0\0\0\1" + entry)
    stbl = box("stbl", stsd + box("stts", bytes(8)))
    mdia = box("mdia", box("minf", stbl))
    moov = box("moov", box("mvhd") + box("trak", box("tkhd") + mdia) + box("mvex", bytes(4)))
    return box("ftyp", b"cmfc") + moov


def entry_in(data: bytes) -> SampleEntry:
    path = ("moov", "trak", "mdia", "minf", "stbl", "stsd")
    return read_sample_entry(data, require(data, None, *path), "vide")


@given(colours=COLOURS, before=st.none() | COLOURS)
def test_an_init_segment_tells_the_colours_that_it_was_given(
    colours: Colours, before: Colours | None
) -> None:
    other = box("pasp", b"\0\0\0\1\0\0\0\1")
    init = init_of((colour_boxes(before) if before else b"") + other)

    told = with_colours(init, colours)

    assert entry_in(told).colours == colours
    assert with_colours(told, colours) == told
    assert [one.kind for one in boxes(told)] == ["ftyp", "moov"]
    assert with_colours(init_of(other), colours) == told


def test_an_init_segment_of_sound_has_no_colours() -> None:
    with pytest.raises(BoxError):
        with_colours(box("ftyp") + box("moov"), HDR10.colours)


@given(wanted=COLOURS)
def test_what_is_alike_has_no_differences(wanted: Colours) -> None:
    assert differences(wanted, wanted) == []
    assert judge_colour("video", wanted, wanted, [wanted, wanted]).passed


@given(wanted=COLOURS, other=COLOURS)
def test_what_is_unlike_is_told(wanted: Colours, other: Colours) -> None:
    one, two = wanted.mastering, other.mastering
    if one and two:
        assume(max(abs(a - b) for a, b in zip(one, two, strict=True)) > ROUNDING)
    assume(wanted != other)

    assert differences(other, wanted)
    verdict = judge_colour("video", wanted, wanted, [wanted, other])
    assert not verdict.passed
    assert all(reason.startswith("segment 2 ") for reason in verdict.reasons)
    assert not judge_colour("video", wanted, other, [wanted]).passed


def test_colours_that_nothing_tells_are_told_of() -> None:
    assert len(judge_colour("video", HDR10.colours, None, []).reasons) == 2


@given(mastering=MASTERINGS)
def test_the_mastering_display_is_what_av1_rounds_it_to(mastering: Mastering) -> None:
    """Section 6.7.4: 0.16, 24.8 and 18.14 fixed point."""
    assume(mastering.brightest < 2**32 // 256 * 10_000)
    places = (*mastering.red, *mastering.green, *mastering.blue, *mastering.white)
    assume(all(place < 50_000 for place in places))
    content = b"".join(round(Fraction(p, 50_000) * 65_536).to_bytes(3, "big")[1:] for p in places)
    content += round(Fraction(mastering.brightest, 10_000) * 256).to_bytes(4, "big")
    content += round(Fraction(mastering.darkest, 10_000) * 16_384).to_bytes(4, "big")
    assume(all(round(Fraction(p, 50_000) * 65_536) < 65_536 for p in places))

    unit = bytes([5 << 3 | 2, len(content) + 2, av1.MASTERING]) + content + b"\x80"
    header = bytes.fromhex("0a0b00000024c4ffdf00680010")  # of a real film, in 8 bits
    told = av1.colours(bytes(4), header + unit).mastering

    assert told is not None
    apart = [abs(one - other) for one, other in zip(told, mastering, strict=True)]
    assert max(apart[:8]) <= ROUNDING and apart[9] <= ROUNDING
    assert apart[8] <= 20  # half of 1/256 cd/m2


@given(messages=st.lists(st.tuples(st.integers(0, 600), st.binary(max_size=600)), max_size=4))
def test_every_sei_message_is_found(messages: list[tuple[int, bytes]]) -> None:
    def number(value: int) -> bytes:
        return b"\xff" * (value // 255) + bytes([value % 255])

    data = b"".join(number(kind) + number(len(body)) + body for kind, body in messages)

    assert list(hevc.sei_messages(data + b"\x80")) == messages


def test_an_sei_message_that_is_cut_short_is_refused() -> None:
    with pytest.raises(BoxError):
        list(hevc.sei_messages(bytes([137, 24, 1, 2, 3])))


@given(numbers=st.lists(st.integers(0, 2**32 - 2), min_size=1))
def test_exp_golomb_numbers_are_read_as_they_are_written(numbers: list[int]) -> None:
    written = "".join("0" * (len(f"{n + 1:b}") - 1) + f"{n + 1:b}" for n in numbers)
    written += "0" * (-len(written) % 8)
    bits = Bits(int(written, 2).to_bytes(len(written) // 8, "big"))

    assert [bits.golomb() for _ in numbers] == numbers


@pytest.mark.parametrize("data", [b"\0" * 8, b"\0\0"])
def test_an_endless_number_is_refused(data: bytes) -> None:
    with pytest.raises(BoxError):
        Bits(data).golomb()


@given(
    hdr=st.builds(
        Hdr, st.sampled_from(["bt2020", "bt709"]), st.sampled_from([PQ, HLG]),
        st.just("bt2020nc"), st.none() | MASTERINGS, st.none() | LIGHTS,
    )
)  # fmt: skip
def test_a_range_comes_back_from_json(hdr: Hdr) -> None:
    assert hdr_from_json(json.loads(json.dumps(asdict(hdr)))) == hdr


def test_a_range_is_named_by_what_it_has() -> None:
    assert told_hdr(HDR10) == "HDR10, mastered for 1000 cd/m2, MaxCLL 1000, MaxFALL 400"
    assert replace(HDR10, mastering=None, light=None).label == "PQ"
    assert (replace(HDR10, transfer=HLG).label, replace(HDR10, transfer=HLG).video_range) == (
        "HLG", "HLG",
    )  # fmt: skip
    assert HDR10.colours.as_json()["mastering"]["white"] == [0.3127, 0.329]


def test_only_codecs_that_tell_colours_have_room_for_them() -> None:
    assert [name for name, codec in CODECS.items() if codec.colours] == ["hevc", "av1"]


@given(mastering=st.none() | MASTERINGS, light=st.none() | LIGHTS)
def test_a_film_comes_back_from_json_with_its_range_and_from_before_it_was_read(
    mastering: Mastering | None, light: Light | None
) -> None:
    picture = replace(still_picture(), mastering=mastering, light=light)
    info = SourceInfo("mov", 1, (), STILL, picture)
    document = json.loads(json.dumps(source_as_json(info)))

    assert source_from_json(document) == info
    del document["picture"]["mastering"], document["picture"]["light"]
    assert source_from_json(document).picture == still_picture()
