"""Opening the database: migrations, set-up and refusals."""

import re
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import URL, create_engine, insert, text

from matinee.adapters.sql import schema
from matinee.adapters.sql.database import open_database, reading, writing
from matinee.core.errors import LibraryBusy, LibraryError

MIGRATIONS = Path(schema.__file__).parent / "migrations"


def address_in(folder: Path) -> str:
    return f"sqlite:///{folder}/library.db"


def tables_in(file: Path) -> dict[str, list[str]]:
    """What every table and index is made of; columns that came later stand behind constraints."""
    connection = sqlite3.connect(file)
    rows = connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL")
    found = {
        name: sorted(re.split(r"\s*[(),]\s*", " ".join(sql.split())))
        for name, sql in rows
        if name != "alembic_version"
    }
    connection.close()
    return found


def test_migrations_make_the_tables_that_the_code_knows(tmp_path: Path) -> None:
    engine = open_database(address_in(tmp_path))
    with reading(engine) as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, schema.metadata) == []
    engine.dispose()

    direct = create_engine(f"sqlite:///{tmp_path}/direct.db")
    schema.metadata.create_all(direct)
    direct.dispose()
    assert tables_in(tmp_path / "library.db") == tables_in(tmp_path / "direct.db")


def test_the_known_revision_is_the_last_migration() -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))

    assert ScriptDirectory.from_config(config).get_current_head() == schema.REVISION


def test_opening_again_changes_nothing_and_loads_no_migrations(tmp_path: Path) -> None:
    engine = open_database(address_in(tmp_path))
    row = {"digest": "d", "size_bytes": 2**40, "media_type": "video/mp4"}
    with writing(engine) as connection:
        connection.execute(insert(schema.assets).values(row))
    engine.dispose()
    before = tables_in(tmp_path / "library.db")

    program = (
        "import sys\n"
        "from matinee.adapters.sql.database import open_database\n"
        "open_database(sys.argv[1]).dispose()\n"
        "sys.exit('alembic' in sys.modules)"
    )
    command = [sys.executable, "-c", program, address_in(tmp_path)]
    subprocess.run(command, env={"PYTHONPATH": ":".join(sys.path)}, check=True)

    assert tables_in(tmp_path / "library.db") == before
    engine = open_database(address_in(tmp_path))
    with reading(engine) as connection:
        assert connection.execute(schema.assets.select()).one()._asdict() == row
    engine.dispose()


def test_a_folder_with_signs_of_its_own_holds_a_database(tmp_path: Path) -> None:
    file = tmp_path / "50 % off?" / "library.db"
    file.parent.mkdir()

    open_database(URL.create("sqlite", database=str(file))).dispose()

    assert file.exists()


def test_sqlite_is_set_up_for_many_readers_and_one_writer(tmp_path: Path) -> None:
    engine = open_database(address_in(tmp_path))
    with reading(engine) as connection:
        said = {
            name: connection.scalar(text(f"PRAGMA {name}"))
            for name in ("journal_mode", "foreign_keys", "busy_timeout", "synchronous")
        }
    engine.dispose()

    assert said == {
        "journal_mode": "wal", "foreign_keys": 1, "busy_timeout": 10_000, "synchronous": 1
    }  # fmt: skip


def test_a_block_that_raises_writes_nothing(tmp_path: Path) -> None:
    engine = open_database(address_in(tmp_path))
    row = {"digest": "d", "size_bytes": 1, "media_type": "video/mp4"}

    def write_and_fail() -> None:
        with writing(engine) as connection:
            connection.execute(insert(schema.assets).values(row))
            raise KeyError("on purpose")

    with pytest.raises(KeyError):
        write_and_fail()
    with reading(engine) as connection:
        assert connection.execute(schema.assets.select()).all() == []
    engine.dispose()


def test_a_database_that_another_process_holds_is_busy(tmp_path: Path) -> None:
    engine = open_database(address_in(tmp_path))
    with reading(engine) as connection:
        connection.execute(text("PRAGMA busy_timeout = 0"))  # so that the test need not wait
    other = sqlite3.connect(tmp_path / "library.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    with pytest.raises(LibraryBusy, match=r"library\.db"), writing(engine):
        pass
    other.close()
    engine.dispose()


def test_a_database_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    engine = open_database(address_in(tmp_path))
    with writing(engine) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()

    with pytest.raises(LibraryError, match="version") as refused:
        open_database(address_in(tmp_path))
    assert "newer" in refused.value.hint


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "library.db").write_bytes(b"a film, not a database" * 100)

    with pytest.raises(LibraryError, match=r"library\.db") as refused:
        open_database(address_in(tmp_path))
    assert "move that file away" in refused.value.hint


@pytest.mark.parametrize("address", ["nonsense", "nosuch://host/db", "sqlite:////no/folder/x.db"])
def test_an_address_that_opens_nothing_is_refused(address: str) -> None:
    with pytest.raises(LibraryError) as refused:
        open_database(address)
    assert refused.value.hint
