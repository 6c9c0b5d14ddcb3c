"""``matinee delete``, ``undelete`` and ``gc``."""

import asyncio
from datetime import timedelta

import click

from matinee.apps.cli.main import library_options, print_json
from matinee.apps.cli.titles import open_library, title_json
from matinee.core.errors import UsageError
from matinee.core.room import shown_bytes

json_option = click.option("--json", "as_json", is_flag=True, help="JSON on standard output.")


@click.command("delete")
@click.argument("title")
@click.option(
    "--grace",
    "days",
    metavar="DAYS",
    type=float,
    default=7.0,
    show_default=True,
    help="How long it can be brought back.",
)
@library_options
@json_option
def delete_command(
    title: str, days: float, library: str | None, database: str | None, as_json: bool
) -> None:
    """Take TITLE off the screen at once, and let garbage collection remove it after a time."""
    from matinee.stages.publish import delete
    from matinee.wiring.library import now

    if not 0 <= days <= 36_500:
        raise UsageError(f"{days:g} days are no time to wait")
    opened = open_library(library, database)
    found = opened.titles.get(title)
    removes_at = now() + timedelta(days=days)
    gone = asyncio.run(delete(opened.store, opened.packages, found.id, removes_at))
    if as_json:
        print_json(title_json(gone))
        return
    until = removes_at.astimezone().strftime("%Y-%m-%d %H:%M")
    click.echo(f"{gone.id} is deleted; until {until}: matinee undelete {gone.id}")


@click.command("undelete")
@click.argument("title")
@library_options
@json_option
def undelete_command(title: str, library: str | None, database: str | None, as_json: bool) -> None:
    """Bring the deleted TITLE back, on screen where it was."""
    from matinee.stages.publish import undelete

    opened = open_library(library, database)
    found = opened.titles.get(title)
    back = asyncio.run(undelete(opened.store, opened.packages, found.id))
    if as_json:
        print_json(title_json(back))
    else:
        shown = f"shows package {back.current}" if back.current else "is there, and not on screen"
        click.echo(f"{back.id} {shown}")


@click.command("gc", epilog="Safe beside running publishes and backups.")
@click.option("--dry-run", is_flag=True, help="Tell what would go, and change nothing.")
@click.option(
    "--grace",
    "hours",
    metavar="HOURS",
    type=float,
    default=24.0,
    show_default=True,
    help="How long what nothing needs is condemned before it goes.",
)
@click.option(
    "--unused",
    "days",
    metavar="DAYS",
    type=float,
    default=7.0,
    show_default=True,
    help="How long what no title shows yet is kept: a publish that broke off may go on.",
)
@library_options
@json_option
def gc_command(
    dry_run: bool,
    hours: float,
    days: float,
    library: str | None,
    database: str | None,
    as_json: bool,
) -> None:
    """Remove what nothing published, kept or running needs, and say what that frees."""
    from dataclasses import asdict

    from matinee.flows.collect import patience_of, preview
    from matinee.wiring.backup import garbage_of, keeper_of
    from matinee.wiring.library import now

    patience = patience_of(hours, days)
    opened = open_library(library, database)
    if dry_run:
        done = asyncio.run(preview(garbage_of(opened), opened.store, now(), patience))
    else:
        done = asyncio.run(keeper_of(opened).collected(patience, None))
    if as_json:
        print_json({"dry_run": dry_run, **asdict(done)})
        return
    verb = "would go" if dry_run else "went"
    waits = "would be condemned" if dry_run else "wait to be removed"
    click.echo(
        f"{done.titles} titles and {done.packages} packages {verb}; {done.objects} objects "
        f"removed, {shown_bytes(done.bytes)} freed; {done.condemned} objects, "
        f"{shown_bytes(done.condemned_bytes)}, {waits}"
    )
