"""The head starts' process: ``python -m matinee.apps.ahead``, kept by ``matinee up``.

Makes chunks of films whose uploads still go on, when nobody else has work for the machine. Ends by
itself when there has been nothing to do for a while, on SIGTERM, and with its parent.
"""

import os

import click

from matinee.apps.child import hear_parent, run

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
    run(_work(library, workers, idle_s))


async def _work(library: str | None, workers: int | None, idle_s: float) -> None:
    from matinee.config import read_settings
    from matinee.wiring.ahead import head_starts

    await head_starts(read_settings(library, workers)).go_on(hear_parent(), idle_s)


if __name__ == "__main__":
    main()
