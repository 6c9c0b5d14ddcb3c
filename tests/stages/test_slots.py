"""Slots go to the most urgent, and none is ever lost."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from matinee.stages.slots import Slots


async def served(slots: Slots, urgencies: list[tuple[int, ...]]) -> list[int]:
    """In which order waiters are served while one slot is handed round."""
    order: list[int] = []

    async def work(number: int, urgency: tuple[int, ...]) -> None:
        async with slots.of(urgency):
            order.append(number)
            await asyncio.sleep(0)

    holder = slots.of((10**9,))
    await holder.acquire()
    works = [asyncio.create_task(work(*each)) for each in enumerate(urgencies)]
    await asyncio.sleep(0)
    holder.release()
    await asyncio.gather(*works)
    return order


@given(st.lists(st.tuples(st.integers(-5, 5), st.integers(-5, 5)), max_size=12))
def test_the_most_urgent_is_served_first_and_equals_as_they_came(
    urgencies: list[tuple[int, ...]],
) -> None:
    order = asyncio.run(served(Slots(1), urgencies))

    assert order == sorted(range(len(urgencies)), key=lambda n: (*(-u for u in urgencies[n]), n))


def test_a_waiter_that_is_cancelled_passes_its_slot_on() -> None:
    async def play() -> int:
        slots = Slots(1)
        first, second = slots.of(), slots.of()
        await first.acquire()
        waiting = [asyncio.create_task(second.acquire()) for _ in range(3)]
        await asyncio.sleep(0)
        waiting[0].cancel()
        first.release()  # given to the second waiter, who is cancelled before it wakes up
        waiting[1].cancel()
        await asyncio.gather(*waiting[:2], return_exceptions=True)
        await waiting[2]
        second.release()
        return slots.free

    assert asyncio.run(play()) == 1


@given(st.integers(1, 4), st.lists(st.integers(0, 3), min_size=1, max_size=20))
def test_never_more_hold_a_slot_than_there_are(count: int, urgencies: list[int]) -> None:
    async def play() -> tuple[int, int]:
        slots, busy, most = Slots(count), 0, 0

        async def work(urgency: int) -> None:
            nonlocal busy, most
            async with slots.of((urgency,)):
                busy += 1
                most = max(most, busy)
                await asyncio.sleep(0)
                busy -= 1

        await asyncio.gather(*(work(urgency) for urgency in urgencies))
        return most, slots.free

    assert asyncio.run(play()) == (min(count, len(urgencies)), count)
