"""The parts of the service that run side by side: one that breaks is started again."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from matinee.core.errors import LibraryError

log = logging.getLogger("matinee.service")

PAUSES_S = (0.1, 1.0, 5.0, 15.0, 30.0)
"""How long to wait before a part is started again that broke, time after time."""

QUIET_S = 60.0
"""A part that has run so long is well again."""


@dataclass(frozen=True, slots=True)
class Part:
    """Something that the service does as long as it runs."""

    name: str
    run: Callable[[], Awaitable[None]]


async def run_parts(parts: list[Part], until: asyncio.Event) -> None:
    """Run all parts until told to stop, then cancel them and wait for their end."""
    tasks = [asyncio.create_task(_kept(part), name=part.name) for part in parts]
    try:
        await until.wait()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _kept(part: Part) -> None:
    """Run a part for ever; a database out of reach, or a defect of ours, costs a pause."""
    loop, broken = asyncio.get_running_loop(), 0
    while True:
        begun = loop.time()
        try:
            await part.run()
        except LibraryError as error:
            log.warning("%s: %s [%s]", part.name, error, error.code)
        except Exception:  # told with its traceback in the log; the service goes on
            log.exception("%s broke and is started again", part.name)
        broken = 0 if loop.time() - begun > QUIET_S else broken + 1
        await asyncio.sleep(PAUSES_S[min(broken, len(PAUSES_S) - 1)])


async def every(work: Callable[[], float]) -> None:
    """Do it again and again in a thread; it gives the seconds until the next time."""
    while True:
        pause_s = await asyncio.to_thread(work)
        await asyncio.sleep(pause_s)
