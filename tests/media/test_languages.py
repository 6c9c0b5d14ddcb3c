"""What a person tells of languages counts where the film itself says nothing."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from tests.media.test_tracks import PICTURE, track

from matinee.media.languages import with_languages
from matinee.media.source import SourceInfo
from matinee.media.tracks import language_tag

CODES = st.sampled_from([None, "", "und", "eng", "deu", "nonsense!"])


def film(sounds: list[str | None], texts: list[str | None]) -> SourceInfo:
    tracks = [track(0, "video")]
    tracks += [track(n, "audio", language=code) for n, code in enumerate(sounds, 1)]
    tracks += [
        track(n, "subtitles", language=code) for n, code in enumerate(texts, 1 + len(sounds))
    ]
    return SourceInfo("matroska", 1, tuple(tracks), 0, PICTURE)


@given(
    st.lists(CODES, max_size=4), st.lists(CODES, max_size=4), st.lists(st.just("fr"), max_size=6)
)
def test_only_tracks_that_say_nothing_take_what_was_told_for_their_place(
    sounds: list[str | None], texts: list[str | None], told: list[str]
) -> None:
    before = film(sounds, texts)
    after, notes = with_languages(before, {"sound": told})

    changed = [
        (old, new) for old, new in zip(before.tracks, after.tracks, strict=True) if old != new
    ]
    silent = [n for n, code in enumerate(sounds) if language_tag(code) == "und" and n < len(told)]
    assert [old.index for old, _ in changed] == [1 + n for n in silent]
    assert all(new == replace(old, language="fr") for old, new in changed)
    assert len(notes) == len(changed)


def test_each_kind_is_counted_by_itself() -> None:
    named, notes = with_languages(
        film(["und", None], [None]), {"sound": ["en", "de"], "text": ["it"]}
    )

    assert [each.language for each in named.tracks[1:]] == ["en", "de", "it"]
    assert notes[2] == "text track 3 does not say its language: it, as was told"
