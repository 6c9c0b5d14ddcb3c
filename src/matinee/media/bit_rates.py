"""Bit rates of segmented streams, as RFC 8216bis section 4.1 defines them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice


@dataclass(frozen=True, slots=True)
class BitRate:
    """Peak and average, in bits per second, rounded up."""

    peak: int
    average: int

    def __add__(self, other: "BitRate") -> "BitRate":
        return BitRate(self.peak + other.peak, self.average + other.average)


def measured(segments: Sequence[tuple[int, Fraction]], target_duration: int) -> BitRate:
    """Bit rates of segments given as (size in bytes, duration in seconds).

    The peak is the largest bit rate of any contiguous set of segments whose total duration is
    between 0.5 and 1.5 times the target duration; where no set is, that of the whole.
    """
    duration = sum((seconds for _, seconds in segments), Fraction(0))
    if duration <= 0:
        return BitRate(0, 0)
    average = Fraction(8 * sum(size for size, _ in segments)) / duration
    shortest, longest = Fraction(target_duration, 2), Fraction(3 * target_duration, 2)
    peaks = []
    for first in range(len(segments)):
        bits, seconds = 0, Fraction(0)
        for size, length in islice(segments, first, None):
            bits, seconds = bits + 8 * size, seconds + length
            if seconds > longest:
                break
            if seconds >= shortest and seconds > 0:
                peaks.append(bits / seconds)
    return BitRate(math.ceil(max(peaks, default=average)), math.ceil(average))
