"""Clips: the packets that decoding a chunk's frames needs, and what names them.

- A clip begins at a key packet and holds every packet up to the last that is wanted.
- Taking fields apart, or undoing pulldown, looks at the frames around: a clip has a few more.
- A clip's digest covers its packets and how they are shown, not the file they lie in.
"""

from binascii import hexlify
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import Self

import numpy as np
from numpy.typing import NDArray

from matinee.core.errors import SourceDamaged
from matinee.core.ids import Digest, digest_of, digest_of_value
from matinee.core.time import FrameSpan
from matinee.media.frame_index import DISCARD, KEY
from matinee.media.source import Fields
from matinee.media.timeline import Numbers, Packets, Timeline

AROUND = 2
"""Frames before and after that a deinterlacer looks at, at most."""

CYCLE = 5
"""Coded frames in which 3:2 pulldown shows four frames of film."""


@dataclass(frozen=True, slots=True)
class ClipPlan:
    """The packets that decoding ``frames`` needs: ``[first, last]`` of the index.

    ``first`` is a key packet shown no later than the first wanted frame. ``skip_before`` is in
    ticks: frames shown before it are only decoded. After ``fields`` were taken apart or put
    together, ``surplus`` frames come before the first wanted one.

    ``slots`` is None for a film that comes evenly. Else it has each packet's place on the clip's
    own grid, in frames of the timeline, in decode order, and ``surplus`` counts grid places.
    """

    frames: FrameSpan
    first: int
    last: int
    skip_before: int
    digest: Digest
    fields: Fields = "progressive"
    surplus: int = 0
    slots: tuple[Fraction, ...] | None = None
    skip_slots: Fraction = Fraction(0)


def plan_clip(timeline: Timeline, span: FrameSpan, configuration: Digest) -> ClipPlan:
    """The packets to copy so that exactly the frames of ``span`` can be decoded.

    Raises:
        SourceDamaged: no key frame before the span's first frame.
    """
    return _plan(timeline, _Columns.of(timeline.packets), span, configuration)


@dataclass(frozen=True, slots=True)
class _Columns:
    """What of an index is looked at for every clip, so that it lies close together."""

    pts: Numbers
    keys: Numbers

    @classmethod
    def of(cls, packets: Packets) -> Self:
        keys = np.flatnonzero((packets["flags"] & KEY) != 0)
        return cls(np.ascontiguousarray(packets["pts"]), keys)

    def entry(self, latest: int, shown_by: int) -> int | None:
        """The last key packet up to ``latest`` that is shown by then; near it, in most films."""
        for place in range(int(np.searchsorted(self.keys, latest, "right")) - 1, -1, -1):
            key = int(self.keys[place])
            if self.pts[key] <= shown_by:
                return key
        return None


def _plan(
    timeline: Timeline, columns: _Columns, span: FrameSpan, configuration: Digest
) -> ClipPlan:
    low, high, surplus = _needed(timeline, *_first_and_last(timeline, span))
    wanted = timeline.decode_order[low:high]
    first_pts = int(columns.pts[wanted[0]])
    first = columns.entry(int(wanted.min()), first_pts)
    if first is None:
        when = float(span.start / timeline.rate)
        raise SourceDamaged(
            f"no key frame before {when:.3f} s: the film cannot be decoded there",
            "try another copy of the film",
        )
    last = int(wanted.max())
    pts = columns.pts[first : last + 1]
    order = np.argsort(pts, kind="stable")
    before = int(np.searchsorted(pts, first_pts, sorter=order))
    ranks = np.empty(len(pts), dtype=np.int64)
    ranks[order] = np.arange(-before, len(pts) - before)
    newest = int(pts[order[before - 1]]) if before else first_pts
    plan = ClipPlan(
        frames=span,
        first=first,
        last=last,
        skip_before=first_pts - (first_pts - newest) // 2,
        digest=_clip_digest(timeline.packets[first : last + 1], ranks, len(span), configuration),
        fields=timeline.fields,
        surplus=surplus,
    )
    return plan if _is_plain(timeline) else _placed(timeline, plan, low, high)


def _first_and_last(timeline: Timeline, span: FrameSpan) -> tuple[int, int]:
    """The field frames that the first and the last frame of a span show."""
    if timeline.slots is None:
        return span.start, span.end - 1
    first, last = (timeline.shown(n, n + 1) for n in (span.start, span.end - 1))
    return int(first[0]), int(last[0])


def clip_plans(
    timeline: Timeline, spans: Sequence[FrameSpan], configuration: Digest
) -> list[ClipPlan]:
    """One clip for each span."""
    columns = _Columns.of(timeline.packets)
    return [_plan(timeline, columns, span, configuration) for span in spans]


def _is_plain(timeline: Timeline) -> bool:
    return timeline.slots is None and timeline.fields == "progressive"


def _needed(timeline: Timeline, first: int, last: int) -> tuple[int, int, int]:
    """Source frames ``[low, high)`` for the field frames ``[first, last]``, and the surplus."""
    count = len(timeline.decode_order)
    if timeline.fields == "interlaced":
        low = max(0, first // 2 - AROUND)
        return low, min(count, last // 2 + 1 + AROUND), first - 2 * low
    if timeline.fields == "telecine":
        low = max(0, first // 4 - 1) * CYCLE
        return low, min(count, (last // 4 + 2) * CYCLE), first - low // CYCLE * 4
    return first, last + 1, 0


def _placed(timeline: Timeline, plan: ClipPlan, low: int, high: int) -> ClipPlan:
    """The plan of a clip that is not plain: where its packets lie on its grid, if need be."""
    slots = _slots(timeline, plan, low, high) if timeline.slots is not None else None
    described = {
        "clip": plan.digest,
        "fields": plan.fields,
        "surplus": plan.surplus,
        "slots": [f"{slot}" for slot in slots.of_packets] if slots else None,
    }
    return ClipPlan(
        frames=plan.frames,
        first=plan.first,
        last=plan.last,
        skip_before=plan.skip_before,
        digest=digest_of_value(described),
        fields=plan.fields,
        surplus=slots.surplus if slots else plan.surplus,
        slots=slots.of_packets if slots else None,
        skip_slots=slots.skip_before if slots else Fraction(0),
    )


@dataclass(frozen=True, slots=True)
class _Slots:
    of_packets: tuple[Fraction, ...]
    skip_before: Fraction
    surplus: int


def _slots(timeline: Timeline, plan: ClipPlan, low: int, high: int) -> _Slots:
    """The clip's own grid: first what is only decoded, a place each; then its frames; then others.

    Frames that share a place come one after the other within its first half, so that the last of
    them takes it.
    """
    assert timeline.slots is not None
    step = 2 if plan.fields == "interlaced" else 1
    own = timeline.slots[step * low : step * high : step]
    if plan.fields == "progressive":  # a picture that stays for long is not waited for
        own = np.maximum(own, plan.frames.start)
    packets = timeline.packets[plan.first : plan.last + 1]
    frames = {int(place): n for n, place in enumerate(timeline.decode_order[low:high])}
    first_pts = int(packets["pts"][int(timeline.decode_order[low]) - plan.first])
    by_time = np.argsort(packets["pts"], kind="stable").tolist()
    others = [n for n in by_time if plan.first + n not in frames]
    before = [n for n in others if int(packets["pts"][n]) < first_pts]
    zero = len(before) + 1 - int(own[0])
    places = {n: Fraction(rank) for rank, n in enumerate(before)}
    after = zero + max(int(own[-1]), plan.frames.end) + 1
    places |= {n: Fraction(after + k) for k, n in enumerate(n for n in others if n not in places)}
    spread = _spread(own)
    places |= {place - plan.first: zero + spread[frame] for place, frame in frames.items()}
    return _Slots(
        of_packets=tuple(places[n] for n in range(len(packets))),
        skip_before=len(before) + Fraction(1, 2),
        surplus=plan.frames.start - int(own[0]),
    )


def _spread(slots: Numbers) -> list[Fraction]:
    """Exact places: those that share one are moved apart within its first half."""
    spread: list[Fraction] = []
    values, counts = np.unique(slots, return_counts=True)
    for value, count in zip(values.tolist(), counts.tolist(), strict=True):
        spread += [value + Fraction(k, 2 * count) for k in range(count)]
    return spread


_ROW = np.dtype([("rank", "S12"), ("digest", "S64"), ("flag", "S5")])
"""A packet as canonical JSON has it; what is empty of the columns is taken out."""

_FLAGS = np.array([b'",0],', f'",{DISCARD}],'.encode()])

USUAL = 1024
"""Ranks, below and above zero, that are spelled once for all clips."""


def _clip_digest(clip: Packets, ranks: Numbers, frames: int, configuration: Digest) -> Digest:
    """Names configuration, count of frames, and each packet by its place, digest and flag.

    Of canonical JSON: a long film has millions of packets, and column by column is soonest done.
    """
    rows = np.empty(len(clip), dtype=_ROW)
    rows["rank"] = _spelled(ranks)
    rows["digest"] = np.frombuffer(hexlify(clip["digest"].tobytes()), dtype="S64")
    rows["flag"] = _FLAGS[(clip["flags"] & DISCARD) // DISCARD]
    packets = rows.tobytes().translate(None, b"\0")[:-1]
    head = f'{{"configuration":"{configuration}","frames":{frames},"packets":['.encode()
    return digest_of(head + packets + b"]}")


def _spelled(ranks: Numbers) -> NDArray[np.bytes_]:
    """Each rank as the begin of its row."""
    if ranks.min() >= -USUAL and ranks.max() < USUAL:
        return _usual()[ranks + USUAL]
    return np.array(['[%d,"'.__mod__(rank) for rank in ranks.tolist()], dtype="S12")


@cache
def _usual() -> NDArray[np.bytes_]:
    return np.array(['[%d,"'.__mod__(rank) for rank in range(-USUAL, USUAL)], dtype="S12")
