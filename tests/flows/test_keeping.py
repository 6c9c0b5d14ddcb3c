"""What rules call to keep a library safe, over a library without titles."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest
from pyrage import x25519

from matinee.assets.asset import Asset
from matinee.assets.backup_policy import FILE, BackupPolicyInvalid
from matinee.assets.retention import Retention
from matinee.config import read_settings
from matinee.core.errors import LibraryBusy, MatineeError
from matinee.core.events import Fact
from matinee.core.ids import digest_of
from matinee.flows.keeping import Keeper
from matinee.flows.thin import thin
from matinee.flows.vault import Vault
from matinee.flows.vault_copies import VaultCopies
from matinee.wiring.backup import backups_of, keeper_of, open_vault
from matinee.wiring.library import Library, now, open_library


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return open_library(read_settings(str(tmp_path / "library"), 1))


def keeper_with(library: Library, *lines: str) -> Keeper:
    (library.settings.library / FILE).write_text("".join(f"[[backup]]\n{line}\n" for line in lines))
    return keeper_of(library)


def kinds(library: Library) -> list[str]:
    return [entry.type for entry in library.events.after(0, 100)]


def test_without_a_policy_nothing_is_done(library: Library) -> None:
    keeper = keeper_of(library)

    asyncio.run(keeper.back_up(None))
    asyncio.run(keeper.drill(None))

    assert keeper.late(1, 1, now()) == []
    assert kinds(library) == []


def test_a_place_that_fails_does_not_keep_the_others_from_theirs(
    library: Library, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("no folder")
    keeper = keeper_with(library, f'to = "{tmp_path / "file" / "a"}"', f'to = "{tmp_path / "b"}"')

    with pytest.raises(MatineeError):
        asyncio.run(keeper.back_up(None))

    assert kinds(library) == ["backup.failed", "backup.made"]
    assert list((tmp_path / "b" / "snapshots").iterdir())


def test_what_was_never_done_or_is_too_old_is_late(library: Library, tmp_path: Path) -> None:
    place = str(tmp_path / "v")
    keeper = keeper_with(library, f'to = "{place}"')
    assert [late.what for late in keeper.late(2, 8, now())] == ["backup", "drill"]

    asyncio.run(keeper.back_up(None))
    asyncio.run(keeper.drill(None))

    assert keeper.late(2, 8, now()) == []
    in_three_days = now() + timedelta(days=3)
    assert [late.what for late in keeper.late(2, 8, in_three_days)] == ["backup"]


def test_an_encrypted_place_needs_no_drill_where_there_is_no_identity(
    library: Library, tmp_path: Path
) -> None:
    recipient = x25519.Identity.generate().to_public()
    keeper = keeper_with(library, f'to = "{tmp_path / "v"}"\nrecipients = ["{recipient}"]')

    asyncio.run(keeper.back_up(None))
    asyncio.run(keeper.drill(None))

    assert kinds(library) == ["backup.made"]
    assert keeper.late(2, 8, now()) == []


def test_a_fault_in_the_policy_is_told(library: Library) -> None:
    keeper = keeper_with(library, "made = 'all'")
    with pytest.raises(BackupPolicyInvalid):
        asyncio.run(keeper.back_up(None))


def snapshots_of(vault: Vault) -> int:
    return len(asyncio.run(vault.snapshots()))


def test_thinning_keeps_what_kept_snapshots_name_and_removes_the_rest(
    library: Library, tmp_path: Path
) -> None:
    keeper = keeper_with(library, f'to = "{tmp_path / "v"}"')
    (tmp_path / "v").mkdir()
    vault = open_vault(str(tmp_path / "v"))
    for number in range(3):
        library.events.append([Fact("schedule.due", f"rule/{number}", {"rule": "a"})])
        asyncio.run(keeper.back_up(None))
    before = len(list((tmp_path / "v" / "copies").rglob("*")))

    asyncio.run(thin(vault, Retention(last=2)))
    young = len(list((tmp_path / "v" / "copies").rglob("*")))
    done = asyncio.run(thin(vault, Retention(last=1), grace=timedelta(0)))

    assert young == before  # a day's grace
    assert done.snapshots == 1 and done.objects > 0
    assert snapshots_of(vault) == 1
    asyncio.run(keeper.drill(None))
    (told,) = [e.event for e in library.events.after(0, 100) if e.type == "drill.ended"]
    assert told is not None and told.data["passed"]


@pytest.mark.parametrize("folder", ["copies", "lists"])
def test_a_bad_copy_is_told_of_and_written_again(
    library: Library, tmp_path: Path, folder: str
) -> None:
    keeper = keeper_with(library, f'to = "{tmp_path / "v"}"')
    asyncio.run(keeper.back_up(None))
    asyncio.run(keeper.check_backups(None))
    assert kinds(library) == ["backup.made"]
    files = [path for path in sorted((tmp_path / "v" / folder).rglob("*")) if path.is_file()]
    # The policy's file: the tables of the next backup have another event.
    bad = next(path for path in files if folder == "lists" or b"[[backup]]" in path.read_bytes())
    whole = bad.read_bytes()
    bad.write_bytes(bytes([whole[0] ^ 1]) + whole[1:])

    asyncio.run(keeper.check_backups(None))

    told, made = list(library.events.after(0, 10))[1:]
    assert told.event is not None and made.event is not None
    assert (told.type, made.type) == ("backup.damaged", "backup.made")
    assert told.event.data["keys"] == [bad.relative_to(tmp_path / "v").as_posix()]
    assert made.event.cause == told.event.id
    if folder == "copies":
        assert bad.read_bytes() == whole


def test_thinning_and_backups_wait_for_each_other(library: Library, tmp_path: Path) -> None:
    keeper = keeper_with(library, f'to = "{tmp_path / "v"}"')
    asyncio.run(keeper.back_up(None))
    mine = open_vault(str(tmp_path / "v"))
    other = Vault(
        mine.store, mine.name, None, seals=False, owner="other/boot/1/1",
        is_dead=lambda _: False, now=now,
    )  # fmt: skip

    async def thin_beside_a_backup() -> None:
        async with other.marked("backup", against="thinning"):
            await thin(mine, Retention(last=1))

    with pytest.raises(LibraryBusy, match="other"):
        asyncio.run(thin_beside_a_backup())
    assert asyncio.run(thin(mine, Retention(last=1))).snapshots == 0


def test_a_backup_is_a_second_copy_for_repairs(library: Library, tmp_path: Path) -> None:
    body = b"a film"
    asset = Asset(digest_of(body), len(body), "video/mp4")
    film = tmp_path / "film"
    film.write_bytes(body)
    identity = x25519.Identity.generate()
    (tmp_path / "identity").write_text(str(identity))
    (tmp_path / "v").mkdir()
    plain = open_vault(str(tmp_path / "v"))
    sealing = open_vault(str(tmp_path / "v"), [str(identity.to_public())])
    reading = open_vault(str(tmp_path / "v"), identity=str(tmp_path / "identity"))

    async def fetched(vault: Vault) -> bytes | None:
        copies = VaultCopies("v", lambda: vault)
        if await copies.offer(asset) is None:
            return None
        (tmp_path / "fetched").mkdir(exist_ok=True)
        path = await copies.fetch(asset, tmp_path / "fetched")
        return None if path is None else path.read_bytes()

    assert asyncio.run(fetched(plain)) is None
    asyncio.run(sealing.keep(asset.digest, film, len(body), tmp_path))
    assert asyncio.run(fetched(plain)) is None
    assert asyncio.run(fetched(reading)) == body
    asyncio.run(plain.keep(asset.digest, film, len(body), tmp_path))
    assert asyncio.run(fetched(plain)) == body


def test_a_backup_that_cannot_be_opened_has_no_copy(library: Library, tmp_path: Path) -> None:
    keeper_with(library, f'to = "{tmp_path / "gone"}"')
    (copies,) = backups_of(library)
    asset = Asset(digest_of(b"a film"), 6, "video/mp4")

    assert asyncio.run(copies.offer(asset)) is None
    assert asyncio.run(copies.fetch(asset, tmp_path)) is None
    assert not (tmp_path / "gone").exists()
