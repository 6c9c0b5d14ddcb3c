"""Everything of the rules that runs: the dispatcher, the timers, the function host."""

import asyncio
from dataclasses import dataclass

from matinee.rules.dispatch import Dispatcher
from matinee.rules.host import FunctionHost
from matinee.rules.timers import Timers


@dataclass(frozen=True, slots=True)
class Automation:
    """The rules at work."""

    dispatcher: Dispatcher
    timers: Timers
    host: FunctionHost

    def wake(self) -> None:
        """Something was told: look now. May be called from any thread."""
        self.dispatcher.waker.wake()
        self.timers.waker.wake()

    async def run(self) -> None:
        """Work until cancelled; then nothing is left running."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self.dispatcher.run())
                group.create_task(self.timers.run())
        finally:
            await self.host.close()
