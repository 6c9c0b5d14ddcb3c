"""``matinee events``: what happened, and the proof that the log is as it was written."""

import asyncio
from typing import Any

import click

from matinee.apps.cli.main import library_options, print_json, printable
from matinee.apps.cli.remote import find_service, server_option, service_library_option
from matinee.core.errors import ObjectDamaged

json_option = click.option("--json", "as_json", is_flag=True, help="JSON, one event a line.")


class _EventsGroup(click.Group):
    """``matinee events`` alone lists."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args or (args[0] not in self.commands and args[0] not in ("-h", "--help")):
            args = ["list", *args]
        return super().parse_args(ctx, args)


@click.group("events", cls=_EventsGroup)
def events_command() -> None:
    """List the events of the service, newest first, or prove the log: see `events verify --help`.

    `matinee events` alone is `matinee events list`.
    """


@events_command.command("list")
@click.option("--type", "kind", help="Only of this type, such as title.published or title.*.")
@click.option("--subject", help="Only about this, such as title/sintel or film/*.")
@click.option("--cause", help="Only what the event of this id led to.")
@click.option("--since", metavar="TIME", help="Only from this time on (RFC 3339).")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 100_000))
@server_option
@service_library_option
@json_option
def list_command(
    kind: str | None, subject: str | None, cause: str | None, since: str | None, limit: int,
    server: str | None, library: str | None, as_json: bool,
) -> None:  # fmt: skip
    """List events, newest first."""
    service = find_service(server, library)
    query = {"type": kind, "subject": subject, "cause": cause, "since": since}
    for event in service.pages("/v1/events", limit, **query):
        if as_json:
            print_json(event)
        else:
            click.echo(
                f"{event['time'][:19]}  {event['type']:<16} {printable(event['subject']):<40} "
                f"{_gist(event['data'])}"
            )


def _gist(data: dict[str, Any]) -> str:
    """What matters most of an event's data, in a few words."""
    error = data.get("error") or {}
    parts = [data.get("state"), error.get("message") or data.get("message"), data.get("act")]
    return printable("; ".join(str(part) for part in parts if part))


@events_command.command("verify")
@library_options
@json_option
def verify_command(library: str | None, database: str | None, as_json: bool) -> None:
    """Prove that the sealed log is as it was written: no event changed, added or taken out."""
    from matinee.config import read_settings
    from matinee.flows.seal_events import verify_seals
    from matinee.wiring.library import open_library

    opened = open_library(read_settings(library, None, database))
    verdict = asyncio.run(verify_seals(opened.events, opened.store))
    if as_json:
        print_json(verdict.as_json())
    else:
        counts = verdict.evidence
        click.echo(f"{counts['seals']} seals over {counts['events']} events", err=True)
    if not verdict.passed:
        raise ObjectDamaged(
            f"the event log is not as it was written: {'; '.join(verdict.reasons)}",
            "compare with a backup of the library; what the seals hold is still whole",
        )
