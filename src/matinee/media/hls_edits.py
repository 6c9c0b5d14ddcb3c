"""What is changed in the packager's HLS playlists before they are published. All pure."""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TypeVar

from matinee.media.bit_rates import BitRate, measured
from matinee.media.hls import (
    IFrameStream,
    ImageStream,
    Media,
    MediaPlaylist,
    Multivariant,
    Segment,
    Variant,
    read_media,
    read_multivariant,
    write_media,
    write_multivariant,
)
from matinee.media.hls_attributes import Attributes, decimal_text

_Stream = TypeVar("_Stream", Media, IFrameStream, ImageStream)
_Ranged = TypeVar("_Ranged", Variant, IFrameStream)

KEY_TAG = "#EXT-X-KEY"
VERSION = 6  # EXT-X-MAP in a playlist that is not I-frames only (section 8)


@dataclass(frozen=True, slots=True)
class MediaSettings:
    """What EXT-X-MEDIA shall say of a rendition; None leaves what is there."""

    name: str | None = None
    language: str | None = None
    channels: int | None = None
    is_default: bool | None = None
    is_autoselect: bool | None = None
    is_forced: bool | None = None
    characteristics: str | None = None


@dataclass(frozen=True, slots=True)
class Thumbnails:
    """Sheets of thumbnails: ``columns`` x ``rows`` pictures of ``width`` x ``height`` each.

    A picture stands for ``interval`` seconds, all sheets together for ``duration`` seconds.
    """

    uris: tuple[str, ...]
    width: int
    height: int
    columns: int
    rows: int
    interval: Fraction
    duration: Fraction

    @property
    def sheet_duration(self) -> Fraction:
        """Seconds that a full sheet stands for."""
        return self.columns * self.rows * self.interval


def normalise(text: str) -> str:
    """A playlist of either kind without comments and blank lines, with EXT-X-VERSION.

    Normalising twice changes nothing more.

    Raises:
        PlaylistInvalid: when the text is not a playlist.
    """
    if re.search(r"^#EXT-X-TARGETDURATION", text, re.MULTILINE):
        playlist = read_media(text)
        return write_media(replace(playlist, version=max(playlist.version or 0, VERSION)))
    return write_multivariant(with_version(read_multivariant(text)))


def with_key(text: str, line: str) -> str:
    """A media playlist with this EXT-X-KEY line before its first segment, and no other."""
    playlist = read_media(text)

    def keyed(number: int, segment: Segment) -> Segment:
        others = tuple(tag for tag in segment.tags if not tag.startswith(KEY_TAG))
        return replace(segment, tags=(*([line] if number == 0 else ()), *others))

    segments = tuple(keyed(*each) for each in enumerate(playlist.segments))
    return write_media(replace(playlist, segments=segments))


def with_version(playlist: Multivariant) -> Multivariant:
    """With EXT-X-VERSION, which the packager leaves out of the multivariant playlist."""
    return replace(playlist, version=max(playlist.version or 0, VERSION))


def bit_rate_of(playlist: MediaPlaylist, sizes: Mapping[str, int]) -> BitRate:
    """Peak and average of a media playlist, by its EXTINF durations (section 4.1).

    Args:
        playlist: The playlist; where a segment is a byte range, its length counts.
        sizes: Bytes of each segment by the URI as ``playlist`` spells it; a missing one counts 0.
    """
    spans = [
        (s.byte_range.length if s.byte_range else sizes.get(s.uri, 0), s.duration)
        for s in playlist.segments
    ]
    return measured(spans, playlist.target_duration)


def with_bit_rates(playlist: Multivariant, rates: Mapping[str, BitRate]) -> Multivariant:
    """With BANDWIDTH and AVERAGE-BANDWIDTH from measured figures.

    A variant's figures are the largest sums over its playable combinations: its own and the largest
    of each group it names (section 4.4.6.2).

    Args:
        playlist: The playlist.
        rates: Bit rates by the URI of each media playlist as ``playlist`` spells it; a stream that
            is not named keeps what it has.
    """

    def changed(attributes: Attributes, rate: BitRate) -> Attributes:
        return attributes.with_raw("BANDWIDTH", str(rate.peak)).with_raw(
            "AVERAGE-BANDWIDTH", str(rate.average)
        )

    def variant(old: Variant) -> Variant:
        rate = combined_rate(playlist, old, rates)
        return old if rate is None else replace(old, attributes=changed(old.attributes, rate))

    def i_frames(old: IFrameStream) -> IFrameStream:
        rate = rates.get(old.uri or "")
        return old if rate is None else replace(old, attributes=changed(old.attributes, rate))

    return replace(
        playlist,
        variants=tuple(map(variant, playlist.variants)),
        i_frames=tuple(map(i_frames, playlist.i_frames)),
    )


def combined_rate(
    playlist: Multivariant, variant: Variant, rates: Mapping[str, BitRate]
) -> BitRate | None:
    """The largest sums of bit rates that any playable combination gives; None: not measured."""
    total = rates.get(variant.uri)
    for kind in ("AUDIO", "VIDEO", "SUBTITLES"):
        group = playlist.group(kind, variant.attributes.text(kind))
        known = [rates[uri] for uri in (media.uri or "" for media in group) if uri in rates]
        if total is not None and known:
            total += BitRate(max(r.peak for r in known), max(r.average for r in known))
    return total


def with_video_ranges(playlist: Multivariant, ranges: Mapping[str, str]) -> Multivariant:
    """With VIDEO-RANGE of variants and I-frame streams (section 4.4.6.2).

    ``ranges`` is by the URI of each media playlist; without any, the playlist stays as it is.
    """

    def told(old: _Ranged, uri: str | None) -> _Ranged:
        wanted = ranges.get(uri or "")
        attributes = old.attributes.with_raw("VIDEO-RANGE", wanted) if wanted else old.attributes
        return replace(old, attributes=attributes)

    return replace(
        playlist,
        variants=tuple(told(one, one.uri) for one in playlist.variants),
        i_frames=tuple(told(one, one.uri) for one in playlist.i_frames),
    )


def with_media(playlist: Multivariant, settings: Mapping[str, MediaSettings]) -> Multivariant:
    """With names, languages, channels, flags and characteristics of renditions.

    ``settings`` is by the URI of each media playlist; FORCED is written for subtitles only,
    CHANNELS for audio only (section 4.4.6.1).
    """

    def changed(media: Media) -> Media:
        wanted = settings.get(media.uri or "")
        return media if wanted is None else replace(media, attributes=_settled(media, wanted))

    return replace(playlist, media=tuple(map(changed, playlist.media)))


def _settled(media: Media, wanted: MediaSettings) -> Attributes:
    attributes = media.attributes
    for name, text in (("LANGUAGE", wanted.language), ("NAME", wanted.name)):
        attributes = attributes.with_text(name, text) if text is not None else attributes
    flags = {"DEFAULT": wanted.is_default, "AUTOSELECT": wanted.is_autoselect}
    if media.kind == "SUBTITLES":
        flags["FORCED"] = wanted.is_forced
    for name, flag in flags.items():
        if flag is not None:
            attributes = attributes.with_raw(name, "YES" if flag else "NO")
    if wanted.characteristics is not None:
        attributes = attributes.with_text("CHARACTERISTICS", wanted.characteristics)
    if wanted.channels is not None and media.kind == "AUDIO":
        attributes = attributes.with_text("CHANNELS", str(wanted.channels))
    return attributes


def with_images(
    playlist: Multivariant, uri: str, thumbnails: Thumbnails, rate: BitRate
) -> Multivariant:
    """With one EXT-X-IMAGE-STREAM-INF for the image playlist at ``uri``."""
    attributes = Attributes(
        (
            ("BANDWIDTH", str(rate.peak)),
            ("AVERAGE-BANDWIDTH", str(rate.average)),
            ("CODECS", '"jpeg"'),
            ("RESOLUTION", f"{thumbnails.width}x{thumbnails.height}"),
        )
    ).with_text("URI", uri)
    others = tuple(image for image in playlist.images if image.uri != uri)
    return replace(playlist, images=(*others, ImageStream(attributes)))


def image_playlist(thumbnails: Thumbnails) -> str:
    """The media playlist of thumbnail sheets; the last sheet ends with the film."""
    segments, start = [], Fraction(0)
    tiles = Attributes(
        (
            ("RESOLUTION", f"{thumbnails.width}x{thumbnails.height}"),
            ("LAYOUT", f"{thumbnails.columns}x{thumbnails.rows}"),
            ("DURATION", decimal_text(thumbnails.interval)),
        )
    )
    for uri in thumbnails.uris:
        length = min(thumbnails.sheet_duration, thumbnails.duration - start)
        segments.append(Segment(uri, length, tiles=tiles))
        start += length
    longest = max((segment.duration for segment in segments), default=Fraction(1))
    return write_media(
        MediaPlaylist(
            target_duration=math.ceil(longest),
            segments=tuple(segments),
            version=VERSION,
            kind="VOD",
            is_images_only=True,
            has_end=True,
        )
    )


def rebased(playlist: Multivariant, prefix: str) -> Multivariant:
    """With ``prefix`` before every relative URI: the title's entry manifest names a package."""
    return mapped_uris(playlist, lambda uri: uri if is_absolute(uri) else prefix + uri)


def is_absolute(uri: str) -> bool:
    """Whether a URI has a scheme, an authority or an absolute path (RFC 3986 section 4.2)."""
    return uri.startswith(("/", "\\")) or re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", uri) is not None


def mapped_uris(playlist: Multivariant, change: Callable[[str], str]) -> Multivariant:
    """With every URI changed."""

    def attributes(old: Attributes) -> Attributes:
        uri = old.text("URI")
        return old if uri is None else old.with_text("URI", change(uri))

    def tagged(streams: Sequence[_Stream]) -> tuple[_Stream, ...]:
        return tuple(replace(s, attributes=attributes(s.attributes)) for s in streams)

    return replace(
        playlist,
        media=tagged(playlist.media),
        variants=tuple(replace(v, uri=change(v.uri)) for v in playlist.variants),
        i_frames=tagged(playlist.i_frames),
        images=tagged(playlist.images),
    )
