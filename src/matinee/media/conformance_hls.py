"""Checks of HLS playlists (RFC 8216bis) against what the segments hold."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction

from matinee.media.bit_rates import BitRate
from matinee.media.conformance_cmaf import MeasuredRendition
from matinee.media.conformance_report import (
    Expected,
    ExpectedFlags,
    Finding,
    Library,
    rendition_name,
)
from matinee.media.hls import (
    IFrameStream,
    ImageStream,
    Media,
    MediaPlaylist,
    Multivariant,
    Variant,
    read_media,
)
from matinee.media.hls_attributes import Attributes, PlaylistInvalid
from matinee.media.hls_edits import bit_rate_of, combined_rate

_MILLISECOND = Fraction(1, 1000)


@dataclass(frozen=True, slots=True)
class ReadPlaylist:
    """A media playlist with its path and those of its segments, in order; "" for a wrong URI."""

    path: str
    playlist: MediaPlaylist
    init_path: str | None
    paths: tuple[str, ...]

    @property
    def name(self) -> str:
        """The rendition it lists."""
        return rendition_name(self.paths[0]) if self.paths else ""


@dataclass(frozen=True, slots=True)
class ReadHls:
    """A multivariant playlist with its media playlists by URI."""

    path: str
    playlist: Multivariant
    lists: Mapping[str, ReadPlaylist]


def read_playlists(library: Library, path: str, playlist: Multivariant) -> ReadHls:
    """Read every media playlist that ``playlist`` names."""
    uris = [
        *(variant.uri for variant in playlist.variants),
        *(media.uri for media in playlist.media),
        *(stream.uri for stream in playlist.i_frames),
        *(stream.uri for stream in playlist.images),
    ]
    lists = {}
    for uri in dict.fromkeys(uri for uri in uris if uri is not None):
        where = library.resolve(path, uri)
        text = None if where is None else library.text_of(where)
        if where is None or text is None:
            continue
        try:
            lists[uri] = _with_paths(library, where, read_media(text))
        except PlaylistInvalid as error:
            library.note("playlist.invalid", where, str(error))
    return ReadHls(path, playlist, lists)


def _with_paths(library: Library, where: str, playlist: MediaPlaylist) -> ReadPlaylist:
    inits = {segment.init_uri for segment in playlist.segments}
    init = inits.pop() if len(inits) == 1 else None
    if inits:
        library.note("hls.map", where, "more than one init segment")
    init_path = None if init is None else library.resolve(where, init)
    paths = [library.resolve(where, segment.uri) or "" for segment in playlist.segments]
    return ReadPlaylist(where, playlist, init_path, tuple(paths))


Tracks = Mapping[str, MeasuredRendition]
"""Measured renditions by the path of their init segment."""


def hls_findings(
    hls: ReadHls, tracks: Tracks, expected: Expected, sizes: Mapping[str, int]
) -> Iterator[Finding]:
    """Every check of the playlists. ``sizes`` has WebVTT segments and thumbnails by path."""
    playlist = hls.playlist
    if playlist.version is None:
        yield Finding("hls.version", hls.path, "no EXT-X-VERSION")
    if not playlist.has_independent_segments:
        yield Finding("hls.independent", hls.path, "no EXT-X-INDEPENDENT-SEGMENTS")
    yield from _group_findings(hls)
    for media in playlist.media:
        yield from _media_findings(hls, media, expected)
    for variant in playlist.variants:
        yield from _variant_findings(hls, variant, tracks, expected)
    for stream in playlist.i_frames:
        yield from _range_findings(hls, stream.uri or "", stream.attributes, expected)
    yield from _rate_findings(hls, tracks, sizes)
    yield from _target_findings(hls)
    for listed in hls.lists.values():
        yield from _list_findings(listed, tracks)


def _group_findings(hls: ReadHls) -> Iterator[Finding]:
    """Groups that variants name, and what one group may hold (section 4.4.6.1.1)."""
    media = hls.playlist.media
    for variant in hls.playlist.variants:
        for kind in ("AUDIO", "VIDEO", "SUBTITLES", "CLOSED-CAPTIONS"):
            group = variant.attributes.text(kind)
            if group not in (None, "NONE") and not hls.playlist.group(kind, group):
                yield Finding("hls.group", hls.path, f"no {kind} group {group!r}")
    named = {
        (kind, variant.attributes.text(kind))
        for variant in hls.playlist.variants
        for kind in ("AUDIO", "VIDEO", "SUBTITLES", "CLOSED-CAPTIONS")
    }
    for kind, group_id in dict.fromkeys((m.kind, m.group_id) for m in media):
        members = hls.playlist.group(kind, group_id)
        if (kind, group_id) not in named:
            yield Finding("hls.group", hls.path, f"no variant names {kind} group {group_id!r}")
        if sum(member.is_default for member in members) > 1:
            yield Finding("hls.default", hls.path, f"group {group_id!r} has two defaults")
        names = [member.attributes.text("NAME") for member in members]
        if len(set(names)) != len(names) or None in names:
            yield Finding("hls.name", hls.path, f"names in group {group_id!r}: {names}")


def _media_findings(hls: ReadHls, media: Media, expected: Expected) -> Iterator[Finding]:
    """LANGUAGE, CHANNELS and flags of one rendition."""
    listed = hls.lists.get(media.uri or "")
    attributes = media.attributes
    if media.is_default and attributes.text("AUTOSELECT") == "NO":
        yield Finding("hls.default", hls.path, f"{media.uri}: default, not to be autoselected")
    if attributes.text("FORCED") is not None and media.kind != "SUBTITLES":
        yield Finding("hls.forced", hls.path, f"{media.uri}: FORCED on {media.kind}")
    if listed is None:
        return
    yield from _flag_findings(hls, media, expected.flags.get(listed.name))
    audio = expected.audio.get(listed.name)
    language = audio.language if audio else expected.text.get(listed.name)
    if language is not None and attributes.text("LANGUAGE") != language:
        yield Finding(
            "hls.language", hls.path, f"{media.uri}: {attributes.text('LANGUAGE')}, not {language}"
        )
    if audio and (attributes.text("CHANNELS") or "").split("/")[0] != str(audio.channels):
        yield Finding(
            "hls.channels",
            hls.path,
            f"{media.uri}: {attributes.text('CHANNELS')}, not {audio.channels}",
        )


def _flag_findings(hls: ReadHls, media: Media, planned: ExpectedFlags | None) -> Iterator[Finding]:
    """DEFAULT, AUTOSELECT, FORCED and CHARACTERISTICS as planned; what is left out means NO."""
    if planned is None:
        return
    wanted = {
        "DEFAULT": "YES" if planned.is_default else "NO",
        "AUTOSELECT": "YES" if planned.is_autoselect else "NO",
        "FORCED": "YES" if planned.is_forced else "NO",
        "CHARACTERISTICS": planned.characteristics,
    }
    for name, value in wanted.items():
        stated = media.attributes.text(name) or (None if name == "CHARACTERISTICS" else "NO")
        if stated != value:
            yield Finding("hls.flags", hls.path, f"{media.uri}: {name} is {stated}, not {value}")


def _variant_findings(
    hls: ReadHls, variant: Variant, tracks: Tracks, expected: Expected
) -> Iterator[Finding]:
    """CODECS, RESOLUTION and FRAME-RATE (section 4.4.6.2)."""
    listed = hls.lists.get(variant.uri)
    track = tracks.get(listed.init_path or "") if listed else None
    if track is None:
        return
    codecs = {track.init.codec} | {
        tracks[init].init.codec
        for kind in ("AUDIO", "VIDEO")
        for media in hls.playlist.group(kind, variant.attributes.text(kind))
        for init in [_init_of(hls, media.uri)]
        if init in tracks
    }
    stated = set((variant.attributes.text("CODECS") or "").split(",")) - {"wvtt"}
    if not same_codecs(stated, codecs):
        yield Finding(
            "hls.codecs", hls.path, f"{variant.uri}: {sorted(stated)}, not {sorted(codecs)}"
        )
    entry = track.init.entry
    if not _is_resolution_of(variant.attributes.text("RESOLUTION"), track):
        yield Finding(
            "hls.resolution",
            hls.path,
            f"{variant.uri}: {variant.attributes.text('RESOLUTION')}, "
            f"coded {entry.width}x{entry.height} at {entry.pixel_aspect}",
        )
    yield from _range_findings(hls, variant.uri, variant.attributes, expected)
    video, rate = expected.video.get(track.name), variant.attributes.text("FRAME-RATE")
    if video and (rate is None or abs(_fraction(rate) - video.frame_rate) > _MILLISECOND / 2):
        yield Finding(
            "hls.frame_rate", hls.path, f"{variant.uri}: {rate}, planned {video.frame_rate}"
        )


def _range_findings(
    hls: ReadHls, uri: str, attributes: Attributes, expected: Expected
) -> Iterator[Finding]:
    """VIDEO-RANGE as planned; what is left out means SDR (section 4.4.6.2)."""
    listed = hls.lists.get(uri)
    video = expected.video.get(listed.name) if listed else None
    if video is None:
        return
    stated = attributes.text("VIDEO-RANGE") or "SDR"
    if stated != video.video_range:
        yield Finding("hls.video_range", hls.path, f"{uri}: {stated}, not {video.video_range}")


def _init_of(hls: ReadHls, uri: str | None) -> str:
    listed = hls.lists.get(uri or "")
    return (listed.init_path or "") if listed else ""


def same_codecs(stated: set[str], found: set[str]) -> bool:
    """Whether RFC 6381 strings agree; AV1's optional fields may follow, case is Opus' affair."""

    def short(codec: str) -> str:
        if codec.startswith("av01."):
            return ".".join(codec.split(".")[:4])
        return codec.lower() if codec.lower() in ("opus", "flac") else codec

    return {short(codec) for codec in stated} == {short(codec) for codec in found}


def _fraction(text: str) -> Fraction:
    try:
        return Fraction(text)
    except (ValueError, ZeroDivisionError):
        return Fraction(0)


def _is_resolution_of(text: str | None, track: MeasuredRendition) -> bool:
    """Whether RESOLUTION is the size for display; with oblong pixels, to one pixel."""
    entry = track.init.entry
    width, mark, height = (text or "").partition("x")
    if not mark or not (width + height).isascii() or not (width + height).isdigit():
        return False
    wide = (entry.width or 0) * entry.pixel_aspect
    slack = 0 if entry.pixel_aspect == 1 else 1
    return abs(_fraction(width) - wide) <= slack and _fraction(height) == entry.height


def _rate_findings(hls: ReadHls, tracks: Tracks, sizes: Mapping[str, int]) -> Iterator[Finding]:
    """BANDWIDTH at least the measured peak, AVERAGE-BANDWIDTH within 1 % of the measured."""
    rates = {uri: _rate_of(listed, tracks, sizes) for uri, listed in hls.lists.items()}
    streams: list[Variant | IFrameStream | ImageStream] = [
        *hls.playlist.variants,
        *hls.playlist.i_frames,
        *hls.playlist.images,
    ]
    for stream in streams:
        uri = stream.uri or ""
        rate = rates.get(uri)
        if isinstance(stream, Variant):
            rate = combined_rate(hls.playlist, stream, rates)
        if rate is None:
            continue
        peak = _fraction(stream.attributes.text("BANDWIDTH") or "0")
        average = _fraction(stream.attributes.text("AVERAGE-BANDWIDTH") or "0")
        if peak < rate.peak:
            yield Finding("hls.bandwidth", hls.path, f"{uri}: {peak}, measured {rate.peak}")
        if abs(average - rate.average) * 100 > rate.average:
            yield Finding(
                "hls.average_bandwidth", hls.path, f"{uri}: {average}, measured {rate.average}"
            )


def _rate_of(listed: ReadPlaylist, tracks: Tracks, sizes: Mapping[str, int]) -> BitRate:
    track = tracks.get(listed.init_path or "")
    known = {segment.path: segment.size for segment in track.segments} if track else sizes
    by_uri = {
        segment.uri: known.get(path, 0)
        for segment, path in zip(listed.playlist.segments, listed.paths, strict=True)
    }
    return bit_rate_of(listed.playlist, by_uri)


def _target_findings(hls: ReadHls) -> Iterator[Finding]:
    """One target duration for all variants and audio renditions (section 6.2.4)."""
    uris = [variant.uri for variant in hls.playlist.variants]
    uris += [media.uri for media in hls.playlist.media if media.kind == "AUDIO" and media.uri]
    lists = [hls.lists[uri] for uri in uris if uri in hls.lists]
    targets = sorted({listed.playlist.target_duration for listed in lists})
    if len(targets) > 1:
        yield Finding("hls.target_duration", hls.path, f"target durations differ: {targets}")


def _list_findings(listed: ReadPlaylist, tracks: Tracks) -> Iterator[Finding]:
    """One media playlist by itself and against its rendition."""
    playlist, where = listed.playlist, listed.path
    if not playlist.has_end:
        yield Finding("hls.end", where, "no EXT-X-ENDLIST")
    if playlist.kind != "VOD":
        yield Finding(
            "hls.playlist_type", where, f"EXT-X-PLAYLIST-TYPE is {playlist.kind}, not VOD"
        )
    longest = max((segment.duration for segment in playlist.segments), default=Fraction(0))
    if int(longest + Fraction(1, 2)) > playlist.target_duration:
        yield Finding(
            "hls.target_duration",
            where,
            f"{playlist.target_duration}, a segment lasts {float(longest)} s",
        )
    if any(segment.is_discontinuous for segment in playlist.segments):
        yield Finding("hls.discontinuity", where, "EXT-X-DISCONTINUITY in a film of one piece")
    is_cmaf = any(path.endswith((".m4s", ".mp4")) for path in listed.paths)
    if listed.init_path is None and is_cmaf:
        yield Finding("hls.map", where, "no EXT-X-MAP")
    track = tracks.get(listed.init_path or "")
    if track is not None:
        yield from _segment_findings(listed, track)


def _segment_findings(listed: ReadPlaylist, track: MeasuredRendition) -> Iterator[Finding]:
    """EXTINF and byte ranges; an I-frame playlist lists the first picture of each segment."""
    found = {segment.path: segment for segment in track.segments}
    if listed.playlist.is_i_frames_only and set(listed.paths) < set(found):
        yield Finding("hls.i_frames", listed.path, "segments are missing from the I-frame playlist")
    slack = _MILLISECOND * max(len(listed.paths), 1)
    played = sum((segment.duration for segment in track.segments), Fraction(0))
    if abs(listed.playlist.duration - played) > slack:
        yield Finding(
            "hls.duration",
            listed.path,
            f"{float(listed.playlist.duration):.3f} s, measured {float(played):.3f} s",
        )
    for segment, path in zip(listed.playlist.segments, listed.paths, strict=True):
        real = found.get(path)
        if real is None:
            continue
        if abs(segment.duration - real.duration) > _MILLISECOND:
            yield Finding(
                "hls.extinf",
                listed.path,
                f"{path}: {float(segment.duration)}, measured {float(real.duration):.6f}",
            )
        span = segment.byte_range and (segment.byte_range.start, segment.byte_range.end)
        wanted = real.i_frame if listed.playlist.is_i_frames_only else None
        if span != wanted:
            yield Finding("hls.byte_range", listed.path, f"{path}: bytes {span}, not {wanted}")
