"""A wall clock that is set back is noticed, a slow one is not."""

from datetime import UTC, datetime, timedelta

from matinee.rules.clock import ClockWatch

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
NOTHING, HOUR = timedelta(0), timedelta(hours=1)


def test_it_counts_how_far_the_clock_went_back_until_that_is_settled() -> None:
    watch = ClockWatch()
    for passed_s, wall in ((0, NOON), (1, NOON + timedelta(seconds=1.01)), (2, NOON + 3 * HOUR)):
        watch.look(wall, 100.0 + passed_s)
    assert watch.back == NOTHING

    watch.look(NOON + 2 * HOUR, 102.0)
    watch.look(NOON + HOUR, 102.0)
    assert watch.back == 2 * HOUR

    watch.back = NOTHING
    watch.look(NOON + HOUR + timedelta(seconds=1), 103.0)
    assert watch.back == NOTHING


def test_at_the_first_look_what_was_reached_before_tells_of_it() -> None:
    watch = ClockWatch()
    watch.look(NOON, 5.0, NOON + HOUR)
    watch.look(NOON, 5.0, NOON + HOUR)
    assert watch.back == HOUR
