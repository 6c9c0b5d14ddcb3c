from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from matinee.assets.retention import Retention, kept

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
times = st.lists(
    st.integers(0, 400 * 24).map(lambda hours: NOON + timedelta(hours=hours)), unique=True
)
retentions = st.builds(Retention, *[st.integers(0, 5)] * 4)


@given(times, retentions)
def test_the_newest_snapshot_always_stays(every: list[datetime], retention: Retention) -> None:
    stay = kept(every, retention)

    assert stay <= set(every)
    assert not every or max(every) in stay


@given(times, retentions)
def test_no_more_stay_than_the_retention_asks_for(
    every: list[datetime], retention: Retention
) -> None:
    most = max(1, retention.last) + retention.daily + retention.weekly + retention.monthly
    assert len(kept(every, retention)) <= most


@given(times, retentions, st.integers(0, 400))
def test_thinning_often_keeps_what_thinning_once_keeps(
    every: list[datetime], retention: Retention, place: int
) -> None:
    ordered = sorted(every)
    earlier = kept(ordered[:place], retention)

    assert kept(earlier | set(ordered[place:]), retention) == kept(ordered, retention)


def test_the_last_of_each_day_week_and_month_stays() -> None:
    every = [NOON + timedelta(hours=12 * half) for half in range(2 * 90)]

    daily = kept(every, Retention(daily=3))
    weekly = kept(every, Retention(weekly=2))
    monthly = kept(every, Retention(monthly=2))

    last = every[-1]
    of_the_day = {t.date(): t for t in every}
    assert daily == {of_the_day[(last - timedelta(days=days)).date()] for days in range(3)}
    assert {time.isocalendar()[1] for time in weekly} == {
        every[-1].isocalendar()[1], every[-1].isocalendar()[1] - 1,
    }  # fmt: skip
    assert {time.month for time in monthly} == {every[-1].month, every[-1].month - 1}
