"""Which snapshots are kept: the newest ones, and the last one of each day, week and month."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True, slots=True)
class Retention:
    """How many of each kind; days, weeks (ISO 8601) and months are those of UTC.

    A day, week or month counts only when it has a snapshot.
    """

    last: int = 0
    daily: int = 0
    weekly: int = 0
    monthly: int = 0


def kept(times: Iterable[datetime], retention: Retention) -> set[datetime]:
    """The times of the snapshots that stay; the newest one always does.

    Of snapshots in the same day, week or month the newest counts. Adding snapshots that are newer
    never brings one back that was not kept, so thinning often or seldom keeps the same.
    """
    newest_first = sorted(set(times), reverse=True)
    stay = set(newest_first[: max(1, retention.last)])
    periods: list[tuple[int, Callable[[datetime], tuple[int, ...]]]] = [
        (retention.daily, lambda t: (t.year, t.month, t.day)),
        (retention.weekly, lambda t: (*t.isocalendar()[:2],)),
        (retention.monthly, lambda t: (t.year, t.month)),
    ]
    for count, period in periods:
        seen: dict[tuple[int, ...], datetime] = {}
        for time in newest_first:
            seen.setdefault(period(time.astimezone(UTC)), time)
        stay |= set(list(seen.values())[:count])
    return stay
