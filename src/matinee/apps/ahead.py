"""The head starts' process: ``python -m matinee.apps.ahead``, kept by ``matinee up``.

Makes chunks of films whose uploads still go on, when nobody else has work for the machine. Ends by
itself when there has been nothing to do for a while, on SIGTERM, and with its parent.
"""

import asyncio
import os
import signal
import sys

import click

IDLE_S = 60.0
"""After so long without anything to do the process ends."""

COURTESY = 19
"""It and its tools stand behind everything else that the machine has to do."""


@click.command()
@click.option("--parent", type=int, required=True)
@click.option("--library")
@click.option("--workers", type=int)
@click.option("--idle", "idle_s", type=float, default=IDLE_S)
def main(parent: int, library: str | None, workers: int | None, idle_s: float) -> None:
    """Give head starts until there are none to give."""
    from matinee.wiring.processes import die_with_parent

    die_with_parent(parent)
    os.nice(COURTESY)
    try:
        asyncio.run(_work(library, workers, idle_s))
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)  # the object store's threads may outlive the interpreter: see cli.main.end


async def _work(library: str | None, workers: int | None, idle_s: float) -> None:
    from matinee.config import read_settings
    from matinee.wiring.ahead import head_starts

    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stopping.set)
    loop.add_signal_handler(signal.SIGINT, lambda: None)  # Ctrl-C is for our parent, who tells us

    def woken() -> None:
        if not os.read(0, 4096):
            stopping.set()

    loop.add_reader(0, woken)
    await head_starts(read_settings(library, workers)).go_on(stopping, idle_s)


if __name__ == "__main__":
    main()
