"""One look at a library: is every title whole, are promises kept, what is to be done."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from matinee.ports.upkeep import Finding, Scrub

SCRUBBED_WITHIN = timedelta(days=14)
"""How old the last whole pass over all that is stored may be."""


@dataclass(frozen=True, slots=True)
class Health:
    """What is known of a library. ``advice``: what to do, most urgent first; empty when well."""

    open: int
    lost: int
    titles: tuple[str, ...]
    scrubbed_at: datetime | None
    advice: tuple[str, ...]


def health_of(findings: Sequence[Finding], scrubs: Sequence[Scrub], now: datetime) -> Health:
    """The state of a library.

    Args:
        findings: Those that are not mended.
        scrubs: The last passes, newest first.
        now: The time.
    """
    lost = [each for each in findings if each.state == "lost"]
    is_open = [each for each in findings if each.state == "open"]
    titles = sorted({each.fault.title for each in findings if each.fault.title})
    whole = [
        s for s in scrubs if s.ended_at and not s.settings["title"] and not s.settings["since"]
    ]
    last = max((s.ended_at for s in whole if s.ended_at), default=None)
    advice = []
    if is_open:
        advice.append(f"{len(is_open)} faults are not mended: matinee repair")
    if lost:
        advice.append(
            f"{len(lost)} things are lost: put the films back where they were published from, "
            "then: matinee repair"
        )
    if last is None:
        advice.append("nothing was ever proved: matinee scrub")
    elif now - last > SCRUBBED_WITHIN:
        days = (now - last).days
        advice.append(f"all that is stored was last proved {days} days ago: matinee scrub")
    return Health(len(is_open), len(lost), tuple(titles), last, tuple(advice))
