"""What the processes that ``matinee up`` keeps have in common: how they listen to it and end."""

import asyncio
import gc
import os
import signal
import sys
from collections.abc import Callable, Coroutine

from matinee.apps.cli.main import FEW_CYCLES


def run(work: Coroutine[object, object, None]) -> None:
    """Carry out the process's work, then end it at once."""
    gc.set_threshold(FEW_CYCLES)
    try:
        asyncio.run(work)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)  # the object store's threads may outlive the interpreter: see cli.main.end


def hear_parent(woken: Callable[[], object] | None = None) -> asyncio.Event:
    """An event that is set on SIGTERM and when the parent closes standard input.

    A byte on standard input calls ``woken``.
    """
    stopping = asyncio.Event()

    def heard() -> None:
        if not os.read(0, 4096):
            stopping.set()
        if woken is not None:
            woken()

    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stopping.set)
    loop.add_signal_handler(signal.SIGINT, lambda: None)  # Ctrl-C is for our parent, who tells us
    loop.add_reader(0, heard)
    return stopping
