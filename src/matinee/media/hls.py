"""HLS playlists (RFC 8216bis): read them into values and write them back.

Attributes keep their spelling and order, and tags that are not known stay where they were, so
reading and writing changes nothing but comments and blank lines.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import ClassVar

from matinee.media.hls_attributes import (
    Attributes,
    PlaylistInvalid,
    decimal,
    decimal_text,
    integer,
    read_attributes,
)

_BYTE_RANGE = re.compile(r"(\d{1,15})(?:@(\d{1,15}))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Media:
    """EXT-X-MEDIA (section 4.4.6.1)."""

    attributes: Attributes
    tag: ClassVar[str] = "#EXT-X-MEDIA"

    @property
    def kind(self) -> str:
        """AUDIO, VIDEO, SUBTITLES or CLOSED-CAPTIONS."""
        return self.attributes.text("TYPE") or ""

    @property
    def group_id(self) -> str:
        """The group it belongs to."""
        return self.attributes.text("GROUP-ID") or ""

    @property
    def uri(self) -> str | None:
        """Its media playlist."""
        return self.attributes.text("URI")

    @property
    def is_default(self) -> bool:
        """Whether it plays when the viewer asks for nothing."""
        return self.attributes.text("DEFAULT") == "YES"


@dataclass(frozen=True, slots=True)
class Variant:
    """EXT-X-STREAM-INF (section 4.4.6.2) and its URI line."""

    attributes: Attributes
    uri: str
    tag: ClassVar[str] = "#EXT-X-STREAM-INF"


@dataclass(frozen=True, slots=True)
class IFrameStream:
    """EXT-X-I-FRAME-STREAM-INF (section 4.4.6.3)."""

    attributes: Attributes
    tag: ClassVar[str] = "#EXT-X-I-FRAME-STREAM-INF"

    @property
    def uri(self) -> str | None:
        """Its media playlist."""
        return self.attributes.text("URI")


@dataclass(frozen=True, slots=True)
class ImageStream:
    """EXT-X-IMAGE-STREAM-INF (Image Media Playlist specification 0.4): thumbnails."""

    attributes: Attributes
    tag: ClassVar[str] = "#EXT-X-IMAGE-STREAM-INF"

    @property
    def uri(self) -> str | None:
        """Its image playlist."""
        return self.attributes.text("URI")


@dataclass(frozen=True, slots=True)
class Multivariant:
    """A multivariant playlist. ``tags`` are the lines that have no field here."""

    version: int | None
    tags: tuple[str, ...]
    media: tuple[Media, ...]
    variants: tuple[Variant, ...]
    i_frames: tuple[IFrameStream, ...] = ()
    images: tuple[ImageStream, ...] = ()

    @property
    def has_independent_segments(self) -> bool:
        """Whether EXT-X-INDEPENDENT-SEGMENTS (section 4.4.2.1) is there."""
        return "#EXT-X-INDEPENDENT-SEGMENTS" in self.tags

    def group(self, kind: str, group_id: str | None) -> list[Media]:
        """The renditions of one group."""
        return [m for m in self.media if m.kind == kind and m.group_id == group_id]


@dataclass(frozen=True, slots=True)
class ByteRange:
    """EXT-X-BYTERANGE (section 4.4.4.2): bytes ``[start, start + length)``."""

    length: int
    start: int

    @property
    def end(self) -> int:
        """One past the last byte."""
        return self.start + self.length


@dataclass(frozen=True, slots=True)
class Segment:
    """A URI line and the tags that apply to it; ``tags`` are those that have no field here."""

    uri: str
    duration: Fraction
    title: str = ""
    init: Attributes | None = None
    byte_range: ByteRange | None = None
    is_discontinuous: bool = False
    tiles: Attributes | None = None
    tags: tuple[str, ...] = ()

    @property
    def init_uri(self) -> str | None:
        """The init segment (EXT-X-MAP, section 4.4.4.5) in force."""
        return self.init.text("URI") if self.init else None


@dataclass(frozen=True, slots=True)
class MediaPlaylist:
    """A media playlist. ``tags`` are the header lines that have no field here."""

    target_duration: int
    segments: tuple[Segment, ...]
    version: int | None = None
    kind: str | None = None
    is_i_frames_only: bool = False
    is_images_only: bool = False
    has_end: bool = False
    tags: tuple[str, ...] = ()

    @property
    def duration(self) -> Fraction:
        """Sum of the EXTINF durations, in seconds."""
        return sum((segment.duration for segment in self.segments), Fraction(0))


def _lines(text: str) -> Iterator[str]:
    """Tags and URI lines without the first; comments and blank lines left out (section 4.1)."""
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").split("\n")
    if lines[0].rstrip() != "#EXTM3U":
        raise PlaylistInvalid("a playlist begins with #EXTM3U")
    for line in lines[1:]:
        if line.strip() and (not line.startswith("#") or line.startswith("#EXT")):
            yield line.rstrip()


def read_multivariant(text: str) -> Multivariant:
    """Read a multivariant playlist.

    Raises:
        PlaylistInvalid: when it is not one.
    """
    version, pending = None, None
    tags: list[str] = []
    variants: list[Variant] = []
    streams: dict[str, list[Attributes]] = {
        Media.tag: [],
        IFrameStream.tag: [],
        ImageStream.tag: [],
    }
    for line in _lines(text):
        tag, _, value = line.partition(":")
        if pending is not None:
            if tag.startswith("#"):
                raise PlaylistInvalid("#EXT-X-STREAM-INF is not followed by a URI line")
            variants.append(Variant(pending, line))
            pending = None
        elif not line.startswith("#"):
            raise PlaylistInvalid(f"URI line without #EXT-X-STREAM-INF: {line[:80]!r}")
        elif tag == "#EXT-X-VERSION":
            version = integer(value)
        elif tag == Variant.tag:
            pending = read_attributes(value)
        elif tag in streams:
            streams[tag].append(read_attributes(value))
        else:
            tags.append(line)
    if pending is not None or not variants:
        raise PlaylistInvalid("no variant with a URI line")
    return Multivariant(
        version,
        tuple(tags),
        tuple(map(Media, streams[Media.tag])),
        tuple(variants),
        tuple(map(IFrameStream, streams[IFrameStream.tag])),
        tuple(map(ImageStream, streams[ImageStream.tag])),
    )


def write_multivariant(playlist: Multivariant) -> str:
    """The text, in a fixed order: tags, media, variants, I-frames, images."""
    lines = ["#EXTM3U"]
    if playlist.version is not None:
        lines.append(f"#EXT-X-VERSION:{playlist.version}")
    lines += playlist.tags
    lines += [f"{media.tag}:{media.attributes}" for media in playlist.media]
    for variant in playlist.variants:
        lines += [f"{variant.tag}:{variant.attributes}", variant.uri]
    lines += [f"{stream.tag}:{stream.attributes}" for stream in playlist.i_frames]
    lines += [f"{stream.tag}:{stream.attributes}" for stream in playlist.images]
    return "\n".join(lines) + "\n"


_I_FRAMES_ONLY, _IMAGES_ONLY, _END = "#EXT-X-I-FRAMES-ONLY", "#EXT-X-IMAGES-ONLY", "#EXT-X-ENDLIST"


def read_media(text: str) -> MediaPlaylist:
    """Read a media playlist.

    Raises:
        PlaylistInvalid: when it is not one.
    """
    playlist = MediaPlaylist(target_duration=-1, segments=())
    tags: list[str] = []
    segments: list[Segment] = []
    pending: list[tuple[str, str, str]] = []
    flags: set[str] = set()
    for line in _lines(text):
        tag, _, value = line.partition(":")
        if not line.startswith("#"):
            segments.append(_segment(line, pending, segments[-1] if segments else None))
            pending = []
        elif tag in (_I_FRAMES_ONLY, _IMAGES_ONLY, _END):
            flags.add(tag)
        elif tag == "#EXT-X-VERSION":
            playlist = replace(playlist, version=integer(value))
        elif tag == "#EXT-X-TARGETDURATION":
            playlist = replace(playlist, target_duration=integer(value))
        elif tag == "#EXT-X-PLAYLIST-TYPE":
            playlist = replace(playlist, kind=value)
        elif tag in _SEGMENT_TAGS or segments or pending:
            pending.append((tag, value, line))
        else:
            tags.append(line)
    if playlist.target_duration < 0:
        raise PlaylistInvalid("no #EXT-X-TARGETDURATION")
    if pending:
        raise PlaylistInvalid(f"{pending[0][0]} without a URI line after it")
    return replace(
        playlist,
        tags=tuple(tags),
        segments=tuple(segments),
        is_i_frames_only=_I_FRAMES_ONLY in flags,
        is_images_only=_IMAGES_ONLY in flags,
        has_end=_END in flags,
    )


_SEGMENT_TAGS = {
    "#EXTINF",
    "#EXT-X-BYTERANGE",
    "#EXT-X-DISCONTINUITY",
    "#EXT-X-MAP",
    "#EXT-X-TILES",
    "#EXT-X-KEY",
    "#EXT-X-PROGRAM-DATE-TIME",
    "#EXT-X-GAP",
    "#EXT-X-BITRATE",
}


def _segment(uri: str, pending: list[tuple[str, str, str]], before: Segment | None) -> Segment:
    segment = Segment(uri, Fraction(-1), init=before.init if before else None)
    others: list[str] = []
    for tag, value, line in pending:
        if tag == "#EXTINF":
            seconds, _, title = value.partition(",")
            segment = replace(segment, duration=decimal(seconds), title=title)
        elif tag == "#EXT-X-BYTERANGE":
            segment = replace(segment, byte_range=_byte_range(value, uri, before))
        elif tag == "#EXT-X-MAP":
            segment = replace(segment, init=read_attributes(value))
        elif tag == "#EXT-X-TILES":
            segment = replace(segment, tiles=read_attributes(value))
        elif tag == "#EXT-X-DISCONTINUITY":
            segment = replace(segment, is_discontinuous=True)
        else:
            others.append(line)
    if segment.duration < 0:
        raise PlaylistInvalid(f"segment {uri[:80]!r} has no #EXTINF")
    return replace(segment, tags=tuple(others))


def _byte_range(value: str, uri: str, before: Segment | None) -> ByteRange:
    match = _BYTE_RANGE.fullmatch(value)
    if match is None:
        raise PlaylistInvalid(f"not a byte range: {value[:40]!r}")
    if match[2] is not None:
        return ByteRange(int(match[1]), int(match[2]))
    if before is None or before.byte_range is None or before.uri != uri:
        raise PlaylistInvalid(f"byte range of {uri[:80]!r} has no start")
    return ByteRange(int(match[1]), before.byte_range.end)


def write_media(playlist: MediaPlaylist) -> str:
    """The text of a media playlist."""
    lines = ["#EXTM3U"]
    if playlist.version is not None:
        lines.append(f"#EXT-X-VERSION:{playlist.version}")
    lines.append(f"#EXT-X-TARGETDURATION:{playlist.target_duration}")
    if playlist.kind is not None:
        lines.append(f"#EXT-X-PLAYLIST-TYPE:{playlist.kind}")
    lines += [_I_FRAMES_ONLY] if playlist.is_i_frames_only else []
    lines += [_IMAGES_ONLY] if playlist.is_images_only else []
    lines += playlist.tags
    init = None
    for segment in playlist.segments:
        if segment.is_discontinuous:
            lines.append("#EXT-X-DISCONTINUITY")
        if segment.init != init and segment.init is not None:
            lines.append(f"#EXT-X-MAP:{segment.init}")
            init = segment.init
        lines += segment.tags
        lines.append(f"#EXTINF:{decimal_text(segment.duration)},{segment.title}")
        if segment.byte_range is not None:
            span = segment.byte_range
            lines.append(f"#EXT-X-BYTERANGE:{span.length}@{span.start}")
        if segment.tiles is not None:
            lines.append(f"#EXT-X-TILES:{segment.tiles}")
        lines.append(segment.uri)
    return "\n".join([*lines, _END] if playlist.has_end else lines) + "\n"
