"""Restore a whole library from a snapshot into an empty place.

Objects first, each proved and in its place or not at all; the tables last, in one transaction. So a
restore that was broken off has written no row, and the same command goes on: what lies right
already is not fetched again. Objects that a lost library still has are used where they lie.
"""

import asyncio
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, fields
from datetime import datetime
from pathlib import Path
from typing import Any

from matinee.assets.asset import object_key
from matinee.assets.files import digest_of_file
from matinee.assets.snapshots import Copy, Snapshot, unpacked
from matinee.core.errors import LibraryError, ObjectMissing
from matinee.core.events import Fact
from matinee.core.ids import Digest
from matinee.flows.back_up import FILES, LACKING
from matinee.flows.vault import Vault
from matinee.media.media_types import MEDIA_TYPES
from matinee.ports.catalog import Title, Titles
from matinee.ports.dump import Dump
from matinee.ports.store import UNTYPED, ObjectStore
from matinee.stages import publish as publishing
from matinee.stages.together import in_turn

AT_ONCE = 4
BATCH = 256
"""Objects whose places are looked at together."""


class RestoreIncomplete(LibraryError):
    """A library was restored, but some objects of the snapshot could not be read."""

    code = "restore.incomplete"
    advice = "restore from another copy of the backup into the same place: it adds what is missing"


@dataclass(frozen=True, slots=True)
class Target:
    """The library that is to be. ``folder`` is its folder on this machine."""

    store: ObjectStore
    dump: Dump
    titles: Titles
    folder: Path


@dataclass
class Restored:
    """How a restore went."""

    snapshot: Snapshot
    written: int = 0
    found: int = 0
    bytes_written: int = 0
    lost: list[str] = field(default_factory=list)
    """Keys of objects whose copies could not be read."""


@dataclass(frozen=True, slots=True)
class Placed:
    """An object and where it belongs. ``changes``: its key may have other bytes later."""

    copy: Copy
    key: str
    media_type: str
    changes: bool = False


class Contents:
    """What a snapshot holds: its copies by digest, and its tables, piece by piece."""

    def __init__(self, vault: Vault, snapshot: Snapshot, scratch: Path) -> None:
        self._vault, self._scratch = vault, scratch
        self.snapshot = snapshot
        self._sealed: dict[bytes, tuple[int, bytes | None, int | None]] = {}

    async def load(self) -> None:
        """Read the list of objects."""
        async for copy in self._vault.copies(self.snapshot):
            sealed = bytes.fromhex(copy.sealed) if copy.sealed else None
            self._sealed[bytes.fromhex(copy.digest)] = copy.size_bytes, sealed, copy.sealed_bytes

    def has(self, digest: str) -> bool:
        """Whether the snapshot has the object."""
        return bytes.fromhex(digest) in self._sealed

    def copy(self, digest: str) -> Copy:
        """The copy of an object that it has."""
        size, sealed, sealed_bytes = self._sealed[bytes.fromhex(digest)]
        return Copy(
            Digest(digest), size, Digest(sealed.hex()) if sealed is not None else None, sealed_bytes
        )

    async def pieces(self) -> Mapping[str, Sequence[Path]]:
        """Fetch the pieces of all tables into scratch."""
        found: dict[str, list[Path]] = {}
        for table, digests in self.snapshot.tables.items():
            for digest in digests:
                path = self._scratch / f"piece-{digest}"
                if not path.exists():
                    fetched = await self._vault.fetch(self.copy(digest), self._scratch)
                    path.write_bytes(fetched.read_bytes())
                found.setdefault(table, []).append(path)
        return found


def rows(pieces: Mapping[str, Sequence[Path]], table: str) -> Iterator[dict[str, Any]]:
    """The rows of a table, with times as text."""
    for path in pieces.get(table, ()):
        lines = unpacked(path.read_bytes())
        columns = next(lines)["columns"]
        for line in lines:
            yield dict(zip(columns, line, strict=True))


async def restore(
    vault: Vault, target: Target, at: datetime | None, scratch: Path,
    told: Callable[[int, int], None] = lambda _, __: None,
) -> Restored:  # fmt: skip
    """Make a library what it was at the newest snapshot that is not younger than ``at``.

    Raises:
        LibraryNotEmpty: the library's database has rows.
        NotFound: there is no such snapshot.
        SnapshotInvalid, ObjectMissing, ObjectDamaged: the snapshot's own parts cannot be read.
    """
    snapshot = await vault.newest(at)
    await asyncio.to_thread(target.dump.check_empty, snapshot.revision)
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        contents = Contents(vault, snapshot, Path(folder))
        await contents.load()
        pieces = await contents.pieces()
        done = Restored(snapshot)
        lost = await place_all(vault, target.store, contents, pieces, Path(folder), done, told)
        read = {
            name: (path.read_bytes() for path in paths)
            for name, paths in pieces.items()
            if name not in (FILES, LACKING)
        }

        def has(digest: str) -> bool:
            return contents.has(digest) and digest not in lost

        await _own_files(vault, target, contents, pieces, Path(folder))
        await project_all(target.store, pieces)
        facts = [restored_fact(done, vault.name, None)]
        await asyncio.to_thread(target.dump.fill, snapshot.revision, read, has, facts)
    return done


def restored_fact(done: Restored, vault: str, title: str | None) -> Fact:
    """What is told of a restore."""
    return Fact("library.restored" if title is None else "title.restored", _subject(title), {
        "title": title,
        "vault": vault,
        "snapshot": done.snapshot.id,
        "taken_at": done.snapshot.taken_at.isoformat().replace("+00:00", "Z"),
        "written": done.written,
        "lost": len(done.lost),
    })  # fmt: skip


def _subject(title: str | None) -> str:
    return "library" if title is None else f"title/{title}"


async def place_all(
    vault: Vault, store: ObjectStore, contents: Contents, pieces: Mapping[str, Sequence[Path]],
    scratch: Path, done: Restored, told: Callable[[int, int], None],
) -> set[str]:  # fmt: skip
    """Bring every object to its place; gives the digests of those that cannot be read."""
    lost: set[str] = set()
    waiting: list[Placed] = []
    seen, total = 0, contents.snapshot.objects

    async def flush() -> None:
        for one, is_there in zip(
            waiting,
            await in_turn(lambda o: place(vault, store, o, scratch, done), waiting, AT_ONCE),
            strict=True,
        ):
            if not is_there:
                lost.add(one.copy.digest)
        waiting.clear()

    for one in _places(contents, pieces):
        waiting.append(one)
        if len(waiting) == BATCH:
            seen += len(waiting)
            await flush()
            told(min(seen, total), total)
    await flush()
    told(total, total)
    return lost


def _places(contents: Contents, pieces: Mapping[str, Sequence[Path]]) -> Iterator[Placed]:
    types = {
        bytes.fromhex(row["digest"]): row["media_type"]
        for row in rows(pieces, "asset")
        if row["media_type"] != UNTYPED
    }
    for row in rows(pieces, "location"):
        if contents.has(row["digest"]):
            media_type = types.get(bytes.fromhex(row["digest"]), UNTYPED)
            yield Placed(contents.copy(row["digest"]), row["key"], media_type)
    for digest in {row["report"] for row in rows(pieces, "package")}:
        if contents.has(digest):
            yield Placed(contents.copy(digest), object_key(digest), "application/json")
    for row in rows(pieces, "run"):
        sheet = (row["progress"].get("grid") or {}).get("sheet")
        if sheet and contents.has(sheet):
            yield Placed(contents.copy(sheet), object_key(sheet), UNTYPED)
    for row in rows(pieces, FILES):
        if row["place"] == "store" and contents.has(row["digest"]):
            media_type = MEDIA_TYPES.get(Path(row["key"]).suffix, UNTYPED)
            yield Placed(contents.copy(row["digest"]), row["key"], media_type, changes=True)


async def place(
    vault: Vault, store: ObjectStore, one: Placed, scratch: Path, done: Restored
) -> bool:
    """Bring an object to its place, if it does not lie there; False when it cannot be read."""
    if await lies_right(store, one, scratch):
        done.found += 1
        return True
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        try:
            path = await vault.fetch(one.copy, Path(folder))
        except LibraryError as error:
            if error.retryable:
                raise
            done.lost.append(one.key)
            return False
        await store.write(
            one.key, path, media_type=one.media_type, changes=one.changes, digest=one.copy.digest
        )
    done.written += 1
    done.bytes_written += one.copy.size_bytes
    return True


async def lies_right(store: ObjectStore, one: Placed, scratch: Path) -> bool:
    """Whether the object lies in its place; its bytes are read where they are a file here."""
    if await store.size(one.key) != one.copy.size_bytes:
        return False
    if not store.is_local:
        return True
    found, _ = await asyncio.to_thread(digest_of_file, await store.as_file(one.key, scratch))
    return found == one.copy.digest


async def _own_files(
    vault: Vault, target: Target, contents: Contents, pieces: Mapping[str, Sequence[Path]],
    scratch: Path,
) -> None:  # fmt: skip
    """People's own files of the library's folder, where there are none yet."""
    for row in rows(pieces, FILES):
        path = target.folder / Path(row["key"]).name
        if row["place"] == "folder" and contents.has(row["digest"]) and not path.exists():
            fetched = await vault.fetch(contents.copy(row["digest"]), scratch)
            path.write_bytes(fetched.read_bytes())


async def project_all(store: ObjectStore, pieces: Mapping[str, Sequence[Path]]) -> None:
    """Write the entry manifests of every title: before its row, so that the row comes last."""
    for row in rows(pieces, "title"):
        if row["current"] is not None:
            with suppress(ObjectMissing):  # its manifests are among what is lost
                await publishing.project(store, title_of(row))


def title_of(row: Mapping[str, Any]) -> Title:
    """The title of a row."""
    values: dict[str, Any] = {
        each.name: datetime.fromisoformat(row[each.name])
        if each.name.endswith("_at") and row[each.name] is not None
        else row[each.name]
        for each in fields(Title)
        if each.name in row  # an older version's rows have fewer
    }
    return Title(**values)
