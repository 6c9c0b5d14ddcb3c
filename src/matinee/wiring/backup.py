"""Backups, put together: vaults by their addresses, the library as what is kept or restored."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from sqlalchemy import URL

from matinee.adapters.ffmpeg.program import Ffmpeg, FfmpegMeter
from matinee.adapters.objects import folder_objects
from matinee.adapters.owners import is_dead, this_owner
from matinee.adapters.sql.catalog import SqlPackages, SqlTitles
from matinee.adapters.sql.database import open_database
from matinee.adapters.sql.dump import SqlDump
from matinee.adapters.sql.garbage import SqlGarbage
from matinee.adapters.sql.visits import visiting
from matinee.adapters.tools import find_tools
from matinee.adapters.workspace import Workspace
from matinee.assets.backup_policy import FILE, BackupPolicyInvalid, Policy, read_policies
from matinee.config import RULES, Bucket, Settings, bucket_of, library_path
from matinee.core.errors import NotFound, UsageError
from matinee.flows.back_up import Original
from matinee.flows.collect import Collected, Patience, collect
from matinee.flows.drill import Stage
from matinee.flows.keeping import Keeper
from matinee.flows.restore import Target
from matinee.flows.vault import Vault
from matinee.flows.vault_copies import VaultCopies
from matinee.ports.catalog import Packages
from matinee.ports.sealing import Sealer
from matinee.ports.store import ListedStore
from matinee.wiring.keys import locksmith_of
from matinee.wiring.library import DATABASE, Library, now
from matinee.wiring.reading import sandbox_of


class VaultIsLibrary(UsageError):
    """A library cannot be its own backup."""

    code = "backup.own_library"
    advice = "name a place on another disk, or a bucket, with --to"


def policies(settings: Settings, to: Sequence[str], recipients: Sequence[str]) -> list[Policy]:
    """The places that are named, with the policy of the library's file where it has them.

    All places of the file when none is named. ``recipients`` are for places that the file does not
    have.

    Raises:
        BackupPolicyInvalid: the file has a fault, or nothing says where to.
    """
    known = {policy.to: policy for policy in read_policy_file(settings)}
    if to:
        return [known.get(one, Policy(one, recipients=tuple(recipients))) for one in to]
    if not known:
        raise BackupPolicyInvalid(
            "nothing says where to back up to", f"name a place with --to, or write it into {FILE}"
        )
    return list(known.values())


def read_policy_file(settings: Settings) -> Sequence[Policy]:
    """The places of the library's ``backup.toml``; none where there is no such file.

    Raises:
        BackupPolicyInvalid: it has a fault.
    """
    path = settings.library / FILE
    try:
        return read_policies(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return ()
    except (OSError, UnicodeDecodeError) as error:
        raise BackupPolicyInvalid(f"{path}: expected a text file in UTF-8: {error}") from error


def open_vault(
    address: str, recipients: Sequence[str] = (), identity: str | None = None,
    library: Settings | None = None,
) -> Vault:  # fmt: skip
    """The vault at an address: a folder, a ``file:`` address or a bucket.

    ``identity`` is the path of a file; without one, ``$MATINEE_BACKUP_IDENTITY``. ``library`` is
    the one that is backed up: without it, the vault must be there.

    Raises:
        VaultIsLibrary: it is ``library`` itself, or lies in it.
        NotFound: there is no such folder.
        UsageError: no such kind of address, or no such file of an identity.
        LibraryError: it cannot be used.
    """
    bucket = bucket_of(address)
    where: Path | Bucket = bucket or library_path(address)
    if library is not None and _is_within(where, library):
        raise VaultIsLibrary(f"{address} is the library's own place")
    if library is None and isinstance(where, Path) and not where.is_dir():
        raise NotFound(f"there is no backup at {where}", "name the place that --to named")
    return Vault(
        store=_store(where),
        name=bucket.address if bucket else str(where),
        sealer=_sealer(recipients, identity or os.environ.get("MATINEE_BACKUP_IDENTITY")),
        seals=bool(recipients),
        owner=this_owner(),
        is_dead=is_dead,
        now=now,
    )


def _is_within(where: Path | Bucket, library: Settings) -> bool:
    if isinstance(where, Path):
        return library.bucket is None and where.resolve().is_relative_to(library.library.resolve())
    own = library.bucket
    if own is None or (own.scheme, own.name, own.endpoint) != (
        where.scheme, where.name, where.endpoint,
    ):  # fmt: skip
        return False
    return f"{where.prefix}/".startswith(f"{own.prefix}/" if own.prefix else "")


def _store(where: Path | Bucket) -> ListedStore:
    if isinstance(where, Path):
        return folder_objects(where)
    from matinee.adapters.buckets import bucket_objects  # noqa: PLC0415  # only where needed

    return bucket_objects(where.scheme, where.name, where.prefix, where.endpoint)


def _sealer(recipients: Sequence[str], identity: str | None) -> Sealer | None:
    if not recipients and identity is None:
        return None
    from matinee.adapters.age import AgeSealer  # noqa: PLC0415  # only where needed

    try:
        text = Path(identity).read_text(encoding="utf-8") if identity else ""
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"the identity {identity} cannot be read", "give its file") from error
    return AgeSealer(recipients, text)


def original_of(library: Library) -> Original:
    """The library as what is backed up."""
    folder = library.settings.library
    files = {name: folder / name for name in (RULES, FILE)}
    return Original(library.store, SqlDump(library.engine, now), files)


def target_of(library: Library) -> Target:
    """The library as what is restored."""
    dump = SqlDump(library.engine, now)
    return Target(library.store, dump, library.titles, library.settings.library)


@contextmanager
def scratch_of(library: Library) -> Iterator[Path]:
    """A folder for files that pass through; garbage collection waits until the block ends."""
    workspace = Workspace(library.settings.library / "scratch")
    with visiting(library.engine), workspace.run() as (_, folder):
        yield folder


def keeper_of(library: Library) -> Keeper:
    """What keeps the library safe."""
    settings = library.settings

    async def collected(patience: Patience, cause: str | None) -> Collected:
        return await collect(
            garbage_of(library), library.store, library.events, this_owner(), now(), patience, cause
        )

    return Keeper(
        original=original_of(library),
        events=library.events,
        ledger=library.ledger,
        vault_of=lambda policy: open_vault(policy.to, policy.recipients, library=settings),
        scratch=lambda: scratch_of(library),
        policies=lambda: read_policy_file(settings),
        stage=lambda: Stage(_empty_library, FfmpegMeter(_ffmpeg(settings)), locksmith_of(settings)),
        collected=collected,
        can_open="MATINEE_BACKUP_IDENTITY" in os.environ,
    )


@contextmanager
def _empty_library(folder: Path) -> Iterator[tuple[Target, Packages]]:
    """A library of a drill's own, in a folder and SQLite, whatever the library itself is in."""
    engine = open_database(URL.create("sqlite", database=str(folder / DATABASE)))
    try:
        dump, titles = SqlDump(engine, now), SqlTitles(engine, now)
        yield Target(folder_objects(folder), dump, titles, folder), SqlPackages(engine, now)
    finally:
        engine.dispose()


def _ffmpeg(settings: Settings) -> Ffmpeg:
    return Ffmpeg(Path(find_tools()["ffmpeg"].path), sandbox_of(settings))


def backups_of(library: Library) -> list[VaultCopies]:
    """The places of the library's policy, as places that may have a second copy of an asset.

    Raises:
        BackupPolicyInvalid: ``backup.toml`` has a fault.
    """
    return [
        VaultCopies(one.to, partial(open_vault, one.to))
        for one in read_policy_file(library.settings)
    ]


def garbage_of(library: Library) -> SqlGarbage:
    """What of the library's tables garbage collection works with."""
    return SqlGarbage(library.engine, now, is_dead)
