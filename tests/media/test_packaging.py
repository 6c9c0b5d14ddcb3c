"""How a package is laid out and what the packager is told."""

from dataclasses import replace
from fractions import Fraction
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matinee.adapters.shaka import package_command
from matinee.media.hls import read_multivariant
from matinee.media.packaging import (
    DASH,
    HLS,
    characteristics,
    descriptors,
    entry_manifests,
    is_autoselect,
    roles,
)
from matinee.media.streams import FIRST, PackagePlan, Sheets, Stream
from matinee.media.tracks import Labels

SHEETS = Sheets(
    folder="thumbnails-0",
    sizes=(900, 500),
    width=240,
    height=136,
    columns=5,
    rows=5,
    interval=Fraction(1),
)
ENGLISH = Labels("en", "English", is_default=True)
GERMAN = Labels("de", "Deutsch", is_default=False)
UNKNOWN = Labels("und", "Unknown", is_default=False)


def video(name: str) -> Stream:
    return Stream("video", f"video-{name}", f"video-{name}-0f")


def sound(language: Labels, layout: str, group: str, channels: int) -> Stream:
    name = f"audio-{language.language}-{layout}"
    return Stream("audio", name, f"{name}-1a", language, group, channels)


def text(labels: Labels) -> Stream:
    return Stream("text", f"text-{labels.language}", f"text-{labels.language}-2b", labels)


def package(*streams: Stream) -> PackagePlan:
    return PackagePlan((video("240p"), video("480p"), *streams), SHEETS, Fraction(40), 10)


FULL = package(
    sound(ENGLISH, "stereo", FIRST, 2),
    sound(ENGLISH, "51", "surround", 6),
    sound(GERMAN, "stereo", FIRST, 2),
    sound(UNKNOWN, "mono", FIRST, 1),
    text(ENGLISH),
    text(replace(GERMAN, is_forced=True)),
    text(UNKNOWN),
)
FILES = {stream.name: f"../../joined/{stream.name}.mp4" for stream in FULL.streams}


def told(plan: PackagePlan = FULL) -> list[dict[str, str]]:
    return descriptors(plan, FILES)


def test_every_stream_is_told_with_its_input() -> None:
    assert {one["in"] for one in told()} == set(FILES.values())


def test_pictures_and_sound_are_told_once_and_text_for_each_manifest() -> None:
    kinds = [(one["stream"], one.get("hls_only"), one.get("dash_only")) for one in told()]

    assert kinds.count(("video", None, None)) == 2
    assert kinds.count(("audio", None, None)) == 4
    assert kinds.count(("text", "1", None)) == kinds.count(("text", None, "1")) == 3


def test_no_two_sounds_or_texts_share_an_adaptation_set() -> None:
    """The packager joins what has one language and one label, whatever its tracks' roles are."""
    again = replace(text(ENGLISH), name="text-en-2", folder="text-en-2-3c")
    same = sound(replace(ENGLISH, is_default=False), "stereo", FIRST, 2)
    plan = package(
        sound(ENGLISH, "stereo", FIRST, 2),
        sound(ENGLISH, "51", "surround", 6),
        replace(same, name="audio-en-2-stereo", folder="audio-en-2-stereo-4d"),
        text(ENGLISH),
        again,
    )
    stated = descriptors(plan, {stream.name: f"{stream.name}.mp4" for stream in plan.streams})

    labels = [one["dash_label"] for one in stated if "dash_label" in one]
    assert len(labels) == len(set(labels)) == 5


def test_the_smallest_picture_is_the_one_trick_mode() -> None:
    (trick,) = [one for one in told() if "trick_play_factor" in one]

    assert trick["in"] == FILES["video-240p"]
    assert trick["segment_template"].startswith("../../renditions/video-240p-0f-trick/")


def test_trick_mode_has_the_label_of_the_pictures_that_it_is_of() -> None:
    """Where they have one: without it the packager takes trick mode for other pictures."""
    own = replace(video("240p"), family="av1", coding="AV1")
    plan = PackagePlan((own, video("480p")), SHEETS, Fraction(40), 10)
    labels = {one["segment_template"]: one.get("dash_label") for one in told(plan)}

    assert list(labels.values()) == ["AV1", None, "AV1"]


def test_no_two_streams_write_one_file() -> None:
    written = [
        one[field]
        for one in told()
        for field in ("init_segment", "segment_template", "playlist_name", "iframe_playlist_name")
        if field in one
    ]

    assert sorted(written) == sorted(set(written))


def test_segments_lie_below_the_renditions_of_their_title() -> None:
    for one in told():
        assert one["segment_template"].startswith("../../renditions/")
        assert "$Number%05d$" in one["segment_template"]


def test_an_unknown_language_is_not_named() -> None:
    named = {(one["in"], one.get("lang")) for one in told() if one["stream"] != "video"}

    assert (FILES["audio-und-mono"], None) in named
    assert (FILES["text-und"], None) in named
    assert (FILES["audio-en-51"], "en") in named
    assert "und" not in {lang for _, lang in named}


def test_sound_has_one_main_role_and_alternates() -> None:
    stated = {one["in"]: one["dash_roles"] for one in told() if one["stream"] == "audio"}

    assert stated[FILES["audio-en-stereo"]] == "main"
    assert stated[FILES["audio-de-stereo"]] == "alternate"


@pytest.mark.parametrize(
    ("kind", "labels", "shown", "is_chosen"),
    [
        ("audio", ENGLISH, ("main",), True),
        ("audio", GERMAN, ("alternate",), True),
        ("audio", replace(GERMAN, purpose="commentary"), ("commentary",), False),
        ("audio", replace(ENGLISH, purpose="commentary"), ("main", "commentary"), True),
        ("audio", replace(GERMAN, purpose="description"), ("description",), True),
        ("text", GERMAN, ("subtitle",), True),
        ("text", replace(GERMAN, is_forced=True), ("forced-subtitle",), False),
        ("text", replace(ENGLISH, is_forced=True), ("main", "forced-subtitle"), True),
        ("text", replace(GERMAN, purpose="captions"), ("caption",), True),
    ],
)
def test_roles_and_choice_tell_whom_a_track_is_for(
    kind: Literal["audio", "text"], labels: Labels, shown: tuple[str, ...], is_chosen: bool
) -> None:
    stream = Stream(kind, "one", "one-0f", labels)

    assert roles(stream).roles == shown
    assert is_autoselect(labels) is is_chosen
    assert (characteristics(stream) is None) == (labels.purpose is None)


def test_only_forced_subtitles_are_told_as_forced() -> None:
    forced = [one["in"] for one in told() if "forced_subtitle" in one]

    assert forced == [FILES["text-de"]] * 2


def test_a_film_without_sound_or_text_has_pictures_only() -> None:
    assert {one["stream"] for one in told(package())} == {"video"}


@settings(deadline=None)
@given(name=st.text("abcé '-./&<>\\t", min_size=1, max_size=12))
def test_what_is_told_fits_a_command_line(name: str) -> None:
    plan = package(sound(replace(ENGLISH, name=name), "stereo", FIRST, 2))

    command = package_command("packager", descriptors(plan, FILES))

    assert any(f"hls_name={name}," in argument for argument in command)


def test_sheets_are_numbered_from_one() -> None:
    assert SHEETS.uris() == (
        "../../renditions/thumbnails-0/00001.jpg",
        "../../renditions/thumbnails-0/00002.jpg",
    )


def test_streams_are_found_by_kind() -> None:
    assert [stream.name for stream in FULL.of_kind("video")] == ["video-240p", "video-480p"]
    assert len(FULL.of_kind("audio")) == 4
    assert FULL.of_kind("thumbnails") == []


@pytest.mark.parametrize("kind", ["audio", "text"])
def test_sound_and_text_have_names_that_players_show(kind: str) -> None:
    for one in told():
        if one["stream"] == kind and "hls_group_id" in one:
            assert one["hls_name"]
            assert one["playlist_name"].endswith(".m3u8")


MULTIVARIANT = """#EXTM3U
#EXT-X-VERSION:7
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio",NAME="English",URI="audio.m3u8"
#EXT-X-STREAM-INF:BANDWIDTH=1000,CODECS="avc1.640015,mp4a.40.2",AUDIO="audio"
video.m3u8
"""
MPD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static"><Period id="0">'
    '<AdaptationSet id="0" contentType="video"><Representation id="0" bandwidth="1">'
    '<SegmentTemplate timescale="1" initialization="../../renditions/v/init.mp4" '
    'media="../../renditions/v/$Number%05d$.m4s" startNumber="1"/>'
    "</Representation></AdaptationSet></Period></MPD>\n"
)


def test_entry_manifests_name_the_files_of_their_package() -> None:
    hls, dash = entry_manifests("0123abcd", MULTIVARIANT, MPD)

    playlist = read_multivariant(hls)
    assert [variant.uri for variant in playlist.variants] == ["packages/0123abcd/video.m3u8"]
    assert [media.uri for media in playlist.media] == ["packages/0123abcd/audio.m3u8"]
    assert "<BaseURL>packages/0123abcd/</BaseURL>" in dash
    assert 'initialization="../../renditions/v/init.mp4"' in dash


def test_manifests_have_stable_names() -> None:
    assert (HLS, DASH) == ("main.m3u8", "manifest.mpd")
