"""What a wall clock that was set back does to due times, and how it is noticed. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from matinee.core.pace import Pace
from matinee.ports.deliveries import Delivery
from matinee.rules.rulebook import Rule, RuleBook

SLACK = timedelta(seconds=1)
"""What clocks may drift apart between two looks."""


@dataclass
class ClockWatch:
    """Compares the wall clock with the observer's monotonic one, at each look.

    ``was_set_back`` stays until who settled it takes it back; at first nobody knows. A clock that
    was set forwards makes things come early, which harms nothing.
    """

    was_set_back: bool = True
    _start: datetime | None = None

    def look(self, wall: datetime, monotonic_s: float) -> None:
        """Look at both clocks."""
        start = wall - timedelta(seconds=monotonic_s)
        if self._start is not None and self._start - start > SLACK:
            self.was_set_back = True
        self._start = start


def brought_forward(
    ahead: Sequence[Delivery], book: RuleBook, now: datetime
) -> list[tuple[int, datetime]]:
    """New due times of deliveries that lie further ahead than their rules put any.

    They were put there by a clock that has been set back since.
    """
    paces: dict[str, Pace] = {}
    moved = []
    for delivery in ahead:
        rule = book.get(delivery.rule)
        due_at = _due_at(delivery, rule, now)
        if rule is not None and rule.cap is not None and delivery.attempts == 0:
            most, window_s = rule.cap
            pace = paces.setdefault(rule.name, Pace((), most, timedelta(seconds=window_s)))
            due_at = pace.take(due_at)
        if due_at < delivery.due_at:
            moved.append((delivery.id, due_at))
    return moved


def _due_at(delivery: Delivery, rule: Rule | None, now: datetime) -> datetime:
    """The latest time at which a delivery of that rule falls due that was entered before now."""
    if rule is None:
        return now
    if delivery.attempts > 0:
        return now + timedelta(seconds=rule.retry.pause_s(delivery.attempts, 1.0) or 0.0)
    return min(now, delivery.event.time) + timedelta(seconds=rule.delay_s)
