"""Ogg sound whose time stamps go back: where it really lies, found by decoding it.

An Ogg page says when its last packet ends (RFC 3533, section 6). libavformat gives the packets
before it their times by counting back, also over packets without a byte, which decoders pass over.
Where an encoder wrote fifteen of those after each packet, as that of ffmpeg 4.3 did, times go back
by seconds at every page. Such sound is laid out sample by sample, from where its first page puts
it.
"""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av.error

from matinee.adapters.pyav_picture import open_safely, packets_of
from matinee.media.source import SourceInfo, Track

BACK = Fraction(1, 2)
"""Seconds by which times go back where they make no sense; a smaller step is disorder."""


def with_sound_in_order(film: Path, info: SourceInfo) -> SourceInfo:
    """The film with every such track where it really lies; all others as they are."""
    sounds = [track for track in info.of_type("audio") if not track.fault]
    bad = {track.index for track in sounds if _goes_back(film, track.index)}
    if not bad:
        return info
    tracks = tuple(_laid_out(film, track) if track.index in bad else track for track in info.tracks)
    return replace(info, tracks=tracks, clock_jumps=True)


def _goes_back(film: Path, index: int) -> bool:
    with open_safely(film) as container:
        newest: Fraction | None = None
        for packet in packets_of(container, container.streams[index]):
            if packet.size and packet.pts is not None:
                time = packet.pts * packet.time_base
                if newest is not None and time < newest - BACK:
                    return True
                newest = time if newest is None else max(newest, time)
    return False


def _laid_out(film: Path, track: Track) -> Track:
    """The track from where its first page puts it, for as long as its samples last."""
    with open_safely(film) as container:
        stream: Any = container.streams[track.index]
        samples, page, ends = 0, None, Fraction(0)
        start: Fraction | None = None
        for packet in packets_of(container, stream):
            if packet.pts is None:
                continue
            if packet.pos != page and samples and start is None:
                start = ends - Fraction(samples, track.sample_rate)
            samples += _samples(packet)
            page, ends = packet.pos, (packet.pts + (packet.duration or 0)) * packet.time_base
    duration = Fraction(samples, track.sample_rate)
    start = max(Fraction(0), ends - duration if start is None else start)
    return replace(track, start=start, duration=duration, goes_back=True)


def _samples(packet: Any) -> int:
    """How many samples come out of a decoder for it."""
    if not packet.size:
        return 0
    try:
        return sum(frame.samples for frame in packet.decode())
    except av.error.FFmpegError:
        return 0
