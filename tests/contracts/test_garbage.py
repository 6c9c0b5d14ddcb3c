"""What garbage collection promises, over every database."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine
from tests.contracts.clock import NOON, Clock
from tests.s3_server import S3Server

from matinee.adapters.buckets import bucket_objects
from matinee.adapters.objects import folder_objects
from matinee.adapters.owners import is_dead, this_owner
from matinee.adapters.sparing import SparingStore
from matinee.adapters.sql.catalog import SqlPackages, SqlTitles
from matinee.adapters.sql.events import SqlEventLog
from matinee.adapters.sql.garbage import SqlGarbage
from matinee.adapters.sql.ledger import SqlLedger
from matinee.adapters.sql.visits import SqlSpare, visiting
from matinee.assets.asset import Asset, object_key
from matinee.assets.derivation import Cost, Derivation, Step
from matinee.core.errors import ObjectMissing, RunLost
from matinee.core.ids import Digest, digest_of
from matinee.flows.collect import FEW, Collected, LibraryForgotten, Patience, collect, preview
from matinee.ports.catalog import Package, Title
from matinee.ports.store import ListedStore

AT_ONCE = Patience(timedelta(0), timedelta(0))
LONG_AGO = NOON - timedelta(days=30)


class House:
    """A small library: a title ``t`` whose package shows one segment, made from one chunk."""

    def __init__(self, engine: Engine, objects: ListedStore) -> None:
        self.clock = Clock()
        self.engine = engine
        self.store = SparingStore(objects, SqlSpare(engine))
        self.titles = SqlTitles(engine, self.clock)
        self.packages = SqlPackages(engine, self.clock)
        self.ledger = SqlLedger(engine, self.clock)
        self.events = SqlEventLog(engine, self.clock)
        self.garbage = SqlGarbage(engine, self.clock, is_dead)
        self.made("ingest", {"film": digest_of(b"film")}, {"source": b"film"})
        self.title("t", b"film")
        self.show("t", "one")

    def title(self, name: str, film: bytes) -> None:
        self.titles.add(Title(name, name, digest_of(film), "f.mp4", "", LONG_AGO, None))

    def show(self, title: str, package: str) -> None:
        """Publish a package of one segment, with its chunk."""
        chunk = self.made("encode_chunk", {"clip": digest_of(b"clip")}, {
            "chunk": f"chunk of {package}".encode(),
        })  # fmt: skip
        self.made("score_chunk", chunk, {"scores": f"scores of {package}".encode()})
        path = f"renditions/{package}/1.m4s"
        files = self.made("package", chunk, {path: f"segment of {package}".encode()}, title)
        report = f"report of {package}".encode()
        self.write(object_key(digest_of(report)), report)
        made = Package(package, title, "ready", LONG_AGO, files, digest_of(report), {}, None)
        self.packages.add(made)
        self.packages.point(title, package)

    def made(
        self, function: str, inputs: Mapping[str, Digest], outputs: Mapping[str, bytes],
        title: str | None = None, ledger: SqlLedger | None = None,
    ) -> dict[str, Digest]:  # fmt: skip
        step = Step(
            function, 1, dict(inputs), {"for": sorted(digest_of(body) for body in outputs.values())}
        )
        assets = {r: Asset(digest_of(b), len(b), "x/y") for r, b in outputs.items()}
        places = []
        for role, body in outputs.items():
            key = f"titles/{title}/{role}" if title else object_key(digest_of(body))
            self.write(key, body)
            places.append((digest_of(body), key))
        chosen = ledger or self.ledger
        chosen.record(
            chosen.begin("run", step), Derivation(step, assets, Cost("h", LONG_AGO, 1, 1)), places
        )
        return {role: asset.digest for role, asset in assets.items()}

    def write(self, key: str, body: bytes) -> None:
        asyncio.run(self.store.write(key, body))

    def there(self, body: bytes) -> bool:
        return asyncio.run(self.store.size(object_key(digest_of(body)))) is not None

    def segment(self, package: str, title: str = "t") -> bool:
        key = f"titles/{title}/renditions/{package}/1.m4s"
        return asyncio.run(self.store.size(key)) is not None

    def collect(self, patience: Patience = AT_ONCE) -> Collected:
        now = self.clock()
        work = collect(self.garbage, self.store, self.events, this_owner(), now, patience)
        return asyncio.run(work)


@pytest.fixture
def house(engine: Engine, tmp_path: Path) -> House:
    return House(engine, folder_objects(tmp_path / "objects-of-the-house"))


def test_a_bucket_is_collected_like_a_folder(
    engine: Engine, s3: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in s3.variables.items():
        monkeypatch.setenv(name, value)
    house = House(engine, bucket_objects("s3", s3.bucket(), "a library", s3.endpoint))
    house.made("encode_chunk", {"clip": digest_of(b"clip")}, {"chunk": b"of another ladder"})
    house.write("titles/gone/main.m3u8", b"of a title without a row")

    assert house.collect().objects == 2
    assert house.segment("one") and not house.there(b"of another ladder")
    house.packages.delete("t", NOON)
    assert house.collect().titles == 1
    assert not house.segment("one")


def test_what_is_shown_stays_with_all_that_it_was_made_from(house: House) -> None:
    assert house.collect() == Collected()

    assert house.there(b"film") and house.there(b"chunk of one") and house.there(b"scores of one")
    assert house.segment("one") and house.there(b"report of one")


def test_what_nothing_shows_goes(house: House) -> None:
    house.made("encode_chunk", {"clip": digest_of(b"clip")}, {"chunk": b"of another ladder"})
    house.write("titles/gone/main.m3u8", b"of a title without a row")

    done = house.collect()

    assert (done.objects, done.bytes) == (2, len(b"of another ladder") + 24)
    assert not house.there(b"of another ladder")
    assert house.ledger.asset(digest_of(b"of another ladder")) is None
    assert house.segment("one")


def test_a_dry_run_tells_it_and_changes_nothing(house: House) -> None:
    house.made("encode_chunk", {"clip": digest_of(b"clip")}, {"chunk": b"of another ladder"})
    house.packages.delete("t", NOON)

    told = asyncio.run(preview(house.garbage, house.store, house.clock(), AT_ONCE))

    assert (told.titles, told.condemned) == (1, 5)
    assert house.garbage.waiting() == (0, 0)
    assert house.there(b"of another ladder") and house.titles.get("t").state == "deleted"


def test_a_deleted_title_goes_after_its_time_and_can_come_back_before(house: House) -> None:
    later = NOON + timedelta(days=7)
    house.packages.delete("t", later)
    assert house.titles.get("t").state == "deleted"
    assert house.collect().objects == 0
    assert house.packages.undelete("t").current == "one"
    house.packages.delete("t", later)
    house.clock.time = later

    done = house.collect()

    assert done.titles == 1
    assert not house.segment("one") and not house.there(b"film")
    assert house.titles.all() == []
    assert [entry.type for entry in house.events.after(0, 100)] == [
        "title.made", "title.published", "title.deleted", "title.undeleted", "title.deleted",
        "garbage.collected",
    ]  # fmt: skip


def test_a_title_that_shares_with_a_deleted_one_keeps_what_it_needs(house: House) -> None:
    house.title("u", b"other film")
    house.show("u", "one")
    house.packages.delete("t", NOON)

    house.collect()

    assert house.segment("one", "u") and house.there(b"chunk of one")
    assert not house.segment("one", "t") and not house.there(b"film")


def test_a_retired_package_stays_for_a_day_and_the_last_two_always(house: House) -> None:
    house.show("t", "two")
    house.show("t", "three")

    assert house.collect().packages == 0
    house.clock.time = NOON + timedelta(hours=25)

    assert house.collect().packages == 1
    assert not house.segment("one") and house.segment("two") and house.segment("three")
    assert house.packages.previous("t") == "two"


def test_what_is_condemned_waits_for_its_grace(house: House) -> None:
    house.made("encode_chunk", {"clip": digest_of(b"clip")}, {"chunk": b"of another ladder"})
    patience = Patience(timedelta(hours=24), timedelta(0))

    assert house.collect(patience).condemned == 1
    house.clock.time = NOON + timedelta(hours=23)
    assert house.collect(patience).objects == 0
    house.clock.time = NOON + timedelta(hours=24)
    assert house.collect(patience).objects == 1


def test_new_work_that_no_title_shows_yet_is_kept(house: House) -> None:
    house.made("encode_chunk", {"clip": digest_of(b"clip")}, {"chunk": b"of another ladder"})

    assert house.collect(Patience(timedelta(0), timedelta(days=31))).objects == 0


def test_a_visitor_that_came_before_is_waited_for(house: House) -> None:
    house.made("encode_chunk", {"clip": digest_of(b"clip")}, {"chunk": b"of another ladder"})

    with visiting(house.engine):
        waits = house.collect()
    goes = house.collect()

    assert (waits.objects, waits.condemned) == (0, 1)
    assert (goes.objects, goes.condemned) == (1, 0)


def test_a_visitor_that_comes_later_spares_what_it_finds(house: House) -> None:
    inputs = {"clip": digest_of(b"clip")}
    house.made("encode_chunk", inputs, {"chunk": b"of another ladder"})
    with visiting(house.engine):
        house.collect()
    with visiting(house.engine) as visit:
        ledger = SqlLedger(house.engine, house.clock, visit, spares=True)
        step = Step("encode_chunk", 1, inputs, {"for": [digest_of(b"of another ladder")]})
        assert len(ledger.find(step.recipe)) == 1
        assert house.garbage.waiting() == (0, 0)
        assert house.collect().objects == 0
        assert house.there(b"of another ladder")


def test_what_is_written_again_is_spared(house: House) -> None:
    body = b"of another ladder"
    house.made("encode_chunk", {"clip": digest_of(b"clip")}, {"chunk": body})
    with visiting(house.engine):
        house.collect()

    house.write(object_key(digest_of(body)), body)

    assert house.garbage.waiting() == (0, 0)


def test_what_is_needed_again_when_its_time_comes_is_spared(house: House) -> None:
    """A package that was added while the object was condemned: found in the claim itself."""
    house.show("t", "two")
    house.show("t", "three")
    house.clock.time = NOON + timedelta(hours=25)
    with visiting(house.engine):
        house.collect()
        assert house.garbage.waiting()[0] > 0
        house.show("t", "one")

    house.collect()

    assert house.segment("one") and house.there(b"chunk of one")


def test_a_claim_that_was_broken_off_is_finished(house: House) -> None:
    body = b"of another ladder"
    house.made("encode_chunk", {"clip": digest_of(b"clip")}, {"chunk": body})
    with visiting(house.engine):
        house.collect()
    ended = f"{this_owner().rpartition('/')[0]}/0"  # this pid, but another start: it is dead
    claimed = house.garbage.claim(house.clock(), ended, house.clock(), 10)

    assert [one.key for one in claimed] == [object_key(digest_of(body))]
    assert house.there(body)
    assert house.collect().objects == 1
    assert not house.there(body)


def test_a_writer_of_what_a_dead_process_was_removing_goes_on(house: House) -> None:
    body = b"of another ladder"
    house.made("encode_chunk", {"clip": digest_of(b"clip")}, {"chunk": body})
    with visiting(house.engine):
        house.collect()
    house.garbage.claim(house.clock(), "elsewhere/boot/1/1", house.clock(), 10)
    spare = SqlSpare(house.engine)

    assert not spare.spare(object_key(digest_of(body)))


def test_a_visitor_that_was_taken_for_dead_commits_nothing(house: House) -> None:
    with visiting(house.engine) as visit:
        ledger = SqlLedger(house.engine, house.clock, visit, spares=True)
        with house.engine.begin() as connection:
            connection.exec_driver_sql("DELETE FROM visit WHERE number > 0")
        with pytest.raises(RunLost):
            house.made("encode_chunk", {}, {"chunk": b"late"}, ledger=ledger)


def test_the_entry_manifests_of_a_title_stay(house: House) -> None:
    for name in ("main.m3u8", "main.mpd", "poster.jpg", "preview/video.m3u8"):
        house.write(f"titles/t/{name}", b"a title's own")

    assert house.collect().objects == 0
    with pytest.raises(ObjectMissing):
        asyncio.run(house.store.read("titles/none"))


def test_a_database_that_knows_nothing_of_the_objects_costs_none(house: House) -> None:
    for number in range(FEW + 1):
        house.write(f"titles/lost/renditions/{number}.m4s", b"of a library that was here before")

    with pytest.raises(LibraryForgotten):
        house.collect()

    assert house.garbage.waiting() == (0, 0)
