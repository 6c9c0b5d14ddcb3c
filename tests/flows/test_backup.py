"""Backups and restores of a real library, as a user runs them."""

import json
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import Ended
from tests.databases import Postgres
from tests.s3_server import S3Server
from tests.shared import made_once

from matinee.core.ids import digest_of

pytestmark = pytest.mark.tools

Run = Callable[..., Ended]
Published = tuple[Path, dict[str, Any]]


@pytest.fixture(scope="module")
def vault(
    unscored: Published, matinee: Run, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, dict[str, Any]]:
    """A backup of the library ``unscored``, and what was printed."""

    def make(folder: Path) -> tuple[Path, dict[str, Any]]:
        library = folder / "library"
        shutil.copytree(unscored[0], library)
        ended = matinee("backup", "--to", folder / "vault", "--library", library, "--json")
        assert ended.exit_code == 0, ended.err
        return folder / "vault", ended.json[0]

    return made_once(tmp_path_factory, "vault", make)


def served(library: Path) -> dict[str, bytes]:
    """All that is served of a library."""
    titles = library / "titles"
    return {
        path.relative_to(titles).as_posix(): path.read_bytes()
        for path in titles.rglob("*")
        if path.is_file()
    }


def made_from(library: Path) -> list[tuple[str, str]]:
    """Which derivations have which inputs, as lineage finds them."""
    with sqlite3.connect(library / "matinee.db") as database:
        return database.execute(
            "SELECT derivation.key, derivation_input.digest FROM derivation_input"
            " JOIN derivation ON sequence = derivation ORDER BY 1, 2"
        ).fetchall()


def whole(matinee: Run, title: str, library: Path, *more: object) -> None:
    ended = matinee("verify", title, "--library", library, *more)
    assert ended.exit_code == 0, ended.err


def test_a_lost_library_comes_back_whole_and_nothing_is_made_again(
    vault: tuple[Path, Any], unscored: Published, matinee: Run, tmp_path: Path,
    film: Path, ladder: Path,
) -> None:  # fmt: skip
    library, (lost, first) = tmp_path / "new", unscored

    restored = matinee("restore", "--from", vault[0], "--library", library, "--json")

    assert restored.exit_code == 0, restored.err
    assert restored.json["lost"] == []
    assert served(library) == served(lost)
    whole(matinee, first["title"], library)
    again = matinee(
        "publish", film, "--library", library, "--ladder", ladder, "--no-scores", "--json"
    ).json
    assert again["derivations"]["ran"] == 0
    assert again["package"] == first["package"].replace(str(lost), str(library))
    told = matinee("events", "verify", "--library", library)
    assert told.exit_code == 0, told.err


def test_a_lost_database_comes_back_beside_the_objects_that_are_left(
    vault: tuple[Path, Any], stocked: Published, matinee: Run
) -> None:
    library, document = stocked
    for path in library.glob("matinee.db*"):
        path.unlink()
    before = served(library)
    damaged = next((library / "titles").rglob("00001.m4s"))
    damaged.write_bytes(b"x" * damaged.stat().st_size)

    restored = matinee("restore", "--from", vault[0], "--library", library, "--json")

    assert restored.exit_code == 0, restored.err
    assert restored.json["written"] == 1
    assert served(library) == before
    whole(matinee, document["title"], library)


def test_a_second_backup_writes_only_what_is_new(
    stocked: Published, matinee: Run, tmp_path: Path
) -> None:
    library, document = stocked
    first = matinee("backup", "--to", tmp_path / "v", "--library", library, "--json").json[0]
    matinee("unpublish", document["title"], "--library", library)
    second = matinee("backup", "--to", tmp_path / "v", "--library", library, "--json").json[0]

    assert first["found"] == 0
    assert first["written"] == first["snapshot"]["objects"]
    assert second["written"] < 10  # pieces of tables
    assert second["written"] + second["found"] == second["snapshot"]["objects"]
    assert second["snapshot"]["id"] != first["snapshot"]["id"]
    listed = matinee("backups", "--from", tmp_path / "v", "--library", library, "--json").json[0]
    assert [shot["id"] for shot in listed["snapshots"]] == [
        second["snapshot"]["id"], first["snapshot"]["id"],
    ]  # fmt: skip

    taken = first["snapshot"]["taken_at"]
    restored = matinee(
        "restore", "--from", tmp_path / "v", "--at", taken, "--library", tmp_path / "old", "--json"
    )
    assert restored.json["snapshot"]["id"] == first["snapshot"]["id"]
    shown = matinee("list", "--library", tmp_path / "old", "--json").json
    assert [title["state"] for title in shown] == ["published"]


def test_a_library_moves_from_one_database_and_store_into_others(
    vault: tuple[Path, Any], unscored: Published, matinee: Run, tmp_path: Path,
    postgres: Postgres, s3: S3Server,
) -> None:  # fmt: skip
    """SQLite and a folder; PostgreSQL and a bucket; SQLite and a folder again."""
    address = postgres.empty()
    bucket, far = f"s3://{s3.bucket()}/library", f"s3://{s3.bucket()}"
    state = {**s3.variables, "MATINEE_STATE": str(tmp_path / "state")}
    there = ("--library", bucket, "--database", address.render_as_string())
    library, title = tmp_path / "again", unscored[1]["title"]

    for arguments in (
        ("restore", "--from", vault[0], *there),
        ("verify", title, *there),
        ("unpublish", title, *there),
        ("rollback", title, *there),
        ("backup", "--to", far, *there),
        ("backups", "--from", far, "--verify", *there),
        ("restore", "--from", far, "--library", library),
        ("verify", title, "--library", library),
    ):
        ended = matinee(*arguments, **state)
        assert ended.exit_code == 0, (arguments, ended.err)

    assert served(library) == served(unscored[0])


def test_a_title_comes_back_beside_others(
    vault: tuple[Path, Any], unscored: Published, matinee: Run, tmp_path: Path,
    film: Path, ladder: Path,
) -> None:  # fmt: skip
    library, first = tmp_path / "other", unscored[1]

    back = ("restore", first["title"], "--from", vault[0], "--library", library, "--json")

    once, twice = matinee(*back), matinee(*back)

    assert once.exit_code == twice.exit_code == 0, once.err
    assert once.json["written"] > 10 > twice.json["written"] == 0
    assert made_from(library) == made_from(unscored[0])
    assert served(library) == served(unscored[0])
    whole(matinee, first["title"], library)
    again = matinee(
        "publish", film, "--library", library, "--ladder", ladder, "--no-scores", "--json"
    ).json
    assert again["derivations"]["ran"] == 0


def test_what_is_encrypted_is_read_by_the_identity_alone(
    stocked: Published, matinee: Run, tmp_path: Path
) -> None:
    from pyrage import x25519

    library, document = stocked
    mine, other = x25519.Identity.generate(), x25519.Identity.generate()
    for name, key in (("mine", mine), ("other", other)):
        (tmp_path / name).write_text(f"# a comment\n{key}\n")
    where = tmp_path / "sealed"
    options = ("--to", where, "--recipient", mine.to_public(), "--library", library, "--json")

    first = matinee("backup", *options).json[0]
    second = matinee("backup", *options).json[0]

    assert second["written"] < 10 < second["found"]
    assert first["snapshot"]["encrypted"]
    held = b"".join(path.read_bytes() for path in where.rglob("*") if path.is_file())
    assert document["title"].encode() not in held
    assert (library / "objects").exists()
    for path in (library / "objects").rglob("*"):
        assert not path.is_file() or path.stat().st_size < 64 or path.read_bytes() not in held
    checked = matinee("backups", "--from", where, "--verify", "--library", library)
    assert checked.exit_code == 0, checked.err
    refused = [
        matinee("restore", "--from", where, "--library", tmp_path / "a", *more)
        for more in ((), ("--identity", tmp_path / "other"))
    ]
    assert [ended.exit_code for ended in refused] == [6, 6]
    assert all("[backup.sealed]" in ended.err for ended in refused)
    restored = matinee(
        "restore", "--from", where, "--library", tmp_path / "a",
        MATINEE_BACKUP_IDENTITY=str(tmp_path / "mine"),
    )  # fmt: skip
    assert restored.exit_code == 0, restored.err
    assert served(tmp_path / "a") == served(library)


def test_a_damaged_copy_is_found_and_the_next_backup_writes_it_again(
    stocked: Published, matinee: Run, tmp_path: Path
) -> None:
    library, _ = stocked
    where, options = tmp_path / "v", ("--library", library, "--json")
    matinee("backup", "--to", where, *options)
    copies = sorted((where / "copies").rglob("*"), key=lambda path: path.stat().st_size)
    flipped, missing = copies[-1], copies[-2]
    body = bytearray(flipped.read_bytes())
    body[1000] ^= 1
    flipped.write_bytes(body)
    missing.unlink()

    found = matinee("backups", "--from", where, "--verify", *options)
    again = matinee("backup", "--to", where, *options)
    proved = matinee("backups", "--from", where, "--verify", *options)

    assert found.exit_code == 6
    (document,) = json.loads(found.out)
    assert document["checked"]["damaged"] == [flipped.relative_to(where).as_posix()]
    assert document["checked"]["missing"] == [missing.relative_to(where).as_posix()]
    assert again.exit_code == proved.exit_code == 0, proved.err


def test_a_backup_says_what_the_library_has_lost(
    stocked: Published, matinee: Run, tmp_path: Path
) -> None:
    library, _ = stocked
    segment, chunk = sorted((library / "titles").rglob("0000?.m4s"))[:2]
    segment.unlink()
    chunk.write_bytes(b"x" * chunk.stat().st_size)
    where = tmp_path / "v"

    ended = matinee("backup", "--to", where, "--library", library, "--json")

    assert ended.exit_code == 6
    (document,) = json.loads(ended.out)
    assert document["state"] == "incomplete"
    assert len(document["lacking"]) == document["snapshot"]["lacking"] == 2
    assert document["error"]["code"] == "backup.incomplete"
    restored = matinee("restore", "--from", where, "--library", tmp_path / "new", "--json")
    assert restored.exit_code == 0, restored.err
    assert len(served(tmp_path / "new")) == len(served(library)) - 1


def test_only_what_cannot_be_made_again_may_be_kept(
    stocked: Published, matinee: Run, tmp_path: Path, film: Path, ladder: Path
) -> None:
    library, first = stocked
    where = tmp_path / "v"
    (library / "backup.toml").write_text(
        f'[[backup]]\nto = "{where}"\npublished = "none"\nmade = "none"\nkeep = {{ last = 1 }}\n'
    )

    small = matinee("backup", "--library", library, "--json").json[0]
    matinee("backup", "--library", library, "--json")

    assert small["snapshot"]["bytes"] < 3 * film.stat().st_size
    listed = matinee("backups", "--library", library, "--json").json[0]
    assert len(listed["snapshots"]) == 1
    new = tmp_path / "new"
    assert matinee("restore", "--from", where, "--library", new).exit_code == 0
    assert (new / "backup.toml").read_text() == (library / "backup.toml").read_text()
    again = matinee(
        "publish", film, "--library", new, "--ladder", ladder, "--no-scores", "--json"
    ).json
    assert again["state"] == "published"
    assert (
        served(new)[f"{first['title']}/main.mpd"] == served(library)[f"{first['title']}/main.mpd"]
    )


def test_mistakes_are_told_before_any_work(
    vault: tuple[Path, Any], stocked: Published, matinee: Run, tmp_path: Path
) -> None:
    library, _ = stocked
    (tmp_path / "nothing").mkdir()
    for code, arguments in (
        ("backup.invalid", ("backup", "--library", library)),
        ("backup.own_library", ("backup", "--to", library / "copy", "--library", library)),
        ("backup.recipient", ("backup", "--to", tmp_path / "v", "--recipient", "age1no",
                              "--library", library)),
        ("not_found", ("restore", "--from", tmp_path / "nothing", "--library", tmp_path / "a")),
        ("not_found", ("restore", "--from", tmp_path / "none", "--library", tmp_path / "a")),
        ("not_found", ("backups", "--from", tmp_path / "none", "--library", tmp_path / "a")),
        ("not_found", ("restore", "--from", vault[0], "--at", "2020-01-01",
                       "--library", tmp_path / "a")),
        ("not_found", ("restore", "no-such", "--from", vault[0], "--library", tmp_path / "a")),
        ("restore.not_empty", ("restore", "--from", vault[0], "--library", library)),
        ("usage", ("restore", "--from", vault[0], "--at", "noon", "--library", tmp_path / "a")),
    ):  # fmt: skip
        ended = matinee(*arguments)
        assert f"[{code}]" in ended.err, (arguments, ended.err)
        assert "Traceback" not in ended.err
    assert not (tmp_path / "none").exists()


def test_the_sqlite_file_that_comes_back_is_sound(
    vault: tuple[Path, Any], matinee: Run, tmp_path: Path
) -> None:
    matinee("restore", "--from", vault[0], "--library", tmp_path / "new")
    with sqlite3.connect(tmp_path / "new" / "matinee.db") as database:
        assert database.execute("PRAGMA foreign_key_check").fetchall() == []
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_drill_proves_what_comes_back_and_finds_what_does_not(
    stocked: Published, matinee: Run, tmp_path: Path
) -> None:
    library, document = stocked
    where, options = tmp_path / "v", ("--library", library, "--json")
    matinee("backup", "--to", where, "--library", library)

    whole_one = matinee("drill", "--from", where, "--seed", "1", *options)
    segment = next((library / "titles").rglob("video-144p-*/00002.m4s"))
    (copy,) = where.rglob(f"copies/*/{digest_of(segment.read_bytes())}")
    copy.write_bytes(copy.read_bytes()[:-1])
    damaged = matinee("drill", "--from", where, "--seed", "1", *options)

    assert whole_one.exit_code == 0, whole_one.err
    (verdict,) = whole_one.json
    assert verdict["passed"] and verdict["evidence"]["title"] == document["title"]
    assert verdict["evidence"]["frames"] > 100 and verdict["evidence"]["difference"] < 6
    kept = library / "objects" / verdict["verdict"][:2] / verdict["verdict"]
    assert json.loads(kept.read_text())["judge"] == "drill"
    assert damaged.exit_code == 6 and "[drill.failed]" in damaged.err
    (found,) = json.loads(damaged.out)
    assert any("00002.m4s" in reason for reason in found["reasons"])
    with sqlite3.connect(library / "matinee.db") as database:
        query = "SELECT body FROM event WHERE type = 'drill.ended' ORDER BY place"
        told = [json.loads(body)["passed"] for (body,) in database.execute(query)]
    assert told == [True, False]


def test_a_deleted_title_is_gone_for_good_when_its_time_is_over(
    stocked: Published, matinee: Run
) -> None:
    library, document = stocked
    title, where = document["title"], ("--library", library)
    before = served(library)

    matinee("delete", title, *where)
    hidden = matinee("list", *where, "--json").json
    back = matinee("undelete", title, *where, "--json").json
    assert [one["state"] for one in hidden] == ["deleted"]
    assert back["state"] == "published"
    assert served(library) == before

    matinee("delete", title, "--grace", "0", *where)
    told = matinee("gc", "--dry-run", "--unused", "0", *where, "--json").json
    gone = matinee("gc", "--grace", "0", "--unused", "0", *where, "--json").json

    assert (told["titles"], told["condemned_bytes"]) == (1, gone["bytes"])
    assert served(library) == {}
    assert not [path for path in (library / "objects").rglob("*") if path.is_file()]
