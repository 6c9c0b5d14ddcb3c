"""The segment plan: where segments and chunks begin, the same for every rung.

- A segment starts with an IDR frame and nothing else is one.
- Segments last from SHORTEST to LONGEST seconds, or as long as a profile says; only a film shorter
  than that has a shorter one.
- A segment starts at a shot cut where one fits.
- A chunk is a run of whole segments.
"""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice, pairwise, takewhile

from matinee.core.time import FrameSpan

SHORTEST = Fraction(2)
LONGEST = Fraction(6)
CHUNK = Fraction(8)
"""A chunk is closed when it has reached this many seconds."""


@dataclass(frozen=True, slots=True)
class SegmentPlan:
    """Segments and chunks of a film of ``rate`` frames per second."""

    rate: Fraction
    segments: tuple[FrameSpan, ...]
    chunks: tuple[FrameSpan, ...]

    @property
    def frames(self) -> int:
        """How many frames the plan covers."""
        return self.segments[-1].end

    def starts_in(self, chunk: FrameSpan) -> list[int]:
        """The first frames of the segments in ``chunk``, counted from the chunk's first frame."""
        first = bisect_left(self.segments, chunk.start, key=lambda segment: segment.start)
        inside = takewhile(
            lambda segment: segment.start < chunk.end, islice(self.segments, first, None)
        )
        return [segment.start - chunk.start for segment in inside]


def plan_segments(
    cuts: Sequence[int], frames: int, rate: Fraction, longest_s: Fraction = LONGEST
) -> list[FrameSpan]:
    """Cut a film into segments that start at shot cuts where one fits.

    Segments are ordered and cover ``[0, frames)`` without gap or overlap. Of the cuts that fit, the
    last is taken: fewer segments cost fewer bits. The plan of a prefix is a prefix of the plan, but
    for its last two segments.

    Args:
        cuts: First frames of the shots, ascending.
        frames: How many frames the film has.
        rate: Frames per second.
        longest_s: Seconds of the longest segment, at least twice ``SHORTEST``.
    """
    shortest = math.ceil(SHORTEST * rate)
    longest = max(1, math.floor(longest_s * rate))  # a frame may last longer than a segment should
    starts = [0]
    while frames - starts[-1] > longest:
        earliest = starts[-1] + shortest
        latest = min(starts[-1] + longest, frames - shortest)
        place = bisect_right(cuts, latest) - 1
        is_fitting = place >= 0 and cuts[place] >= earliest
        starts.append(cuts[place] if is_fitting else latest)
    return [FrameSpan(start, end) for start, end in pairwise([*starts, frames])]


def plan_chunks(segments: Sequence[FrameSpan], rate: Fraction) -> list[FrameSpan]:
    """Join whole segments into chunks of about ``CHUNK`` seconds, a short rest with the last."""
    enough = math.floor(CHUNK * rate)
    chunks: list[FrameSpan] = []
    start = segments[0].start
    for segment in segments:
        if segment.end - start >= enough:
            chunks.append(FrameSpan(start, segment.end))
            start = segment.end
    end = segments[-1].end
    if start < end:
        too_short = chunks and end - start < enough // 2
        chunks.append(FrameSpan(chunks.pop().start if too_short else start, end))
    return chunks


def plan_film(
    cuts: Sequence[int], frames: int, rate: Fraction, longest_s: Fraction = LONGEST
) -> SegmentPlan:
    """The whole plan."""
    segments = plan_segments(cuts, frames, rate, longest_s)
    return SegmentPlan(rate, tuple(segments), tuple(plan_chunks(segments, rate)))


def settled(plan: SegmentPlan) -> SegmentPlan | None:
    """Of the plan of a film's begin, the chunks that the whole film's plan has too; None: none yet.

    Its last two segments may end elsewhere once more of the film is there.
    """
    if len(plan.segments) <= 2:
        return None
    end = plan.segments[-2].start
    chunks = tuple(chunk for chunk in plan.chunks if chunk.end <= end)
    if not chunks:
        return None
    segments = tuple(segment for segment in plan.segments if segment.end <= chunks[-1].end)
    return SegmentPlan(plan.rate, segments, chunks)


def shots(cuts: Sequence[int], frames: int, rate: Fraction) -> list[FrameSpan]:
    """The film's shots; one shorter than SHORTEST joins the shot before it, the first the next."""
    shortest = math.ceil(SHORTEST * rate)
    starts = [0]
    for cut in cuts:
        if cut - starts[-1] >= shortest and frames - cut >= shortest:
            starts.append(cut)
    return [FrameSpan(start, end) for start, end in pairwise([*starts, frames])]
