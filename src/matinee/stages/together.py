"""Work that goes on side by side: all of it, or the first failure and nothing left running."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, TypeVar

T = TypeVar("T")
A = TypeVar("A")
B = TypeVar("B")


async def together(works: Iterable[Awaitable[T]]) -> list[T]:
    """The results in order.

    When one fails, the others are cancelled and waited for, and its error is raised as it is.
    """
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        return list(await asyncio.gather(*tasks))
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def in_turn(work: Callable[[A], Awaitable[T]], items: Iterable[A], at_once: int) -> list[T]:
    """The results of ``work`` for each item, in order, so many at once; else as ``together``."""
    waiting = enumerate(items)
    results: dict[int, T] = {}

    async def go_on() -> None:
        for number, item in waiting:
            results[number] = await work(item)

    await together(go_on() for _ in range(at_once))
    return [results[number] for number in sorted(results)]


async def both(one: Awaitable[A], two: Awaitable[B]) -> tuple[A, B]:
    """Two results of different types, on the terms of ``together``."""
    results: list[Any] = await together([one, two])
    return results[0], results[1]
