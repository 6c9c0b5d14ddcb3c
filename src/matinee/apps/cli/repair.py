"""``matinee repair``."""

import asyncio
from typing import Any

import click

from matinee.apps.cli.main import library_options, print_json, printable
from matinee.apps.cli.titles import json_option, open_library
from matinee.core.errors import ObjectDamaged


@click.command("repair")
@click.argument("thing", required=False)
@click.option("--dry-run", is_flag=True, help="Tell what would be done and its price; do nothing.")
@library_options
@json_option
def repair_command(
    thing: str | None, dry_run: bool, library: str | None, database: str | None, as_json: bool
) -> None:
    """Mend what scrubs found, in the cheapest way; or prove THING first and mend that.

    THING is a title, a title and one of its renditions, a file of the library, or a digest.
    """
    from matinee.apps.cli.display import display
    from matinee.apps.cli.lineage import key_of
    from matinee.flows.repair import repair
    from matinee.wiring.upkeep import open_mender

    opened = open_library(library, database)
    name = key_of(thing, opened.settings.library) if thing else None
    with display("repair") as progress, open_mender(opened, progress) as mender:
        done = asyncio.run(repair(mender, name, dry_run=dry_run))
    if as_json:
        print_json(repair_json(done, dry_run=dry_run))
    else:
        _tell(done, dry_run=dry_run)
    if done.lost:
        finding, said = done.lost[0]
        raise ObjectDamaged(
            f"lost is {finding.fault.thing}: {said}",
            "put a copy of the same bytes where the film was published from, or publish another",
        )
    if done.left:
        finding, said = done.left[0]
        raise ObjectDamaged(
            f"not mended is {finding.fault.words}: {said}", "see all with: matinee repair --json"
        )


def _tell(done: Any, *, dry_run: bool) -> None:
    for act in done.acts:
        more = f" and {len(act['things']) - 1} more" if len(act["things"]) > 1 else ""
        click.echo(printable(f"{act['things'][0]}{more}: {act['how']}, {act['cost_s']:.2f} s"))
    for suspect in done.suspects:
        tools = " ".join(f"{name} {one[:12]}" for name, one in suspect["tools"].items())
        click.echo(
            f"suspect: {suspect['function']}@{suspect['version']} with {tools} on "
            f"{printable(suspect['host'])}, {suspect['since'][:19]} to {suspect['until'][:19]}: "
            f"{len(suspect['chunks'])} chunks"
        )
    if not (done.acts or done.mended or done.lost or done.left):
        click.echo("nothing to mend")
    elif dry_run:
        click.echo(f"nothing was done; it would take about {done.cost_s:.1f} s of work")
    else:
        click.echo(f"{len(done.mended)} mended, {len(done.lost)} lost, {len(done.left)} left")


def repair_json(done: Any, *, dry_run: bool) -> dict[str, Any]:
    """What was done in ``--json``."""
    from matinee.flows.findings_json import finding_json

    return {
        "dry_run": dry_run,
        "cost_s": round(done.cost_s, 3),
        "acts": done.acts,
        "mended": [finding_json(each) for each in done.mended],
        "lost": [{**finding_json(each), "reason": said} for each, said in done.lost],
        "left": [{**finding_json(each), "reason": said} for each, said in done.left],
        "suspects": done.suspects,
    }
