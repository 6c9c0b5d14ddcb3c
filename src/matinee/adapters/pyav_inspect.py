"""Reads a film's tracks and its frame index in one pass of its packets."""

import hashlib
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import av.error
import numpy as np
from av.stream import Disposition

from matinee.core.errors import SourceHasNoVideo, SourceUnreadable, SourceUnsupported
from matinee.core.ids import Digest, digest_of
from matinee.media.source import Colour, Picture, SourceInfo, Track, TrackType
from matinee.media.timeline import DISCARD, KEY, PACKET, Packets

CONTAINERS = ("mov,", "matroska", "mpegts")
"""Container formats that a film may have, by the begin of libavformat's name."""

SAFE = {
    "protocol_whitelist": "file",
    "format_whitelist": "mov,matroska,webm,mpegts",
}
"""No playlist or script can make the libraries open another file or address."""

TYPES: dict[str, TrackType] = {"video": "video", "audio": "audio", "subtitle": "subtitles"}

# ITU-T H.273 codes that ffmpeg has a name for.
PRIMARIES = {
    1: "bt709", 4: "bt470m", 5: "bt470bg", 6: "smpte170m", 7: "smpte240m", 9: "bt2020",
}  # fmt: skip
TRANSFERS = {
    1: "bt709", 4: "bt470m", 5: "bt470bg", 6: "smpte170m", 7: "smpte240m", 13: "iec61966-2-1",
    14: "bt2020-10", 15: "bt2020-12", 16: "smpte2084", 18: "arib-std-b67",
}  # fmt: skip
MATRICES = {1: "bt709", 5: "bt470bg", 6: "smpte170m", 7: "smpte240m", 9: "bt2020nc"}


def inspect_film(film: Path) -> tuple[SourceInfo, Packets, Fraction]:
    """See ``Indexer.inspect``."""
    size_bytes = film.stat().st_size
    if size_bytes == 0:
        raise SourceUnreadable(f"{film.name} is empty")
    try:
        with av.open(str(film), options=SAFE) as container:
            name = container.format.name
            if not name.startswith(CONTAINERS):
                raise SourceUnsupported(
                    f"{film.name} is {container.format.long_name}; a film comes as MP4, MOV, "
                    "Matroska, WebM or MPEG-TS"
                )
            return _inspect(container, film, size_bytes)
    except (av.error.FFmpegError, UnicodeDecodeError) as error:
        raise SourceUnreadable(
            f"{film.name} is not a film, or is damaged at its begin: {error}",
            "MP4, MOV, Matroska, WebM and MPEG-TS are read",
        ) from error


def _inspect(container: Any, film: Path, size_bytes: int) -> tuple[SourceInfo, Packets, Fraction]:
    main = _main_video(container, film)
    picture = _picture(film, main.index)
    readers = {stream.index: _TrackReader(stream) for stream in container.streams}
    rows: list[tuple[int, int, int, int, bytes]] = []
    for packet in container.demux():
        if not packet.size:
            continue
        payload = bytes(packet)
        readers[packet.stream.index].add(packet, payload)
        if packet.stream.index == main.index:
            if packet.pts is None:
                raise SourceUnsupported(f"{film.name} has pictures without a time stamp")
            flags = (KEY if packet.is_keyframe else 0) | (DISCARD if packet.is_discard else 0)
            dts = packet.pts if packet.dts is None else packet.dts
            digest = hashlib.sha256(payload).digest()
            rows.append((packet.pts, dts, packet.size, flags, digest))
    info = SourceInfo(
        container=container.format.name,
        size_bytes=size_bytes,
        tracks=tuple(reader.track() for reader in readers.values()),
        video=main.index,
        picture=picture,
    )
    return info, np.array(rows, dtype=PACKET), Fraction(main.time_base)


def _main_video(container: Any, film: Path) -> Any:
    """The moving picture: the default one, else the largest."""
    pictures = [
        stream
        for stream in container.streams.video
        if not _has(stream, "attached_pic") and stream.codec_context is not None
    ]
    if not pictures:
        raise SourceHasNoVideo(f"{film.name} has no video track")
    return max(pictures, key=lambda s: (_has(s, "default"), s.width * s.height, -s.index))


def _has(stream: Any, flag: str) -> bool:
    return bool(stream.disposition & Disposition[flag])


def _picture(film: Path, index: int) -> Picture:
    """What one decoded frame and the decoder's configuration tell."""
    with av.open(str(film), options=SAFE) as container:
        stream: Any = container.streams[index]
        context = stream.codec_context
        frame: Any = next(iter(container.decode(stream)), None)
        if frame is None:
            raise SourceUnreadable(f"{film.name}: no frame of its video track can be decoded")
        aspect = stream.sample_aspect_ratio or context.sample_aspect_ratio or Fraction(1)
        return Picture(
            width=frame.width,
            height=frame.height,
            sample_aspect=Fraction(aspect) if aspect > 0 else Fraction(1),
            rotation=round(frame.rotation) % 360,
            pixel_format=frame.format.name,
            bit_depth=max(component.bits for component in frame.format.components),
            interlaced=bool(frame.interlaced_frame),
            colour=Colour(
                primaries=PRIMARIES.get(int(context.color_primaries)),
                transfer=TRANSFERS.get(int(context.color_trc)),
                matrix=MATRICES.get(int(context.colorspace)),
                full_range=int(context.color_range) == 2 or frame.format.name.startswith("yuvj"),
            ),
            nominal_rate=stream.average_rate or stream.guessed_rate,
            configuration=digest_of(bytes(context.extradata or b"")),
        )


class _TrackReader:
    """Gathers one track's packets into its ``Track``."""

    GAP_S = Fraction(1, 20)

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._hash = hashlib.sha256()
        self._first: int | None = None
        self._last = 0
        self._count = 0

    def add(self, packet: Any, payload: bytes) -> None:
        time = packet.pts if packet.pts is not None else packet.dts
        if time is not None:
            gap = (time - self._last) * packet.time_base if self._count else Fraction(0)
            if self._stream.type == "audio" and abs(gap) > self.GAP_S:
                self._hash.update(f"gap {self._count} {round(gap * 1000)} ms".encode())
            self._first = time if self._first is None else min(self._first, time)
            self._last = max(self._last, time + (packet.duration or 0))
        self._hash.update(len(payload).to_bytes(8, "big"))
        self._hash.update(payload)
        self._count += 1

    def track(self) -> Track:
        stream = self._stream
        context = stream.codec_context
        time_base = Fraction(stream.time_base or 1)
        start = self._first or 0
        is_sound = stream.type == "audio" and context is not None
        return Track(
            index=stream.index,
            type="other" if _has(stream, "attached_pic") else TYPES.get(stream.type, "other"),
            codec=context.codec.canonical_name if context is not None else stream.type,
            language=stream.metadata.get("language"),
            title=stream.metadata.get("title", ""),
            is_default=_has(stream, "default"),
            is_forced=_has(stream, "forced"),
            is_cover=_has(stream, "attached_pic"),
            start=start * time_base,
            duration=max(0, self._last - start) * time_base,
            packets=Digest(self._hash.hexdigest()),
            channels=context.channels if is_sound else 0,
            sample_rate=context.sample_rate if is_sound else 0,
        )
