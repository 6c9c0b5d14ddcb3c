"""Frames and seconds, exact and never of one type.

- A frame is counted by ``int``, a time is a ``Fraction`` of seconds.
- Intervals are half-open.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, slots=True, order=True)
class FrameSpan:
    """Frames ``[start, end)`` of the reference timeline."""

    start: int
    end: int

    def __post_init__(self) -> None:
        if not 0 <= self.start < self.end:
            raise ValueError(f"no frames in [{self.start}, {self.end})")

    def __len__(self) -> int:
        return self.end - self.start


def time_of_frame(frame: int, rate: Fraction) -> Fraction:
    """When ``frame`` begins, in seconds, at ``rate`` frames per second."""
    return frame / rate


def as_text(value: Fraction) -> str:
    """``num/den``: the exact spelling used in keys and in stored documents."""
    return f"{value.numerator}/{value.denominator}"


def covers(spans: Iterable[FrameSpan], frames: int) -> bool:
    """Whether the spans, in order, cover ``[0, frames)`` without gap or overlap."""
    end = 0
    for span in spans:
        if span.start != end:
            return False
        end = span.end
    return end == frames
