"""Reads a film's tracks and its frame index in one pass of its packets."""

import hashlib
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import av.error
import numpy as np

from matinee.adapters.pyav_picture import (
    SAFE,
    main_video,
    order_by_decoding,
    packets_of,
    read_picture,
)
from matinee.adapters.pyav_tracks import TrackReader, chapters_of
from matinee.core.errors import SourceUnreadable, SourceUnsupported
from matinee.media.source import SourceInfo
from matinee.media.timeline import DISCARD, KEY, PACKET, Packets

KINDS = "MP4, MOV, Matroska, WebM, MPEG-TS, MPEG-PS, AVI, Ogg, FLV, ASF and MXF"

JUMPING = ("mpegts", "mpeg")
"""Containers whose clock may be set anew within a file."""

BACK, AHEAD = Fraction(1), Fraction(10)
"""Seconds: a smaller step is disorder or a pause, a larger one a new clock."""

RUNS_OVER = 1 << 33
"""Ticks after which the clock of MPEG systems begins again (ISO/IEC 13818-1, 2.4.3.7).

Times on one side of that moment are moved by as much, below zero or above.
"""

UNKNOWN = np.iinfo(np.int64).min
"""A time that the container does not tell."""


def inspect_film(film: Path) -> tuple[SourceInfo, Packets, Fraction]:
    """See ``Indexer.inspect``."""
    size_bytes = film.stat().st_size
    if size_bytes == 0:
        raise SourceUnreadable(f"{film.name} is empty", "try another copy of the film")
    try:
        with av.open(str(film), options=SAFE) as container:
            return _inspect(container, film, size_bytes)
    except (av.error.FFmpegError, UnicodeDecodeError) as error:
        raise SourceUnreadable(
            f"{film.name} is not a film, or is damaged at its begin: {error}",
            f"films come as {KINDS}",
        ) from error


def _inspect(container: Any, film: Path, size_bytes: int) -> tuple[SourceInfo, Packets, Fraction]:
    main = main_video(container, film)
    picture = read_picture(film, main.index)
    readers = {stream.index: TrackReader(container, stream) for stream in container.streams}
    rows: list[tuple[int, int, int, int, bytes]] = []
    for packet in packets_of(container):
        if not packet.size:
            continue
        payload = bytes(packet)
        readers[packet.stream.index].add(packet, payload)
        if packet.stream.index == main.index:
            rows.append(_row(packet, payload))
    info = SourceInfo(
        container=container.format.name,
        size_bytes=size_bytes,
        tracks=tuple(reader.track() for reader in readers.values()),
        video=main.index,
        picture=picture,
        chapters=chapters_of(container),
        has_captions=readers[main.index].has_captions,
        declared=Fraction(container.duration, av.time_base) if container.duration else None,
        clock_jumps=container.format.name in JUMPING and _jumps(rows, Fraction(main.time_base)),
    )
    packets = _with_times(np.array(rows, dtype=PACKET), main, film)
    return info, packets, Fraction(main.time_base)


def _jumps(rows: list[tuple[int, int, int, int, bytes]], time_base: Fraction) -> bool:
    """Whether decode times go back, leap ahead by more than a pause does, or run over."""
    dts = np.array([row[1] for row in rows if row[1] != UNKNOWN], dtype=np.int64)
    steps = np.diff(dts)
    back, ahead = -int(BACK / time_base), int(AHEAD / time_base)
    ran_over = (dts < 0) | (dts >= RUNS_OVER)
    return bool(np.any(steps < back) or np.any(steps > ahead) or np.any(ran_over))


def _row(packet: Any, payload: bytes) -> tuple[int, int, int, int, bytes]:
    flags = (KEY if packet.is_keyframe else 0) | (DISCARD if packet.is_discard else 0)
    pts = UNKNOWN if packet.pts is None else packet.pts
    dts = pts if packet.dts is None else packet.dts
    return pts, dts, packet.size, flags, hashlib.sha256(payload).digest()


def _with_times(packets: Packets, stream: Any, film: Path) -> Packets:
    """The index with a time of showing for every packet, found by decoding where need be.

    Raises:
        SourceUnsupported: some packets have no time at all.
    """
    if not np.any(packets["pts"] == UNKNOWN):
        return packets
    if np.any(packets["dts"] == UNKNOWN):
        raise SourceUnsupported(
            f"{film.name} has pictures without any time stamp",
            "copy it first: ffmpeg -fflags +genpts -i FILM -c copy OUT.mkv",
        )
    packets["pts"] = packets["dts"]
    if stream.codec_context.codec.reorder:
        packets["pts"] = order_by_decoding(film, stream.index, packets["dts"])
        packets["flags"][packets["pts"] < 0] |= DISCARD
    return packets
