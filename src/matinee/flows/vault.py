"""A place that holds backups: copies of objects, lists of them, snapshots.

What is written is read back before it counts. Backups into one vault may run side by side; thinning
runs alone: each puts its mark into the vault before it looks for the marks of others.
"""

import asyncio
import contextlib
import hashlib
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from matinee.assets.files import digest_of_file
from matinee.assets.snapshots import (
    COPIES,
    SECONDS,
    SNAPSHOTS,
    Copy,
    ListPiece,
    Snapshot,
    SnapshotName,
    copy_names,
    list_document,
    read_list,
    read_snapshot,
    snapshot_name,
)
from matinee.core.errors import (
    LibraryBusy,
    LibraryError,
    LibraryUnreachable,
    NotFound,
    ObjectDamaged,
    ObjectMissing,
)
from matinee.core.ids import Digest, canonical_json, digest_of
from matinee.ports.sealing import Sealer, SealRefused
from matinee.ports.store import ListedStore

BUSY = "busy"
PLACES = (SNAPSHOTS, SECONDS)
"""Where a snapshot's document lies, and lies once more."""

FORGOTTEN = timedelta(days=7)
"""A mark of another machine that is older has no owner any more."""


class BackupUnproved(LibraryError):
    """What was written into a backup reads back as other bytes."""

    code = "backup.unproved"
    retryable = True
    advice = "check the disk or the bucket of the backup, then run the same command again"


@dataclass(frozen=True, slots=True)
class Vault:
    """A backup's store. ``sealer`` encrypts and decrypts, where there is a policy or an identity.

    ``name`` is for people, ``owner`` names this process, ``is_dead`` judges other processes'.
    """

    store: ListedStore
    name: str
    sealer: Sealer | None
    seals: bool
    owner: str
    is_dead: Callable[[str], bool]
    now: Callable[[], datetime]

    async def have(self, prefix: str) -> Mapping[Digest, Copy]:
        """The copies whose digests begin with those two digits, as this backup would write them."""
        found: dict[Digest, Copy] = {}
        async for one in self.store.listed(f"{COPIES}/{prefix}"):
            names = copy_names(one.key)
            if names is None or (names[1] is not None) != self.seals:
                continue
            digest, sealed = names
            # The size before encryption is no part of the name: age adds a head and 16 bytes a
            # chunk, and who lists the object knows its size.
            found[digest] = (
                Copy(digest, one.size_bytes)
                if sealed is None
                else Copy(digest, -1, sealed, one.size_bytes)
            )
        return found

    async def find(self, digest: Digest, size: int) -> Copy | None:
        """A copy of an asset that this machine can read, without reading it."""
        plain = Copy(digest, size)
        if await self.store.size(plain.key) == size:
            return plain
        if self.sealer is None:
            return None
        async for one in self.store.listed(f"{COPIES}/{digest[:2]}"):
            names = copy_names(one.key)
            if names is not None and names[0] == digest:
                return Copy(digest, size, names[1], one.size_bytes)
        return None

    async def keep(self, digest: Digest, path: Path, size: int, scratch: Path) -> Copy:
        """Write a file of that digest, encrypted where that is wished, and read it back.

        Raises:
            ObjectDamaged: the file's bytes are not those of ``digest``.
            BackupUnproved: the vault gives other bytes than it was given.
        """
        if not self.seals:
            copy = Copy(digest, size)
            await self._write(copy.key, path, digest, size)
            return copy
        assert self.sealer is not None
        found, _ = await asyncio.to_thread(digest_of_file, path)
        if found != digest:
            raise ObjectDamaged(f"{path.name} has other bytes than its name says")
        sealed = scratch / f"{digest}.age"
        try:
            await asyncio.to_thread(self.sealer.seal, path, sealed)
            named, sealed_size = await asyncio.to_thread(digest_of_file, sealed)
            copy = Copy(digest, size, named, sealed_size)
            await self._write(copy.key, sealed, named, sealed_size)
        finally:
            sealed.unlink(missing_ok=True)
        return copy

    async def keep_list(self, copies: Sequence[Copy]) -> ListPiece:
        """Write a piece of the list of objects, if it is not there already."""
        body = list_document(copies)
        total = sum(copy.size_bytes for copy in copies)
        piece = ListPiece(digest_of(body), len(copies), total)
        if await self.store.size(piece.key) != len(body):
            await self._write(piece.key, body, piece.digest, len(body))
        return piece

    async def keep_snapshot(self, snapshot: Snapshot) -> None:
        """Write the snapshot, twice: from now on there is one more."""
        body = snapshot.document()
        name = SnapshotName(snapshot.key, snapshot.taken_at, snapshot.id)
        for key in name.keys:
            await self._write(key, body, name.id, len(body))

    async def mend_snapshots(self) -> list[str]:
        """Write documents again of which one place has other bytes, or none; gives their keys."""
        sizes = {one.key: one.size_bytes for at in PLACES async for one in self.store.listed(at)}
        mended = []
        for name in await self.snapshots():
            if len({sizes.get(key) for key in name.keys}) == 1:
                continue  # as long as the other: proving finds what is wrong then
            bodies = {key: await self.document_at(name, key) for key in name.keys}
            body = next((each for each in bodies.values() if each is not None), None)
            for key in (key for key, each in bodies.items() if each is None):
                if body is not None:
                    await self._write(key, body, name.id, len(body))
                    mended.append(key)
        return mended

    async def _write(self, key: str, content: bytes | Path, digest: Digest, size: int) -> None:
        await self.store.write(key, content, digest=digest)
        if await self.digest_at(key) != (digest, size):
            await self.store.delete(key)
            raise BackupUnproved(f"{self.name} gave back other bytes of {key}")

    async def digest_at(self, key: str) -> tuple[Digest, int] | None:
        """Digest and size of what lies at a key, read in small pieces; None when nothing does."""
        found = await self.store.look(key)
        if found is None:
            return None
        proof = hashlib.sha256()
        async for piece in await self.store.stream(key, 0, found.size_bytes, found.tag):
            proof.update(piece)
        return Digest(proof.hexdigest()), found.size_bytes

    async def fetch(self, copy: Copy, scratch: Path) -> Path:
        """A file with the copy's own bytes, proved; the caller may remove what is in ``scratch``.

        Raises:
            ObjectMissing, ObjectDamaged: the vault has not what it promised.
            SealRefused: no identity fits.
        """
        stored = await self.store.as_file(copy.key, scratch)
        if copy.sealed is not None:
            if self.sealer is None:
                raise SealRefused("the backup is encrypted, and no identity is given")
            target = scratch / copy.digest
            target.parent.mkdir(parents=True, exist_ok=True)
            await asyncio.to_thread(self.sealer.open, stored, target)
            if not self.store.is_local:
                stored.unlink()
            stored = target
        found, _ = await asyncio.to_thread(digest_of_file, stored)
        if found != copy.digest:
            raise ObjectDamaged(
                f"{self.name} has other bytes of {copy.key}",
                "the next backup writes it again; until then restore from another place",
            )
        return stored

    async def snapshots(self) -> list[SnapshotName]:
        """The names of all snapshots, oldest first."""
        found = [snapshot_name(one.key) for at in PLACES async for one in self.store.listed(at)]
        names = {name.id: name for name in found if name is not None}
        return sorted(names.values(), key=lambda name: (name.taken_at, name.id))

    async def read(self, name: SnapshotName) -> Snapshot:
        """A snapshot, from the second of its places where the first has it no more.

        Raises:
            SnapshotInvalid, ObjectMissing: neither has.
        """
        try:
            return read_snapshot(name, await self.store.read(name.key))
        except LibraryUnreachable:
            raise
        except LibraryError:
            body = await self.document_at(name, name.second)
            if body is None:
                raise
            return read_snapshot(name, body)

    async def document_at(self, name: SnapshotName, key: str) -> bytes | None:
        """The bytes of a snapshot's document at one of its places; None where they are others."""
        try:
            body = await self.store.read(key)
        except LibraryUnreachable:
            raise
        except LibraryError:
            return None
        return body if digest_of(body) == name.id else None

    async def newest(self, at: datetime | None = None) -> Snapshot:
        """The newest snapshot that is not younger than ``at``.

        Raises:
            NotFound: there is none.
        """
        names = [n for n in await self.snapshots() if at is None or n.taken_at <= at]
        if not names:
            when = f" as old as {at.isoformat()}" if at else ""
            raise NotFound(f"{self.name} has no snapshot{when}", "make one with: matinee backup")
        return await self.read(names[-1])

    async def listed(self, piece: ListPiece) -> list[Copy]:
        """The copies of a piece; raises ``SnapshotInvalid``, ``ObjectMissing``."""
        return await asyncio.to_thread(read_list, piece, await self.store.read(piece.key))

    async def copies(self, snapshot: Snapshot) -> AsyncIterator[Copy]:
        """Every copy that a snapshot names, by digest."""
        for piece in snapshot.lists:
            for copy in await self.listed(piece):
                yield copy

    @asynccontextmanager
    async def marked(self, kind: str, against: str) -> AsyncIterator[None]:
        """Held while no process works in the vault that is of the kind ``against``.

        Raises:
            LibraryBusy: one does.
        """
        mark = f"{BUSY}/{kind}-{digest_of(self.owner.encode())[:16]}.json"
        body = canonical_json({"owner": self.owner, "kind": kind}).encode()
        await self.store.write(mark, body, changes=True)
        try:
            await self._refuse(against)
            yield
        finally:
            with contextlib.suppress(LibraryError):
                await self.store.delete(mark)

    async def _refuse(self, against: str) -> None:
        async for one in self.store.listed(BUSY):
            owner = await self._owner_of(one.key, against)
            if owner is None or owner == self.owner:
                continue
            if self.now() - one.changed_at <= FORGOTTEN and not self.is_dead(owner):
                host, _, _ = owner.partition("/")
                raise LibraryBusy(f"a {against} works in {self.name} on {host}")
            await self.store.delete(one.key)

    async def _owner_of(self, key: str, kind: str) -> str | None:
        """Whose mark of that kind it is; None for another's, and for one that is gone meanwhile."""
        try:
            told = json.loads(await self.store.read(key))
        except ObjectMissing:
            return None
        owner: str = told["owner"]
        return owner if told["kind"] == kind else None
