"""At most so many in any so many seconds."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from matinee.core.pace import Pace, earliest

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
WINDOW = timedelta(seconds=10)

times = st.integers(0, 60).map(lambda seconds: NOON + timedelta(seconds=seconds))
caps = st.integers(1, 4)


def keeps_the_cap(taken: list[datetime], most: int) -> bool:
    """Whether every half-open window holds ``most`` at most: it may begin at any of the times."""
    return all(sum(start <= time < start + WINDOW for time in taken) <= most for start in taken)


@given(wishes=st.lists(times, max_size=30), most=caps)
def test_the_cap_holds_in_every_window_and_nothing_comes_too_soon(
    wishes: list[datetime], most: int
) -> None:
    pace = Pace([], most, WINDOW)
    given_times = [pace.take(wanted) for wanted in wishes]

    assert keeps_the_cap(given_times, most)
    assert all(time >= wanted for time, wanted in zip(given_times, wishes, strict=True))


@given(wishes=st.lists(times, max_size=20), wanted=times, most=caps)
def test_no_earlier_time_would_keep_the_cap(
    wishes: list[datetime], wanted: datetime, most: int
) -> None:
    pace = Pace([], most, WINDOW)
    taken = sorted(pace.take(wish) for wish in wishes)
    time = earliest(wanted, taken, most, WINDOW)

    seconds = int((time - wanted).total_seconds())
    earlier = [wanted + timedelta(seconds=second) for second in range(seconds)]
    assert not any(keeps_the_cap([*taken, each], most) for each in earlier)
    assert keeps_the_cap([*taken, time], most)


@given(wishes=st.lists(times, max_size=20), most=caps)
def test_what_is_asked_for_later_comes_later(wishes: list[datetime], most: int) -> None:
    pace = Pace([], most, WINDOW)

    assert all(one <= other for one, other in pairwise(pace.take(wish) for wish in sorted(wishes)))
