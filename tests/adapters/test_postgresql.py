"""What PostgreSQL refuses, in our words."""

import pytest
from sqlalchemy import URL, insert, text
from tests.databases import Postgres

from matinee.adapters.sql import schema
from matinee.adapters.sql.database import open_database, reading, writing
from matinee.core.errors import LibraryBusy, LibraryError


@pytest.fixture(scope="module")
def address(postgres: Postgres) -> URL:
    return postgres.ready()


def test_a_server_that_is_not_there_is_told_without_the_password() -> None:
    for address in (
        "postgresql://me:s3cret@127.0.0.1:1/films",
        "postgresql://me@127.0.0.1:1/films?password=s3cret",
    ):
        with pytest.raises(LibraryError, match=r"127\.0\.0\.1/films") as refused:
            open_database(address)
        assert "s3cret" not in str(refused.value)
        assert refused.value.hint


def test_a_database_that_is_not_there_is_told(address: URL) -> None:
    with pytest.raises(LibraryError, match="nowhere"):
        open_database(address.set(database="nowhere"))


def test_a_row_that_another_holds_makes_busy(address: URL) -> None:
    engine = open_database(address.update_query_dict({"options": "-c lock_timeout=10ms"}))
    turn = text("SELECT place FROM bookmark WHERE name = 'log' FOR UPDATE")
    with writing(engine) as holder:
        holder.execute(turn)
        with pytest.raises(LibraryBusy), writing(engine) as other:
            other.execute(turn)
    engine.dispose()


def test_a_reader_sees_one_state_throughout(address: URL) -> None:
    engine = open_database(address)
    count = text("SELECT count(*) FROM asset")
    row = {"digest": "d", "size_bytes": 1, "media_type": "video/mp4"}
    with reading(engine) as reader:
        before = reader.scalar(count)
        with writing(engine) as writer:
            writer.execute(insert(schema.assets).values(row))
        assert reader.scalar(count) == before == 0
    engine.dispose()


def test_a_connection_that_was_cut_is_worth_another_try(address: URL) -> None:
    engine, other = open_database(address), open_database(address)
    with reading(engine) as connection:
        backend = connection.scalar(text("SELECT pg_backend_pid()"))
    with writing(other) as connection:
        connection.execute(text("SELECT pg_terminate_backend(:backend)"), {"backend": backend})

    with pytest.raises(LibraryBusy), reading(engine) as connection:
        connection.scalar(text("SELECT 1"))
    with reading(engine) as connection:
        assert connection.scalar(text("SELECT 1")) == 1
    engine.dispose()
    other.dispose()
