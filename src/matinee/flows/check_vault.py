"""Prove a vault: every copy that its snapshots name is there, with the bytes that it must have."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from matinee.assets.snapshots import COPIES, Copy, ListPiece, SnapshotInvalid, SnapshotName
from matinee.core.errors import LibraryError, LibraryUnreachable, ObjectMissing
from matinee.flows.vault import Vault
from matinee.stages.together import in_turn

AT_ONCE = 4
ASIDE = "damaged"
"""Where damaged copies are put, so that the next backup writes them again."""


@dataclass
class Checked:
    """What was found: keys of copies that are damaged or missing, and snapshots that are.

    ``lost`` are those of ``damaged`` that no backup writes again: snapshots of which both documents
    are bad.
    """

    snapshots: int = 0
    objects: int = 0
    bytes: int = 0
    damaged: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)


async def check_vault(
    vault: Vault, names: Sequence[SnapshotName], scratch: Path,
    told: Callable[[int], None] = lambda _: None,
) -> Checked:  # fmt: skip
    """Read every copy of the snapshots once. No identity is needed: names say what bytes must be.

    Damaged copies, damaged pieces of the lists of them, and documents of snapshots of which the
    other one is right are moved to ``damaged``. A snapshot of which both are damaged stays: nothing
    writes it again, and no copy is thinned that only it may name.
    """
    found = Checked(len(names))
    pieces: set[str] = set()
    seen: set[bytes] = set()
    for name in reversed(names):
        await _check_documents(vault, name, scratch, found)
        try:
            lists = (await vault.read(name)).lists
        except (ObjectMissing, SnapshotInvalid):
            continue  # told already, or thinned meanwhile
        for piece in lists:
            if piece.key in pieces:
                continue
            pieces.add(piece.key)
            copies = await _listed(vault, piece, scratch, found)
            new = [copy for copy in copies if bytes.fromhex(copy.stored_digest) not in seen]
            seen |= {bytes.fromhex(copy.stored_digest) for copy in new}
            await in_turn(lambda copy: _check(vault, copy, scratch, found), new, AT_ONCE)
            told(found.objects)
    return found


async def _check_documents(vault: Vault, name: SnapshotName, scratch: Path, found: Checked) -> None:
    """Both documents of a snapshot; older backups have one only."""
    there = [key for key in name.keys if await vault.store.size(key) is not None]
    bad = [key for key in there if await vault.document_at(name, key) is None]
    found.damaged += bad
    if there and len(bad) == len(there):
        found.lost += bad
        return
    for key in bad:
        await _put_aside(vault, key, scratch)
    if there == [name.second]:
        found.missing.append(name.key)


async def _listed(vault: Vault, piece: ListPiece, scratch: Path, found: Checked) -> list[Copy]:
    """The copies of a piece; none where it is bad itself."""
    try:
        return await vault.listed(piece)
    except ObjectMissing:
        found.missing.append(piece.key)
    except SnapshotInvalid:
        found.damaged.append(piece.key)
        await _put_aside(vault, piece.key, scratch)
    return []


async def _check(vault: Vault, copy: Copy, scratch: Path, found: Checked) -> None:
    found.objects += 1
    found.bytes += copy.stored_bytes
    try:
        there = await vault.digest_at(copy.key)
    except LibraryUnreachable:
        raise
    except LibraryError:  # a disk that does not give it
        found.damaged.append(copy.key)
        return
    if there is None:
        found.missing.append(copy.key)
    elif there != (copy.stored_digest, copy.stored_bytes):
        found.damaged.append(copy.key)
        await _put_aside(vault, copy.key, scratch)


async def _put_aside(vault: Vault, key: str, scratch: Path) -> None:
    """A wrong copy of a film may be all that is left of it: it is moved, never removed.

    Of a piece of the list as well: one of its size would pass for it in the next backup.
    """
    path = await vault.store.as_file(key, scratch)
    folder, _, name = key.partition("/")
    aside = f"{ASIDE}/{name}" if folder == COPIES else f"{ASIDE}/{key}"
    await vault.store.write(aside, path, changes=True)
    await vault.store.delete(key)
    if not vault.store.is_local:
        path.unlink()
