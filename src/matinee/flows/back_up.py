"""Back up: what a library was at a moment goes into a vault, as far as it is not there already.

The tables are read in one transaction, which objects belong to them too; objects never change, so
that publishes may go on meanwhile. The snapshot is written last: one that was broken off leaves
copies that no snapshot names, and the next backup finds them there.
"""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from matinee import __version__
from matinee.assets.files import digest_of_file
from matinee.assets.snapshots import Copy, ListPiece, Snapshot, packed, prefix_width
from matinee.assets.worth import Worth
from matinee.core.errors import LibraryError, ObjectDamaged, ObjectMissing
from matinee.core.ids import Digest, digest_of
from matinee.flows.vault import BackupUnproved, Vault
from matinee.ports.dump import Dump, Dumped, Wanted
from matinee.ports.store import ListedStore
from matinee.stages.together import in_turn

AT_ONCE = 4
"""Objects that are copied at once; each may have a file in scratch."""

FILES, LACKING = "file", "lacking"
"""Tables that only a backup has: files of the library that may change; objects that it had lost."""

POSTER = "poster.jpg"


class BackupIncomplete(LibraryError):
    """A backup was made, but some of the library's objects could not be read."""

    code = "backup.incomplete"
    advice = "the snapshot names what it lacks; publish those films again, then back up again"


@dataclass(frozen=True, slots=True)
class Original:
    """The library that is backed up; ``folder_files`` are people's own files beside the objects."""

    store: ListedStore
    dump: Dump
    folder_files: Mapping[str, Path]


@dataclass
class Done:
    """How a backup went. ``bytes_written`` is what was stored, encrypted where that is so."""

    vault: str
    snapshot: Snapshot | None = None
    written: int = 0
    bytes_written: int = 0
    found: int = 0
    lacking: list[Digest] = field(default_factory=list)

    def incomplete(self) -> BackupIncomplete | None:
        """What is wrong with it, if anything is."""
        if not self.lacking:
            return None
        count = len(self.lacking)
        return BackupIncomplete(f"{count} objects of the library could not be read", "")


class _Job(NamedTuple):
    original: Original
    vault: Vault
    scratch: Path
    done: Done


async def back_up(
    original: Original, vault: Vault, worth: Worth, scratch: Path,
    told: Callable[[int, int], None] = lambda _, __: None,
) -> Done:  # fmt: skip
    """Make a snapshot of the library in the vault.

    ``told`` hears how many objects of how many are there.

    Raises:
        BackupUnproved: the vault does not keep what it is given.
        LibraryError: library or vault cannot be used.
    """
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        async with vault.marked("backup", against="thinning"):
            job = _Job(original, vault, Path(folder), Done(vault.name))
            taken_at = vault.now()
            dumped = await asyncio.to_thread(original.dump.take, job.scratch, worth, taken_at)
            mutable = await _mutable(job)
            lists = await _copy_all(job, dumped, mutable, told)
            tables = {**dumped.tables, **{name: [d] for name, d in mutable.tables.items()}}
            if job.done.lacking:
                tables[LACKING] = await _keep_lacking(job, lists)
            job.done.snapshot = Snapshot(
                taken_at, __version__, dumped.revision, vault.seals, dumped.titles,
                len(job.done.lacking), tables, lists,
            )  # fmt: skip
            await vault.keep_snapshot(job.done.snapshot)
            await vault.mend_snapshots()
    return job.done


@dataclass(frozen=True, slots=True)
class _Mutable:
    """Files that may change, as they were: their bytes in scratch, and the table of them."""

    tables: Mapping[str, Digest]
    pieces: Sequence[Wanted]


async def _mutable(job: _Job) -> _Mutable:
    """Posters beside titles, and people's own files."""
    rows: list[list[str]] = []
    held: dict[Digest, Wanted] = {}

    def hold(place: str, key: str, body: bytes) -> None:
        digest = digest_of(body)
        (job.scratch / digest).write_bytes(body)
        held[digest] = Wanted(digest, len(body), [])
        rows.append([place, key, digest])

    async for key in _posters(job.original.store):
        hold("store", key, await job.original.store.read(key))
    for name, path in sorted(job.original.folder_files.items()):
        if path.is_file():
            hold("folder", name, path.read_bytes())
    head = {"table": FILES, "columns": ["place", "key", "digest"], "times": []}
    piece = packed([head, *sorted(rows)])
    digest = digest_of(piece)
    (job.scratch / digest).write_bytes(piece)
    held[digest] = Wanted(digest, len(piece), [])
    return _Mutable({FILES: digest}, list(held.values()))


async def _posters(store: ListedStore) -> AsyncIterator[str]:
    for folder in await store.folders("titles"):
        if await store.size(f"{folder}/{POSTER}") is not None:
            yield f"{folder}/{POSTER}"


async def _copy_all(
    job: _Job, dumped: Dumped, mutable: _Mutable, told: Callable[[int, int], None]
) -> list[ListPiece]:
    """Bring every object into the vault; gives the pieces of the list of them."""
    own = [
        *(Wanted(d, None, []) for pieces in dumped.tables.values() for d in pieces),
        *mutable.pieces,
    ]
    total = dumped.count + len(own)
    width = prefix_width(total)
    lists: list[ListPiece] = []
    ready: list[Copy] = []
    seen = 0
    for prefix, group in groupby(_merged(dumped.wanted(), own), lambda one: one.digest[:2]):
        if ready and ready[-1].digest[:width] != prefix[:width]:
            lists.append(await job.vault.keep_list(ready))
            ready = []
        have = await job.vault.have(prefix)
        wanted = list(group)
        pairs = [(one, have.get(one.digest)) for one in wanted]
        copies = await in_turn(lambda pair: _copy(job, *pair), pairs, AT_ONCE)
        ready += [copy for copy in copies if copy is not None]
        seen += len(wanted)
        told(seen, total)
    if ready:
        lists.append(await job.vault.keep_list(ready))
    return lists


def _merged(wanted: Iterator[Wanted], own: Sequence[Wanted]) -> Iterator[Wanted]:
    """Both, ordered by digest, each digest once."""
    mine = sorted({one.digest: one for one in own}.values(), key=lambda one: one.digest)
    place, last = 0, ""
    for one in wanted:
        while place < len(mine) and mine[place].digest <= one.digest:
            last = mine[place].digest
            yield mine[place]
            place += 1
        if one.digest != last:
            yield one
    yield from mine[place:]


async def _copy(job: _Job, wanted: Wanted, there: Copy | None) -> Copy | None:
    """The copy of an object: found, or written now; None where the library has lost it."""
    own = job.scratch / wanted.digest
    size = own.stat().st_size if own.exists() else wanted.size_bytes
    if size is None:
        size = await job.original.store.size(wanted.keys[0])
    if there is not None and size is not None:
        copy = Copy(there.digest, size, there.sealed, there.sealed_bytes)
        if there.sealed is not None or there.size_bytes == size:
            job.done.found += 1
            return copy
    if own.exists():
        return await _written(job, wanted.digest, own)
    for key in wanted.keys:
        try:
            path = await job.original.store.as_file(key, job.scratch / "fetched")
            copy = await _written(job, wanted.digest, path)
        except (ObjectMissing, ObjectDamaged):
            continue
        finally:
            (job.scratch / "fetched" / key).unlink(missing_ok=True)
        return copy
    job.done.lacking.append(wanted.digest)
    return None


async def _written(job: _Job, digest: Digest, path: Path) -> Copy:
    """Raises ``ObjectDamaged`` when the library's bytes are wrong, else ``BackupUnproved``."""
    try:
        size = (await asyncio.to_thread(path.stat)).st_size
        copy = await job.vault.keep(digest, path, size, job.scratch)
    except ObjectDamaged:
        if (await asyncio.to_thread(digest_of_file, path))[0] == digest:
            raise BackupUnproved(f"{job.vault.name} does not keep the bytes of {digest}") from None
        raise
    job.done.written += 1
    job.done.bytes_written += copy.stored_bytes
    return copy


async def _keep_lacking(job: _Job, lists: list[ListPiece]) -> list[Digest]:
    """Write which objects are lacking, as one object more."""
    head = {"table": LACKING, "columns": ["digest"], "times": []}
    piece = packed([head, *([digest] for digest in sorted(job.done.lacking))])
    digest = digest_of(piece)
    (job.scratch / digest).write_bytes(piece)
    there = (await job.vault.have(digest[:2])).get(digest)
    copy = await _copy(job, Wanted(digest, len(piece), []), there)
    assert copy is not None
    lists.append(await job.vault.keep_list([copy]))
    return [digest]
