from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matinee.media.bit_rates import BitRate
from matinee.media.hls import (
    ByteRange,
    read_media,
    read_multivariant,
    write_media,
    write_multivariant,
)
from matinee.media.hls_attributes import Attributes, PlaylistInvalid, decimal_text, read_attributes
from matinee.media.hls_edits import (
    MediaSettings,
    Thumbnails,
    bit_rate_of,
    image_playlist,
    normalise,
    rebased,
    with_bit_rates,
    with_images,
    with_media,
    with_version,
)

GOLDEN = Path(__file__).parent / "golden"
MULTIVARIANT = (GOLDEN / "packager.m3u8").read_text()
I_FRAMES = (GOLDEN / "packager-iframes.m3u8").read_text()
THUMBNAILS = Thumbnails(
    uris=("../../renditions/t/00001.jpg", "../../renditions/t/00002.jpg"),
    width=160,
    height=90,
    columns=5,
    rows=4,
    interval=Fraction(3, 2),
    duration=Fraction(4804, 125),
)


def golden(name: str) -> str:
    return (GOLDEN / name).read_text()


def published() -> str:
    playlist = with_version(read_multivariant(MULTIVARIANT))
    playlist = with_bit_rates(
        playlist,
        {
            "v180.m3u8": BitRate(400_000, 300_000),
            "en.m3u8": BitRate(130_000, 128_000),
            "fr.m3u8": BitRate(70_000, 129_000),
            "text.m3u8": BitRate(900, 500),
            "v180-iframes.m3u8": BitRate(30_000, 20_000),
        },
    )
    settings = {
        "en.m3u8": MediaSettings("English", "en", 2, is_default=True, is_autoselect=True),
        "fr.m3u8": MediaSettings("Français", "fr-CA", 6, is_default=False),
        "text.m3u8": MediaSettings("Forced", is_default=False, is_autoselect=True, is_forced=True),
    }
    playlist = with_media(playlist, settings)
    return write_multivariant(with_images(playlist, "t.m3u8", THUMBNAILS, BitRate(9000, 8000)))


def test_a_published_multivariant_playlist() -> None:
    assert published() == golden("multivariant.m3u8")


def test_an_entry_playlist_names_the_package() -> None:
    playlist = rebased(read_multivariant(published()), "packages/0123/")

    assert write_multivariant(playlist) == golden("entry.m3u8")


def test_absolute_addresses_are_not_rebased() -> None:
    playlist = read_multivariant("#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nhttps://a.example/v\n")

    assert rebased(playlist, "packages/p/") == playlist


def test_a_normalised_media_playlist() -> None:
    assert normalise(I_FRAMES) == golden("iframes.m3u8")


def test_an_image_playlist() -> None:
    assert image_playlist(THUMBNAILS) == golden("images.m3u8")


@pytest.mark.parametrize("text", [MULTIVARIANT, I_FRAMES])
def test_normalising_twice_changes_nothing_more(text: str) -> None:
    assert normalise(normalise(text)) == normalise(text)
    assert normalise(text.replace("\n", "\r\n")) == normalise(text)


def test_a_media_playlist_is_read() -> None:
    playlist = read_media(I_FRAMES)

    assert playlist.is_i_frames_only and playlist.has_end
    assert (playlist.kind, playlist.target_duration, playlist.version) == ("VOD", 3, 6)
    assert playlist.duration == Fraction(4504, 1000)
    assert [s.byte_range for s in playlist.segments] == [ByteRange(3847, 84), ByteRange(8000, 84)]
    assert {s.init_uri for s in playlist.segments} == {"../../renditions/v180/init.mp4"}


def test_tags_that_are_not_known_stay_with_their_segment() -> None:
    text = (
        "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:4\n"
        '#EXT-X-KEY:METHOD=SAMPLE-AES,URI="k"\n#EXTINF:2.000,title\na.m4s\n'
        "#EXT-X-DISCONTINUITY\n#EXT-X-GAP\n#EXTINF:1.5000001,\nb.m4s\n"
    )
    playlist = read_media(text)

    assert playlist.tags == ("#EXT-X-MEDIA-SEQUENCE:4",)
    assert playlist.segments[0].title == "title"
    assert playlist.segments[1].is_discontinuous and playlist.segments[1].tags == ("#EXT-X-GAP",)
    assert read_media(write_media(playlist)).segments[0] == playlist.segments[0]


def test_a_byte_range_without_start_follows_the_one_before() -> None:
    text = (
        "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:1,\n#EXT-X-BYTERANGE:10@5\na\n"
        "#EXTINF:1,\n#EXT-X-BYTERANGE:7\na\n"
    )

    assert read_media(text).segments[1].byte_range == ByteRange(7, 15)


def test_bit_rates_count_byte_ranges() -> None:
    assert bit_rate_of(read_media(I_FRAMES), {}) == BitRate(peak=25580, average=21043)


def test_attributes_keep_commas_in_quotes() -> None:
    attributes = read_attributes('CODECS="avc1.4d401f,mp4a.40.2",RESOLUTION=1280x720')

    assert attributes.text("CODECS") == "avc1.4d401f,mp4a.40.2"
    assert str(attributes.with_raw("RESOLUTION", None)) == 'CODECS="avc1.4d401f,mp4a.40.2"'


def test_a_quote_cannot_enter_an_attribute() -> None:
    with pytest.raises(PlaylistInvalid):
        Attributes().with_text("NAME", 'a",URI="b')


@pytest.mark.parametrize(
    "text",
    [
        "",
        "#EXTM3U\n",
        "#EXTM3U\nv.m3u8\n",
        "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n",
        "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n#EXT-X-VERSION:6\nv\n",
        "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1,BANDWIDTH=2\nv\n",
        '#EXTM3U\n#EXT-X-STREAM-INF:CODECS="a\nv\n',
        "#EXTM3U\n#EXT-X-VERSION:six\n#EXT-X-STREAM-INF:BANDWIDTH=1\nv\n",
    ],
)
def test_what_is_no_multivariant_playlist_is_refused(text: str) -> None:
    with pytest.raises(PlaylistInvalid):
        read_multivariant(text)


@pytest.mark.parametrize(
    "body",
    [
        "#EXTINF:2,\na\n",
        "#EXT-X-TARGETDURATION:2\na\n",
        "#EXT-X-TARGETDURATION:2\n#EXTINF:two,\na\n",
        "#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n",
        "#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n#EXT-X-BYTERANGE:5\na\n",
        "#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n#EXT-X-BYTERANGE:x@5\na\n",
    ],
)
def test_what_is_no_media_playlist_is_refused(body: str) -> None:
    with pytest.raises(PlaylistInvalid):
        read_media("#EXTM3U\n" + body)


@given(milliseconds=st.integers(0, 10**8))
def test_durations_in_milliseconds_survive_as_text(milliseconds: int) -> None:
    assert Fraction(decimal_text(Fraction(milliseconds, 1000))) == Fraction(milliseconds, 1000)


@given(
    source=st.sampled_from([MULTIVARIANT, I_FRAMES]),
    edits=st.lists(st.tuples(st.integers(0, 2000), st.text(max_size=3)), max_size=5),
)
def test_damaged_text_gives_a_playlist_or_its_own_error(
    source: str, edits: list[tuple[int, str]]
) -> None:
    text = source
    for at, new in edits:
        place = at % len(text)
        text = text[:place] + new + text[place + 2 :]
    try:
        once = normalise(text)
    except PlaylistInvalid:
        return
    assert normalise(once) == once


def test_writing_gives_back_what_was_read() -> None:
    playlist = read_multivariant(published())

    assert read_multivariant(write_multivariant(playlist)) == playlist
    assert replace(playlist, images=()) != playlist
