"""Clocks that are set anew within a film: where they jump, and the times as if they had not."""

from fractions import Fraction

import numpy as np

from matinee.media.timeline import Numbers, Packets

BACK, AHEAD = Fraction(1), Fraction(10)
"""Seconds: a smaller step is disorder or a pause, a larger one a new clock."""

RUNS_OVER = 1 << 33
"""Ticks after which the clock of MPEG systems begins again (ISO/IEC 13818-1, 2.4.3.7).

Demuxers move the times on one side of that moment by as much: below zero or above.
"""


def clock_jumps(dts: Numbers, time_base: Fraction) -> bool:
    """Whether decode times go back, leap ahead by more than a pause does, or run over."""
    ran_over = (dts < 0) | (dts >= RUNS_OVER)
    return bool(len(_jumps(dts, time_base)) or ran_over.any())


def _jumps(dts: Numbers, time_base: Fraction) -> Numbers:
    """The places after which the clock is another."""
    steps = np.diff(dts)
    back, ahead = -int(BACK / time_base), int(AHEAD / time_base)
    return np.flatnonzero((steps < back) | (steps > ahead))


def straightened(packets: Packets, time_base: Fraction) -> Packets:
    """The index as a copy of the film has it whose clock goes on where it jumped."""
    dts = packets["dts"]
    steps = np.diff(dts)
    usual = int(np.median(steps)) if len(steps) else 0
    moved = packets.copy()
    for place in _jumps(dts, time_base).tolist():
        moved["pts"][place + 1 :] -= steps[place] - usual
        moved["dts"][place + 1 :] -= steps[place] - usual
    return moved
