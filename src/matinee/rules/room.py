"""How many functions work at once: by the cores and the memory that they declared."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Room:
    """So many cores and bytes, given in the order of asking. For one event loop.

    A function that declared more than there is gets all of it, alone.
    """

    def __init__(self, cores: float, memory: int) -> None:
        self._cores, self._memory = cores, memory
        self._free_cores, self._free_memory = cores, memory
        self._waiting: deque[tuple[float, int, asyncio.Future[None]]] = deque()

    @asynccontextmanager
    async def held(self, cores: float, memory: int) -> AsyncIterator[None]:
        """Wait until so much is free, and hold it."""
        cores, memory = min(cores, self._cores), min(memory, self._memory)
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((cores, memory, turn))
        self._serve()
        try:
            await turn
            yield
        finally:
            if turn.done() and not turn.cancelled():
                self._free_cores += cores
                self._free_memory += memory
            self._serve()

    def _serve(self) -> None:
        while self._waiting:
            cores, memory, turn = self._waiting[0]
            if not turn.done():
                if cores > self._free_cores or memory > self._free_memory:
                    return
                self._free_cores -= cores
                self._free_memory -= memory
                turn.set_result(None)
            self._waiting.popleft()
