"""Rules that the clock calls: ``schedule.due``, told exactly once for each due time."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

from matinee.core.events import Fact
from matinee.core.ids import digest_of_value
from matinee.ports.events import EventLog, Search
from matinee.rules.faults import Fault, Faulty


@dataclass(frozen=True, slots=True)
class Schedule:
    """Due times as cron spells them, in a time zone."""

    cron: str
    zone: str = "UTC"

    def next_after(self, moment: datetime) -> datetime | None:
        """The first due time after a moment, in UTC; None when there is none in 50 years."""
        local = moment.astimezone(ZoneInfo(self.zone))
        due: datetime | None = next(CronSim(self.cron, local), None)
        return None if due is None else due.astimezone(UTC)

    def last_before(self, moment: datetime) -> datetime | None:
        """The latest due time up to a moment, in UTC; None when there is none in 50 years."""
        # Backwards it looks for times before the whole second that it is given.
        second = moment.replace(microsecond=0) + timedelta(seconds=1)
        local = second.astimezone(ZoneInfo(self.zone))
        due: datetime | None = next(CronSim(self.cron, local, reverse=True), None)
        return None if due is None else due.astimezone(UTC)


def read_schedule(cron: object, zone: object) -> Schedule:
    """The schedule of a rule.

    Raises:
        Faulty: no cron expression of five fields, or no time zone.
    """
    if not isinstance(zone, str):
        raise Faulty(Fault(("zone",), 'expected a time zone, such as "Europe/Berlin"'))
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        told = f'no time zone "{zone}": expected one such as "Europe/Berlin"'
        raise Faulty(Fault(("zone",), told)) from error
    told = 'expected five fields as cron has them, such as "0 3 * * *"'
    if not isinstance(cron, str) or len(cron.split()) != 5:
        raise Faulty(Fault(("schedule",), told))
    try:
        CronSim(cron, datetime(2000, 1, 1, tzinfo=UTC))
    except CronSimError as error:
        raise Faulty(Fault(("schedule",), f"{told}: {error}")) from error
    return Schedule(cron, zone)


def subject_of(rule: str) -> str:
    """What ``schedule.due`` of a rule is about."""
    return f"schedule/{rule}"


def due_fact(rule: str, at: datetime) -> Fact:
    """The fact that a due time of a rule came; the same time has the same id."""
    told = at.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return Fact(
        "schedule.due",
        subject_of(rule),
        {"rule": rule, "at": told},
        id=digest_of_value(["schedule.due", rule, told])[:32],
    )


class Clockwork:
    """Tells of due times. What was told before, by whichever process, the log knows.

    A rule that is new is due from now on. Of the times that were missed while nobody was there, the
    last one is told. Times that a clock that was set back brings again are not told again.
    """

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._looked: dict[tuple[str, Schedule], datetime] = {}

    def tell(self, schedules: Iterable[tuple[str, Schedule]], now: datetime) -> datetime | None:
        """Tell what is due now; gives when the next one will be."""
        facts, coming = [], []
        for rule, schedule in schedules:
            since = self._looked.get((rule, schedule)) or self._last_told(rule) or now
            due = schedule.next_after(min(since, now))
            if due is not None and due <= now:
                latest = schedule.last_before(now)
                facts.append(due_fact(rule, max(due, latest or due)))
                due = schedule.next_after(now)
            self._looked[rule, schedule] = now
            coming += [due] if due is not None else []
        if facts:
            self._log.append(facts)
        return min(coming, default=None)

    def _last_told(self, rule: str) -> datetime | None:
        told = self._log.search(Search(type="schedule.due", subject=subject_of(rule)), 1)
        return told[0].time if told else None
