"""Sound: which renditions a track gets, and whether sound and picture meet.

- Every sound track becomes AAC-LC stereo, and its own layout too when it has more channels; mono
  stays mono.
- All tracks of a package, sound and picture, begin at the same place of their media timeline
  (equal edit-list media times), so that they meet in players that honour edit lists and in those
  that do not.
"""

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matinee.core.time import as_text
from matinee.media.ladder import REORDERED_FRAMES, SoundRates
from matinee.media.source import Track

SAMPLE_RATE = 48_000
AAC_FRAME = 1024
"""Samples of an AAC-LC frame; ffmpeg's encoder holds back exactly one (ISO/IEC 14496-3)."""

LAYOUTS = {1: "mono", 2: "stereo", 3: "3.0", 4: "4.0", 5: "5.0", 6: "5.1"}

Samples = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class SoundRendition:
    """One sound rendition as planned.

    ``film_start`` is the first frame's time on the container's clock, ``delay`` how much later the
    track begins, in seconds; what sounds before the first frame is cut, what is missing is silence.
    ``lead`` is the media time of the sample that sounds with the first frame, in samples.
    """

    name: str
    track: int
    layout: str
    channels: int
    bit_rate: int
    film_start: Fraction
    delay: Fraction
    duration: Fraction
    lead: int

    def as_parameters(self) -> dict[str, Any]:
        """The JSON that goes into keys; names and container indices decide nothing."""
        return {
            "layout": self.layout,
            "bit_rate": self.bit_rate,
            "delay_ms": round(self.delay * 1000),
            "duration": as_text(self.duration),
            "lead": self.lead,
        }


def lead_samples(rate: Fraction) -> int:
    """The media time of a film's first frame, in samples: as late as B-frames make the picture.

    At least one AAC frame, so that the encoder's priming lies before it.
    """
    return max(AAC_FRAME, round(REORDERED_FRAMES / rate * SAMPLE_RATE))


def plan_sound(
    track: Track, name: str, rates: SoundRates, film_start: Fraction, duration: Fraction, lead: int
) -> list[SoundRendition]:
    """The renditions of one sound track, the one that every device plays first."""
    bit_rates = {1: rates.mono_kbps} if track.channels == 1 else {2: rates.stereo_kbps}
    if track.channels > 2:
        most = max(count for count in LAYOUTS if count <= track.channels)
        bit_rates[most] = rates.per_channel_kbps * most
    return [
        SoundRendition(
            name=f"{name}-{LAYOUTS[channels].replace('.', '')}",
            track=track.index,
            layout=LAYOUTS[channels],
            channels=channels,
            bit_rate=kbps * 1000,
            film_start=film_start,
            delay=track.start - film_start,
            duration=duration,
            lead=lead,
        )
        for channels, kbps in bit_rates.items()
    ]


# Whether two recordings of one sound are in step.

PROBE_RATE = 8_000
"""Sounds are compared in mono at this rate: one step is 0.125 ms."""

PROBE = Fraction(4)
"""Length of a compared piece, in seconds."""

PROBES = 12
REACH = PROBE_RATE // 2
"""The largest lag that is looked for, in samples: half a second."""

IN_STEP = PROBE_RATE // 200
"""Five milliseconds, in samples."""

AS_GOOD = 0.98
"""A peak this near to the highest is taken for it, when it says that nothing is late."""

QUIET = 1e-3
"""Root mean square below which a window is too quiet to tell (-60 dBFS)."""


@dataclass(frozen=True, slots=True)
class Lag:
    """At ``time_s`` the copy sounds ``lag_s`` late; ``likeness`` from 0 to 1."""

    time_s: float
    lag_s: float
    likeness: float


def probe_times(duration: Fraction) -> list[Fraction]:
    """Where to compare: up to ``PROBES`` places spread over the film."""
    last = max(Fraction(0), duration - PROBE)
    count = PROBES if last else 1
    return sorted({last * n / max(1, count - 1) for n in range(count)})


def measure_lag(source: Samples, copy: Samples, time: Fraction) -> Lag | None:
    """How late ``copy`` sounds beside ``source``; None where either is too quiet to tell.

    By the peak of their cross-correlation, up to ``REACH`` to either side.
    """
    if min(_loudness(source), _loudness(copy)) < QUIET:
        return None
    size = 1 << (len(source) * 2 - 1).bit_length()
    spectrum = np.fft.rfft(copy, size) * np.conj(np.fft.rfft(source, size))
    products = np.fft.irfft(spectrum, size)
    reach = min(REACH, len(source) - 1)
    around = np.concatenate([products[-reach:], products[: reach + 1]])
    best = int(np.argmax(around))
    near = slice(max(0, reach - IN_STEP), reach + IN_STEP + 1)
    in_step = near.start + int(np.argmax(around[near]))
    if around[in_step] >= AS_GOOD * around[best]:  # a steady tone is like itself at every period
        best = in_step
    scale = float(np.linalg.norm(source)) * float(np.linalg.norm(copy))
    return Lag(float(time), (best - reach) / PROBE_RATE, float(around[best]) / scale)


def _loudness(samples: Samples) -> float:
    return float(np.sqrt(np.mean(np.square(samples, dtype=np.float64))))
