"""Prove a vault: every copy that its snapshots name is there, with the bytes that it must have."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from matinee.assets.snapshots import COPIES, Copy, SnapshotName
from matinee.core.errors import LibraryError, ObjectMissing
from matinee.flows.vault import Vault
from matinee.stages.together import in_turn

AT_ONCE = 4
ASIDE = "damaged"
"""Where damaged copies are put, so that the next backup writes them again."""


@dataclass
class Checked:
    """What was found: keys of copies that are damaged or missing, and snapshots that are."""

    snapshots: int = 0
    objects: int = 0
    bytes: int = 0
    damaged: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)


async def check_vault(
    vault: Vault, names: Sequence[SnapshotName], scratch: Path,
    told: Callable[[int], None] = lambda _: None,
) -> Checked:  # fmt: skip
    """Read every copy of the snapshots once. No identity is needed: names say what bytes must be.

    Damaged copies are moved to ``damaged``.
    """
    found = Checked(len(names))
    pieces: set[str] = set()
    seen: set[bytes] = set()

    async def check(copy: Copy) -> None:
        there = await vault.digest_at(copy.key)
        if there is None:
            found.missing.append(copy.key)
        elif there != (copy.stored_digest, copy.stored_bytes):
            found.damaged.append(copy.key)
            await _put_aside(vault, copy, scratch)
        found.objects += 1
        found.bytes += copy.stored_bytes

    for name in reversed(names):
        try:
            lists = (await vault.read(name)).lists
        except ObjectMissing:
            continue  # thinned meanwhile
        except LibraryError:
            found.damaged.append(name.key)
            continue
        for piece in lists:
            if piece.key in pieces:
                continue
            pieces.add(piece.key)
            try:
                copies = await vault.listed(piece)
            except LibraryError as error:
                is_gone = isinstance(error, ObjectMissing)
                (found.missing if is_gone else found.damaged).append(piece.key)
                continue
            new = [copy for copy in copies if bytes.fromhex(copy.stored_digest) not in seen]
            seen |= {bytes.fromhex(copy.stored_digest) for copy in new}
            await in_turn(check, new, AT_ONCE)
            told(found.objects)
    return found


async def _put_aside(vault: Vault, copy: Copy, scratch: Path) -> None:
    """A wrong copy of a film may be all that is left of it: it is moved, never removed."""
    path = await vault.store.as_file(copy.key, scratch)
    await vault.store.write(copy.key.replace(COPIES, ASIDE, 1), path, changes=True)
    await vault.store.delete(copy.key)
    if not vault.store.is_local:
        path.unlink()
