"""Every track of the source has one outcome, every rendition a name of its own."""

import re
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import matinee.ladders
from matinee.core.ids import digest_of
from matinee.media.frame_index import KEY
from matinee.media.ladder_file import parse_ladder
from matinee.media.profile import profile_of
from matinee.media.source import IMAGE_SUBTITLES, Colour, Picture, SourceInfo, Track, TrackType
from matinee.media.timeline import PACKET, Timeline, build_timeline
from matinee.media.tracks import (
    Sidecar,
    TrackPlan,
    language_name,
    language_tag,
    plan_tracks,
)

LADDER = parse_ladder(
    "standard",
    (Path(matinee.ladders.__file__).parent / "standard.toml").read_text(encoding="utf-8"),
)
PICTURE = Picture(
    width=640,
    height=360,
    sample_aspect=Fraction(1),
    rotation=0,
    pixel_format="yuv420p",
    bit_depth=8,
    fields="progressive",
    colour=Colour("bt709", "bt709", "bt709", full_range=False),
    nominal_rate=Fraction(25),
    configuration=digest_of(b""),
)
CODECS = {
    "video": "h264", "audio": "aac", "subtitles": "subrip", "other": "bin_data",
}  # fmt: skip


def timeline() -> Timeline:
    packets = np.zeros(50, dtype=PACKET)
    packets["pts"] = np.arange(50) * 40 + 1000
    packets["flags"][0] = KEY
    return build_timeline(packets, Fraction(1, 1000), Fraction(25))


def track(
    index: int,
    kind: TrackType,
    codec: str = "",
    language: str | None = "eng",
    title: str = "",
    *,
    channels: int = 2,
    is_default: bool = False,
    is_forced: bool = False,
    is_cover: bool = False,
    is_comment: bool = False,
    is_visual_impaired: bool = False,
    is_hearing_impaired: bool = False,
    start: Fraction = Fraction(1),
    fault: str = "",
) -> Track:
    return Track(
        index=index,
        type=kind,
        codec=codec or CODECS[kind],
        language=language,
        title=title,
        is_default=is_default,
        is_forced=is_forced,
        is_cover=is_cover,
        start=start,
        duration=Fraction(2),
        packets=digest_of(str(index).encode()),
        channels=channels if kind == "audio" else 0,
        sample_rate=48_000 if kind == "audio" else 0,
        is_comment=is_comment,
        is_visual_impaired=is_visual_impaired,
        is_hearing_impaired=is_hearing_impaired,
        fault=fault,
    )


def film(*tracks: Track) -> SourceInfo:
    return SourceInfo(
        "matroska,webm", 1000, (track(0, "video", is_default=True), *tracks), 0, PICTURE
    )


def plan(*tracks: Track, sidecars: tuple[Sidecar, ...] = ()) -> TrackPlan:
    return plan_tracks(film(*tracks), timeline(), profile_of(LADDER), sidecars)


LANGUAGES = st.sampled_from(
    ["eng", "deu", "ger", "fre", "und", "pt-BR", "xx", "", "zho", None, "!"]
)
TITLES = st.sampled_from(
    ["", "English", "English 2", "Commentary", "audio-en", "text-en", "SDH"]
) | st.text(max_size=8)


@st.composite
def tracks_of_films(draw: st.DrawFn) -> list[Track]:
    found: list[Track] = []
    for index in range(1, draw(st.integers(1, 8))):
        kind: TrackType = draw(st.sampled_from(["video", "audio", "subtitles", "other"]))
        texts = ["subrip", "ass", "mov_text", draw(st.sampled_from(sorted(IMAGE_SUBTITLES)))]
        codecs = texts if kind == "subtitles" else [CODECS[kind]]
        found.append(
            track(
                index,
                kind,
                draw(st.sampled_from(codecs)),
                draw(LANGUAGES),
                draw(TITLES),
                channels=draw(st.integers(0, 8) | st.just(80)),
                is_default=draw(st.booleans()),
                is_forced=draw(st.booleans()),
                is_cover=kind == "other" and draw(st.booleans()),
                is_comment=draw(st.booleans()),
                is_visual_impaired=draw(st.booleans()),
                is_hearing_impaired=draw(st.booleans()),
                start=draw(st.sampled_from([Fraction(-1), Fraction(1), Fraction(3)])),
                fault=draw(st.sampled_from(["", "", "it is empty"])),
            )
        )
    return found


SIDECARS = st.lists(
    st.builds(Sidecar, st.sampled_from(["a.srt", "b.vtt"]), LANGUAGES.map(str)), max_size=3
).map(tuple)


@settings(deadline=None)
@given(tracks=tracks_of_films(), sidecars=SIDECARS)
def test_every_track_and_sidecar_has_exactly_one_outcome(
    tracks: list[Track], sidecars: tuple[Sidecar, ...]
) -> None:
    found = plan(*tracks, sidecars=sidecars)

    assert len(found.outcomes) == 1 + len(tracks) + len(sidecars)
    assert all(bool(outcome.renditions) != bool(outcome.waiver) for outcome in found.outcomes)


@settings(deadline=None)
@given(tracks=tracks_of_films(), sidecars=SIDECARS)
def test_every_rendition_comes_from_one_track_and_has_a_name_of_its_own(
    tracks: list[Track], sidecars: tuple[Sidecar, ...]
) -> None:
    found = plan(*tracks, sidecars=sidecars)
    names = [f"video-{rung.name}" for rung in found.rungs]
    names += [rendition.name for sound in found.sounds for rendition in sound.renditions]
    names += [text.name for text in found.texts]

    assert sorted(names) == sorted(set(names))
    assert sorted(names) == sorted(name for one in found.outcomes for name in one.renditions)
    assert all(re.fullmatch(r"[a-z0-9-]+", name) for name in names)


@settings(deadline=None)
@given(tracks=tracks_of_films(), sidecars=SIDECARS)
def test_players_can_tell_the_tracks_apart(
    tracks: list[Track], sidecars: tuple[Sidecar, ...]
) -> None:
    found = plan(*tracks, sidecars=sidecars)

    for labels in ([s.labels for s in found.sounds], [t.labels for t in found.texts]):
        names = [label.name for label in labels]
        assert sorted(names) == sorted(set(names))
        assert all(name.strip() for name in names)


@settings(deadline=None)
@given(tracks=tracks_of_films(), sidecars=SIDECARS)
def test_names_fit_a_quoted_string_and_a_command_line(
    tracks: list[Track], sidecars: tuple[Sidecar, ...]
) -> None:
    """RFC 8216 4.2: a quoted string has no line feed, carriage return or double quote."""
    found = plan(*tracks, sidecars=sidecars)
    labels = [s.labels for s in found.sounds] + [t.labels for t in found.texts]

    assert not [label.name for label in labels if re.search('[",=\r\n]', label.name)]


@settings(deadline=None)
@given(tracks=tracks_of_films())
def test_one_sound_track_at_most_is_the_default(tracks: list[Track]) -> None:
    found = plan(*tracks)

    assert sum(sound.labels.is_default for sound in found.sounds) == min(1, len(found.sounds))
    for_all = [sound for sound in found.sounds if sound.labels.purpose is None]
    assert not for_all or any(sound.labels.is_default for sound in for_all)


@settings(deadline=None)
@given(tracks=tracks_of_films())
def test_one_subtitle_track_at_most_is_the_default(tracks: list[Track]) -> None:
    """RFC 8216 4.3.4.1.1: a group has no more than one member with DEFAULT=YES."""
    assert sum(text.labels.is_default for text in plan(*tracks).texts) <= 1


def test_two_default_subtitle_tracks_of_matroska_give_one_default() -> None:
    """Matroska's flag is set unless a writer clears it (RFC 9559, FlagDefault)."""
    found = plan(track(1, "subtitles", is_default=True), track(2, "subtitles", is_default=True))

    assert [text.labels.is_default for text in found.texts] == [True, False]


@pytest.mark.parametrize("title", ["a\rb", "a\nb", 'a"b', "a,b=c", "\r\n"])
def test_a_title_cannot_break_a_playlist_or_a_command_line(title: str) -> None:
    (text,) = plan(track(1, "subtitles", title=title)).texts

    assert text.labels.name.strip() and not re.search('[",=\r\n]', text.labels.name)


def test_the_default_sound_is_the_films_own() -> None:
    tracks = [track(1, "audio", language="deu"), track(2, "audio", is_default=True)]

    assert [sound.labels.is_default for sound in plan(*tracks).sounds] == [False, True]
    assert [sound.labels.is_default for sound in plan(tracks[0]).sounds] == [True]


@pytest.mark.parametrize(
    ("found", "waiver"),
    [
        (track(1, "other", "mjpeg", is_cover=True), "a cover picture, not a moving one"),
        (track(1, "video"), "another video track; track 0 is the main one"),
        (track(1, "subtitles", "hdmv_pgs_subtitle"), "its subtitles are pictures"),
        (track(1, "subtitles", "dvd_subtitle"), "its subtitles are pictures"),
        (track(1, "audio", channels=0), "it has no channels"),
        (track(1, "other", "klv"), "not a track that a player shows"),
        (track(1, "other", "ttf"), "a font"),
        (track(1, "other", "tmcd"), "a track of time codes"),
        (track(1, "audio", channels=65), "it has 65 channels; 64 can be mixed"),
        (track(1, "audio", fault="no decoder knows its codec"), "no decoder knows its codec"),
        (track(1, "subtitles", fault="it is empty"), "it is empty"),
        (track(1, "audio", start=Fraction(3)), "it begins after the pictures' end"),
        (track(1, "subtitles", start=Fraction(9)), "it begins after the pictures' end"),
    ],
    ids=lambda value: value if isinstance(value, str) else value.codec,
)
def test_what_is_not_published_says_why(found: Track, waiver: str) -> None:
    outcome = plan(found).outcomes[1]

    assert outcome.renditions == ()
    assert outcome.waiver.startswith(waiver)
    assert outcome.as_json()["outcome"] == "waived"
    assert str(found.index) in outcome.source and found.codec in outcome.source


def test_a_sidecar_is_a_track_of_its_own() -> None:
    found = plan(track(1, "subtitles"), sidecars=(Sidecar("more.srt", "en"),))

    assert [text.name for text in found.texts] == ["text-en", "text-en-2"]
    assert [text.labels.name for text in found.texts] == ["English", "English 2"]
    assert found.outcomes[-1].source == "subtitle file more.srt"
    assert found.outcomes[-1].renditions == ("text-en-2",)


def test_forced_subtitles_stay_forced() -> None:
    found = plan(track(1, "subtitles", is_forced=True), track(2, "subtitles"))

    assert [text.labels.is_forced for text in found.texts] == [True, False]


def test_sound_is_placed_on_the_films_clock() -> None:
    (sound,) = plan(track(1, "audio")).sounds

    assert [rendition.film_start for rendition in sound.renditions] == [Fraction(1)]
    assert [rendition.delay for rendition in sound.renditions] == [Fraction(0)]
    assert [rendition.duration for rendition in sound.renditions] == [Fraction(2)]


@pytest.mark.parametrize(
    ("code", "tag"),
    [
        ("eng", "en"), ("ger", "de"), ("deu", "de"), ("fre", "fr"), ("pt-BR", "pt-BR"),
        ("zh-Hant", "zh-Hant"), ("en_US", "en-US"), ("chi", "zh"), (None, "und"), ("", "und"),
        ("und", "und"), ("!", "und"), ("qqqq-99999999x", "und"), ("xyzzy", "und"),
    ],
)  # fmt: skip
def test_languages_are_tags_that_players_know(code: str | None, tag: str) -> None:
    assert language_tag(code) == tag


@settings(deadline=None)
@given(code=st.text(max_size=12))
def test_any_code_is_a_tag_or_unknown(code: str) -> None:
    tag = language_tag(code)

    assert re.fullmatch(r"[A-Za-z0-9]+(-[A-Za-z0-9]+)*", tag)
    assert language_tag(tag) == tag
    assert language_name(tag).strip()


def test_languages_are_named_in_their_own_words() -> None:
    assert [language_name(tag) for tag in ("de", "fr", "und")] == ["Deutsch", "Français", "Unknown"]


@pytest.mark.parametrize(
    ("found", "purpose", "name"),
    [
        (track(1, "audio"), None, "English"),
        (track(1, "audio", is_comment=True), "commentary", "English (commentary)"),
        (track(1, "audio", title="Director's Commentary"), "commentary", "Director's Commentary"),
        (track(1, "audio", title="Kommentar"), "commentary", "Kommentar"),
        (track(1, "audio", is_visual_impaired=True), "description", "English (audio description)"),
        (track(1, "audio", title="Audio Description"), "description", "Audio Description"),
        (track(1, "audio", is_hearing_impaired=True), "clear speech", "English (clear speech)"),
        (track(1, "audio", title="5.1 SDH"), None, "5.1 SDH"),
        (track(1, "subtitles", is_hearing_impaired=True), "captions", "English (SDH)"),
        (track(1, "subtitles", title="English [SDH]"), "captions", "English [SDH]"),
        (track(1, "subtitles", is_comment=True), "commentary", "English (commentary)"),
        (track(1, "subtitles", is_forced=True), None, "English (forced)"),
        (track(1, "subtitles", title="A long documentary"), None, "A long documentary"),
    ],
)  # fmt: skip
def test_whom_a_track_is_for_is_told_by_its_flags_or_its_title(
    found: Track, purpose: str | None, name: str
) -> None:
    planned = plan(found)
    (labels,) = [one.labels for one in planned.sounds] + [one.labels for one in planned.texts]

    assert (labels.purpose, labels.name) == (purpose, name)


def test_commentary_is_never_the_default_beside_the_films_own_sound() -> None:
    found = plan(track(1, "audio", is_comment=True, is_default=True), track(2, "audio"))

    assert [sound.labels.is_default for sound in found.sounds] == [False, True]


def test_captions_inside_the_pictures_are_named() -> None:
    info = replace(film(track(1, "audio")), has_captions=True)
    outcome = plan_tracks(info, timeline(), profile_of(LADDER), ()).outcomes[-1]

    assert outcome.source == "captions inside video 0: CEA-608/708"
    assert outcome.waiver.startswith("captions inside the pictures are not turned into text")


def test_what_is_folded_is_noted_beside_what_is_published() -> None:
    places = ("FL", "FR", "FC", "LFE", "BL", "BR", "SL", "SR")
    wide = replace(track(1, "audio", channels=8), layout="7.1", places=places)
    outcome = plan(wide).outcomes[1]

    assert outcome.renditions == ("audio-en-stereo", "audio-en-51")
    assert outcome.as_json()["note"].startswith("7.1 is folded into 5.1")


@pytest.mark.parametrize(
    ("file", "is_forced", "purpose"),
    [
        ("film.en.srt", False, None),
        ("film.en.forced.srt", True, None),
        ("film.en.SDH.srt", False, "captions"),
        ("film.cc.en.srt", False, "captions"),
        ("forced.srt", False, None),
    ],
)
def test_a_sidecars_name_tells_its_flags(file: str, is_forced: bool, purpose: str | None) -> None:
    (text,) = plan(sidecars=(Sidecar(file, "en"),)).texts

    assert (text.labels.is_forced, text.labels.purpose) == (is_forced, purpose)
