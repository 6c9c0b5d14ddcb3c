"""A watched folder: real files, the real log, the kernel's own word on who writes."""

import asyncio
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from matinee.adapters.folder import changes, has_writer, is_remote, kind_of_mount, list_files
from matinee.adapters.sql.database import open_database
from matinee.adapters.sql.events import SqlEventLog
from matinee.core.events import Event
from matinee.flows.watch_folder import Eyes, WatchedFolder
from matinee.wiring.library import now

EYES = Eyes(list_files, changes, has_writer, is_remote)


@dataclass
class Watch:
    """A folder, its log, and a clock that goes on when it is told to."""

    folder: Path
    log: SqlEventLog
    time: float = 100.0
    notes: list[str] = field(default_factory=list)
    watched: WatchedFolder | None = None

    def restart(self, eyes: Eyes = EYES) -> None:
        """A service that knows nothing but the log."""
        self.watched = WatchedFolder(
            self.folder, self.log, eyes, self.notes.append, clock=lambda: self.time
        )

    def pass_time(self, seconds: float, is_remote: bool = False) -> bool:
        """Look, let time pass, look again; True while something is pending."""
        assert self.watched
        self.watched.look(is_remote)
        self.time += seconds
        return self.watched.look(is_remote)

    def put(self, name: str, content: bytes = b"film") -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    def told(self) -> list[Event]:
        return [entry.event for entry in self.log.after(0, 1000) if entry.event]

    def kinds(self) -> list[str]:
        return [f"{e.type} {e.data['name']}" for e in self.told()]


@pytest.fixture
def watch(tmp_path: Path) -> Iterator[Watch]:
    folder = tmp_path / "films"
    folder.mkdir()
    engine = open_database(f"sqlite:///{tmp_path / 'library.db'}")
    watch = Watch(folder, SqlEventLog(engine, now))
    watch.restart()
    yield watch
    engine.dispose()


def test_a_film_is_told_of_when_it_stood_still(watch: Watch) -> None:
    path = watch.put("sub/Film ü.mkv", b"12345")

    assert watch.pass_time(1.9)
    assert watch.told() == []
    assert not watch.pass_time(0.2)

    (event,) = watch.told()
    assert (event.type, event.subject) == ("film.arrived", f"film/watch{path}")
    assert event.data == {
        "origin": "watch", "name": "Film ü.mkv", "place": str(path), "size_bytes": 5,
        "sidecars": [], "wishes": {},
    }  # fmt: skip


def test_a_film_that_grows_is_waited_for(watch: Watch) -> None:
    for size in range(1, 5):
        watch.put("film.mkv", b"x" * size)
        assert watch.pass_time(1.5)
    assert watch.told() == []


def test_a_film_that_somebody_has_open_for_writing_is_waited_for(watch: Watch) -> None:
    path = watch.put("film.mkv")
    with path.open("ab"):
        assert watch.pass_time(3600)
        assert watch.told() == []
    assert not watch.pass_time(0)
    assert watch.kinds() == ["film.arrived film.mkv"]


def test_the_kernel_knows_writers_and_no_reader_is_one(tmp_path: Path) -> None:
    path = tmp_path / "film.mkv"
    with path.open("wb"):
        assert has_writer(path) is True
    with path.open("rb"):
        assert has_writer(path) is False
    assert has_writer(tmp_path / "none") is None


def test_where_nobody_knows_writers_a_film_stands_still_for_longer(watch: Watch) -> None:
    watch.put("film.mkv")

    assert watch.pass_time(29, is_remote=True)
    assert watch.told() == []
    assert not watch.pass_time(1, is_remote=True)
    assert watch.kinds() == ["film.arrived film.mkv"]


def test_a_partial_film_is_taken_when_it_is_renamed(watch: Watch) -> None:
    part = watch.put("film.mkv.part")
    watch.pass_time(100)
    assert watch.told() == []

    part.rename(watch.folder / "film.mkv")
    watch.pass_time(2)
    assert watch.kinds() == ["film.arrived film.mkv"]


def test_hidden_files_links_and_other_files_are_left_alone(watch: Watch, tmp_path: Path) -> None:
    secret = tmp_path / "secret.mkv"
    secret.write_bytes(b"secret")
    (watch.folder / "link.mkv").symlink_to(secret)
    (watch.folder / "links").symlink_to(tmp_path)
    for name in (".hidden.mkv", ".trash/film.mkv", "notes.txt", "film.de.srt", "x.title.toml"):
        watch.put(name)

    watch.pass_time(100)

    assert watch.told() == []


def test_what_was_told_of_is_not_told_again_after_a_restart(watch: Watch) -> None:
    watch.put("a.mkv")
    watch.pass_time(2)
    watch.restart()
    watch.put("b.mkv")  # while nobody looked
    watch.pass_time(2)
    watch.restart()
    watch.pass_time(2)

    assert watch.kinds() == ["film.arrived a.mkv", "film.arrived b.mkv"]


def test_a_film_that_changed_arrives_again(watch: Watch) -> None:
    watch.put("a.mkv")
    watch.pass_time(2)
    watch.put("a.mkv", b"another film")
    watch.restart()
    watch.pass_time(2)

    assert [event.data["size_bytes"] for event in watch.told()] == [4, 12]


@pytest.mark.parametrize("is_restarted", [False, True])
def test_a_film_that_goes_is_told_of_and_again_when_it_comes_back_as_it_was(
    watch: Watch, is_restarted: bool
) -> None:
    path = watch.put("a.mkv")
    watch.put("b.mkv")
    watch.pass_time(2)
    for _ in range(2):
        path.rename(watch.folder / "a.hidden")
        if is_restarted:
            watch.restart()
        watch.pass_time(2)
        (watch.folder / "a.hidden").rename(path)
        watch.pass_time(2)

    assert watch.kinds()[2:] == ["film.removed a.mkv", "film.arrived a.mkv"] * 2
    assert len({event.id for event in watch.told()}) == 6


def test_a_folder_that_is_not_there_or_empty_says_nothing_of_its_films(watch: Watch) -> None:
    path = watch.put("a.mkv")
    watch.pass_time(2)
    path.unlink()
    watch.pass_time(100)  # as a share that is not mounted looks
    watch.folder.rmdir()
    watch.pass_time(100)
    watch.pass_time(100)

    assert watch.kinds() == ["film.arrived a.mkv"]
    assert [note for note in watch.notes if "arrived" not in note] == [
        f"{watch.folder} cannot be listed"
    ]


def test_what_belongs_to_a_film_comes_with_it(watch: Watch) -> None:
    watch.put("a.mkv")
    watch.put("a.de.forced.srt")
    watch.put("a.title.toml", b'name = "The Film"\npriority = 3\n')
    watch.pass_time(2)

    (event,) = watch.told()
    sidecar = {"place": str(watch.folder / "a.de.forced.srt"), "language": "de"}
    assert event.data["sidecars"] == [sidecar]
    assert event.data["wishes"] == {"name": "The Film", "priority": 3}


def test_a_subtitle_that_comes_later_tells_of_its_film_again(watch: Watch) -> None:
    watch.put("a.mkv")
    watch.pass_time(2)
    watch.put("a.de.srt")
    watch.pass_time(2)

    assert [len(event.data["sidecars"]) for event in watch.told()] == [0, 1]


def test_a_wrong_title_file_holds_its_film_until_it_is_mended(watch: Watch) -> None:
    watch.put("a.mkv")
    watch.put("a.title.toml", b'\npriority = "high"\n')
    assert not watch.pass_time(2)
    watch.restart()
    watch.pass_time(2)
    (event,) = watch.told()
    assert (event.type, event.data["code"]) == ("film.waiting", "title_file.invalid")
    assert "a.title.toml, line 2: priority" in event.data["message"]

    watch.put("a.title.toml", b"priority = 9\n")
    watch.pass_time(2)
    assert watch.told()[1].data["wishes"] == {"priority": 9}


def test_a_title_file_that_is_taken_away_frees_its_film(watch: Watch) -> None:
    watch.put("a.mkv")
    watch.put("a.title.toml", b"nonsense").with_name("a.title.toml")
    watch.pass_time(2)
    (watch.folder / "a.title.toml").unlink()
    watch.pass_time(2)

    assert watch.kinds() == ["film.waiting a.mkv", "film.arrived a.mkv"]


def test_names_that_are_no_utf8_arrive_and_go(watch: Watch) -> None:
    path = watch.folder / os.fsdecode(b"fi\xfflm.mkv")
    path.write_bytes(b"film")
    watch.put("other.mkv")
    watch.pass_time(2)
    path.unlink()
    watch.restart()
    watch.pass_time(2)

    arrived, _, gone = watch.told()
    assert arrived.data["place"] == f"file://{watch.folder}/fi%FFlm.mkv" == gone.data["place"]
    assert arrived.data["name"] == "fi�lm.mkv"
    assert gone.type == "film.removed"


def test_what_could_not_be_told_is_told_later(watch: Watch, tmp_path: Path) -> None:
    def rename(old: str, new: str) -> None:
        with closing(sqlite3.connect(tmp_path / "library.db")) as database:
            database.execute(f"ALTER TABLE {old} RENAME TO {new}")

    watch.put("a.mkv")
    watch.pass_time(1)
    rename("event", "event_away")
    assert watch.pass_time(1)
    rename("event_away", "event")

    assert watch.told() == []
    assert not watch.pass_time(0)
    assert watch.kinds() == ["film.arrived a.mkv"]


def test_a_running_watch_sees_films_at_once_also_in_a_folder_that_was_made_anew(
    watch: Watch,
) -> None:
    watch.watched = WatchedFolder(watch.folder, watch.log, EYES, watch.notes.append)
    away = watch.folder.with_name("away")

    async def run() -> float:
        assert watch.watched
        task = asyncio.create_task(watch.watched.watch())
        await asyncio.sleep(0.5)
        watch.put("a.mkv")
        begun = time.monotonic()
        await until(lambda: len(watch.told()) == 1)
        took = time.monotonic() - begun
        watch.folder.rename(away)
        await until(lambda: watch.notes[-1] == f"{watch.folder} cannot be listed")
        watch.put("b.mkv")
        await until(lambda: "film.arrived b.mkv" in watch.kinds())
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        return took

    assert 2 <= asyncio.run(run()) < 20


async def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.05)


@pytest.mark.parametrize(
    ("path", "kind"),
    [("/srv/a b/x", "nfs4"), ("/srv/a b", "nfs4"), ("/srv/a bc", "ext4"), ("/", "ext4"),
     ("/srv/a b/local/f", "xfs")],
)  # fmt: skip
def test_a_file_system_is_that_of_the_nearest_mount(path: str, kind: str) -> None:
    mounts = (
        "22 1 254:1 / / rw,relatime - ext4 /dev/vda rw\n"
        "40 22 0:35 / /srv/a\\040b rw shared:5 - nfs4 host:/films rw,vers=4.2\n"
        "41 40 8:1 / /srv/a\\040b/local rw - xfs /dev/sda1 rw\n"
    )
    assert kind_of_mount(mounts, path) == kind
