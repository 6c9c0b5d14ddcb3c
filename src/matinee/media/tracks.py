"""The ledger of tracks: every track of the source is published or waived with a reason.

Nothing vanishes silently: ``plan_tracks`` gives one outcome for each track and each sidecar file.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import Any

from matinee.media.budget import budgeted
from matinee.media.ladder import Rung, fit_all
from matinee.media.profile import Profile
from matinee.media.purposes import Purpose, purpose_of
from matinee.media.sound import (
    MOST_CHANNELS,
    SoundRendition,
    layout_note,
    lead_samples,
    plan_sound,
)
from matinee.media.source import IMAGE_SUBTITLES, SourceInfo, Track
from matinee.media.timeline import Timeline

WORDS = {
    "commentary": "commentary",
    "description": "audio description",
    "captions": "SDH",
    "clear speech": "clear speech",
}
"""How a track without a title is called after its language."""


SAID_BESIDE = frozenset({"forced", "sdh", "cc"})
"""What the name of a subtitle file may say beside the language, as ``film.en.sdh.srt``."""


@dataclass(frozen=True, slots=True)
class Labels:
    """How players name a track. ``language`` is a BCP 47 tag, ``und`` where it is unknown."""

    language: str
    name: str
    is_default: bool
    is_forced: bool = False
    purpose: Purpose | None = None


@dataclass(frozen=True, slots=True)
class Sidecar:
    """A subtitle file that came beside the film; its name may say more, as ``film.en.sdh.srt``."""

    file: str
    language: str

    @property
    def is_forced(self) -> bool:
        """Whether it has only what must be read: foreign speech, signs."""
        return "forced" in self._words()

    @property
    def purpose(self) -> Purpose | None:
        """For people who do not hear, or none."""
        return "captions" if {"sdh", "cc"} & self._words() else None

    def _words(self) -> set[str]:
        return set(PurePath(self.file).stem.lower().split(".")[1:])


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
    """What becomes of one track: the renditions it gave, or why it gave none.

    ``note`` tells what is not as it was in the film: channels that were folded.
    """

    source: str
    renditions: tuple[str, ...]
    waiver: str = ""
    note: str = ""

    def as_json(self) -> dict[str, Any]:
        """The reported form."""
        return {
            "source": self.source,
            "outcome": "waived" if self.waiver else "published",
            "renditions": list(self.renditions),
            "reason": self.waiver,
            "note": self.note,
        }


@dataclass(frozen=True, slots=True)
class TrackPlan:
    """Every rendition of a film and what becomes of every track."""

    rungs: tuple[Rung, ...]
    sounds: tuple[SoundTrack, ...]
    texts: tuple[TextTrack, ...]
    outcomes: tuple[Outcome, ...]
    text_forms: tuple[str, ...] = ("webvtt",)


def plan_tracks(
    info: SourceInfo, timeline: Timeline, profile: Profile, sidecars: Sequence[Sidecar]
) -> TrackPlan:
    """Decide for every track of the film and every sidecar."""
    is_encrypted = profile.encryption is not None
    possible = fit_all(profile.ladders, info.picture, timeline.rate, is_encrypted=is_encrypted)
    rungs = budgeted(profile.ladders, possible)
    waivers = {track.index: _waiver(track, info, timeline) for track in info.tracks}
    kept = [track for track in info.tracks if not waivers[track.index]]
    sounds = _plan_sounds([t for t in kept if t.type == "audio"], timeline, profile)
    texts = plan_texts(info, timeline, sidecars)
    made: dict[int, tuple[str, ...]] = {info.video: tuple(f"video-{rung.name}" for rung in rungs)}
    made |= {s.track.index: tuple(rendition.name for rendition in s.renditions) for s in sounds}
    made |= {text.track.index: (text.name,) for text in texts if text.track}
    outcomes = [
        Outcome(
            _describe(track),
            made.get(track.index, ()),
            waivers[track.index],
            layout_note(track) if track.index in made and track.type == "audio" else "",
        )
        for track in info.tracks
    ]
    if info.has_captions:
        outcomes.append(Outcome(f"captions inside video {info.video}: CEA-608/708", (), CAPTIONS))
    outcomes += [
        Outcome(f"subtitle file {PurePath(text.sidecar.file).name}", (text.name,))
        for text in texts
        if text.sidecar
    ]
    return TrackPlan(
        rungs, tuple(sounds), tuple(texts), tuple(outcomes), profile.subtitles
    )  # fmt: skip


def plan_texts(
    info: SourceInfo, timeline: Timeline, sidecars: Sequence[Sidecar]
) -> list[TextTrack]:
    """The text renditions of a film and the files beside it."""
    tracks = [track for track in info.of_type("subtitles") if not _waiver(track, info, timeline)]
    return _plan_texts(tracks, sidecars)


def without_texts(plan: TrackPlan, reasons: Mapping[str, str]) -> TrackPlan:
    """The plan without those text renditions; each one's track is waived for the reason given."""
    outcomes = tuple(
        Outcome(outcome.source, (), reasons[outcome.renditions[0]])
        if set(outcome.renditions) & set(reasons)
        else outcome
        for outcome in plan.outcomes
    )
    texts = tuple(text for text in plan.texts if text.name not in reasons)
    return replace(plan, texts=texts, outcomes=outcomes)


def with_rungs(plan: TrackPlan, rungs: tuple[Rung, ...]) -> TrackPlan:
    """The plan with other rungs in the place of all that it has."""
    before, now = (tuple(f"video-{one.name}" for one in some) for some in (plan.rungs, rungs))
    outcomes = tuple(
        replace(outcome, renditions=now) if outcome.renditions == before else outcome
        for outcome in plan.outcomes
    )
    return replace(plan, rungs=rungs, outcomes=outcomes)


def _describe(track: Track) -> str:
    language = f" ({track.language})" if track.language else ""
    return f"{track.type} {track.index}{language}: {track.codec}"


CAPTIONS = (
    "captions inside the pictures are not turned into text; "
    "extract them to a file and give that with --subtitles"
)
DAMAGED = "it is damaged, which was accepted"
"""How the reason begins for a track of which nothing is published as damage was accepted."""

NOT_SHOWN = {
    "tmcd": "a track of time codes, which no player shows",
    "ttf": "a font: subtitles become plain text, which needs none",
    "otf": "a font: subtitles become plain text, which needs none",
    "bin_data": "data that no player shows; chapters are kept apart from it",
    "wvtt": "WebVTT in MP4 boxes is not read; give it as a file with --subtitles",
}


def _waiver(track: Track, info: SourceInfo, timeline: Timeline) -> str:
    """Why a track is left out; "" for one that is published."""
    if track.index == info.video:
        return ""
    if track.is_cover:
        return "a cover picture, not a moving one"
    if track.type == "video":
        return f"another video track; track {info.video} is the main one"
    if track.type == "other":
        return NOT_SHOWN.get(track.codec, "not a track that a player shows")
    return _fault(track) or ("" if _meets(track, timeline) else "it begins after the pictures' end")


def _fault(track: Track) -> str:
    """Why a sound or subtitle track gives nothing at all."""
    if track.codec in IMAGE_SUBTITLES:
        return "its subtitles are pictures, which have no text to publish"
    if track.fault or track.type == "subtitles":
        return track.fault
    if track.channels > MOST_CHANNELS:
        return f"it has {track.channels} channels; {MOST_CHANNELS} can be mixed"
    return "" if track.channels else "it has no channels"


def _meets(track: Track, timeline: Timeline) -> bool:
    """Whether some of the track lies before the end of the pictures."""
    return track.start < timeline.start + timeline.duration


def _plan_sounds(tracks: Sequence[Track], timeline: Timeline, profile: Profile) -> list[SoundTrack]:
    names = _Names()
    default = _default_sound(tracks)
    sounds = []
    for track in tracks:
        labels = _labels(track, track is default, names)
        renditions = plan_sound(
            track,
            names.rendition("audio", labels.language),
            profile.sounds,
            timeline.start,
            timeline.duration,
            lead_samples(timeline.rate),
            profile.loudness,
        )
        sounds.append(SoundTrack(labels, track, tuple(renditions)))
    return sounds


def _default_sound(tracks: Sequence[Track]) -> Track | None:
    """The first that the film calls so and that is for all; else the first for all; else any."""
    for_all = [track for track in tracks if purpose_of(track) is None]
    called_so = [track for track in for_all or tracks if track.is_default]
    return next(iter(called_so or for_all or tracks), None)


def _plan_texts(tracks: Sequence[Track], sidecars: Sequence[Sidecar]) -> list[TextTrack]:
    names = _Names()
    texts = []
    default = next((track for track in tracks if track.is_default), None)
    for track in tracks:
        labels = _labels(track, track is default, names)
        name = names.rendition("text", labels.language)
        texts.append(TextTrack(name, labels, track, None))
    for sidecar in sidecars:
        language = language_tag(sidecar.language)
        label = names.label(language, "", _words(sidecar.purpose, sidecar.is_forced))
        labels = Labels(language, label, False, sidecar.is_forced, sidecar.purpose)
        texts.append(TextTrack(names.rendition("text", language), labels, None, sidecar))
    return texts


def _labels(track: Track, is_default: bool, names: "_Names") -> Labels:
    language, purpose = language_tag(track.language), purpose_of(track)
    is_forced = track.is_forced and track.type == "subtitles"
    label = names.label(language, track.title, _words(purpose, is_forced))
    return Labels(language, label, is_default, is_forced, purpose)


def _words(purpose: Purpose | None, is_forced: bool) -> str:
    """What follows the language in a name that the film does not give."""
    words = [WORDS[purpose]] if purpose else []
    words += ["forced"] if is_forced else []
    return f" ({' '.join(words)})" if words else ""


UNSPELLABLE = str.maketrans({'"': "'", ",": " ", "=": "-"})
"""What neither the packager nor a playlist has a spelling for in a name."""


LONGEST = 120
"""Characters of a name that are kept."""


def _is_seen(character: str) -> bool:
    return character.isprintable() or character.isspace()


class _Names:
    """Gives names that no other track of the film has."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def label(self, language: str, title: str, words: str) -> str:
        plain = " ".join("".join(filter(_is_seen, title.translate(UNSPELLABLE))).split())
        return self._free(plain[:LONGEST] or language_name(language) + words, " ")

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
    if language in (None, "", "und"):
        return "und"
    import langcodes  # noqa: PLC0415  # slow to import, and many films name no language
    from langcodes.tag_parser import LanguageTagError  # noqa: PLC0415

    try:
        tag = langcodes.standardize_tag(language)
    except LanguageTagError:
        return "und"
    return tag if langcodes.tag_is_valid(tag) else "und"


def language_name(tag: str) -> str:
    """The language in its own words, for a menu."""
    if tag == "und":
        return "Unknown"
    import langcodes  # noqa: PLC0415

    return str(langcodes.Language.get(tag).autonym().capitalize())
