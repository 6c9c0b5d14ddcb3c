"""The worker process: ``python -m matinee.apps.worker``, started by ``matinee up``.

Takes runs from the queue and carries them out. Ends by itself when there has been nothing to do for
a while, on SIGTERM, and with its parent. A byte on standard input wakes it.
"""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import click

from matinee.apps.child import hear_parent, run

IDLE_S = 60.0
"""After so long without a run the process ends: an idle service is a small one."""

THREADS = 64
"""Each run may hold a few threads that wait for tools; they cost little while they wait."""


@click.command()
@click.option("--parent", type=int, required=True)
@click.option("--library")
@click.option("--workers", type=int)
@click.option("--idle", "idle_s", type=float, default=IDLE_S)
def main(parent: int, library: str | None, workers: int | None, idle_s: float) -> None:
    """Carry out runs until there are none."""
    from matinee.wiring.processes import die_with_parent

    die_with_parent(parent)
    run(_work(library, workers, idle_s))


async def _work(library: str | None, workers: int | None, idle_s: float) -> None:
    from matinee.config import read_settings
    from matinee.wiring.worker import open_worker

    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(THREADS))
    worker, release = open_worker(read_settings(library, workers))
    stopping = hear_parent(worker.woken.set)
    idle = asyncio.create_task(_watch_idleness(worker, idle_s, stopping))
    try:
        await worker.work(stopping)
    finally:
        idle.cancel()
        release()


async def _watch_idleness(worker: object, idle_s: float, stopping: asyncio.Event) -> None:
    """Stop when there was no run for so long."""
    since = 0.0
    while since < idle_s:
        await asyncio.sleep(min(1.0, idle_s))
        since = 0.0 if worker.active else since + 1.0  # type: ignore[attr-defined]
    stopping.set()


if __name__ == "__main__":
    main()
