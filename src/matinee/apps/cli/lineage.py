"""``matinee lineage``."""

import asyncio
from pathlib import Path

import click

from matinee.apps.cli.main import library_options, print_json, printable
from matinee.apps.cli.titles import json_option, open_library


@click.command("lineage")
@click.argument("thing")
@library_options
@json_option
def lineage_command(thing: str, library: str | None, database: str | None, as_json: bool) -> None:
    """Tell what THING was made of, back to the source, and what was made of it.

    THING is a title, a title and one of its renditions (sintel/video-1080p), a file of the
    library, or a digest.
    """
    from matinee.flows.lineage import find_thing
    from matinee.flows.lineage_told import lineage_json, lineage_lines
    from matinee.wiring.records import records_of

    opened = open_library(library, database)
    records = records_of(opened)
    found = asyncio.run(find_thing(records, key_of(thing, opened.settings.library)))
    document = lineage_json(records, found)
    if as_json:
        print_json(document)
    else:
        for line in lineage_lines(document):
            click.echo(printable(line))


def key_of(thing: str, library: Path) -> str:
    """A file's path as its key, where it is one of the library's."""
    path = Path(thing)
    if path.exists() and path.resolve().is_relative_to(library.resolve()):
        return path.resolve().relative_to(library.resolve()).as_posix()
    return thing
