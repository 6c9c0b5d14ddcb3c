from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matinee.media.bit_rates import BitRate
from matinee.media.dash import MpdInvalid, TimedSegment, read_mpd, seconds
from matinee.media.dash_edits import normalise, rebased, with_duration

from .test_hls import THUMBNAILS

GOLDEN = Path(__file__).parent / "golden"
MPD = (GOLDEN / "packager.mpd").read_text()
HEAD = '<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" mediaPresentationDuration="PT5S">'


def mpd_of(template: str) -> str:
    return (
        f"{HEAD}<Period><AdaptationSet mimeType='video/mp4'><Representation id='v' bandwidth='9'>"
        f"{template}</Representation></AdaptationSet></Period></MPD>"
    )


def published() -> str:
    return normalise(
        MPD,
        rates={"../../renditions/v180/init.mp4": BitRate(400_000, 300_000)},
        labels={"../../renditions/en/init.mp4": "English & more"},
        images=[(THUMBNAILS, "../../renditions/t/$Number%05d$.jpg", BitRate(9000, 8000))],
    )


def test_a_published_mpd() -> None:
    assert published() == (GOLDEN / "manifest.mpd").read_text()


def test_an_entry_mpd_names_the_package() -> None:
    entry = rebased(published(), "packages/0123/")

    assert entry == (GOLDEN / "entry.mpd").read_text()
    first = read_mpd(entry).periods[0].adaptation_sets[0].representations[0]
    assert first.initialization == "packages/0123/../../renditions/v180/init.mp4"
    assert first.segments[0].uri == "packages/0123/../../renditions/v180/00001.m4s"


def test_normalising_twice_changes_nothing_more() -> None:
    assert normalise(published()) == published()


def test_the_order_in_which_threads_came_leaves_no_trace() -> None:
    swapped = MPD
    for old, new in (
        ('Set id="2"', 'Set id="9"'),
        ('Set id="1"', 'Set id="2"'),
        ('value="1"', 'value="2"'),
    ):
        swapped = swapped.replace(old, new)
    parts = swapped.split("    <AdaptationSet")
    last, tail = parts[3].split("  </Period>")
    shuffled = (
        "    <AdaptationSet".join([parts[0], last, parts[1], parts[2]]) + "  </Period>" + tail
    )

    assert shuffled != MPD
    assert normalise(shuffled) == normalise(MPD)


def test_frame_rates_come_in_lowest_terms() -> None:
    text = MPD.replace("24000/1000", "30000/1001")

    assert 'frameRate="24"' in normalise(MPD)
    assert 'frameRate="30000/1001"' in normalise(text)
    assert 'frameRate="400/1001"' in normalise(text)


def test_an_mpd_is_read() -> None:
    mpd = read_mpd(MPD)
    audio, trick, video = mpd.periods[0].adaptation_sets

    assert (mpd.kind, mpd.duration, mpd.min_buffer_time) == (
        "static",
        Fraction(6006, 1000),
        Fraction(2),
    )
    assert (audio.lang, audio.roles, audio.representations[0].channels) == ("en", ("main",), 2)
    assert trick.is_trick_mode and not video.is_trick_mode
    assert trick.representations[0].width == 160
    assert video.representations[0].frame_rate == 24
    assert audio.representations[0].segments[2] == TimedSegment(
        "../../renditions/en/00003.m4s", Fraction(192512, 48000), Fraction(95776, 48000)
    )


def test_thumbnails_of_equal_length_end_with_the_film() -> None:
    images = read_mpd(published()).periods[0].adaptation_sets[-1]

    assert (images.content_type, images.tiles) == ("image", (5, 4))
    assert [s.duration for s in images.representations[0].segments] == [Fraction(6006, 1000)]


TIMELINE = "<SegmentTemplate {0}><SegmentTimeline>{1}</SegmentTimeline></SegmentTemplate>"


@pytest.mark.parametrize(
    ("template", "uris"),
    [
        ('<SegmentTemplate duration="2" media="$Number$"/>', ["1", "2", "3"]),
        ('<SegmentTemplate duration="2" media="$RepresentationID$-$$$Number%03d$"/>', ["v-$001"]),
        (
            TIMELINE.format('timescale="2" media="$Time$-$Bandwidth$"', '<S d="4" r="1"/>'),
            ["0-9", "4-9"],
        ),
    ],
)
def test_templates_are_filled(template: str, uris: list[str]) -> None:
    found = read_mpd(mpd_of(template)).periods[0].adaptation_sets[0].representations[0].segments

    assert [segment.uri for segment in found][: len(uris)] == uris


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<MPD/>",
        "<a" * 10,
        f"<!DOCTYPE MPD>{HEAD}</MPD>",
        f'<!DOCTYPE MPD [<!ENTITY a "aaaa">]>{HEAD}&a;</MPD>',
        HEAD + "<a>" * 40 + "</a>" * 40 + "</MPD>",
        mpd_of(""),
        mpd_of('<SegmentTemplate media="x"/>'),
        mpd_of('<SegmentTemplate duration="2" timescale="0" media="x"/>'),
        mpd_of('<SegmentTemplate duration="1" timescale="999999999" media="x"/>'),
        mpd_of(TIMELINE.format("", '<S d="2" r="-1"/>')),
        mpd_of(TIMELINE.format("", '<S d="2" r="99999999"/>')),
        MPD.replace("24000/1000", "24/0"),
        MPD.replace("PT6.006S", "6.006"),
    ],
)
def test_what_is_no_mpd_is_refused(text: str) -> None:
    with pytest.raises(MpdInvalid):
        read_mpd(text)


@pytest.mark.parametrize(
    ("scheme", "value", "channels"),
    [
        ("urn:mpeg:mpegB:cicp:ChannelConfiguration", "6", 6),
        ("urn:mpeg:mpegB:cicp:ChannelConfiguration", "12", 8),
        ("urn:mpeg:dash:23003:3:audio_channel_configuration:2011", "8", 8),
        ("tag:dolby.com,2014:dash:audio_channel_configuration:2011", "F801", None),
    ],
)
def test_channels_are_counted(scheme: str, value: str, channels: int | None) -> None:
    configuration = f'<AudioChannelConfiguration schemeIdUri="{scheme}" value="{value}"/>'
    text = mpd_of(configuration + '<SegmentTemplate duration="2" media="x"/>')

    assert read_mpd(text).periods[0].adaptation_sets[0].representations[0].channels == channels


def test_durations_are_exact() -> None:
    assert seconds("P1DT2H3M4.5S") == 86400 + 7200 + 180 + Fraction(9, 2)
    with pytest.raises(MpdInvalid):
        seconds("P1M")


def test_a_duration_is_written_to_the_millisecond() -> None:
    text = with_duration(MPD, Fraction(60060, 10007))

    assert 'mediaPresentationDuration="PT6.002S"' in text


@given(edits=st.lists(st.tuples(st.integers(0, 3000), st.text(max_size=3)), max_size=5))
def test_damaged_text_gives_an_mpd_or_its_own_error(edits: list[tuple[int, str]]) -> None:
    text = MPD
    for at, new in edits:
        place = at % len(text)
        text = text[:place] + new + text[place + 2 :]
    try:
        read_mpd(text)
        once = normalise(text)
    except MpdInvalid:
        return
    assert normalise(once) == once
