"""Damage: the pictures of a film that cannot be shown, and the timeline that passes over them.

- A picture is damaged when it does not decode, or decodes with errors.
- So is every picture after it up to the next key packet: they are drawn upon it.
- On a mended timeline the picture before stands still meanwhile; every other frame keeps its time.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from matinee.core.errors import SourceDamaged
from matinee.core.time import FrameSpan
from matinee.media.frame_index import KEY
from matinee.media.timeline import Numbers, Timeline, between, build_timeline

JOINED = Fraction(1)
"""Damaged stretches that lie nearer to each other than this, in seconds, are told as one."""

TOLD = 4
"""How many damaged stretches are spelt out."""


@dataclass(frozen=True, slots=True)
class Damage:
    """Source frames, in spans: those that never come out of a decoder, and all that are damaged."""

    lost: tuple[FrameSpan, ...]
    damaged: tuple[FrameSpan, ...]

    @property
    def frames(self) -> int:
        """How many source frames are damaged."""
        return sum(len(span) for span in self.damaged)


def damage_of(
    timeline: Timeline, decoded: Collection[int], corrupt: Collection[int]
) -> Damage | None:
    """What a decode of all packets found, by their places in the index; None for no damage.

    ``decoded`` gave a picture, ``corrupt`` gave one with errors.
    """
    order = timeline.decode_order
    came = np.zeros(len(timeline.packets), dtype=bool)
    came[list(decoded)] = True
    bad = np.zeros(len(timeline.packets), dtype=bool)
    bad[order] = ~came[order]
    bad[list(corrupt)] = True
    if not bad[order].any():
        return None
    keys = np.flatnonzero((timeline.packets["flags"] & KEY) != 0)
    for place in np.flatnonzero(bad).tolist():
        following = keys[np.searchsorted(keys, place, side="right") :]
        bad[place : int(following[0]) if len(following) else len(bad)] = True
    return Damage(tuple(_spans(~came[order])), tuple(_spans(bad[order])))


def _spans(mask: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Iterable[FrameSpan]:
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8)))
    return [FrameSpan(int(start), int(end)) for start, end in edges.reshape(-1, 2)]


def mended(timeline: Timeline, damage: Damage) -> Timeline:
    """The timeline without the damaged pictures: as long as before, every other one in its place.

    Pulldown is not undone in a damaged film, as its rhythm is broken; its fields are shown.

    Raises:
        SourceDamaged: no picture is left.
    """
    if timeline.fields == "telecine":
        timeline = build_timeline(
            timeline.packets, timeline.time_base, timeline.rate * Fraction(5, 4), "interlaced"
        )
    order = timeline.decode_order
    came, good = np.ones(len(order), dtype=bool), np.ones(len(order), dtype=bool)
    for span in damage.lost:
        came[span.start : span.end] = False
    for span in damage.damaged:
        good[span.start : span.end] = False
    if not (came & good).any():
        raise SourceDamaged("not one picture of the film can be decoded", "try another copy")
    per_frame = 2 if timeline.fields == "interlaced" else 1
    slots = timeline.slots
    whole = np.arange(len(order)) * per_frame if slots is None else slots[::per_frame]
    source_slots = _stand_still(whole[came], good[came], timeline.frames)
    hidden = len(order) - int((came & good).sum())
    note = f"{hidden} pictures are damaged; those before them stand still meanwhile"
    return replace(
        timeline,
        decode_order=order[came],
        slots=between(source_slots) if per_frame == 2 else source_slots,
        notes=(*timeline.notes, note),
    )


def _stand_still(
    slots: Numbers, good: np.ndarray[tuple[int], np.dtype[np.bool_]], end: int
) -> Numbers:
    """Each damaged picture shares the place of the next good one, which takes it.

    The first good one is shown from the begin; those after the last go where no frame looks.
    """
    places = np.where(good, slots, end)
    own = np.minimum.accumulate(places[::-1])[::-1].copy()
    own[: int(np.flatnonzero(good)[0]) + 1] = 0
    return own


def missed(
    stretches: Sequence[tuple[Fraction, Fraction]], begin: Fraction, end: Fraction
) -> list[tuple[Fraction, Fraction]]:
    """The stretches that lie in part within the film ``[begin, end)``."""
    return [(a, b) for a, b in stretches if a < end and b > begin]


def tell_damage(timeline: Timeline, damage: Damage) -> str:
    """From when to when, in seconds of the film."""
    return tell_stretches(
        [(_time(timeline, span.start), _time(timeline, span.end)) for span in damage.damaged]
    )


def tell_stretches(stretches: Sequence[tuple[Fraction, Fraction]]) -> str:
    """From when to when, near ones as one; "" for none."""
    joined: list[tuple[Fraction, Fraction]] = []
    for begin, end in stretches:
        if joined and begin - joined[-1][1] < JOINED:
            joined.append((joined.pop()[0], end))
        else:
            joined.append((begin, end))
    words = [f"from {float(begin):.2f} s to {float(end):.2f} s" for begin, end in joined[:TOLD]]
    more = f" and {len(joined) - TOLD} times more" if len(joined) > TOLD else ""
    return f"{', '.join(words)}{more}"


def _time(timeline: Timeline, source_frame: int) -> Fraction:
    """When a source frame is shown, on the film's clock."""
    if source_frame >= len(timeline.decode_order):
        return timeline.duration
    pts = int(timeline.packets["pts"][timeline.decode_order[source_frame]])
    return pts * timeline.time_base - timeline.start
