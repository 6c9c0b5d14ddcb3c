"""A film without a moving picture, as it will be when it has got a still."""

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from matinee.core.ids import digest_of
from matinee.media.frame_index import KEY
from matinee.media.source import STILL, STILL_RATE, Track
from matinee.media.timeline import PACKET, Packets


def still_track(sounds: Sequence[Track]) -> tuple[Track, Packets, Fraction]:
    """The still's track, its packets and their time base: from the first sound to the last."""
    start = min(track.start for track in sounds)
    end = max(track.start + track.duration for track in sounds)
    frames = max(1, round((end - start) * STILL_RATE))
    packets = np.zeros(frames, dtype=PACKET)
    packets["pts"] = packets["dts"] = round(start * STILL_RATE) + np.arange(frames)
    packets["flags"] = KEY
    track = Track(
        index=STILL,
        type="video",
        codec="still",
        language=None,
        title="",
        is_default=True,
        is_forced=False,
        is_cover=False,
        start=start,
        duration=frames / STILL_RATE,
        packets=digest_of(b""),
    )
    return track, packets, 1 / STILL_RATE
