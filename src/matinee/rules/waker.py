"""Waking who waits for work, from whatever thread."""

import asyncio
import contextlib


class Waker:
    """A sleep that can be cut short. For one event loop; ``wake`` may come from any thread."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """End the sleep, or the next one before it begins."""
        if self._loop is None:
            self._woken.set()
            return
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody sleeps
            self._loop.call_soon_threadsafe(self._woken.set)

    async def sleep(self, longest_s: float) -> None:
        """Sleep until woken, at most so long."""
        self._loop = asyncio.get_running_loop()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, longest_s)):
                await self._woken.wait()
        self._woken.clear()
