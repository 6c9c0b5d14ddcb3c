"""Buckets that films come from: what events hint at and listings find."""

import asyncio
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from obstore.store import MemoryStore

from matinee.adapters.foreign_buckets import ForeignBucket, foreign_bucket
from matinee.adapters.sql.database import open_database
from matinee.adapters.sql.events import SqlEventLog
from matinee.core.bucket_documents import Notice
from matinee.core.errors import LibraryError
from matinee.core.events import Event
from matinee.flows.hear_bucket import HeardBucket, Pace, hear
from matinee.wiring.library import now


@dataclass
class Shelf:
    """A bucket, its log, and a service that hears of it."""

    folder: Path
    log: SqlEventLog
    store: MemoryStore = field(default_factory=MemoryStore)
    prefix: str = ""
    page: int = 1000
    notes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        self.bucket = HeardBucket(
            "films", self.prefix, ForeignBucket("films", self.store), self.log,
            self.folder / "scratch" / "films.json", self.notes.append, self.page,
        )  # fmt: skip

    def put(self, key: str, content: bytes = b"film") -> None:
        self.store.put(key, content)

    def hear(self, *keys: str, bucket: str = "films") -> int:
        return asyncio.run(hear([self.bucket], [Notice(bucket, keys)]))

    def list_all(self) -> int:
        """List to the end; gives the number of pages."""
        for pages in range(1, 100):
            if asyncio.run(self.bucket.list_page()):
                return pages
        raise AssertionError("a listing has no end")

    def told(self) -> list[Event]:
        return [entry.event for entry in self.log.after(0, 1000) if entry.event]

    def kinds(self) -> list[str]:
        return [f"{e.type} {e.subject}" for e in self.told()]


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    engine = open_database(f"sqlite:///{tmp_path / 'library.db'}")
    yield Shelf(tmp_path, SqlEventLog(engine, now))
    engine.dispose()


@pytest.fixture
def away(monkeypatch: pytest.MonkeyPatch) -> ForeignBucket:
    """A bucket whose server does not answer."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b")
    return foreign_bucket("films")


async def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)


def test_an_object_that_came_is_told_of(shelf: Shelf) -> None:
    shelf.put("in/my film ü+%.mkv", b"12345")

    assert shelf.hear("in/my film ü+%.mkv") == 1

    (event,) = shelf.told()
    assert event.subject == "film/bucket/films/in/my film ü+%25.mkv"
    assert event.data == {
        "origin": "bucket", "name": "my film ü+%.mkv", "size_bytes": 5,
        "place": "s3://films/in/my film ü+%.mkv", "sidecars": [], "wishes": {},
    }  # fmt: skip


def test_the_key_that_is_there_is_the_one_that_was_meant(shelf: Shelf) -> None:
    shelf.put("my+film.mkv")
    shelf.hear("my film.mkv", "my+film.mkv")
    assert shelf.kinds() == ["film.arrived film/bucket/films/my+film.mkv"]


def test_events_may_come_twice_late_and_in_any_order(shelf: Shelf) -> None:
    shelf.put("a.mkv")
    for _ in range(3):
        shelf.hear("a.mkv")  # created, created again, and an old removal
    shelf.restart()
    shelf.hear("a.mkv")
    assert shelf.kinds() == ["film.arrived film/bucket/films/a.mkv"]

    shelf.store.delete("a.mkv")
    for _ in range(2):
        shelf.hear("a.mkv")
    shelf.put("a.mkv", b"another")
    shelf.hear("a.mkv")
    assert [kind.split()[0] for kind in shelf.kinds()] == [
        "film.arrived", "film.removed", "film.arrived",
    ]  # fmt: skip


def test_an_event_tells_nothing_of_what_is_not_there(shelf: Shelf) -> None:
    assert shelf.hear("a.mkv") == 0
    assert shelf.told() == []


def test_only_named_buckets_and_prefixes_are_asked(shelf: Shelf) -> None:
    shelf.prefix = "in/"
    shelf.restart()
    for key in ("in/a.mkv", "inside.mkv", "b.mkv"):
        shelf.put(key)

    heard = [shelf.hear(key) for key in ("in/a.mkv", "inside.mkv", "b.mkv")]
    assert heard == [1, 0, 0]
    assert shelf.hear("in/a.mkv", bucket="another") == 0
    shelf.list_all()
    assert shelf.kinds() == ["film.arrived film/bucket/films/in/a.mkv"]


def test_what_belongs_to_a_film_comes_with_it_whatever_comes_first(shelf: Shelf) -> None:
    shelf.put("x/a.de.srt")
    assert shelf.hear("x/a.de.srt") == 0
    shelf.put("x/a.mkv")
    shelf.hear("x/a.mkv")
    shelf.put("x/a.title.toml", b'name = "A"')
    shelf.hear("x/a.title.toml")
    shelf.put("x/ab.mkv")  # another film, whose name only begins so
    shelf.store.delete("x/a.de.srt")
    shelf.hear("x/a.de.srt")

    sidecar = {"place": "s3://films/x/a.de.srt", "language": "de"}
    assert [(e.data["sidecars"], e.data["wishes"]) for e in shelf.told()] == [
        ([sidecar], {}), ([sidecar], {"name": "A"}), ([], {"name": "A"}),
    ]  # fmt: skip


def test_a_wrong_title_file_holds_its_film(shelf: Shelf) -> None:
    shelf.put("a.mkv")
    shelf.put("a.title.toml", b"name = 5")
    shelf.hear("a.mkv")
    shelf.list_all()
    shelf.put("a.title.toml", b"name = 'A'")
    shelf.list_all()

    assert [event.type for event in shelf.told()] == ["film.waiting", "film.arrived"]
    assert "a.title.toml, line 1: name is 5" in shelf.told()[0].data["message"]


def test_a_listing_finds_what_no_event_told_of(shelf: Shelf) -> None:
    for key in ("a.mkv", "b/c.mkv", "b/c.de.srt", "b/.hidden.mkv", "notes.txt", "z.mkv.part"):
        shelf.put(key)
    for _ in range(2):
        shelf.list_all()
    shelf.restart()
    shelf.list_all()
    assert shelf.kinds() == [
        "film.arrived film/bucket/films/a.mkv", "film.arrived film/bucket/films/b/c.mkv",
    ]  # fmt: skip

    shelf.store.delete("a.mkv")
    shelf.put("b/c.mkv", b"another")
    shelf.list_all()
    assert sorted(shelf.kinds()[2:]) == [
        "film.arrived film/bucket/films/b/c.mkv", "film.removed film/bucket/films/a.mkv",
    ]  # fmt: skip


def test_a_listing_goes_page_by_page_and_on_after_a_restart(shelf: Shelf) -> None:
    shelf.page = 5
    shelf.restart()
    keys = [f"{n:02}{kind}" for n in range(9) for kind in (".de.srt", ".mkv")]
    for key in keys:
        shelf.put(key)
    assert not asyncio.run(shelf.bucket.list_page())
    seen = len(shelf.told())
    assert 0 < seen < 9

    shelf.restart()
    shelf.store.delete("00.mkv")  # behind the bookmark: the next listing finds it
    assert shelf.list_all() == 3
    assert len(shelf.told()) == 9
    assert all(len(event.data["sidecars"]) == 1 for event in shelf.told())
    assert shelf.list_all() == 4
    assert shelf.kinds()[9:] == ["film.removed film/bucket/films/00.mkv"]


def test_a_bucket_is_listed_again_and_again_and_faults_are_told_once(
    shelf: Shelf, away: ForeignBucket
) -> None:
    real = shelf.bucket.bucket

    async def run() -> None:
        shelf.bucket.bucket = away
        listing = asyncio.create_task(shelf.bucket.list_for_ever(Pace(page_s=0.01, rest_s=0.02)))
        await until(lambda: bool(shelf.notes))
        shelf.bucket.bucket = real
        for number in (0, 1):
            shelf.put(f"{number}.mkv")
            await until(lambda put=number: len(shelf.told()) > put)  # type: ignore[misc]
        listing.cancel()
        await asyncio.gather(listing, return_exceptions=True)

    asyncio.run(run())
    assert len(shelf.kinds()) == 2
    (fault,) = [note for note in shelf.notes if "arrived" not in note]
    assert fault.startswith("the bucket films cannot be read: ")


def test_a_bucket_out_of_reach_is_told_and_asked_again(shelf: Shelf, away: ForeignBucket) -> None:
    real, shelf.bucket.bucket = shelf.bucket.bucket, away
    with pytest.raises(LibraryError) as caught:
        asyncio.run(shelf.bucket.hear(Notice("films", ("a.mkv",))))

    assert caught.value.code == "bucket.unreachable"
    assert caught.value.retryable
    shelf.bucket.bucket = real
    shelf.put("a.mkv")
    assert shelf.hear("a.mkv") == 1
