"""The ledger of tracks: every track of the source is published or waived with a reason.

Nothing vanishes silently: ``plan_tracks`` gives one outcome for each track and each sidecar file.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

import langcodes
from langcodes.tag_parser import LanguageTagError

from matinee.media.ladder import Ladder, Rung, fit
from matinee.media.sound import SoundRendition, lead_samples, plan_sound
from matinee.media.source import IMAGE_SUBTITLES, SourceInfo, Track
from matinee.media.timeline import Timeline


@dataclass(frozen=True, slots=True)
class Labels:
    """How players name a track. ``language`` is a BCP 47 tag, ``und`` where it is unknown."""

    language: str
    name: str
    is_default: bool
    is_forced: bool = False


@dataclass(frozen=True, slots=True)
class Sidecar:
    """A subtitle file that came beside the film."""

    file: str
    language: str


@dataclass(frozen=True, slots=True)
class SoundTrack:
    """A sound track and its renditions."""

    labels: Labels
    track: Track
    renditions: tuple[SoundRendition, ...]


@dataclass(frozen=True, slots=True)
class TextTrack:
    """A subtitle rendition: from a track of the film, or from a sidecar file."""

    name: str
    labels: Labels
    track: Track | None
    sidecar: Sidecar | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What becomes of one track: the renditions it gave, or why it gave none."""

    source: str
    renditions: tuple[str, ...]
    waiver: str = ""

    def as_json(self) -> dict[str, Any]:
        """The reported form."""
        return {
            "source": self.source,
            "outcome": "waived" if self.waiver else "published",
            "renditions": list(self.renditions),
            "reason": self.waiver,
        }


@dataclass(frozen=True, slots=True)
class TrackPlan:
    """Every rendition of a film and what becomes of every track."""

    rungs: tuple[Rung, ...]
    sounds: tuple[SoundTrack, ...]
    texts: tuple[TextTrack, ...]
    outcomes: tuple[Outcome, ...]


def plan_tracks(
    info: SourceInfo, timeline: Timeline, ladder: Ladder, sidecars: Sequence[Sidecar]
) -> TrackPlan:
    """Decide for every track of the film and every sidecar."""
    rungs = tuple(fit(ladder, info.picture, timeline.rate))
    sounds = _plan_sounds(info, timeline, ladder)
    texts = _plan_texts(info, sidecars)
    made: dict[int, tuple[str, ...]] = {info.video: tuple(f"video-{rung.name}" for rung in rungs)}
    made |= {s.track.index: tuple(rendition.name for rendition in s.renditions) for s in sounds}
    made |= {text.track.index: (text.name,) for text in texts if text.track}
    outcomes = [
        Outcome(_describe(track), made.get(track.index, ()), _waiver(track, info, made))
        for track in info.tracks
    ]
    outcomes += [
        Outcome(f"subtitle file {PurePath(text.sidecar.file).name}", (text.name,))
        for text in texts
        if text.sidecar
    ]
    return TrackPlan(rungs, tuple(sounds), tuple(texts), tuple(outcomes))


def _describe(track: Track) -> str:
    language = f" ({track.language})" if track.language else ""
    return f"{track.type} {track.index}{language}: {track.codec}"


def _waiver(track: Track, info: SourceInfo, made: dict[int, tuple[str, ...]]) -> str:
    if track.index in made:
        return ""
    if track.is_cover:
        return "a cover picture, not a moving one"
    if track.type == "video":
        return f"another video track; track {info.video} is the main one"
    if track.codec in IMAGE_SUBTITLES:
        return "its subtitles are pictures, which have no text to publish"
    if track.type == "audio":
        return "it has no channels"
    return "not a track that a player shows"


def _plan_sounds(info: SourceInfo, timeline: Timeline, ladder: Ladder) -> list[SoundTrack]:
    tracks = [track for track in info.of_type("audio") if track.channels > 0]
    names = _Names()
    default = next((track.index for track in tracks if track.is_default), None)
    if default is None and tracks:
        default = tracks[0].index
    sounds = []
    for track in tracks:
        labels = _labels(track, track.index == default, names)
        renditions = plan_sound(
            track,
            names.rendition("audio", labels.language),
            ladder.sound,
            timeline.start,
            timeline.duration,
            lead_samples(timeline.rate),
        )
        sounds.append(SoundTrack(labels, track, tuple(renditions)))
    return sounds


def _plan_texts(info: SourceInfo, sidecars: Sequence[Sidecar]) -> list[TextTrack]:
    names = _Names()
    texts = []
    tracks = [track for track in info.of_type("subtitles") if track.codec not in IMAGE_SUBTITLES]
    default = next((track.index for track in tracks if track.is_default), None)
    for track in tracks:
        labels = _labels(track, track.index == default, names)
        name = names.rendition("text", labels.language)
        texts.append(TextTrack(name, labels, track, None))
    for sidecar in sidecars:
        language = language_tag(sidecar.language)
        labels = Labels(language, names.label(language, ""), is_default=False)
        texts.append(TextTrack(names.rendition("text", language), labels, None, sidecar))
    return texts


def _labels(track: Track, is_default: bool, names: "_Names") -> Labels:
    language = language_tag(track.language)
    return Labels(language, names.label(language, track.title), is_default, track.is_forced)


UNSPELLABLE = str.maketrans({'"': "'", ",": " ", "=": "-"})
"""What neither the packager nor a playlist has a spelling for in a name."""


class _Names:
    """Gives names that no other track of the film has."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def label(self, language: str, title: str) -> str:
        plain = " ".join(title.translate(UNSPELLABLE).split())
        return self._free(plain or language_name(language), " ")

    def rendition(self, kind: str, language: str) -> str:
        return self._free(f"{kind}-{language.lower()}", "-")

    def _free(self, name: str, joint: str) -> str:
        number, free = 1, name
        while free in self._taken:
            number += 1
            free = f"{name}{joint}{number}"
        self._taken.add(free)
        return free


def language_tag(language: str | None) -> str:
    """The shortest BCP 47 tag for a container's language code; ``und`` for none or nonsense."""
    try:
        tag = langcodes.standardize_tag(language or "und")
    except LanguageTagError:
        return "und"
    return tag if langcodes.tag_is_valid(tag) else "und"


def language_name(tag: str) -> str:
    """The language in its own words, for a menu."""
    return "Unknown" if tag == "und" else langcodes.Language.get(tag).autonym().capitalize()
