"""Work that goes on side by side: all of it, or the first failure and nothing left running."""

import asyncio
from collections.abc import Awaitable, Iterable
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


async def both(one: Awaitable[A], two: Awaitable[B]) -> tuple[A, B]:
    """Two results of different types, on the terms of ``together``."""
    results: list[Any] = await together([one, two])
    return results[0], results[1]
