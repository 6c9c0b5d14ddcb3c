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
    from matinee.apps.web.library import WebServices
    from matinee.apps.web.origin_files import title_files
    from matinee.apps.web.server import serve
    from matinee.assets.asset import object_key

    opened = open_library(library, database)
    services = WebServices(
        titles=opened.titles,
        packages=opened.packages,
        read_asset=lambda digest: opened.store.read(object_key(digest)),
        media=title_files(opened.settings.library, opened.store),
    )

    def told(address: str, bound: int) -> None:
        click.echo(f"Matinee is on http://{address}:{bound}/ (Ctrl-C ends it)")
        for title in opened.titles.all():
            if title.current:
                click.echo(f"  {printable(title.name)}: http://{address}:{bound}/watch/{title.id}")

    serve(services, host, port, told)
