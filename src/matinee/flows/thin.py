"""Thin a vault: remove snapshots that the retention does not keep, and what no snapshot names."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta

from matinee.assets.retention import Retention, kept
from matinee.assets.snapshots import COPIES, LISTS, copy_names
from matinee.flows.vault import Vault
from matinee.ports.store import Listed
from matinee.stages.together import in_turn

GRACE = timedelta(days=1)
"""How long a copy stays that no snapshot names: the next backup may use it."""

AT_ONCE = 8


@dataclass
class Thinned:
    """What was removed."""

    snapshots: int = 0
    objects: int = 0
    bytes: int = 0


async def thin(vault: Vault, retention: Retention | None, grace: timedelta = GRACE) -> Thinned:
    """Remove what is not to be kept; None keeps every snapshot.

    What a kept snapshot names is never removed: all kept ones are read first, and when one of them
    cannot be read nothing is removed. Snapshots go first, so that none is left without its objects.

    Raises:
        LibraryBusy: a backup is being made in the vault.
        SnapshotInvalid, ObjectMissing: a snapshot that is to be kept cannot be read.
    """
    done = Thinned()
    async with vault.marked("thinning", against="backup"):
        names = await vault.snapshots()
        times = {name.taken_at for name in names}
        stay = times if retention is None else kept(times, retention)
        needed: set[bytes] = set()
        pieces: set[str] = set()
        for name in names:
            if name.taken_at in stay:
                snapshot = await vault.read(name)
                for piece in snapshot.lists:
                    if piece.key not in pieces:
                        pieces.add(piece.key)
                        needed |= {_short(c.digest, c.sealed) for c in await vault.listed(piece)}
        for name in names:
            if name.taken_at not in stay:
                for key in reversed(name.keys):  # the second never stays alone
                    await vault.store.delete(key)
                done.snapshots += 1
        oldest = vault.now() - grace
        gone = [one async for one in _unneeded(vault, needed, pieces) if one.changed_at < oldest]
        await in_turn(lambda one: vault.store.delete(one.key), gone, AT_ONCE)
        done.objects, done.bytes = len(gone), sum(one.size_bytes for one in gone)
    return done


async def _unneeded(vault: Vault, needed: set[bytes], pieces: set[str]) -> AsyncIterator[Listed]:
    async for one in vault.store.listed(COPIES):
        names = copy_names(one.key)
        if names is not None and _short(*names) not in needed:
            yield one
    async for one in vault.store.listed(LISTS):
        if one.key not in pieces:
            yield one


def _short(digest: str, sealed: str | None) -> bytes:
    return bytes.fromhex(f"{digest}{sealed or ''}")
