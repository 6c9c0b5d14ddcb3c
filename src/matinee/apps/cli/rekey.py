"""``matinee rekey``."""

import asyncio
from typing import Any

import click

from matinee.apps.cli.main import library_options, one_line, print_json
from matinee.apps.cli.titles import json_option


@click.command("rekey")
@click.argument("title")
@library_options
@json_option
def rekey_command(title: str, library: str | None, database: str | None, as_json: bool) -> None:
    """Make the package of TITLE again with new keys, and show it; nothing is encoded again."""
    from matinee.apps.cli.display import display
    from matinee.config import read_settings
    from matinee.flows.rekey import rekey
    from matinee.wiring.publishing import open_house

    settings = read_settings(library, None, database)
    with (
        display(title) as progress,
        open_house(settings, progress, refresh=False) as (house, bench),
    ):
        rekeyed = asyncio.run(rekey(house, bench, title))
    document = rekeyed_json(rekeyed, bench.tallies.values())
    print_json(document) if as_json else _tell(document)
    if not rekeyed.passed:
        raise click.exceptions.Exit(4)


def rekeyed_json(rekeyed: Any, tallies: Any) -> dict[str, Any]:
    """What ``--json`` prints; its form is docs/reference/json.md."""
    from matinee.flows.rekey import outcome_of

    error = outcome_of(rekeyed).error
    return {
        "title": rekeyed.title.id,
        "state": rekeyed.title.state if rekeyed.passed else "held",
        "package": rekeyed.package,
        "before": rekeyed.before.id,
        "generation": rekeyed.generation,
        "verdicts": [verdict.as_json() for verdict in rekeyed.verdicts],
        "derivations": {
            "ran": sum(tally.ran for tally in tallies),
            "reused": sum(tally.reused for tally in tallies),
        },
        **({"error": dict(error)} if error else {}),
    }


def _tell(document: dict[str, Any]) -> None:
    if error := document.get("error"):
        click.echo(f"matinee: {one_line(error['message'])} [{error['code']}]", err=True)
        click.echo(f"  {error['hint']}", err=True)
        return
    where = "is on screen" if document["state"] == "published" else "waits to be shown"
    click.echo(
        f"{document['title']} has keys of generation {document['generation']}: package "
        f"{document['package']} {where}; {len(document['verdicts'])} verdicts passed"
    )
    click.echo(f"  whoever watches package {document['before']} can watch it to the end", err=True)
