"""Whether there is room for more work."""

from hypothesis import given
from hypothesis import strategies as st

from matinee.core.room import Room, shown_bytes

BYTES = st.integers(0, 1 << 50)


@given(limit=st.none() | BYTES, floor=BYTES, wanted=BYTES, kept=BYTES, promised=BYTES, free=BYTES)
def test_what_is_taken_keeps_limit_and_floor_also_when_every_promise_is_kept(
    limit: int | None, floor: int, wanted: int, kept: int, promised: int, free: int
) -> None:
    is_taken = not Room(limit, floor).refusal(wanted, kept, promised, free)

    fits_disk = free - promised - wanted >= floor
    fits_limit = limit is None or kept + promised + wanted <= limit
    assert is_taken == (fits_disk and fits_limit)


def test_a_refusal_says_what_is_wanted_and_what_there_is() -> None:
    full = Room(floor=10 << 30).refusal(5 << 30, 0, 1 << 30, 12 << 30)
    over = Room(limit=4 << 30).refusal(3 << 30, 2 << 30, 0, 1 << 50)

    assert full == "5 GiB are wanted, the disk has room for 1 GiB"
    assert over == "3 GiB are wanted, 2 GiB are left of the limit"


def test_bytes_are_shown_with_three_digits() -> None:
    told = [shown_bytes(count) for count in (0, 1023, 1536, 12_345_678, 5 << 40)]
    assert told == ["0 bytes", "1023 bytes", "1.5 KiB", "11.8 MiB", "5 TiB"]
