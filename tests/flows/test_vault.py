"""A snapshot's document is kept twice: what one place loses comes back from the other."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from matinee.assets.snapshots import Snapshot, SnapshotInvalid, SnapshotName
from matinee.flows.check_vault import Checked, check_vault
from matinee.flows.thin import thin
from matinee.flows.vault import Vault
from matinee.wiring.backup import open_vault

TAKEN = datetime(2026, 11, 28, 3, 40, tzinfo=UTC)
SNAPSHOT = Snapshot(TAKEN, "0.1.0", "0004", False, 1, 0, {}, [])
NAME = SnapshotName(SNAPSHOT.key, TAKEN, SNAPSHOT.id)

DAMAGE: dict[str, Callable[[Path], object]] = {
    "changed": lambda path: path.write_bytes(path.read_bytes().replace(b"0.1.0", b"0.1.1")),
    "cut off": lambda path: path.write_bytes(path.read_bytes()[:-1]),
    "empty": lambda path: path.write_bytes(b""),
    "missing": lambda path: path.unlink(),
}


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    (tmp_path / "v").mkdir()
    found = open_vault(str(tmp_path / "v"))
    asyncio.run(found.keep_snapshot(SNAPSHOT))
    return found


def checked(vault: Vault, scratch: Path) -> Checked:
    return asyncio.run(check_vault(vault, asyncio.run(vault.snapshots()), scratch))


@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.parametrize("key", NAME.keys)
def test_a_damaged_document_is_read_and_written_again_from_the_other(
    key: str, damage: str, vault: Vault, tmp_path: Path
) -> None:
    path = tmp_path / "v" / key
    good = path.read_bytes()
    DAMAGE[damage](path)

    assert asyncio.run(vault.newest()) == SNAPSHOT
    told = checked(vault, tmp_path)
    assert told.lost == []
    if (key, damage) != (NAME.second, "missing"):  # older backups have none
        assert [*told.damaged, *told.missing] == [key]
    assert asyncio.run(vault.mend_snapshots()) == [key]
    assert path.read_bytes() == good
    assert checked(vault, tmp_path) == Checked(snapshots=1)


def test_of_two_damaged_documents_nothing_is_moved_and_nothing_is_thinned(
    vault: Vault, tmp_path: Path
) -> None:
    for key in NAME.keys:
        DAMAGE["changed"](tmp_path / "v" / key)

    told = checked(vault, tmp_path)
    assert told.damaged == told.lost == list(NAME.keys)
    assert asyncio.run(vault.mend_snapshots()) == []
    with pytest.raises(SnapshotInvalid):
        asyncio.run(thin(vault, None))
    assert [each.id for each in asyncio.run(vault.snapshots())] == [SNAPSHOT.id]
