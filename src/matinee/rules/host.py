"""The function host: a child process that runs the plain functions of packages.

Calls go out and answers come in as lines of JSON (see ``rules.hosted``). A call that exceeds its
time costs the process; other calls that it ran are made again. When it dies by itself, its calls
are made again one by one, so that only the one that kills it fails. It dies with us, and ends when
there was nothing to do for a while.
"""

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractContextManager, AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from matinee.core.errors import MatineeError
from matinee.ports.deliveries import Delivery
from matinee.rules.functions import (
    Call,
    Function,
    FunctionFailed,
    FunctionTooSlow,
)
from matinee.rules.wire import call_json, effects_of

IDLE_S = 30.0
LONGEST_LINE = 1 << 24
START = "from matinee.rules.hosted import main; main()"

Answer = Callable[[str, str, Path], Awaitable[Any]]
"""What a function asks of the library: which thing, its name, where files may be put."""


class Bystander(Exception):  # the dispatcher makes the call again
    """The process was ended because of another call."""


@dataclass
class _Pending:
    ended: asyncio.Future[Mapping[str, Any]]
    scratch: Path
    delivery: int


@dataclass
class FunctionHost:
    """Calls plain functions in a process of its own.

    ``scratch`` gives a call's folder, which is gone when the block ends. ``environment`` is laid
    over ours.
    """

    answer: Answer
    scratch: Callable[[], AbstractContextManager[Path]]
    environment: Mapping[str, str] = field(default_factory=dict)
    idle_s: float = IDLE_S
    _process: asyncio.subprocess.Process | None = None
    _pending: dict[int, _Pending] = field(default_factory=dict)
    _count: int = 0
    _turnstile: asyncio.Lock = field(default_factory=asyncio.Lock)
    _empty: asyncio.Event = field(default_factory=asyncio.Event)
    _suspects: set[int] = field(default_factory=set)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _closer: asyncio.TimerHandle | None = None

    @property
    def pid(self) -> int | None:
        """Of the process, while there is one."""
        return self._process.pid if self._process else None

    async def call(self, function: Function, delivery: Delivery, call: Call) -> None:
        """Call the function; what it told and submitted is then on ``call``.

        Raises:
            FunctionTooSlow: it took longer than its limit. FunctionFailed: it raised, or died.
            GiveUp: it gave up. Bystander: another call took the process with it.
        """
        with self.scratch() as scratch:
            async with AsyncExitStack() as alone:
                await alone.enter_async_context(self._turnstile)
                if delivery.id in self._suspects:
                    await self._nobody_else()
                process = self._process or await self._start()
                number = self._enter(delivery, scratch)
                if delivery.id not in self._suspects:
                    await alone.aclose()
                try:
                    self._say(process, call_json(number, function.name, delivery))
                    answer = await self._answer(process, number, function)
                finally:
                    self._drop(number)
        self._suspects.discard(delivery.id)
        effects_of(answer, call)

    async def _answer(
        self, process: asyncio.subprocess.Process, number: int, function: Function
    ) -> Mapping[str, Any]:
        try:
            async with asyncio.timeout(function.time_limit_s):
                return await self._pending[number].ended
        except TimeoutError:
            self._drop(number)
            self._kill(process)
            limit = f"{function.name} took longer than {function.time_limit_s:g} s"
            raise FunctionTooSlow(f"{limit} and was ended with its process") from None
        except asyncio.CancelledError:
            self._drop(number)
            self._kill(process)  # a thread cannot be stopped otherwise
            raise

    async def close(self) -> None:
        """End the process."""
        if self._process is not None:
            process = self._process
            self._kill(process)
            await process.wait()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _start(self) -> asyncio.subprocess.Process:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-P", "-c", START, str(os.getpid()),
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=LONGEST_LINE,
            env={**os.environ, **self.environment}, start_new_session=True,
        )  # fmt: skip
        self._process = process
        self._spawn(self._listen(process))
        return process

    async def _listen(self, process: asyncio.subprocess.Process) -> None:
        """Hear answers and questions until the process ends."""
        assert process.stdout is not None
        with contextlib.suppress(ValueError, OSError):  # a line without end: no answer of ours
            while line := await process.stdout.readline():
                message = json.loads(line)
                pending = self._pending.get(message["call"])
                if pending is None:
                    continue
                if "ask" in message:
                    self._spawn(self._reply(process, pending, message))
                elif not pending.ended.done():
                    pending.ended.set_result(message)
        if self._process is process:
            self._mourn()
        self._kill(process)
        await process.wait()

    def _mourn(self) -> None:
        """The process died by itself. Of several calls each may have done it: they go on alone."""
        pending = list(self._pending.values())
        if len(pending) == 1:
            told = "the process that ran the function died"
            pending[0].ended.set_exception(FunctionFailed(told, "see the service's log"))
        self._suspects.update(each.delivery for each in pending)

    async def _reply(
        self, process: asyncio.subprocess.Process, pending: _Pending, asked: Mapping[str, Any]
    ) -> None:
        reply: dict[str, Any] = {"answer": asked["ask"]}
        try:
            reply["value"] = await self.answer(asked["what"], asked["name"], pending.scratch)
        except MatineeError as error:
            reply["error"] = {"code": error.code, "message": error.message, "hint": error.hint}
        self._say(process, reply)

    def _say(self, process: asyncio.subprocess.Process, message: Mapping[str, Any]) -> None:
        assert process.stdin is not None
        with contextlib.suppress(OSError, RuntimeError):  # it died: ``_listen`` tells
            process.stdin.write(json.dumps(message).encode() + b"\n")

    def _kill(self, process: asyncio.subprocess.Process) -> None:
        """End that process; the calls that it ran are to be made again."""
        if self._process is process:
            self._process = None
            for pending in self._pending.values():
                if not pending.ended.done():
                    pending.ended.set_exception(Bystander())
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)

    def _enter(self, delivery: Delivery, scratch: Path) -> int:
        self._count += 1
        ended = asyncio.get_running_loop().create_future()
        self._pending[self._count] = _Pending(ended, scratch, delivery.id)
        self._empty.clear()
        return self._count

    def _drop(self, number: int) -> None:
        self._pending.pop(number, None)
        if self._pending:
            return
        self._empty.set()
        if self._closer is not None:
            self._closer.cancel()
        loop = asyncio.get_running_loop()
        self._closer = loop.call_later(self.idle_s, self._close_if_idle)

    async def _nobody_else(self) -> None:
        if self._pending:
            await self._empty.wait()

    def _close_if_idle(self) -> None:
        if not self._pending and self._process is not None:
            self._kill(self._process)

    def _spawn(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
