import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matinee.media import dash_edits
from matinee.media.boxes import find, require
from matinee.media.cmaf import read_init, read_segment
from matinee.media.conformance import Expected, check_package
from matinee.media.conformance_report import ExpectedFlags
from matinee.media.hls import read_multivariant, write_multivariant
from matinee.media.hls_edits import rebased

from .conftest import DASH, FOLDER, HLS, Package

pytestmark = pytest.mark.tools

Files = dict[str, bytes]
V180, V90, EN = "renditions/v180", "renditions/v90", "renditions/en"


def codes(files: Files, expected: Expected) -> set[str]:
    return {finding.code for finding in check_package(files.__getitem__, HLS, DASH, expected)}


def test_a_clean_package_has_no_findings(package: Package) -> None:
    assert check_package(package.files.__getitem__, HLS, DASH, package.expected) == []


def test_each_file_is_read_once(package: Package) -> None:
    reads: list[str] = []

    def read(path: str) -> bytes:
        reads.append(path)
        return package.files[path]

    check_package(read, HLS, DASH, package.expected)

    assert sorted(reads) == sorted(package.files)


def test_entry_manifests_reach_the_same_files(package: Package) -> None:
    files = dict(package.files)
    playlist = rebased(read_multivariant(files[HLS].decode()), f"{FOLDER}/")
    files["main.m3u8"] = write_multivariant(playlist).encode()
    files["manifest.mpd"] = dash_edits.rebased(files[DASH], f"{FOLDER}/").encode()

    assert not check_package(files.__getitem__, "main.m3u8", "manifest.mpd", package.expected)


def test_the_packager_counts_no_subtitles_and_stamps_times(raw_package: Package) -> None:
    found = codes(dict(raw_package.files), raw_package.expected)

    assert {"init.times", "hls.version", "hls.bandwidth"} <= found


def swapped(first: str, second: str) -> Callable[[Files], None]:
    def plant(files: Files) -> None:
        files[first], files[second] = files[second], files[first]

    return plant


def text(path: str, pattern: str, new: str, count: int = 1) -> Callable[[Files], None]:
    def plant(files: Files) -> None:
        changed, times = re.subn(pattern, new, files[path].decode(), count=count)
        assert times, f"{pattern} is not in {path}"
        files[path] = changed.encode()

    return plant


def patched(path: str, *box: str, at: int, new: bytes) -> Callable[[Files], None]:
    def plant(files: Files) -> None:
        data = bytearray(files[path])
        start = require(files[path], None, *box).body + at
        data[start : start + len(new)] = new
        assert bytes(data) != files[path]
        files[path] = bytes(data)

    return plant


def without(path: str) -> Callable[[Files], None]:
    def plant(files: Files) -> None:
        del files[path]

    return plant


def truncated(files: Files) -> None:
    files[f"{V180}/00002.m4s"] = files[f"{V180}/00002.m4s"][:-10]


def padded_mdat(files: Files) -> None:
    path = f"{V180}/00002.m4s"
    mdat = find(files[path], None, "mdat")
    assert mdat
    size = (mdat.size + 4).to_bytes(4, "big")
    files[path] = files[path][: mdat.start] + size + files[path][mdat.start + 4 :] + bytes(4)


def not_idr(files: Files) -> None:
    change_first_slice(files, f"{V180}/00002.m4s", 0, 1)


def second_idr(files: Files) -> None:
    change_first_slice(files, f"{V180}/00002.m4s", 5, 5)


def change_first_slice(files: Files, path: str, sample: int, kind: int) -> None:
    data = bytearray(files[path])
    init = read_init(files[f"{V180}/init.mp4"])
    at = read_segment(files[path], init).samples[sample].start
    while data[at + 4] & 0x1F > 5:
        at += 4 + int.from_bytes(data[at : at + 4], "big")
    data[at + 4] = data[at + 4] & 0xE0 | kind
    files[path] = bytes(data)


def second_sync_flag(files: Files) -> None:
    path = f"{V180}/00002.m4s"
    data = bytearray(files[path])
    trun = require(files[path], None, "moof", "traf", "trun")
    assert data[trun.body + 2] == 0x0E  # size, flags and offset of each sample
    at = trun.body + 12 + 12 * 7 + 4
    data[at : at + 4] = bytes(4)
    files[path] = bytes(data)


def fewer_samples(files: Files) -> None:
    path = f"{V180}/00002.m4s"
    data = bytearray(files[path])
    trun = require(files[path], None, "moof", "traf", "trun")
    data[trun.body + 4 : trun.body + 8] = (59).to_bytes(4, "big")
    files[path] = bytes(data)


def rung_in_two_segments(files: Files) -> None:
    text(f"{FOLDER}/v90.m3u8", r"#EXTINF.*\n.*00003.m4s\n", "")(files)
    text(f"{FOLDER}/v90-iframes.m3u8", r"#EXTINF.*\n.*\n.*00003.m4s\n", "")(files)
    before, mark, after = files[DASH].decode().partition("v90/init")
    files[DASH] = (before + mark + re.sub(r'<S t="108108".*>\n', "", after, count=1)).encode()


MVHD, TKHD = ("moov", "mvhd"), ("moov", "trak", "tkhd")
FAULTS: list[tuple[str, Callable[[Files], None]]] = [
    ("file.missing", without(f"{V180}/00002.m4s")),
    ("file.missing", without(f"{EN}/init.mp4")),
    ("file.missing", without(f"{FOLDER}/v90.m3u8")),
    ("file.missing", without("renditions/text/00002.vtt")),
    ("file.missing", without("renditions/thumbs/00001.jpg")),
    ("file.missing", without(DASH)),
    ("file.encoding", lambda files: files.update({HLS: b"#EXTM3U\n\xff"})),
    ("playlist.invalid", text(HLS, "#EXTM3U", "#EXTM4U")),
    ("playlist.invalid", text(f"{FOLDER}/en.m3u8", "#EXT-X-TARGETDURATION.*\n", "")),
    ("mpd.invalid", text(DASH, "<MPD", "<!DOCTYPE MPD><MPD")),
    ("uri.absolute", text(f"{FOLDER}/v180.m3u8", r"\.\./\.\./rend", "https://cdn.example/rend")),
    ("uri.absolute", text(DASH, r'media="../../renditions/en', 'media="/renditions/en')),
    ("uri.escapes", text(f"{FOLDER}/v180.m3u8", r"\.\./\.\./rend", "../../../rend")),
    ("uri.escapes", text(DASH, r'media="../../', 'media="../%2e%2e/../')),
    ("segment.decode_time", swapped(f"{EN}/00001.m4s", f"{EN}/00002.m4s")),
    (
        "segment.decode_time",
        patched(f"{V180}/00002.m4s", "moof", "traf", "tfdt", at=4, new=(48049).to_bytes(4, "big")),
    ),
    ("segment.damaged", truncated),
    ("segment.damaged", patched(f"{EN}/00001.m4s", "moof", "traf", "tfhd", at=4, new=bytes(4))),
    ("segment.mdat", padded_mdat),
    ("segment.mdat", fewer_samples),
    ("segment.brand", patched(f"{EN}/00001.m4s", "styp", at=0, new=b"none" * 7)),
    ("segment.order", patched(f"{EN}/00001.m4s", "styp", at=-4, new=b"free")),
    ("init.brand", patched(f"{EN}/init.mp4", "ftyp", at=0, new=b"none" * 7)),
    ("init.damaged", patched(f"{EN}/init.mp4", "moov", "mvex", "trex", at=-4, new=b"free")),
    ("init.times", patched(f"{EN}/init.mp4", *MVHD, at=4, new=b"\0\0\0\1")),
    ("init.times", patched(f"{V90}/init.mp4", *TKHD, at=8, new=b"\0\0\0\1")),
    ("video.idr", not_idr),
    ("video.idr", second_idr),
    ("video.sync", second_sync_flag),
    ("video.frames", fewer_samples),
    ("video.alignment", rung_in_two_segments),
    ("video.segment_start", rung_in_two_segments),
    ("manifests.differ", text(f"{FOLDER}/v90.m3u8", r"#EXTINF.*\n.*00003.m4s\n", "")),
    ("hls.duration", text(f"{FOLDER}/v90.m3u8", r"#EXTINF.*\n.*00003.m4s\n", "")),
    ("rendition.duration", rung_in_two_segments),
    ("video.size", swapped(f"{V180}/init.mp4", f"{V90}/init.mp4")),
    ("hls.version", text(HLS, "#EXT-X-VERSION.*\n", "")),
    ("hls.independent", text(HLS, "#EXT-X-INDEPENDENT-SEGMENTS\n", "")),
    ("hls.codecs", text(HLS, "mp4a.40.2", "mp4a.40.5")),
    ("hls.codecs", text(HLS, "avc1.64000c,", "avc1.640028,")),
    ("hls.bandwidth", text(HLS, r"([:,])BANDWIDTH=\d(\d+),AV", r"\1BANDWIDTH=1\2,AV", 9)),
    ("hls.average_bandwidth", text(HLS, r"AVERAGE-BANDWIDTH=\d+", "AVERAGE-BANDWIDTH=1000")),
    ("hls.extinf", text(f"{FOLDER}/v180.m3u8", "2.002", "2.004")),
    ("hls.extinf", text(f"{FOLDER}/v90-iframes.m3u8", "2.002", "2.000")),
    ("hls.target_duration", text(f"{FOLDER}/v90.m3u8", "TARGETDURATION:3", "TARGETDURATION:2")),
    ("hls.target_duration", text(f"{FOLDER}/en.m3u8", "TARGETDURATION:3", "TARGETDURATION:1")),
    ("hls.end", text(f"{FOLDER}/fr.m3u8", "#EXT-X-ENDLIST\n", "")),
    ("hls.playlist_type", text(f"{FOLDER}/fr.m3u8", "VOD", "EVENT")),
    ("hls.map", text(f"{FOLDER}/v90.m3u8", "#EXT-X-MAP.*\n", "")),
    ("hls.resolution", text(HLS, "RESOLUTION=320x180", "RESOLUTION=320x181")),
    ("hls.frame_rate", text(HLS, "FRAME-RATE=23.976", "FRAME-RATE=24.000")),
    ("hls.group", text(HLS, ',AUDIO="audio"', ',AUDIO="sound"')),
    ("hls.group", text(HLS, ',SUBTITLES="text"', "", 2)),
    ("hls.language", text(HLS, 'LANGUAGE="fr"', 'LANGUAGE="en"')),
    ("hls.channels", text(HLS, 'CHANNELS="1"', 'CHANNELS="2"')),
    ("hls.default", text(HLS, "DEFAULT=NO", "DEFAULT=YES")),
    ("hls.name", text(HLS, "Français", "English")),
    ("hls.forced", text(HLS, 'CHANNELS="1"', 'CHANNELS="1",FORCED=YES')),
    ("hls.byte_range", text(f"{FOLDER}/v90-iframes.m3u8", r"@(\d)(\d)", r"@\g<1>9")),
    ("hls.byte_range", text(f"{FOLDER}/v90-iframes.m3u8", r"RANGE:(\d)", r"RANGE:1\1")),
    (
        "hls.i_frames",
        text(f"{FOLDER}/v90-iframes.m3u8", r"#EXTINF.*\n#EXT-X-BYTE.*\n.*00002.m4s\n", ""),
    ),
    ("hls.discontinuity", text(f"{FOLDER}/en.m3u8", "#EXTINF", "#EXT-X-DISCONTINUITY\n#EXTINF")),
    ("dash.type", text(DASH, 'type="static"', 'type="dynamic"')),
    ("dash.duration", text(DASH, "PT6.006S", "PT7S")),
    ("dash.timeline", text(DASH, 't="48048" d="60060"', 't="48048" d="60050"')),
    ("dash.alignment", text(DASH, ' segmentAlignment="true"', "")),
    ("dash.codecs", text(DASH, "avc1.64000c", "avc1.64001f")),
    ("dash.size", text(DASH, 'width="320"', 'width="322"')),
    ("dash.frame_rate", text(DASH, 'frameRate="24000/1001"', 'frameRate="24"')),
    ("dash.sar", text(DASH, 'sar="1:1"', 'sar="4:3"')),
    ("dash.bandwidth", text(DASH, r'bandwidth="\d+"', 'bandwidth="1000"')),
    ("dash.lang", text(DASH, 'lang="fr"', 'lang="de"')),
    ("dash.sets", text(DASH, r'</AdaptationSet>\s*<AdaptationSet [^>]*lang="fr"[^>]*>', "")),
    ("dash.channels", text(DASH, 'configuration:2011" value="1"', 'configuration:2011" value="2"')),
    ("dash.sampling_rate", text(DASH, '"48000"', '"44100"')),
    ("dash.periods", text(DASH, "</Period>", "</Period><Period/>")),
    ("dash.content_type", text(DASH, 'contentType="text"', 'contentType="audio"')),
    ("text.damaged", text("renditions/text/00001.vtt", "WEBVTT", "WEBTVT")),
    ("text.cue", swapped("renditions/text/00001.vtt", "renditions/text/00003.vtt")),
    ("text.damaged", patched("renditions/wvtt/00001.m4s", "mdat", at=4, new=b"free")),
    ("thumbnails.damaged", lambda f: f.update({"renditions/thumbs/00001.jpg": b"GIF89a"})),
    ("thumbnails.size", text(f"{FOLDER}/thumbs.m3u8", "80x46", "80x40")),
    ("thumbnails.coverage", text(f"{FOLDER}/thumbs.m3u8", "6.006", "4.000")),
]


@pytest.mark.parametrize(
    ("code", "plant"), FAULTS, ids=[f"{n}-{code}" for n, (code, _) in enumerate(FAULTS)]
)
def test_a_planted_fault_is_found(
    package: Package, code: str, plant: Callable[[Files], None]
) -> None:
    files = dict(package.files)
    plant(files)

    assert code in codes(files, package.expected)


def test_missing_and_unplanned_renditions_are_found(package: Package) -> None:
    expected = replace(package.expected, text={"text": "en", "text-fr": "fr"})

    found = check_package(package.files.__getitem__, HLS, DASH, expected)

    assert {(f.code, f.where) for f in found} == {
        ("rendition.missing", "text-fr"),
        ("rendition.unexpected", "wvtt"),
    }


FLAGS = ExpectedFlags(
    is_default=True,
    is_autoselect=True,
    is_forced=False,
    characteristics=None,
    roles=("main",),
    accessibility=None,
)


@pytest.mark.parametrize(
    ("flags", "found"),
    [
        (FLAGS, set()),
        (replace(FLAGS, is_default=False), {"hls.flags"}),
        (replace(FLAGS, is_autoselect=False), {"hls.flags"}),
        (replace(FLAGS, is_forced=True), {"hls.flags"}),
        (replace(FLAGS, characteristics="public.auxiliary-content"), {"hls.flags"}),
        (replace(FLAGS, roles=("commentary",)), {"dash.roles"}),
        (replace(FLAGS, accessibility="1"), {"dash.roles"}),
    ],
)
def test_flags_are_those_of_the_plan(
    package: Package, flags: ExpectedFlags, found: set[str]
) -> None:
    expected = replace(package.expected, flags={"en": flags})

    assert codes(dict(package.files), expected) == found


def test_the_plan_is_compared(package: Package) -> None:
    video = package.expected.video["v180"]
    audio = package.expected.audio["en"]
    expected = replace(
        package.expected,
        video={
            **package.expected.video,
            "v180": replace(video, frames=143, starts=(0, 49, 108), pixel_aspect=video.frame_rate),
        },
        audio={
            **package.expected.audio,
            "en": replace(audio, channels=6, duration=audio.duration + 1),
        },
    )

    assert codes(dict(package.files), expected) >= {
        "video.frames",
        "video.segment_start",
        "video.pixel_aspect",
        "audio.channels",
        "rendition.duration",
    }


def test_frames_off_the_grid_are_found(package: Package) -> None:
    video = replace(
        package.expected.video["v180"], frame_rate=package.expected.video["v180"].frame_rate + 1
    )
    expected = replace(package.expected, video={**package.expected.video, "v180": video})

    assert "video.frame_time" in codes(dict(package.files), expected)


@settings(max_examples=60, deadline=None)
@given(
    which=st.integers(0, 100),
    edits=st.lists(st.tuples(st.integers(0, 3000), st.binary(max_size=3)), max_size=4),
)
def test_damage_ends_in_findings_and_in_nothing_else(
    package: Package, which: int, edits: list[tuple[int, bytes]]
) -> None:
    files = dict(package.files)
    path = sorted(files)[which % len(files)]
    data = files[path]
    for at, new in edits:
        place = at % (len(data) or 1)
        data = data[:place] + new + data[place + len(new) :]
    files[path] = data

    check_package(files.__getitem__, HLS, DASH, package.expected)
