"""What work will cost, before it is done: for plans and for the time left.

Figures are processor seconds for a million pixels, measured with x264 and libvmaf on one core of an
Intel Xeon with AVX-512; they are right within a factor of two on machines of these years.
"""

from fractions import Fraction

from matinee.media.ladder import Rung

X264_COST = {
    "ultrafast": 0.012, "superfast": 0.018, "veryfast": 0.033, "faster": 0.048, "fast": 0.06,
    "medium": 0.074, "slow": 0.12, "slower": 0.22, "veryslow": 0.4,
}  # fmt: skip
SCAN_COST = 0.0042
SCORE_COST = 0.042
SOUND_COST = 0.03
"""For a second of sound."""


def encode_cost(rung: Rung) -> float:
    """Processor seconds to encode one frame."""
    return X264_COST[rung.preset] * rung.width * rung.height / 1e6


def score_cost(width: int, height: int) -> float:
    """Processor seconds to score one frame at the film's size."""
    return SCORE_COST * width * height / 1e6


def scan_cost(width: int, height: int) -> float:
    """Processor seconds to scan one frame."""
    return SCAN_COST * width * height / 1e6


def likely_bytes(rung: Rung, duration: Fraction) -> int:
    """What a rung is likely to take: ordinary films stay at about half of the caps."""
    return int(rung.maxrate * duration / 8 * Fraction(1, 2))
