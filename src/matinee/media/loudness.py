"""Loudness by EBU R 128 (ITU-R BS.1770): what it is, and by how much to change it."""

import re
from dataclasses import dataclass
from typing import Any

SILENCE = -70.0
"""Integrated loudness, in LUFS, at and below which nothing passes the gate."""

CLOSE = 1.0
"""How far from what was wished sound may be, in LU."""

_INTEGRATED = re.compile(r"^\s*I:\s+(-?[\d.]+|-inf|nan) LUFS", re.MULTILINE)
_RANGE = re.compile(r"^\s*LRA:\s+(-?[\d.]+|nan) LU\b", re.MULTILINE)
_PEAK = re.compile(r"^\s*Peak:\s+(-?[\d.]+|-?inf|nan) dBFS", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Loudness:
    """``integrated`` in LUFS, ``range_lu`` in LU, ``true_peak`` in dBTP; None for silence."""

    integrated: float | None
    range_lu: float | None
    true_peak: float | None

    def as_json(self) -> dict[str, Any]:
        """The reported form."""
        return {
            "integrated_lufs": self.integrated,
            "range_lu": self.range_lu,
            "true_peak_dbtp": self.true_peak,
        }


@dataclass(frozen=True, slots=True)
class Target:
    """How loud sound is to be: ``integrated`` in LUFS, its true peak at most ``true_peak`` dBTP."""

    integrated: float
    true_peak: float


def read_loudness(text: str) -> Loudness | None:
    """From the summary of ffmpeg's ``ebur128``; None where there is none in the text."""
    found = [pattern.findall(text) for pattern in (_INTEGRATED, _RANGE, _PEAK)]
    if not all(found):
        return None
    integrated, range_lu, peak = (float(values[-1]) for values in found)
    if not integrated > SILENCE:
        return Loudness(None, None, None if not peak > -200 else peak)
    return Loudness(integrated, range_lu, peak)


def gain_db(found: Loudness, target: Target) -> float:
    """By how much to change the level, so that no peak is above its bound; 0 for silence."""
    if found.integrated is None:
        return 0.0
    wished = target.integrated - found.integrated
    if found.true_peak is not None:
        wished = min(wished, target.true_peak - found.true_peak)
    return round(wished, 2)


def loudness_faults(found: Loudness, target: Target) -> list[str]:
    """What is not as wished, in words; sound whose peaks bound it may be less loud."""
    if found.integrated is None:
        return []
    apart = found.integrated - target.integrated
    room = target.true_peak - (found.true_peak if found.true_peak is not None else -200.0)
    if apart > CLOSE or (apart < -CLOSE and room > CLOSE):
        return [f"its loudness is {found.integrated:.1f} LUFS, not {target.integrated:.1f}"]
    return []
