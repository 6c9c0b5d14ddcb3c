"""The reference timeline of a film as it was inspected."""

from fractions import Fraction

from matinee.media.clocks import straightened
from matinee.media.source import SourceInfo
from matinee.media.timeline import Packets, Timeline, build_timeline

RECORDINGS = ("mpegts", "mpeg")
"""Containers in which what was on air is kept as it came, from any moment on."""


def timeline_of(info: SourceInfo, packets: Packets, time_base: Fraction) -> Timeline:
    """The reference timeline of a film.

    Raises:
        SourceDamaged: no frame is shown, or their times make no sense.
    """
    picture, track = info.picture, info.track(info.video)
    end: Fraction | None
    end = track.start + track.duration
    if info.declared is not None:
        begin = min(track.start for track in info.tracks)
        end = min(end, begin + info.declared)
    if info.clock_jumps:  # as its straightened copy has them
        packets, end = straightened(packets, time_base), None
    return build_timeline(
        packets, time_base, picture.nominal_rate, picture.fields, end,
        is_recording=info.container in RECORDINGS,
    )  # fmt: skip
