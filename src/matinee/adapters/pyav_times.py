"""Times of showing that a container does not tell."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matinee.adapters.pyav_decode import decoded_pictures
from matinee.core.errors import SourceUnsupported
from matinee.media.frame_index import DISCARD, UNKNOWN
from matinee.media.timeline import PACKET, Packets


def packets_of_rows(index: bytes | bytearray) -> Packets:
    """The packets of rows of ``frame_index.ROW``; they share their bytes."""
    return np.frombuffer(index, dtype=PACKET)


def with_times(packets: Packets, stream: Any, film: Path) -> Packets:
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


def order_by_decoding(film: Path, index: int, decoded_at: NDArray[np.int64]) -> NDArray[np.int64]:
    """When each packet is shown, for containers that only say when each is decoded.

    Decoders put pictures in order: the n-th that comes out takes the n-th time. A packet that
    gives no picture has the time UNKNOWN.
    """
    order = list(dict.fromkeys(number for number, _ in decoded_pictures(film, index, "AUTO")))
    times = np.full(len(decoded_at), UNKNOWN, dtype=np.int64)
    times[order] = np.sort(decoded_at[sorted(order)])
    return times
