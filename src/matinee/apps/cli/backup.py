"""``matinee backup`` and ``backups``."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import click

from matinee.apps.cli.main import error_json, library_options, print_json, tell_error
from matinee.core.errors import MatineeError
from matinee.core.room import shown_bytes

json_option = click.option("--json", "as_json", is_flag=True, help="JSON on standard output.")
identity_option = click.option(
    "--identity",
    metavar="FILE",
    help="The age identity (or SSH key) of an encrypted backup. Default: $MATINEE_BACKUP_IDENTITY.",
)


@click.command("backup", epilog="The same command again writes only what is new.")
@click.option(
    "--to",
    metavar="URL",
    multiple=True,
    help="A folder, a file:/// address or s3://bucket/path. May be repeated. "
    "Default: the places of the library's backup.toml.",
)
@click.option(
    "--recipient",
    "recipients",
    metavar="KEY",
    multiple=True,
    help="Encrypt for this age or SSH key (age1..., ssh-ed25519 ...). May be repeated. "
    "Places that backup.toml has are encrypted as it says.",
)
@library_options
@json_option
def backup_command(
    to: tuple[str, ...],
    recipients: tuple[str, ...],
    library: str | None,
    database: str | None,
    as_json: bool,
) -> None:
    """Bring the whole library into other places, as far as it is not there already."""
    from matinee.config import read_settings
    from matinee.wiring.backup import policies
    from matinee.wiring.library import open_library

    settings = read_settings(library, None, database)
    places = policies(settings, to, recipients)
    opened = open_library(settings)
    failures: list[MatineeError] = []
    documents: list[dict[str, Any]] = []
    for policy in places:
        document, error = _back_up(opened, policy)
        documents.append(document)
        failures += [error] if error else []
        if not as_json:
            _tell(document)
            if error is not None:
                tell_error(error)
    if as_json:
        print_json(documents)
    if failures:
        raise SystemExit(max(error.exit_code for error in failures))


def _back_up(library: Any, policy: Any) -> tuple[dict[str, Any], MatineeError | None]:
    """One place's outcome; a failure in one does not keep the others from theirs."""
    from matinee.flows.keeping import backed_up
    from matinee.wiring.backup import keeper_of

    try:
        done, thinned = asyncio.run(backed_up(keeper_of(library), policy, progress("backup")))
    except MatineeError as error:
        return {"vault": policy.to, "state": "failed", "error": error_json(error)}, error
    document = done_json(done, thinned)
    incomplete = done.incomplete()
    return document, incomplete


def done_json(done: Any, thinned: Any) -> dict[str, Any]:
    """A finished backup in ``--json``."""
    return {
        "vault": done.vault,
        "state": "incomplete" if done.lacking else "done",
        "snapshot": snapshot_json(done.snapshot),
        "written": done.written,
        "bytes_written": done.bytes_written,
        "found": done.found,
        "lacking": sorted(done.lacking),
        "thinned": {
            "snapshots": thinned.snapshots,
            "objects": thinned.objects,
            "bytes": thinned.bytes,
        },
        "error": error_json(done.incomplete()) if done.lacking else None,
    }


def snapshot_json(snapshot: Any) -> dict[str, Any]:
    """A snapshot in ``--json``."""
    return {
        "id": snapshot.id,
        "taken_at": snapshot.taken_at.astimezone(UTC).isoformat(),
        "matinee": snapshot.version,
        "encrypted": snapshot.is_encrypted,
        "titles": snapshot.titles,
        "objects": snapshot.objects,
        "bytes": snapshot.size_bytes,
        "lacking": snapshot.lacking,
    }


def _tell(document: dict[str, Any]) -> None:
    if document["state"] == "failed":
        click.echo(f"{document['vault']}: failed", err=True)
        return
    shot, thinned = document["snapshot"], document["thinned"]
    click.echo(
        f"{document['vault']}: snapshot {shot['id'][:12]}, {shot['titles']} titles, "
        f"{shot['objects']} objects, {shown_bytes(shot['bytes'])}; {document['written']} written "
        f"({shown_bytes(document['bytes_written'])}), {document['found']} were there"
    )
    if thinned["snapshots"] or thinned["objects"]:
        click.echo(
            f"{document['vault']}: removed {thinned['snapshots']} snapshots and "
            f"{thinned['objects']} objects, {shown_bytes(thinned['bytes'])}"
        )


def progress(verb: str) -> Any:
    """Lines on standard error, one every ten seconds."""
    import time

    from matinee.apps.cli.display import PLAIN_EVERY_S

    last = time.monotonic()

    def told(done: int, total: int) -> None:
        nonlocal last
        if time.monotonic() - last >= PLAIN_EVERY_S:
            last = time.monotonic()
            click.echo(f"{verb}: {done} of {total} objects", err=True)

    return told


@click.command("backups")
@click.option(
    "--from",
    "vaults",
    metavar="URL",
    multiple=True,
    help="The place. May be repeated. Default: the places of the library's backup.toml.",
)
@click.option("--verify", is_flag=True, help="Read every copy and prove it; needs no identity.")
@library_options
@json_option
def backups_command(
    vaults: tuple[str, ...],
    verify: bool,
    library: str | None,
    database: str | None,
    as_json: bool,
) -> None:
    """List the snapshots of a backup, or prove that every copy is whole."""
    from matinee.config import read_settings
    from matinee.flows.vault import Vault
    from matinee.wiring.backup import open_vault, policies

    settings = read_settings(library, None, database)
    found: list[dict[str, Any]] = []
    faults: list[str] = []
    lost: list[str] = []
    for policy in policies(settings, vaults, ()):
        vault: Vault = open_vault(policy.to)
        document = asyncio.run(_look(vault, verify=verify))
        found.append(document)
        if not as_json:
            _tell_vault(document)
        checked = document["checked"] or {"damaged": (), "missing": (), "lost": ()}
        faults += [*checked["damaged"], *checked["missing"]]
        lost += checked["lost"]
    if as_json:
        print_json(found)
    if faults:
        raise _damaged(faults, lost)


def _damaged(faults: Sequence[str], lost: Sequence[str]) -> MatineeError:
    from matinee.assets.snapshots import SnapshotInvalid

    if lost:
        return SnapshotInvalid(
            f"a backup is damaged: both documents of a snapshot are, {lost[0]}",
            "restore from another snapshot, and back up again: then there is a new one; "
            "what only this one names stays, and nothing is thinned, until you remove both",
        )
    more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
    return SnapshotInvalid(
        f"a backup is damaged: {faults[0]}{more}",
        "what is damaged was put aside: back up again, and it is written again",
    )


async def _look(vault: Any, *, verify: bool) -> dict[str, Any]:
    """The snapshots of a vault, newest first, and what proving it found."""
    import tempfile
    from pathlib import Path

    from matinee.flows.check_vault import check_vault

    names = await vault.snapshots()
    shots = []
    for name in reversed(names):
        try:
            shots.append(snapshot_json(await vault.read(name)))
        except MatineeError as error:
            shots.append({
                "id": name.id, "taken_at": name.taken_at.isoformat(), "error": error_json(error),
            })  # fmt: skip
    checked = None
    if verify:
        with tempfile.TemporaryDirectory() as scratch:
            checked = await check_vault(vault, names, Path(scratch))
    return {
        "vault": vault.name,
        "snapshots": shots,
        "checked": checked
        and {
            "objects": checked.objects,
            "bytes": checked.bytes,
            "damaged": checked.damaged,
            "missing": checked.missing,
            "lost": checked.lost,
        },
    }


def _tell_vault(document: dict[str, Any]) -> None:
    click.echo(f"{document['vault']}: {len(document['snapshots'])} snapshots", err=True)
    for shot in document["snapshots"]:
        taken = datetime.fromisoformat(shot["taken_at"])
        when = taken.astimezone().strftime("%Y-%m-%d %H:%M:%S")
        if "error" in shot:
            click.echo(f"{when}  {shot['id'][:12]}  damaged")
            continue
        sealed = "  encrypted" if shot["encrypted"] else ""
        lacks = f"  lacks {shot['lacking']}" if shot["lacking"] else ""
        click.echo(
            f"{when}  {shot['id'][:12]}  {shot['titles']:>5} titles  {shot['objects']:>8} objects"
            f"  {shown_bytes(shot['bytes']):>10}{sealed}{lacks}"
        )
    if document["checked"]:
        checked = document["checked"]
        bad = len(checked["damaged"]) + len(checked["missing"])
        state = "all whole" if not bad else f"{bad} damaged or missing"
        size = shown_bytes(checked["bytes"])
        click.echo(f"{checked['objects']} copies read, {size}: {state}")
