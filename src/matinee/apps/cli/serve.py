"""``matinee serve``."""

import click

from matinee.apps.cli.main import library_options, printable


@click.command("serve")
@library_options
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to serve on.")
@click.option(
    "--port",
    default=8642,
    show_default=True,
    type=click.IntRange(0, 65535),
    help="Port to serve on; 0 picks a free one.",
)
def serve_command(library: str | None, database: str | None, host: str, port: int) -> None:
    """Serve the titles of the library, with a player page for each."""
    from matinee.apps.cli.titles import open_library
    from matinee.apps.web.parts import catalog_of
    from matinee.apps.web.server import serve
    from matinee.wiring.processes import reached_by
    from matinee.wiring.web import web_parts

    opened = open_library(library, database)
    services = catalog_of(opened, web_parts(opened))

    def told(address: str, bound: int) -> None:
        root, *others = [f"http://{each}:{bound}" for each in reached_by(address)]
        click.echo(f"Matinee is on {root}/ (Ctrl-C ends it)")
        for other in others:
            click.echo(f"  also on {other}/")
        for title in opened.titles.all():
            if title.current:
                click.echo(f"  {printable(title.name)}: {root}/watch/{title.id}")

    serve(services, host, port, told)
