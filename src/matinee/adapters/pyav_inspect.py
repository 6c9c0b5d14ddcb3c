"""Reads a film's tracks and its frame index in one pass of its packets."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import av.error
import numpy as np

from matinee.adapters.pyav_cut_off import cut_off
from matinee.adapters.pyav_ogg import with_sound_in_order
from matinee.adapters.pyav_picture import (
    UNKNOWN,
    main_video,
    open_safely,
    order_by_decoding,
    packets_of,
    read_picture,
)
from matinee.adapters.pyav_still import still_picture, still_track
from matinee.adapters.pyav_tracks import TrackReader, VideoReader, chapters_of
from matinee.core.errors import SourceDamaged, SourceHasNoVideo, SourceUnreadable, SourceUnsupported
from matinee.media.clocks import clock_jumps
from matinee.media.source import STILL, SourceInfo
from matinee.media.timeline import DISCARD, Packets

KINDS = (
    "MP4, MOV, Matroska, WebM, MPEG-TS, MPEG-PS, AVI, Ogg, FLV, ASF and MXF; sound alone also as "
    "MP3, FLAC, WAV and AAC"
)

JUMPING = ("mpegts", "mpeg")
"""Containers whose clock may be set anew within a file."""

HOLES = 60
"""Seconds by which sound alone may last longer than the header says."""


def look_at(film: Path) -> str:
    """See ``Indexer.look``."""
    with _opened(film) as container:
        main = main_video(container)
        if main:
            read_picture(film, main.index)
        return cut_off(container, film)


def inspect_film(film: Path) -> tuple[SourceInfo, Packets, Fraction]:
    """See ``Indexer.inspect``."""
    with _opened(film) as container:
        return _inspect(container, film, film.stat().st_size)


@contextmanager
def _opened(film: Path) -> Iterator[Any]:
    if film.stat().st_size == 0:
        raise SourceUnreadable("it is empty", "try another copy of the film")
    try:
        with open_safely(film) as container:
            yield container
    except MemoryError as error:
        raise SourceUnreadable(
            "it has more than 1000 tracks, or a header of impossible size", f"films come as {KINDS}"
        ) from error
    except av.error.FFmpegError as error:
        raise SourceUnreadable(
            f"it is not a film, or is damaged at its begin: {error.strerror}",
            f"films come as {KINDS}",
        ) from error


def _inspect(container: Any, film: Path, size_bytes: int) -> tuple[SourceInfo, Packets, Fraction]:
    main = main_video(container)
    picture = read_picture(film, main.index) if main else still_picture()
    videos = {stream.index: VideoReader(container, stream) for stream in container.streams.video}
    readers = [videos.get(s.index) or TrackReader(container, s) for s in container.streams]
    for packet in packets_of(container):
        if packet.size:
            readers[packet.stream_index].add(packet)
    info = SourceInfo(
        container=container.format.name,
        size_bytes=size_bytes,
        tracks=tuple(reader.track() for reader in readers),
        video=main.index if main else STILL,
        picture=picture,
        chapters=chapters_of(container),
        has_captions=bool(main) and videos[main.index].has_captions,
        declared=Fraction(container.duration, av.time_base) if container.duration else None,
    )
    if info.container == "ogg":
        info = with_sound_in_order(film, info)
    if not main:
        return _with_still(info)
    packets, time_base = videos[main.index].index(), Fraction(main.time_base)
    told = packets["dts"][packets["dts"] != UNKNOWN]
    if info.container in JUMPING:
        info = replace(info, clock_jumps=clock_jumps(told, time_base))
    return info, _with_times(packets, main, film), time_base


def _with_still(info: SourceInfo) -> tuple[SourceInfo, Packets, Fraction]:
    """A film of sound alone, with the still that it is to get."""
    sounds = [track for track in info.of_type("audio") if track.channels and not track.fault]
    if not sounds:
        raise SourceHasNoVideo(
            "it has no moving picture and no sound", "give a film with one of them"
        )
    track, packets, time_base = still_track(sounds)
    if info.declared and track.duration > max(2 * info.declared, info.declared + HOLES):
        raise SourceDamaged(
            f"its sound goes on to {float(track.duration):.0f} s by its time stamps, but by its "
            f"header the film lasts {float(info.declared):.0f} s",
            "its time stamps may be damaged: try another copy of the film",
        )
    return replace(info, tracks=(*info.tracks, track), needs_still=True), packets, time_base


def _with_times(packets: Packets, stream: Any, film: Path) -> Packets:
    """The index with a time of showing for every packet, found by decoding where need be.

    Raises:
        SourceUnsupported: some packets have no time at all.
    """
    if not np.any(packets["pts"] == UNKNOWN):
        return packets
    if np.any(packets["dts"] == UNKNOWN):
        raise SourceUnsupported(
            "the film has pictures without any time stamp",
            "copy it first: ffmpeg -fflags +genpts -i FILM -c copy OUT.mkv",
        )
    told = packets["pts"].copy()
    packets["pts"] = packets["dts"]
    if stream.codec_context.codec.reorder:
        packets["pts"] = order_by_decoding(film, stream.index, packets["dts"])
    is_shown = packets["pts"] != UNKNOWN
    packets["flags"][~is_shown] |= DISCARD
    both = is_shown & (told != UNKNOWN)
    if both.any():  # where some are told, the others keep their distance from them
        packets["pts"][is_shown] += round(float(np.median((told - packets["pts"])[both])))
    packets["pts"][~is_shown] = packets["dts"][~is_shown]
    return packets
