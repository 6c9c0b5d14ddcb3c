"""Languages that a person tells of a film's tracks, where the film itself does not."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from matinee.media.source import SourceInfo, Track, TrackType
from matinee.media.tracks import language_tag

KINDS: Mapping[str, TrackType] = {"sound": "audio", "text": "subtitles"}
"""As title files call them, and what they are."""


def with_languages(
    info: SourceInfo, told: Mapping[str, Sequence[str]]
) -> tuple[SourceInfo, tuple[str, ...]]:
    """The film whose tracks have the languages that were told, and notes of which were taken.

    The first code of a kind is of the first track of that kind, in the container's order, and so
    on. What the film says of a track goes before it.
    """
    named: dict[int, Track] = {}
    notes: list[str] = []
    for kind, type_ in KINDS.items():
        for track, code in zip(info.of_type(type_), told.get(kind, ()), strict=False):
            if language_tag(track.language) == "und" and language_tag(code) != "und":
                named[track.index] = replace(track, language=code)
                notes.append(
                    f"{kind} track {track.index} does not say its language: {code}, as was told"
                )
    tracks = tuple(named.get(track.index, track) for track in info.tracks)
    return replace(info, tracks=tracks), tuple(notes)
