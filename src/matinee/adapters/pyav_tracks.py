"""Gathers the packets of each track, and tries whether it can be decoded at all."""

import hashlib
import re
from fractions import Fraction
from typing import Any

import av.error
import av.logging

from matinee.adapters.pyav_picture import PictureReader, described, has
from matinee.core.ids import Digest
from matinee.media.captions import has_captions
from matinee.media.frame_index import DISCARD, KEY, ROW, UNKNOWN
from matinee.media.source import IMAGE_SUBTITLES, Chapter, Track, TrackType

TYPES: dict[str, TrackType] = {"video": "video", "audio": "audio", "subtitles": "subtitles"}
TYPES["subtitle"] = "subtitles"

READ_AS_TEXT = frozenset({"subrip", "text", "ass", "webvtt", "ttml"})
"""Subtitles that need no decoder: their packets are text."""

TRIES = 50
"""Packets of a track that are tried; a sound decoder that gives nothing by then never will."""


def chapters_of(container: Any) -> tuple[Chapter, ...]:
    """The container's chapters, in order; one without a length is none."""
    found = [
        Chapter(
            start=chapter["start"] * Fraction(chapter["time_base"]),
            end=chapter["end"] * Fraction(chapter["time_base"]),
            title=chapter["metadata"].get("title", ""),
        )
        for chapter in container.chapters()
        if chapter["time_base"]
    ]
    return tuple(sorted((c for c in found if c.start < c.end), key=lambda c: (c.start, c.end)))


def codec_name(container: Any, stream: Any) -> str:
    """The codec's name; the sample entry's where libavformat only knows that."""
    if stream.codec_context is not None:
        return str(stream.codec_context.codec.canonical_name)
    match = re.search(
        rf"^ *Stream #0:{stream.index}\b.*?: "
        r"(?:Video|Audio|Subtitle|Data|Attachment|Unknown)[^:]*?: "
        r"(\w+)(?:.*?\((\w{4}) / 0x)?",
        described(container),
        re.MULTILINE,
    )
    if match is None:
        return str(stream.type)
    return str(match[2] if match[1] in ("none", "unknown") and match[2] else match[1])


class TrackReader:
    """Gathers one track's packets into its ``Track``."""

    GAP_S = Fraction(1, 20)

    def __init__(self, container: Any, stream: Any) -> None:
        self._stream = stream
        self._type: TrackType = TYPES.get(stream.type, "other")
        self._codec = codec_name(container, stream)
        self._hash = hashlib.sha256()
        self._time_base = Fraction(stream.time_base or 1)
        self._gap = int(self.GAP_S / self._time_base) if self._type == "audio" else None
        self._first: int | None = None
        self._last = 0
        self._count = 0
        self._trial = _Trial(stream, self._type, self._codec)

    def add(self, packet: Any) -> None:
        """Take the next packet. Called for each of the film: nothing here makes a fraction."""
        time = packet.dts if packet.pts is None else packet.pts
        if time is not None:
            last = self._last
            if self._gap is not None and self._count and abs(time - last) > self._gap:
                gap_ms = round((time - last) * self._time_base * 1000)
                self._hash.update(f"gap {self._count} {gap_ms} ms".encode())
            if self._first is None or time < self._first:
                self._first = time
            self._last = max(last, time + (packet.duration or 0))
        self._take(packet)
        self._count += 1

    def _take(self, packet: Any) -> None:
        """Sum up what the packet holds."""
        self._hash.update(packet.size.to_bytes(8, "big"))
        self._hash.update(packet)
        if not self._trial.is_over:
            self._trial.add(packet)

    def track(self) -> Track:
        """What its packets told."""
        stream = self._stream
        time_base, start = self._time_base, self._first or 0
        trial = self._trial
        trial.finish()
        return Track(
            index=stream.index,
            type="other" if has(stream, "attached_pic") else self._type,
            codec=self._codec,
            language=stream.metadata.get("language"),
            title=stream.metadata.get("title", ""),
            is_default=has(stream, "default"),
            is_forced=has(stream, "forced"),
            is_cover=has(stream, "attached_pic"),
            start=start * time_base,
            duration=max(0, self._last - start) * time_base,
            packets=Digest(self._hash.hexdigest()),
            channels=trial.channels,
            sample_rate=trial.sample_rate,
            layout=trial.layout,
            places=trial.places,
            is_comment=has(stream, "comment"),
            is_visual_impaired=(has(stream, "visual_impaired") or has(stream, "descriptions")),
            is_hearing_impaired=has(stream, "hearing_impaired") or has(stream, "captions"),
            fault=trial.fault(self._count),
        )


class VideoReader(TrackReader):
    """Gathers a video track; ``index`` has a row for each packet, and its digest names it.

    The track's own digest is that of its packets' digests, so that each byte is hashed once.
    ``picture`` sees the packets as long as it wants to.
    """

    def __init__(self, container: Any, stream: Any, picture: PictureReader | None = None) -> None:
        super().__init__(container, stream)
        self.has_captions = False
        self.index = bytearray()
        self.lacks_times = False
        self._picture = picture

    def _take(self, packet: Any) -> None:
        payload = bytes(packet)
        digest = hashlib.sha256(payload).digest()
        self._hash.update(digest)
        flags = (KEY if packet.is_keyframe else 0) | (DISCARD if packet.is_discard else 0)
        pts, dts = packet.pts, packet.dts
        if pts is None:
            pts, self.lacks_times = UNKNOWN, True
        self.index += ROW.pack(pts, pts if dts is None else dts, len(payload), flags, digest)
        if not self.has_captions:
            self.has_captions = has_captions(payload)
        if self._picture:
            self._picture.add(packet)
            if self._picture.is_over:
                self._picture = None


class _Trial:
    """Decodes the first packets of a sound or text track: enough to know that it can be decoded."""

    def __init__(self, stream: Any, kind: TrackType, codec: str) -> None:
        self._context = stream.codec_context
        self._kind = kind
        self._needs_decoder = kind == "audio" or (
            kind == "subtitles" and codec not in READ_AS_TEXT | IMAGE_SUBTITLES
        )
        self._tried = 0
        self.is_over = not self._needs_decoder or self._context is None
        self._has_worked = False
        is_sound = kind == "audio" and self._context is not None
        self.channels: int = self._context.channels if is_sound else 0
        self.sample_rate: int = self._context.sample_rate if is_sound else 0
        self.layout, self.places = _layout(self._context.layout) if self.channels else ("", ())

    def add(self, packet: Any) -> None:
        """Try the next packet, unless it ``is_over``."""
        self._tried += 1
        self._decode(packet)

    def finish(self) -> None:
        """Ask for what the decoder may hold back."""
        if not self.is_over and self._tried:
            self._decode(None)

    def fault(self, packets: int) -> str:
        """Why the track cannot be decoded, in words."""
        if self._kind not in ("audio", "subtitles"):
            return ""
        if packets == 0:
            return "it is empty: not one packet belongs to it"
        if not self._needs_decoder or self._has_worked:
            return ""
        if self._context is None:
            return "no decoder knows its codec"
        return f"it cannot be decoded: its first {self._tried} packets give nothing"

    def _decode(self, packet: Any) -> None:
        try:
            frames = self._context.decode(packet)
        except (av.error.FFmpegError, UnicodeDecodeError, RuntimeError):
            frames = None
        if frames is not None and self._kind == "subtitles":
            self._has_worked = self.is_over = True
        elif frames:
            frame = frames[0]
            self._has_worked = self.is_over = True
            self.channels, self.sample_rate = frame.layout.nb_channels, frame.sample_rate
            self.layout, self.places = _layout(frame.layout)
        self.is_over = self.is_over or self._tried >= TRIES


def _layout(layout: Any) -> tuple[str, tuple[str, ...]]:
    """Its name, and its speakers; none where channels have no place."""
    places = tuple(channel.name for channel in layout.channels)
    return layout.name, () if {"NONE", "UNK", "UNSD"} & set(places) else places
