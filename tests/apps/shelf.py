"""A real library with the kinds of titles, and with files in it that must never be served."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import URL, Engine
from tests.apps.cinema import TITLE, Cinema, Run
from tests.conftest import make_film

from matinee.adapters.sql.catalog import SqlPackages, SqlTitles
from matinee.adapters.sql.database import open_database
from matinee.assets.asset import object_key
from matinee.core.ids import digest_of
from matinee.ports.catalog import Title
from matinee.wiring.library import DATABASE, now

ADDED = datetime(2026, 11, 20, 18, 30, tzinfo=UTC)


@dataclass(frozen=True)
class Shelf:
    """``package`` is the one on screen of the published title."""

    library: Path
    package: str

    @property
    def title(self) -> Path:
        return self.library / "titles" / TITLE

    def file(self, pattern: str) -> Path:
        """The first file of the published title that the pattern fits."""
        return min(self.title.glob(pattern))

    @property
    def segment(self) -> Path:
        return self.file("renditions/video-288p-*/00001.m4s")


@contextmanager
def database_of(library: Path) -> Iterator[Engine]:
    engine = open_database(URL.create("sqlite", database=str(library / DATABASE)))
    yield engine
    engine.dispose()


def report_file(library: Path, package: str) -> Path:
    """Where the store keeps a package's report."""
    with database_of(library) as engine:
        return library / object_key(SqlPackages(engine, now).get(TITLE, package).report)


def stock_shelf(folder: Path, cinema: Cinema, matinee: Run, ladder: Path) -> Shelf:
    """A published title, a hidden one, and one that nothing was made of."""
    library = folder / "library"
    shutil.copytree(cinema.library, library)
    waiting = make_film(folder / "Waiting.mp4", 3)
    where = ["--library", library]
    for command in (
        ["publish", waiting, *where, "--ladder", ladder, "--no-scores"],
        ["unpublish", "waiting", *where],
    ):
        ended = matinee(*command)
        assert ended.exit_code == 0, ended.err
    with database_of(library) as engine:
        titles = SqlTitles(engine, now)
        titles.describe(TITLE, "A <b>bold</b> & long film", "By 'us'")
        source = digest_of(b"a film whose publishing was broken off")
        titles.add(Title("bare", "Bare", source, "bare.mp4", "", ADDED, None))
    _plant(library)
    return Shelf(library, cinema.packages[-1])


def _plant(library: Path) -> None:
    title = library / "titles" / TITLE
    (library / "ledger.json").write_text("secret")
    (library / "titles-private").mkdir()
    (library / "titles-private" / "a.json").write_text("secret")
    (title / ".secret").mkdir()
    for name in (".hidden.json", ".secret/a.json", "notes.db", "plain"):
        (title / name).write_text("secret")
    (title / "public.json").write_text("{}")
    (title / "empty.m4s").touch()
    (title / "escape.json").symlink_to(library / "ledger.json")
    (title / "out").symlink_to(library / "titles-private")
    (title / "inside.json").symlink_to("public.json")
    (title / "preview").mkdir()
    (title / "preview" / "video-00001.m4s").write_text("")
    (title / "folder.json").mkdir()
    os.mkfifo(title / "pipe.json")
