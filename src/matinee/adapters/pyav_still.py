"""A film without a moving picture, as it will be when it has got a still."""

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from matinee.core.ids import digest_of
from matinee.media.source import (
    STILL,
    STILL_RATE,
    STILL_SIZE,
    Colour,
    Picture,
    Track,
)
from matinee.media.timeline import KEY, PACKET, Packets


def still_picture() -> Picture:
    """What the still will be like."""
    return Picture(
        width=STILL_SIZE[0],
        height=STILL_SIZE[1],
        sample_aspect=Fraction(1),
        rotation=0,
        pixel_format="yuv420p",
        bit_depth=8,
        fields="progressive",
        colour=Colour("bt709", "bt709", "bt709", full_range=False),
        nominal_rate=STILL_RATE,
        configuration=digest_of(b""),
    )


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
