"""The frame index of a source and the reference timeline: the frames a viewer should see.

- The index holds every packet of the main video track in decode order.
- A *source frame* is a picture as coded, numbered in presentation order.
- A *field frame* is a picture after fields were taken apart or pulldown was undone; a progressive
  film's field frames are its source frames.
- The timeline numbers the shown frames from 0 at one constant rate; each shows a field frame.
- Everything made later (chunks, renditions, scores) is compared with this timeline by frame number.
"""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from matinee.core.errors import SourceDamaged
from matinee.media.frame_index import DISCARD, KEY
from matinee.media.rates import FASTEST, constant_rate, grid_slots, lay_on_grid, thinned
from matinee.media.source import Fields

PACKET = np.dtype(
    [("pts", "<i8"), ("dts", "<i8"), ("size", "<u4"), ("flags", "u1"), ("digest", "S32")]
)
"""One packet, as ``frame_index.ROW`` has it: times in ticks of the track's time base."""

PER_CODED_FRAME = {
    "progressive": Fraction(1), "interlaced": Fraction(2), "telecine": Fraction(4, 5),
}  # fmt: skip
"""How many field frames a source frame gives."""

LONGEST_FILM = 48 * 3600
"""Seconds on the timeline beyond which times are taken for damage."""

STANDS_STILL = Fraction(1)
"""Seconds from which on a film of one picture is a still that is shown, not a single frame."""

LONGEST_LAST_FRAME = Fraction(600)
"""Seconds that the last frame is shown at most, whatever the container says."""

LONGEST_DELAY = 60
"""Seconds from decoding a picture of a recording to showing it, beyond which its time stamp is
damaged: one second is allowed, ten for stills (ISO/IEC 13818-1, 2.4.2.7 and 2.7.4)."""

LONGEST_HOLD = 3600
"""The same in other films, where one picture may stay for long, and those before it be decoded
after it."""

MOST_HELD = 16
"""Pictures that a decoder holds back at most (ITU-T H.264, A.3.1: ``MaxDpbFrames``)."""

Packets = NDArray[np.void]
Numbers = NDArray[np.int64]


@dataclass(frozen=True)
class Timeline:
    """Frames ``[0, frames)`` at ``rate``, frame 0 at ``start`` seconds of the container's clock.

    ``decode_order[i]`` is the place in the index of the packet that holds source frame i.
    ``slots`` is None where the film comes evenly: frame i shows field frame i. Else it has, for
    each field frame, the first frame of the timeline that may show it, and ``frames`` shows for
    each the newest field frame that is due. ``notes`` say what differs from the source.
    """

    rate: Fraction
    start: Fraction
    time_base: Fraction
    packets: Packets
    decode_order: Numbers
    frames: int
    fields: Fields = "progressive"
    slots: Numbers | None = None
    notes: tuple[str, ...] = ()

    @property
    def duration(self) -> Fraction:
        """From the first frame's begin to the last frame's end, in seconds."""
        return self.frames / self.rate

    @property
    def field_frames(self) -> int:
        """How many pictures decoding gives after fields were taken apart or put together."""
        return field_frames(len(self.decode_order), self.fields)

    def shown(self, first: int, end: int) -> Numbers:
        """The field frames that the frames ``[first, end)`` show."""
        frames = np.arange(first, end)
        if self.slots is None:
            return frames
        return np.asarray(np.searchsorted(self.slots, frames, side="right") - 1, dtype=np.int64)


def field_frames(source_frames: int, fields: Fields) -> int:
    """Two for each frame of two fields; four for each five of pulldown."""
    if fields == "interlaced":
        return 2 * source_frames
    if fields == "telecine":
        return source_frames - source_frames // 5
    return source_frames


def build_timeline(
    packets: Packets,
    time_base: Fraction,
    nominal: Fraction | None,
    fields: Fields = "progressive",
    end: Fraction | None = None,
    *,
    is_recording: bool = False,
) -> Timeline:
    """Number the shown frames and lay them on a grid of one constant rate.

    ``end`` is when the track ends by its packets' durations, in seconds of the container's clock.
    A recording may begin in the middle of a group of pictures: it is shown from the next one on. A
    single time stamp that is wrong by hours would make a film of hours: it is refused.

    Raises:
        SourceDamaged: no frame is shown, or their times make no sense.
    """
    shown = _shown(packets, is_recording=is_recording)
    longest_s = LONGEST_DELAY if is_recording else LONGEST_HOLD
    _check_delays(packets["pts"][shown], packets["dts"][shown], time_base, longest_s)
    order = shown[np.argsort(packets["pts"][shown], kind="stable")]
    pts = packets["pts"][order]
    if len(pts) > 1 and pts[0] == pts[-1]:
        raise SourceDamaged(
            f"all {len(pts)} pictures are at one time: their time stamps are lost",
            "try another copy of the film",
        )
    start = int(pts[0]) * time_base
    coded = constant_rate(pts, time_base, nominal)
    if len(pts) == 1:
        fields = "progressive"
        coded = None if end is not None and end - start >= STANDS_STILL else coded
    if coded is None:
        fields = "interlaced" if fields == "telecine" else fields
        return _varied(packets, order, time_base, nominal, fields, end)
    rate = coded * PER_CODED_FRAME[fields]
    if rate > FASTEST:
        return _thinned(packets, order, time_base, rate, fields)
    count = field_frames(len(order), fields)
    _check_length(count / rate)
    notes = _notes_on_fields(fields, coded, rate)
    return Timeline(rate, start, time_base, packets, order, count, fields, None, notes)


def whole_groups(packets: Packets) -> int:
    """How many of the first packets are whole groups of pictures, whatever comes after them.

    All of these are shown, and before all that come later. The last packet is never among them: it
    may have come in part.
    """
    keys = np.flatnonzero((packets["flags"] & KEY) != 0)
    if len(keys) == 0 or np.any(packets["flags"][: keys[-1]] & DISCARD):
        return 0
    newest = np.maximum.accumulate(packets["pts"])
    oldest_left = np.minimum.accumulate(packets["pts"][::-1])[::-1]
    ends = [int(key) for key in keys if key > 0 and newest[key - 1] < oldest_left[key]]
    return ends[-1] if ends else 0


def _shown(packets: Packets, *, is_recording: bool) -> Numbers:
    """The places of the packets that are shown, of a recording those from the first key frame on.

    What it has of the group that was on air when it began cannot be decoded.
    """
    shown = np.flatnonzero((packets["flags"] & DISCARD) == 0)
    keys = np.flatnonzero((packets["flags"] & KEY) != 0)
    if is_recording and len(shown) and len(keys):
        shown = shown[packets["pts"][shown] >= packets["pts"][keys[0]]]
    if len(shown) == 0:
        raise SourceDamaged(
            "the video track has no frame that is shown", "try another copy of the film"
        )
    if len(keys) == 0:
        raise SourceDamaged(
            "the film has no key frame: it cannot be decoded", "try another copy of the film"
        )
    return shown


def _check_delays(pts: Numbers, dts: Numbers, time_base: Fraction, longest_s: int) -> None:
    """No picture waits for long, unless decoding pauses as well: then it is the film that does."""
    delays = pts - dts
    latest = int(delays.argmax())
    pause = int(np.abs(np.diff(dts)).max(initial=0))
    waits = int(delays[latest] - delays.min())
    if waits * time_base > longest_s and waits > MOST_HELD * pause:
        begin, seen = (float(int(times[latest]) * time_base) for times in (dts, pts))
        raise SourceDamaged(
            f"the picture that is decoded at {begin:.3f} s is to be shown at {seen:.3f} s: one of "
            "its time stamps is damaged",
            "cut the film there and publish its parts, or try another copy",
        )


def _check_length(seconds: Fraction) -> None:
    if seconds > LONGEST_FILM:
        raise SourceDamaged(
            f"by its time stamps the film lasts {float(seconds) / 3600:.0f} hours; "
            f"the most is {LONGEST_FILM // 3600}",
            "its time stamps may be damaged: copy it with ffmpeg, or try another copy",
        )


def _notes_on_fields(fields: Fields, coded: Fraction, rate: Fraction) -> tuple[str, ...]:
    if fields == "interlaced":
        return (
            f"interlaced: its fields are shown one by one, {_words(coded)} become {_words(rate)}",
        )
    if fields == "telecine":
        return (f"3:2 pulldown is undone: {_words(coded)} become {_words(rate)}",)
    return ()


def _words(rate: Fraction) -> str:
    return f"{float(rate):.3f}".rstrip("0").rstrip(".") + " frames a second"


def _thinned(
    packets: Packets, order: Numbers, time_base: Fraction, rate: Fraction, fields: Fields
) -> Timeline:
    """A film that is faster than any rendition: every second, third, ... frame is shown."""
    target = thinned(rate)
    step = int(rate / target)
    slots = np.arange(field_frames(len(order), fields)) // step
    frames = int(slots[-1]) + 1
    _check_length(frames / target)
    start = int(packets["pts"][order[0]]) * time_base
    note = f"{_words(rate)} become {_words(target)}"
    return Timeline(
        target, start, time_base, packets, order, frames, fields, slots,
        (*_notes_on_fields(fields, rate / 2, rate), note),
    )  # fmt: skip


def _varied(
    packets: Packets, order: Numbers, time_base: Fraction, nominal: Fraction | None,
    fields: Fields, end: Fraction | None,
) -> Timeline:  # fmt: skip
    """A film of varying frame rate, on the grid that fits it best."""
    pts = packets["pts"][order]
    first, last = int(pts[0]) * time_base, int(pts[-1]) * time_base
    _check_length(last - first)
    doubled = 2 if fields == "interlaced" else 1
    grid = lay_on_grid(pts, time_base, nominal)
    rate = grid.rate
    if doubled == 2:
        rate = thinned(2 * rate)
        source_slots = grid_slots(pts, time_base, rate)
        slots = between(source_slots)
    else:
        slots = source_slots = grid.slots
    stays = min(end - last, LONGEST_LAST_FRAME) if end is not None else Fraction(0)
    frames = max(int(slots[-1]) + 1, int(source_slots[-1]) + round(stays * rate))
    shown = len(np.unique(slots))
    if len(pts) == 1:
        note = f"one picture stands still for {float(frames / rate):.1f} s"
        return Timeline(rate, first, time_base, packets, order, frames, fields, slots, (note,))
    why = "varies" if np.ptp(np.diff(pts)) else "is low"
    note = (
        f"the frame rate {why} ({_range(pts, time_base)}): {len(slots)} pictures become {frames} "
        f"frames at {_words(rate)}, {frames - shown} of them repeated, "
        f"{len(slots) - shown} pictures left out"
    )
    return Timeline(rate, first, time_base, packets, order, frames, fields, slots, (note,))


def between(source_slots: Numbers) -> Numbers:
    """Places of both fields of each frame: the second one halfway to the next frame's."""
    steps = np.diff(source_slots)
    steps = np.append(steps, steps[-1] if len(steps) else 2)
    return np.asarray(np.stack([source_slots, source_slots + steps // 2], axis=1).reshape(-1))


def _range(pts: Numbers, time_base: Fraction) -> str:
    gaps = np.diff(pts)
    shortest, longest = (float(int(gap) * time_base) * 1000 for gap in (gaps.min(), gaps.max()))
    return f"frames last from {shortest:.1f} to {longest:.1f} ms"
