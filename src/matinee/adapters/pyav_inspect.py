"""Reads a film's tracks and its frame index in one pass of its packets."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Any

import av
import av.error

from matinee.adapters.pyav_cut_off import cut_off
from matinee.adapters.pyav_ogg import with_sound_in_order
from matinee.adapters.pyav_picture import (
    PictureReader,
    main_video,
    open_safely,
    packets_of,
)
from matinee.adapters.pyav_tracks import TrackReader, VideoReader, chapters_of
from matinee.core.errors import SourceDamaged, SourceHasNoVideo, SourceUnreadable
from matinee.media.frame_index import UNKNOWN
from matinee.media.source import STILL, SourceInfo, still_picture

KINDS = (
    "MP4, MOV, Matroska, WebM, MPEG-TS, MPEG-PS, AVI, Ogg, FLV, ASF and MXF; sound alone also as "
    "MP3, FLAC, WAV and AAC"
)

JUMPING = ("mpegts", "mpeg")
"""Containers whose clock may be set anew within a file."""

Inspected = tuple[SourceInfo, bytes | bytearray, Fraction]
"""What ``Indexer.inspect`` gives, but the packets as rows of ``frame_index.ROW``."""

GLANCED_AT = 500
"""Packets of the picture that a glance tries: a film that decodes later on is none for it."""

HOLES = 60
"""Seconds by which sound alone may last longer than the header says."""


def look_at(film: Path) -> str:
    """See ``Indexer.look``."""
    with _opened(film) as container:
        main = main_video(container)
        if main:
            picture, packets = PictureReader(film, container, main), packets_of(container, main)
            for packet in islice(packets, GLANCED_AT):
                if picture.is_over:
                    break
                if packet.size:
                    picture.add(packet)
            if picture.is_over or next(packets, None) is None:
                picture.picture()
        return cut_off(container, film)


def inspect_film(film: Path) -> Inspected:
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


def _inspect(container: Any, film: Path, size_bytes: int) -> Inspected:
    main = main_video(container)
    picture = PictureReader(film, container, main) if main else None
    videos = {
        stream.index: VideoReader(container, stream, picture if stream is main else None)
        for stream in container.streams.video
    }
    readers = [videos.get(s.index) or TrackReader(container, s) for s in container.streams]
    for packet in packets_of(container):
        if packet.size:
            readers[packet.stream_index].add(packet)
    info = SourceInfo(
        container=container.format.name,
        size_bytes=size_bytes,
        tracks=tuple(reader.track() for reader in readers),
        video=main.index if main else STILL,
        picture=picture.picture() if picture else still_picture(),
        chapters=chapters_of(container),
        has_captions=bool(main) and videos[main.index].has_captions,
        declared=Fraction(container.duration, av.time_base) if container.duration else None,
    )
    if info.container == "ogg":
        info = with_sound_in_order(film, info)
    if not main:
        return _with_still(info)
    index: bytes | bytearray = videos[main.index].index
    time_base = Fraction(main.time_base)
    if info.container in JUMPING or videos[main.index].lacks_times:
        # numpy takes as long to load as a film of some minutes takes to read.
        from matinee.adapters.pyav_times import packets_of_rows, with_times  # noqa: PLC0415
        from matinee.media.clocks import clock_jumps  # noqa: PLC0415

        packets = packets_of_rows(index)
        if info.container in JUMPING:
            told = packets["dts"][packets["dts"] != UNKNOWN]
            info = replace(info, clock_jumps=clock_jumps(told, time_base))
        index = with_times(packets, main, film).tobytes()
    return info, index, time_base


def _with_still(info: SourceInfo) -> Inspected:
    """A film of sound alone, with the still that it is to get."""
    from matinee.adapters.pyav_still import still_track  # noqa: PLC0415  # loads numpy

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
    info = replace(info, tracks=(*info.tracks, track), needs_still=True)
    return info, packets.tobytes(), time_base
