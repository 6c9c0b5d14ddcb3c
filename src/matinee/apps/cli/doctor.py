"""``matinee doctor``."""

from typing import Any

import click

from matinee.apps.cli.main import library_options, print_json
from matinee.core.errors import ToolError


class ToolLacking(ToolError):
    """A tool runs but lacks something that Matinee needs."""

    code = "tool.lacking"
    retryable = False


@click.command("doctor")
@click.option("--tools", "tools_only", is_flag=True, help="Only the media tools.")
@library_options
@click.option("--json", "as_json", is_flag=True, help="JSON on standard output.")
def doctor_command(
    tools_only: bool, library: str | None, database: str | None, as_json: bool
) -> None:
    """Tell whether machine and library are as they should be, and what to do if not."""
    from matinee.wiring.tools import missing_features, tools, walls

    found = tools()
    lacking = missing_features(found)
    document: dict[str, Any] = {
        "tools": [
            {
                "name": tool.name, "version": tool.version, "path": tool.path,
                "identity": tool.identity, "licence": tool.licence,
            }
            for tool in found.values()
        ],
        "lacking": lacking,
        "sandbox": list(walls()),
    }  # fmt: skip
    if not tools_only:
        document |= _library(library, database)
    if as_json:
        print_json(document)
    else:
        for tool in found.values():
            click.echo(f"{tool.name:<10} {tool.version:<28} {tool.licence}\n  {tool.path}")
        click.echo(f"sandbox    {', '.join(document['sandbox'])}")
        if not tools_only:
            click.echo(f"library    {document['library']}")
            _tell_health(document["health"])
    if lacking:
        raise ToolLacking(
            f"ffmpeg lacks {', '.join(lacking)}",
            "unset MATINEE_FFMPEG to use the ffmpeg that comes with Matinee",
        )


def _library(library: str | None, database: str | None) -> dict[str, Any]:
    from matinee.apps.cli.titles import open_library
    from matinee.flows.doctor import health_of
    from matinee.wiring.library import now
    from matinee.wiring.records import findings_of, scrubs_of

    opened = open_library(library, database)
    health = health_of(findings_of(opened).all_open(), scrubs_of(opened).newest(100), now())
    return {
        "library": f"{opened.settings.address}, {len(opened.titles.all())} titles",
        "health": {
            "open": health.open,
            "lost": health.lost,
            "titles": list(health.titles),
            "scrubbed_at": health.scrubbed_at.isoformat() if health.scrubbed_at else None,
            "advice": list(health.advice),
        },
    }


def _tell_health(health: dict[str, Any]) -> None:
    when = health["scrubbed_at"]
    click.echo(
        f"health     {health['open']} faults, {health['lost']} lost; "
        f"{f'proved {when[:19]}' if when else 'never proved'}"
    )
    if health["titles"]:
        click.echo(f"  not whole: {', '.join(health['titles'])}")
    for advice in health["advice"]:
        click.echo(f"  {advice}")
