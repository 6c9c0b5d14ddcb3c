"""``matinee up``."""

import asyncio
import logging
import signal
import sys
from pathlib import Path
from typing import Any

import click

from matinee.apps.cli.main import library_options

PORT = 8642


@click.command("up", epilog="Films that arrive are published by rules: see docs/guide/rules.md.")
@library_options
@click.option(
    "--watch", "watched", metavar="FOLDER", multiple=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Take the films that are put into this folder. May be given several times.",
)  # fmt: skip
@click.option(
    "--bind", metavar="ADDRESS[:PORT]", default=f"127.0.0.1:{PORT}", show_default=True,
    help="Where to serve. Any address but this machine's own needs TLS.",
)  # fmt: skip
@click.option("--certificate", metavar="FILE", type=click.Path(exists=True, path_type=Path),
              help="TLS: the certificate and its chain, in PEM.")  # fmt: skip
@click.option("--key", metavar="FILE", type=click.Path(exists=True, path_type=Path),
              help="TLS: the certificate's private key, in PEM.")  # fmt: skip
@click.option("--behind-proxy", is_flag=True, help="A proxy in front of this has TLS.")
@click.option("--workers", type=click.IntRange(1, 256), help="Tools at once. Default: the cores.")
def up_command(**options: Any) -> None:
    """Run the service: take films, publish them by rules, serve the studio and the streams.

    Everything runs in one tree of processes. Ctrl-C ends it; the next start goes on where it was.
    """
    from matinee.apps.service.service import Welcome
    from matinee.apps.service.start import start

    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("matinee").setLevel(logging.INFO)

    def tell(welcome: Welcome) -> None:
        click.echo(f"Matinee is on {welcome.address}/studio (Ctrl-C ends it)")
        for other in welcome.others:
            click.echo(f"  also on {other}/studio")
        if welcome.secret:
            click.echo(f"  administrator's token, shown this once: {welcome.secret}")
        click.echo(f"  sign in, within the hour, once: {welcome.address}{welcome.sign_in}")
        sys.stdout.flush()

    async def serve() -> None:
        until = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, until.set)
        await start(options).run(until, tell)

    asyncio.run(serve())
