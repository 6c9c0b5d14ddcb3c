"""What work will cost, before it is done: for plans and for the time left.

Figures are processor seconds for a million pixels, measured on one core of an Intel Xeon with
AVX-512; they are right within a factor of two on machines of these years. Each codec has its own.
"""

from fractions import Fraction

from matinee.media.ladder import Rung
from matinee.media.sound import SAMPLE_RATE, SoundRendition

SCAN_COST = 0.0042
SCORE_COST = 0.042
GRAIN_COST = 0.1
"""To take film grain out, whatever the preset."""

LOSSLESS = 8
"""Bits of a sample of 16 bits that is coded without loss."""

SOUND_COST = 0.03
"""For a second of sound."""


def encode_cost(rung: Rung) -> float:
    """Processor seconds to encode one frame."""
    grain = GRAIN_COST if rung.film_grain else 0.0
    return (rung.coding.presets[rung.preset] + grain) * rung.width * rung.height / 1e6


def score_cost(width: int, height: int) -> float:
    """Processor seconds to score one frame at the film's size."""
    return SCORE_COST * width * height / 1e6


def scan_cost(width: int, height: int) -> float:
    """Processor seconds to scan one frame."""
    return SCAN_COST * width * height / 1e6


def likely_rate(sound: SoundRendition) -> int:
    """Bits per second of a sound: as planned, or what sound without loss is likely to take."""
    return sound.bit_rate or int(LOSSLESS * sound.channels * SAMPLE_RATE)


def likely_bytes(rung: Rung, duration: Fraction) -> int:
    """What a rung is likely to take: ordinary films stay at about half of the caps."""
    return int(rung.maxrate * duration / 8 * Fraction(1, 2))
