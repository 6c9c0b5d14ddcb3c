"""Pace: whether a film's time stamps run as its frames say.

A damaged time scale stretches all times of a container alike. The rate that the picture claims, and
the samples that each frame of sound holds, know nothing of it: where both contradict the time
stamps by one factor, those are damaged. One alone proves nothing: rates are claimed wrongly, and
pulldown and varying rates differ from what is claimed on purpose.
"""

from fractions import Fraction

from matinee.media.source import SourceInfo
from matinee.media.timeline import PER_CODED_FRAME, Timeline

LEAST = Fraction(1, 100)
"""How far a pace is from 1 at least: 24 for 24000/1001, and clocks that drift, are no damage."""

ALIKE = Fraction(1, 250)
"""How far picture and sound may be apart in it: times are rounded, short films to few of them."""


def pace_of_picture(info: SourceInfo, timeline: Timeline) -> Fraction | None:
    """How long a second of its claimed rate lasts by the time stamps.

    None where that is a second, the rate varies or is thinned, or none is claimed.
    """
    claimed = info.picture.nominal_rate
    if not claimed or timeline.slots is not None or len(timeline.decode_order) == 1:
        return None
    pace = claimed * PER_CODED_FRAME[timeline.fields] / timeline.rate
    return pace if abs(pace - 1) > LEAST else None


def is_damaged(picture: Fraction, sound: Fraction | None) -> bool:
    """Whether both run alike, and not as the time stamps do.

    Both in seconds of time stamps for a second; None: not known.
    """
    return (
        sound is not None
        and abs(sound - 1) > LEAST
        and abs(picture - 1) > LEAST
        and abs(sound - picture) <= ALIKE * picture
    )
