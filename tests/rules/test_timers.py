"""Due times and rights windows: told exactly once, made up for once."""

import asyncio
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from tests.rules.stand import NOON, run, stand, until

from matinee.core.events import Event
from matinee.core.ids import digest_of
from matinee.ports.catalog import Package, Title
from matinee.rules.rulebook import read_rules
from matinee.rules.schedules import Clockwork, Schedule
from matinee.rules.timers import Timers
from matinee.rules.waker import Waker

HOURLY = [("hourly", Schedule("0 * * * *"))]


def at(events: list[Event]) -> list[str]:
    return [event.data["at"][11:16] for event in events]


def test_each_due_time_is_told_once_by_however_many(tmp_path: Path) -> None:
    made = stand(tmp_path)
    one, other = Clockwork(made.events), Clockwork(made.events)
    for minutes in range(0, 181, 7):
        now = NOON + timedelta(minutes=minutes, seconds=1)
        due = one.tell(HOURLY, now)
        assert other.tell(HOURLY, now) == due
        assert due is not None and now < due <= now + timedelta(hours=1)
    assert at(made.told("schedule.due")) == ["13:00", "14:00"]


def test_of_the_times_that_were_missed_the_last_is_told(tmp_path: Path) -> None:
    made = stand(tmp_path)
    real = datetime.now(NOON.tzinfo).replace(minute=30, second=0, microsecond=0)
    first = Clockwork(made.events)
    first.tell(HOURLY, real - timedelta(hours=1))
    first.tell(HOURLY, real)
    assert len(made.told("schedule.due")) == 1

    later = real + timedelta(hours=7, minutes=10)  # a new process, after the night
    Clockwork(made.events).tell(HOURLY, later)
    told = made.told("schedule.due")
    assert len(told) == 2
    assert told[1].data["at"] == (later.replace(minute=0)).isoformat().replace("+00:00", "Z")
    Clockwork(made.events).tell(HOURLY, later)
    assert len(made.told("schedule.due")) == 2


def test_a_clock_that_is_set_back_and_forth_tells_nothing_twice(tmp_path: Path) -> None:
    made = stand(tmp_path)
    clockwork = Clockwork(made.events)
    for hours in (0, 1, 2, 1, 0, 2, 400 * 24, 3, 3.5, 4):
        clockwork.tell(HOURLY, NOON + timedelta(hours=hours, minutes=1))
    told = [event.data["at"] for event in made.told("schedule.due")]
    assert len(told) == len(set(told))
    assert at(made.told("schedule.due")) == ["13:00", "14:00", "12:00", "16:00"]


def test_a_zone_has_its_own_midnight() -> None:
    midnight = Schedule("0 0 * * *", "Europe/Berlin")
    assert midnight.next_after(NOON) == NOON.replace(hour=23)
    summer = NOON.replace(month=7)
    assert midnight.next_after(summer) == summer.replace(hour=22)


def test_a_last_time_is_never_in_the_future() -> None:
    hourly = Schedule("0 * * * *")
    assert hourly.last_before(NOON) == NOON
    assert hourly.last_before(NOON - timedelta(microseconds=1)) == NOON - timedelta(hours=1)


@pytest.mark.parametrize("processes", [1, 2])
def test_a_window_that_opens_is_told_soon_and_once(tmp_path: Path, processes: int) -> None:
    async def work() -> None:
        made = stand(tmp_path)
        now = datetime.now(NOON.tzinfo)
        opens, closes = now + timedelta(seconds=0.6), now + timedelta(seconds=1.2)
        title = made.titles.add(
            Title("t", "T", digest_of(b"t"), "t.mkv", "", NOON, None, False, opens, closes)
        )
        made.packages.add(Package("p", title.id, "ready", NOON, {}, digest_of(b"r"), {}))
        book = read_rules([], {})
        timers = [
            Timers(
                made.events, made.desk, lambda: book, Waker(), lambda: None,
                lambda: datetime.now(NOON.tzinfo),
            )
            for _ in range(processes)
        ]  # fmt: skip
        tasks = [asyncio.create_task(each.run()) for each in timers]
        await until(lambda: len(made.told("rights.closed")) == 2, within_s=10)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        # Not yet open, open, over.
        told = [e.type for e in made.told("rights.opened") + made.told("rights.closed")]
        assert told == ["rights.opened", "rights.closed", "rights.closed"]

    run(work())
