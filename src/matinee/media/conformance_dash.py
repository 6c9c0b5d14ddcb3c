"""Checks of an MPD (ISO/IEC 23009-1) against what the segments hold."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction

from matinee.media.conformance_cmaf import MeasuredRendition
from matinee.media.conformance_hls import same_codecs
from matinee.media.conformance_report import Expected, Finding, Library, rendition_name
from matinee.media.dash import AdaptationSet, Mpd, Representation

_ROUNDING = Fraction(1, 2000)
"""Seconds by which EXTINF, of which the stated figures are measured, is rounded at most."""


@dataclass(frozen=True, slots=True)
class ReadRepresentation:
    """A representation with the paths of its files, in order; "" for a wrong URI."""

    value: Representation
    adaptation_set: AdaptationSet
    init_path: str | None
    paths: tuple[str, ...]

    @property
    def name(self) -> str:
        """The rendition it lists."""
        return rendition_name(self.init_path or "")


@dataclass(frozen=True, slots=True)
class ReadDash:
    """An MPD with its representations."""

    path: str
    mpd: Mpd
    representations: tuple[ReadRepresentation, ...]

    @property
    def trick_modes(self) -> list[ReadRepresentation]:
        """Those for trick play."""
        return [r for r in self.representations if r.adaptation_set.is_trick_mode]

    @property
    def images(self) -> list[ReadRepresentation]:
        """Thumbnails."""
        return [r for r in self.representations if r.adaptation_set.content_type == "image"]


def read_representations(library: Library, path: str, mpd: Mpd) -> ReadDash:
    """Every representation of ``mpd`` with its addresses resolved."""
    found = []
    for period in mpd.periods:
        for adaptation_set in period.adaptation_sets:
            for representation in adaptation_set.representations:
                init = representation.initialization
                paths = [library.resolve(path, s.uri) or "" for s in representation.segments]
                found.append(
                    ReadRepresentation(
                        representation,
                        adaptation_set,
                        None if init is None else library.resolve(path, init),
                        tuple(paths),
                    )
                )
    return ReadDash(path, mpd, tuple(found))


def dash_findings(
    dash: ReadDash,
    tracks: Mapping[str, MeasuredRendition],
    expected: Expected,
    target_duration: int,
) -> Iterator[Finding]:
    """Every check of the MPD. Peaks are measured with the playlists' target duration."""
    path, mpd, images = dash.path, dash.mpd, dash.images
    if mpd.kind != "static":
        yield Finding("dash.type", path, f"type is {mpd.kind}, not static")
    if len(mpd.periods) != 1:
        yield Finding("dash.periods", path, f"{len(mpd.periods)} periods in a film of one piece")
    yield from _set_findings(path, mpd)
    ends = [t.end for t in tracks.values() if t.init.handler in ("vide", "soun")]
    longest = max(ends, default=Fraction(0))
    if mpd.duration is None or abs(mpd.duration - longest) > expected.duration_tolerance:
        yield Finding(
            "dash.duration",
            path,
            f"mediaPresentationDuration is {mpd.duration}, measured {float(longest):.3f} s",
        )
    for representation in (r for r in dash.representations if r not in images):
        track = tracks.get(representation.init_path or "")
        if representation.init_path is None:
            yield Finding("dash.initialization", path, f"{representation.value.id}: none")
        if track is not None:
            yield from _timeline_findings(path, representation, track)
            yield from _stated_findings(path, representation, track, expected)
            peak, stated = (
                track.bit_rate(target_duration, _ROUNDING).peak, representation.value.bandwidth,
            )  # fmt: skip
            if stated < peak:
                message = f"{representation.name}: {stated}, measured {peak}"
                yield Finding("dash.bandwidth", path, message)


def _set_findings(path: str, mpd: Mpd) -> Iterator[Finding]:
    """Each sound and text has a set of its own: within a set players choose by bit rate alone."""
    for adaptation_set in (one for period in mpd.periods for one in period.adaptation_sets):
        count = len(adaptation_set.representations)
        if adaptation_set.content_type in ("audio", "text") and count > 1:
            told = f"{adaptation_set.label}: {count} tracks in one adaptation set"
            yield Finding("dash.sets", path, told)


def _timeline_findings(
    path: str, representation: ReadRepresentation, track: MeasuredRendition
) -> Iterator[Finding]:
    """SegmentTimeline against the segments, to one tick (clause 5.3.9.6)."""
    found = {segment.path: segment for segment in track.segments}
    tick = Fraction(1, track.init.timescale)
    if not representation.adaptation_set.has_segment_alignment:
        yield Finding("dash.alignment", path, f"{representation.name}: no segmentAlignment")
    for timed, segment_path in zip(
        representation.value.segments, representation.paths, strict=True
    ):
        real = found.get(segment_path)
        if real is None:
            continue
        if abs(timed.start - real.start) > tick or abs(timed.duration - real.duration) > tick:
            yield Finding(
                "dash.timeline",
                path,
                f"{segment_path}: {float(timed.start):.6f} for {float(timed.duration):.6f} s, "
                f"measured {float(real.start):.6f} for {float(real.duration):.6f} s",
            )


def _stated_findings(
    path: str, representation: ReadRepresentation, track: MeasuredRendition, expected: Expected
) -> Iterator[Finding]:
    """What the MPD says of a representation against its init segment and the plan."""
    value, name = representation.value, f"{representation.name}: "
    if not same_codecs({value.codecs}, {track.init.codec}):
        yield Finding("dash.codecs", path, f"{name}{value.codecs}, not {track.init.codec}")
    kind = {"vide": "video", "soun": "audio"}.get(track.init.handler, "text")
    if representation.adaptation_set.content_type != kind:
        yield Finding(
            "dash.content_type", path, f"{name}{representation.adaptation_set.content_type}"
        )
    if kind == "video":
        yield from _video_findings(path, representation, track, expected)
    else:
        yield from _language_findings(path, representation, track, expected)


def _video_findings(
    path: str, representation: ReadRepresentation, track: MeasuredRendition, expected: Expected
) -> Iterator[Finding]:
    value, entry, name = representation.value, track.init.entry, f"{representation.name}: "
    if (value.width, value.height) != (entry.width, entry.height):
        yield Finding(
            "dash.size",
            path,
            f"{name}{value.width}x{value.height}, coded {entry.width}x{entry.height}",
        )
    if (value.sar or 1) != entry.pixel_aspect:
        yield Finding("dash.sar", path, f"{name}{value.sar}, coded {entry.pixel_aspect}")
    video = expected.video.get(representation.name)
    if video and value.frame_rate != video.frame_rate:
        yield Finding(
            "dash.frame_rate", path, f"{name}{value.frame_rate}, planned {video.frame_rate}"
        )
    if video and video.colours:
        told, colours = representation.adaptation_set.colours, video.colours
        wanted = (colours.primaries, colours.transfer, colours.matrix)
        if told != wanted:
            yield Finding("dash.colours", path, f"{name}{told}, planned {wanted}")


def _language_findings(
    path: str, representation: ReadRepresentation, track: MeasuredRendition, expected: Expected
) -> Iterator[Finding]:
    value, entry, name = representation.value, track.init.entry, f"{representation.name}: "
    flags, told = expected.flags.get(representation.name), representation.adaptation_set
    if flags and (told.roles, told.accessibility) != (flags.roles, flags.accessibility):
        yield Finding("dash.roles", path, f"{name}{', '.join(told.roles) or 'no role'}")
    audio = expected.audio.get(representation.name)
    language = audio.language if audio else expected.text.get(representation.name)
    if language is not None and representation.adaptation_set.lang != language:
        yield Finding(
            "dash.lang", path, f"{name}{representation.adaptation_set.lang}, planned {language}"
        )
    if audio and value.channels != audio.channels:
        yield Finding("dash.channels", path, f"{name}{value.channels}, planned {audio.channels}")
    if track.init.handler == "soun" and value.audio_sampling_rate != entry.sample_rate:
        yield Finding(
            "dash.sampling_rate",
            path,
            f"{name}{value.audio_sampling_rate}, not {entry.sample_rate}",
        )
