"""``matinee list``, ``show``, ``verify``, ``unpublish`` and ``rollback``."""

import asyncio
import json
from typing import Any

import click

from matinee.apps.cli.main import library_options, print_json, printable
from matinee.core.errors import ObjectDamaged

json_option = click.option("--json", "as_json", is_flag=True, help="JSON on standard output.")


def open_library(library: str | None, database: str | None) -> Any:
    """The library that the options name."""
    from matinee.config import read_settings
    from matinee.wiring.library import open_library as opened

    return opened(read_settings(library, None, database))


def title_json(title: Any) -> dict[str, Any]:
    """A title in ``list --json``."""
    return {
        "title": title.id,
        "name": title.name,
        "state": title.state,
        "package": title.current,
        "film": title.film,
        "credit": title.credit,
        "added_at": title.added_at.isoformat(),
    }


@click.command("list")
@library_options
@json_option
def list_command(library: str | None, database: str | None, as_json: bool) -> None:
    """List the titles of the library."""
    titles = [title_json(title) for title in open_library(library, database).titles.all()]
    if as_json:
        print_json(titles)
        return
    for title in titles:
        click.echo(f"{title['title']:<40} {title['state']:<10} {printable(title['name'])}")
    if not titles:
        click.echo("no titles yet; add one with: matinee publish FILM", err=True)


@click.command("show")
@click.argument("title")
@library_options
@json_option
def show_command(title: str, library: str | None, database: str | None, as_json: bool) -> None:
    """Tell what came in, what was made of TITLE, and every verdict."""
    from matinee.apps.cli.report import tell_report

    opened = open_library(library, database)
    found = opened.titles.get(title)
    packages = opened.packages.of_title(found.id)
    shown = next((p for p in packages if p.id == found.current), packages[-1] if packages else None)
    report = asyncio.run(read_report(opened, shown)) if shown else None
    listed = [
        {
            "id": p.id,
            "state": p.state,
            "made_at": p.made_at.isoformat(),
            "settings": {
                name: p.settings[name]
                for name in ("profile", "ladder", "scored")
                if name in p.settings
            },
        }
        for p in packages
    ]
    if as_json:
        print_json({**title_json(found), "packages": listed, "report": report})
    else:
        tell_report(title_json(found), listed, report)


async def read_report(library: Any, package: Any) -> dict[str, Any]:
    """A package's report."""
    from matinee.assets.asset import object_key

    report: dict[str, Any] = json.loads(await library.store.read(object_key(package.report)))
    return report


@click.command("verify")
@click.argument("title")
@library_options
@json_option
def verify_command(title: str, library: str | None, database: str | None, as_json: bool) -> None:
    """Prove again that every published file of TITLE is whole and right."""
    from matinee.flows.verify_title import verify_title
    from matinee.wiring.keys import locksmith_of

    opened = open_library(library, database)
    found = opened.titles.get(title)
    shown = opened.packages.get(found.id, found.current) if found.current else None

    async def verify() -> Any:
        report = await read_report(opened, shown) if shown else {}
        locksmith = locksmith_of(opened.settings)
        return await verify_title(opened.store, found, shown, report, locksmith)

    verdicts = asyncio.run(verify())
    failed = [verdict for verdict in verdicts if not verdict.passed]
    if as_json:
        print_json(
            {
                "title": found.id,
                "package": found.current,
                "state": "damaged" if failed else "whole",
                "verdicts": [verdict.as_json() for verdict in verdicts],
            }
        )
    elif not failed and shown is not None:
        click.echo(
            f"{found.id} is whole: {len(shown.files)} files, {len(verdicts)} verdicts passed"
        )
    if failed:
        reasons = [reason for verdict in failed for reason in verdict.reasons]
        more = f" (and {len(reasons) - 1} more faults)" if len(reasons) > 1 else ""
        raise ObjectDamaged(
            f"{found.id} is damaged: {reasons[0]}{more}",
            f"see all with: matinee verify {found.id} --json; "
            f"mend it with: matinee repair {found.id}",
        )


@click.command("unpublish")
@click.argument("title")
@library_options
@json_option
def unpublish_command(title: str, library: str | None, database: str | None, as_json: bool) -> None:
    """Take TITLE off the screen; its packages are kept."""
    from matinee.stages.publish import hide

    opened = open_library(library, database)
    found = opened.titles.get(title)
    hidden = asyncio.run(hide(opened.store, opened.packages, found.id))
    _tell_change(
        hidden, as_json, f"{hidden.id} is no longer shown; publish the film to show it again"
    )


@click.command("rollback")
@click.argument("title")
@library_options
@json_option
def rollback_command(title: str, library: str | None, database: str | None, as_json: bool) -> None:
    """Put the package that TITLE showed before on screen again."""
    from matinee.stages.publish import roll_back

    opened = open_library(library, database)
    shown = asyncio.run(roll_back(opened.store, opened.packages, opened.titles.get(title)))
    _tell_change(shown, as_json, f"{shown.id} shows package {shown.current}")


def _tell_change(title: Any, as_json: bool, text: str) -> None:
    if as_json:
        print_json(title_json(title))
    else:
        click.echo(text)
