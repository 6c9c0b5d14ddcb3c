"""What each codec says of itself: levels, codec strings, headers, key frames."""

import contextlib
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matinee.media.boxes import Box, BoxError, Fields
from matinee.media.codecs import BY_ENTRY, CODECS
from matinee.media.codecs.codec import Codec, Demand, Told
from matinee.media.codecs.sound import AC3, SOUND_CODECS

EACH = pytest.mark.parametrize("codec", CODECS.values(), ids=list(CODECS))


def demand(codec: Codec, size: tuple[int, int], rate: int, kbps: int) -> Demand:
    return Demand(*size, Fraction(rate), 2000 * kbps, 3, codec.default_profile)


@pytest.mark.parametrize(
    ("name", "size", "rate", "kbps", "level"),
    [
        ("hevc", (416, 240), 24, 300, "2"),
        ("hevc", (640, 360), 30, 500, "2.1"),
        ("hevc", (960, 540), 30, 3000, "3"),
        ("hevc", (1280, 720), 30, 3000, "3.1"),
        ("hevc", (1920, 1080), 30, 4000, "4"),
        ("hevc", (1920, 1080), 60, 8000, "4.1"),
        ("hevc", (1920, 1080), 30, 11_000, "5"),
        ("hevc", (3840, 2160), 30, 11_000, "5"),
        ("hevc", (3840, 2160), 60, 18_000, "5.1"),
        ("hevc", (7680, 4320), 60, 50_000, "6.1"),
        ("av1", (256, 144), 30, 100, "2"),
        ("av1", (640, 360), 30, 400, "2.1"),
        ("av1", (854, 480), 30, 700, "3"),
        ("av1", (1280, 720), 30, 1600, "3.1"),
        ("av1", (1920, 1080), 30, 3000, "4"),
        ("av1", (1920, 1080), 60, 3000, "4.1"),
        ("av1", (3840, 2160), 30, 9000, "5"),
        ("av1", (3840, 2160), 60, 9000, "5.1"),
        ("av1", (256, 144), 30, 1600, "2.1"),
        ("vp9", (256, 144), 20, 90, "1"),
        ("vp9", (256, 144), 30, 130, "1.1"),
        ("vp9", (640, 360), 30, 520, "2.1"),
        ("vp9", (854, 480), 30, 910, "3"),
        ("vp9", (1280, 720), 30, 2080, "3.1"),
        ("vp9", (1920, 1080), 30, 3900, "4"),
        ("vp9", (1920, 1080), 60, 3900, "4.1"),
        ("vp9", (3840, 2160), 30, 11_700, "5"),
        ("h264", (426, 240), 24, 400, "2.1"),
    ],
)  # fmt: skip
def test_levels_are_those_of_the_standards(
    name: str, size: tuple[int, int], rate: int, kbps: int, level: str
) -> None:
    assert CODECS[name].level(demand(CODECS[name], size, rate, kbps)) == level


@EACH
@given(
    width=st.integers(16, 8192), height=st.integers(16, 8192), rate=st.integers(1, 60),
    kbps=st.integers(10, 200_000), more=st.integers(0, 1000),
)  # fmt: skip
def test_more_never_needs_a_lower_level(
    codec: Codec, width: int, height: int, rate: int, kbps: int, more: int
) -> None:
    less = codec.level(demand(codec, (width, height), rate, kbps))
    most = codec.level(demand(codec, (width + more, height + more), rate + 1, kbps + more))

    assert float(less) <= float(most)


def test_a_lower_profile_of_h264_has_less_of_a_bit_rate() -> None:
    high, baseline = (
        CODECS["h264"].level(Demand(640, 360, Fraction(24), 24_000_000, 3, profile))
        for profile in ("high", "baseline")
    )
    assert (high, baseline) == ("3.2", "4")


@pytest.mark.parametrize(
    ("string", "level", "depth"),
    [
        ("avc1.64000c", "1.2", 8),
        ("avc1.42c01e", "3", 8),
        ("avc1.640028", "4", 8),
        ("avc1.6e0033", "5.1", 10),
        ("hvc1.1.6.L93.90", "3.1", 8),
        ("hvc1.2.4.L120.90", "4", 10),
        ("av01.0.00M.08", "2", 8),
        ("av01.0.05M.10", "3.1", 10),
        ("av01.0.08M.10.0.110.01.01.01.0", "4", 10),
        ("av01.0.13H.08", "5.1", 8),
        ("vp09.00.11.08.01.01.01.01.00", "1.1", 8),
        ("vp09.02.40.10.01.09.16.09.01", "4", 10),
    ],
)
def test_what_a_codec_string_tells(string: str, level: str, depth: int) -> None:
    assert BY_ENTRY[string.split(".", maxsplit=1)[0]].told(string) == Told(level, depth)


# As x264, x265, SVT-AV1 and libvpx wrote them, at 256x144.
AV1_KEY = bytes.fromhex("0a0b020000051dffe3c4af9004320410008d20")
AV1_KEY_OF_10_BITS = bytes.fromhex("0a0b020000051dffe3c4af9404320410008d40")
VP9_KEY = bytes.fromhex("82498342000ff008f60638241c1842000a1050661fdfdff7")
VP9_KEY_OF_10_BITS = bytes.fromhex("924983420007f8047b031c120e0c2900050050661fdfdff8")


def test_an_av1_key_frame_tells_its_profile_level_and_depth() -> None:
    codec = CODECS["av1"]

    for sample, depth in ((AV1_KEY, "08"), (AV1_KEY_OF_10_BITS, "10")):
        assert codec.is_key(sample, 0)
        assert codec.coded_string("av01", b"", sample) == f"av01.0.00M.{depth}"
        assert codec.header(b"", sample) == sample[2:13]


def test_a_vp9_key_frame_tells_its_depth_and_size() -> None:
    codec = CODECS["vp9"]
    stated = bytes(5) + bytes([11, 0x80, 1, 1, 1]) + bytes(2)

    assert codec.is_key(VP9_KEY, 0)
    assert codec.header(b"", VP9_KEY).endswith(b"256x144")
    assert codec.header(b"", VP9_KEY) != codec.header(b"", VP9_KEY_OF_10_BITS)
    for sample, told in ((VP9_KEY, ".00.11.08."), (VP9_KEY_OF_10_BITS, ".02.11.10.")):
        assert told in codec.coded_string("vp09", stated, sample)


def test_a_frame_that_is_shown_again_is_no_key() -> None:
    assert CODECS["av1"].is_key(bytes.fromhex("1a0180"), 0) is False
    assert CODECS["vp9"].is_key(bytes.fromhex("8800"), 0) is False


@EACH
def test_a_sample_without_a_picture_is_no_key(codec: Codec) -> None:
    assert codec.is_key(b"", 4) is None


@EACH
@given(sample=st.binary(max_size=80), configuration=st.binary(max_size=80), which=st.booleans())
def test_bytes_that_make_no_sense_are_a_box_error_at_most(
    codec: Codec, sample: bytes, configuration: bytes, which: bool
) -> None:
    begins = {"av1": AV1_KEY[:6], "vp9": VP9_KEY[:6], "h264": b"\1\x64\0\x0b\xff\xe1"}
    if which:
        begin = begins.get(codec.name, b"")
        sample, configuration = begin + sample, begin + configuration
    for read in (
        lambda: codec.is_key(sample, 4),
        lambda: codec.header(configuration, sample),
        lambda: codec.coded_string(codec.entries[0], configuration, sample),
        lambda: codec.string(
            codec.entries[0], Fields(configuration, Box(codec.box, 0, 0, len(configuration)))
        ),
    ):
        with contextlib.suppress(BoxError):
            read()


def test_names_and_entries_are_of_one_codec_each() -> None:
    entries = [entry for codec in CODECS.values() for entry in codec.entries]
    entries += [codec.entry for codec in SOUND_CODECS.values()]

    assert len(set(entries)) == len(entries)


@given(wished=st.integers(1, 2_000_000))
def test_ac_3_has_the_next_lower_of_its_rates(wished: int) -> None:
    rate = AC3.bit_rate(wished)

    assert rate in AC3.totals
    assert rate <= max(wished, AC3.totals[0])
    assert not any(rate < other <= wished for other in AC3.totals)
