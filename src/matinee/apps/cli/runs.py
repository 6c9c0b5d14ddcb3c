"""``matinee runs``, ``cancel``, ``retry`` and ``restart``: the service's work."""

from typing import Any

import click

from matinee.apps.cli.display import duration
from matinee.apps.cli.main import print_json, printable
from matinee.apps.cli.remote import find_service, server_option, service_library_option
from matinee.stages.redo import FUNCTIONS

STATES = ("queued", "running", "cancelling", "done", "held", "refused", "failed", "cancelled")

json_option = click.option("--json", "as_json", is_flag=True, help="JSON on standard output.")


@click.command("runs")
@click.argument("run", required=False)
@click.option("--state", "states", multiple=True, type=click.Choice(STATES), help="Only in it.")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 10_000))
@server_option
@service_library_option
@json_option
def runs_command(
    run: str | None, states: tuple[str, ...], limit: int, server: str | None,
    library: str | None, as_json: bool,
) -> None:  # fmt: skip
    """List the service's runs, newest first; with RUN, tell how that one stands."""
    service = find_service(server, library)
    if run is not None:
        found = service.get(f"/v1/runs/{run}")
        print_json(found) if as_json else _tell_run(found)
        return
    rows = list(service.pages("/v1/runs", limit, state=states))
    if as_json:
        print_json(rows)
        return
    for row in rows:
        click.echo(
            f"{row['id']:<34} {row['state']:<10} {_share(row):>4} {printable(row['film'])}"
            f"{_because(row)}"
        )
    if not rows:
        click.echo("no runs", err=True)


def _share(row: dict[str, Any]) -> str:
    return f"{row['share']:.0%}" if row["state"] == "running" and row["share"] else ""


def _because(row: dict[str, Any]) -> str:
    return f": {printable(row['error']['message'])}" if row["error"] else ""


def _tell_run(run: dict[str, Any]) -> None:
    click.echo(f"{printable(run['film'])}: {run['state']}{_because(run)}")
    if run["error"] and run["error"]["hint"]:
        click.echo(f"  {printable(run['error']['hint'])}")
    for stage in run["progress"].get("stages") or ():
        counted = f" {stage['done']}/{stage['total']}" if stage["total"] else ""
        click.echo(f"  {stage['name']:<20} {stage['state']}{counted}")
    if run["left_s"] is not None and run["state"] == "running":
        click.echo(f"  about {duration(run['left_s'])} left")


def _act(name: str, text: str) -> click.Command:
    """A command that tells the service to do something to a run."""

    @click.command(name, help=text)
    @click.argument("run")
    @server_option
    @service_library_option
    @json_option
    def command(run: str, server: str | None, library: str | None, as_json: bool) -> None:
        _tell_act(find_service(server, library).post(f"/v1/runs/{run}/{name}"), as_json)

    return command


def _tell_act(run: dict[str, Any], as_json: bool) -> None:
    print_json(run) if as_json else click.echo(f"{run['id']}: {run['state']}", err=True)


cancel_command = _act("cancel", "End RUN; what it has finished is kept.")
retry_command = _act("retry", "Queue RUN, which is over, again; what is finished is not redone.")


@click.command("restart")
@click.argument("run")
@click.option(
    "--from",
    "stage",
    required=True,
    type=click.Choice(list(FUNCTIONS)),
    help="Made anew from here on.",
)
@server_option
@service_library_option
@json_option
def restart_command(
    run: str, stage: str, server: str | None, library: str | None, as_json: bool
) -> None:
    """Queue RUN, which is over, again; a stage and those after it are made anew."""
    service = find_service(server, library)
    _tell_act(service.post(f"/v1/runs/{run}/restart", {"stage": stage}), as_json)
