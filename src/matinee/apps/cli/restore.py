"""``matinee restore`` and ``drill``."""

import asyncio
from datetime import datetime
from typing import Any

import click

from matinee.apps.cli.backup import identity_option, json_option, progress, snapshot_json
from matinee.apps.cli.main import library_options, print_json
from matinee.core.errors import UsageError
from matinee.core.room import shown_bytes

from_option = click.option(
    "--from", "vault", metavar="URL", required=True, help="The place of the backup."
)
at_option = click.option(
    "--at",
    metavar="TIME",
    help="The newest snapshot that is not younger, such as 2026-11-28T04:00. Default: now.",
)


@click.command("restore", epilog="The same command again goes on where this one stopped.")
@click.argument("title", required=False)
@from_option
@at_option
@identity_option
@library_options
@json_option
def restore_command(
    title: str | None,
    vault: str,
    at: str | None,
    identity: str | None,
    library: str | None,
    database: str | None,
    as_json: bool,
) -> None:
    """Bring back TITLE into a library, or, without TITLE, everything into an empty place."""
    from matinee.config import read_settings
    from matinee.flows.restore import RestoreIncomplete
    from matinee.wiring.backup import open_vault
    from matinee.wiring.library import open_library

    when = moment(at)
    settings = read_settings(library, None, database)
    opened_vault = open_vault(vault, identity=identity)
    asyncio.run(opened_vault.newest(when))  # before a library is made for nothing
    name, done = asyncio.run(_restore(opened_vault, open_library(settings), title, when))
    document = {
        "title": name,
        "vault": opened_vault.name,
        "snapshot": snapshot_json(done.snapshot),
        "written": done.written,
        "bytes_written": done.bytes_written,
        "found": done.found,
        "lost": sorted(done.lost),
    }
    if as_json:
        print_json(document)
    else:
        taken = done.snapshot.taken_at.astimezone().strftime("%Y-%m-%d %H:%M:%S")
        click.echo(
            f"{name or settings.address} is as it was at {taken}: {done.written} objects written "
            f"({shown_bytes(done.bytes_written)}), {done.found} were there"
        )
    if done.lost:
        raise RestoreIncomplete(
            f"{len(done.lost)} objects cannot be read from the backup: {done.lost[0]}"
        )


async def _restore(vault: Any, library: Any, title: str | None, at: datetime | None) -> Any:
    from matinee.flows.restore import restore
    from matinee.flows.restore_title import restore_title
    from matinee.wiring.backup import scratch_of, target_of

    target, told = target_of(library), progress("restore")
    with scratch_of(library) as scratch:
        if title is None:
            return None, await restore(vault, target, at, scratch, told)
        return await restore_title(vault, target, title, at, scratch, told)


def moment(text: str | None) -> datetime | None:
    """A time from the command line; one without a zone is of this machine's.

    Raises:
        UsageError: it is no time.
    """
    if text is None:
        return None
    try:
        return datetime.fromisoformat(text).astimezone()
    except ValueError as error:
        raise UsageError(f"{text!r} is no time", "give one such as 2026-11-28T04:00") from error


@click.command("drill")
@click.option(
    "--from",
    "vaults",
    metavar="URL",
    multiple=True,
    help="The place. May be repeated. Default: the places of the library's backup.toml.",
)
@click.option("--seed", type=int, metavar="N", help="Which title and pieces. Default: by chance.")
@identity_option
@library_options
@json_option
def drill_command(
    vaults: tuple[str, ...],
    seed: int | None,
    identity: str | None,
    library: str | None,
    database: str | None,
    as_json: bool,
) -> None:
    """Restore the newest snapshot and a title into an empty place, for trial, and prove them."""
    import secrets

    from matinee.config import read_settings
    from matinee.flows.drill import DrillFailed, told
    from matinee.flows.keeping import drilled
    from matinee.wiring.backup import keeper_of, open_vault, policies
    from matinee.wiring.library import open_library

    settings = read_settings(library, None, database)
    places = policies(settings, vaults, ())
    keeper = keeper_of(open_library(settings))
    documents: list[dict[str, Any]] = []
    faults: list[str] = []
    for policy in places:
        vault = open_vault(policy.to, identity=identity)
        chosen = secrets.randbelow(2**31) if seed is None else seed
        verdict, digest = asyncio.run(drilled(keeper, vault, policy.to, chosen))
        documents.append({**verdict.as_json(), "verdict": digest})
        faults += verdict.reasons
        for line in () if as_json else told(verdict):
            click.echo(f"{policy.to}: {line}")
    if as_json:
        print_json(documents)
    if faults:
        more = f" (and {len(faults) - 1} more faults)" if len(faults) > 1 else ""
        raise DrillFailed(f"a backup did not come back whole: {faults[0]}{more}")
