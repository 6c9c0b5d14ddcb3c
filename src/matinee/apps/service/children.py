"""A child process of the service: started when there is work for it, started again when it dies."""

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

STOP_S = 2.0
"""How long a child that is told to end may take, before it is killed."""

PAUSES_S = (0.0, 0.5, 2.0, 10.0, 30.0)
"""How long to wait before a child is started that died soon after it was started before."""

SOON_S = 60.0

REST_S = 2.0
"""How often it is asked whether a child is wanted, while nobody stirs."""


@dataclass
class Child:
    """Keeps one child process, while it is wanted.

    The child ends by itself when it has been idle for a while. Its standard input is the way to
    wake it; it is told the pid of this process, so that the kernel can end it together with us.

    ``environment`` is laid over ours, for what no list of processes is to show. ``is_wanted`` is
    asked whenever something may have changed; ``buried`` is told the pid of a
    child that ended.
    """

    module: str
    arguments: Sequence[str]
    environment: Mapping[str, str]
    is_wanted: Callable[[], bool]
    buried: Callable[[int, int], None]
    stirred: asyncio.Event = field(default_factory=asyncio.Event)
    _process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int | None:
        """Of the child that runs."""
        return self._process.pid if self._process else None

    def stir(self) -> None:
        """Something may have changed: wake the child, or look whether one is wanted."""
        self.stirred.set()
        if self._process is not None and self._process.stdin is not None:
            with contextlib.suppress(OSError, RuntimeError):
                self._process.stdin.write(b"!")

    async def keep(self) -> None:
        """Keep a child while one is wanted; ends it when cancelled."""
        fell = 0
        try:
            while True:
                if not self.is_wanted():
                    await self._stirred(REST_S)
                    continue
                begun = time.monotonic()
                await self._start()
                assert self._process is not None
                code = await self._process.wait()
                pid, self._process = self._process.pid, None
                self.buried(pid, code)
                fell = fell + 1 if code != 0 and time.monotonic() - begun < SOON_S else 0
                await asyncio.sleep(PAUSES_S[min(fell, len(PAUSES_S) - 1)])
        finally:
            await self._end()

    async def _stirred(self, timeout_s: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self.stirred.wait()
        self.stirred.clear()

    async def _start(self) -> None:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", self.module, "--parent", str(os.getpid()), *self.arguments,
            stdin=asyncio.subprocess.PIPE, env={**os.environ, **self.environment},
        )  # fmt: skip

    async def _end(self) -> None:
        if self._process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(STOP_S):
                await self._process.wait()
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()
