"""Planted damage is found, named and mended; the long form is ``make integrity``."""

import asyncio
import json
import random
import shutil
import sqlite3
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import Ended
from tests.integrity import plant, stand
from tests.integrity.faulty_store import FaultyStore
from tests.integrity.plant import Library
from tests.shared import made_once

from matinee.assets.asset import Asset
from matinee.config import Settings, read_settings
from matinee.core.errors import ObjectDamaged, UsageError
from matinee.core.ids import digest_of
from matinee.flows.board import Board
from matinee.flows.scrub import Wanted, Ward, scrub
from matinee.flows.upkeep_runs import LIBRARY
from matinee.flows.work import Outcome
from matinee.ports.events import Search
from matinee.ports.runs import Wish
from matinee.stages.bench import Bench
from matinee.wiring.library import open_library
from matinee.wiring.upkeep import open_ward
from matinee.wiring.worker import open_worker

pytestmark = [pytest.mark.tools, pytest.mark.slow]


@pytest.fixture
def library(published: tuple[Path, dict[str, Any]], tmp_path: Path) -> Path:
    """A library with one title and its posters, its log sealed."""
    target = stand.copied(published[0], tmp_path / "library")
    stand.make_posters(target)
    stand.seal(target)
    return target


@pytest.fixture
def ward(library: Path) -> Iterator[Ward]:
    opened = open_library(read_settings(str(library), None, None))
    with open_ward(opened, decodes=False) as ward:
        yield ward
    opened.engine.dispose()


def test_damage_of_every_kind_is_found_named_and_mended(library: Path) -> None:
    before = stand.shown(library)
    damaged = Library(library, random.Random(20261128))
    planted = [damage(damaged) for damage in plant.KINDS.values()]
    wanted = {each for one in planted for each in one.found}

    code, told = stand.upkeep(library, "scrub", "--sample", "0")
    found = {(each["kind"], each["thing"]) for each in told["findings"]}
    assert code == 6
    assert {(k, t) for k, t in wanted if t is not None} <= found
    assert {kind for kind, _ in found} == {kind for kind, _ in wanted}

    code, planned = stand.upkeep(library, "repair", "--dry-run")
    assert {"copy", "remake", "row"} == {act["way"] for act in planned["acts"]}
    code, done = stand.upkeep(library, "repair")
    assert (code, done["lost"], done["left"]) == (0, [], [])
    after = stand.shown(library)
    assert {key: after.get(key) for key in before} == before
    assert stand.upkeep(library, "scrub", "--sample", "0")[1]["findings"] == []


def test_what_a_killed_repair_had_made_is_not_made_again(library: Path) -> None:
    damaged = Library(library, random.Random(7))
    every = [plant.segment(damaged), plant.proof(damaged), plant.missing(damaged)]

    def spoil() -> None:
        """The row of the verdicts, so that their step has to run along the title's whole path."""
        with damaged.database() as connection:
            connection.execute("UPDATE derivation SET parameters = '{}' WHERE function = 'judge'")

    def tried() -> Counter[str]:
        return Counter(key for (key,) in damaged.ask("SELECT key FROM attempt"))

    spoil()
    ((row,),) = damaged.ask("SELECT key FROM derivation WHERE function = 'judge'")
    assert stand.upkeep(library, "scrub", "--sample", "0")[0] == 6
    code, done = stand.upkeep(library, "repair")
    assert (code, done["left"]) == (0, [])
    assert {key for each in every for key in each.keys} | {f"derivation/{row}"} == {
        thing for act in done["acts"] for thing in act["things"]
    }
    before = tried()
    spoil()
    with damaged.database() as connection:  # as of one that was killed before it closed them
        connection.execute("UPDATE finding SET state = 'open', closed_at = NULL, how = NULL")

    code, done = stand.upkeep(library, "repair")
    assert (code, len(done["mended"])) == (0, 4)
    assert [act["things"] for act in done["acts"]] == [[f"derivation/{row}"]]
    assert tried() - before == {row: 1}


def test_a_row_and_what_its_step_gave_are_mended_by_one_run_of_it(library: Path) -> None:
    """Only the row knew of which title the cuts are."""
    damaged, before = Library(library, random.Random(7)), stand.shown(library)
    ((key, cuts),) = damaged.ask(
        "SELECT d.key, o.digest FROM derivation d JOIN derivation_output o ON "
        "o.derivation = d.sequence WHERE d.function = 'scan' AND o.role = 'cuts'"
    )
    with damaged.database() as connection:
        connection.execute("UPDATE derivation SET inputs = '{\"a' WHERE key = ?", (key,))
    bad = library / "objects" / cuts[:2] / cuts
    bad.write_bytes(bytes(len(bad.read_bytes())))

    assert stand.upkeep(library, "scrub", "--sample", "0")[0] == 6
    code, done = stand.upkeep(library, "repair")

    assert (code, done["left"], len(done["mended"])) == (0, [], 2)
    assert stand.shown(library) == before
    ((times,),) = damaged.ask("SELECT count(*) FROM attempt WHERE function = 'scan'")
    assert times == 2


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory, film: Path, ladder: Path) -> tuple[Path, Path]:
    """Two libraries: of a good encoder, and of one that gives frames backwards; neither proved."""

    def make(folder: Path) -> tuple[Path, Path]:
        good, bad = folder / "good", folder / "bad"
        # By one worker chunks are done in their order: the first wrong ones are of one shot.
        stand.publish(film, good, ladder, "--proofs", "packets", "--no-scores", "--workers", "1")
        stand.publish_faultily(film, bad, ladder, folder)
        return good, bad

    return made_once(tmp_path_factory, "faulty", make)


def test_wrong_frames_are_followed_to_encoder_host_and_hour_and_made_again(
    faulty: tuple[Path, Path], film: Path, ladder: Path, tmp_path: Path
) -> None:
    library = stand.copied(faulty[0], tmp_path / "library")
    before = stand.shown(library)
    damaged = Library(library, random.Random(1))
    wrong = plant.wrong_chunks(damaged, faulty[1])
    wrong = dict([*wrong.items()][:2])  # of the shot in which much moves
    encoder = plant.FaultyEncoder()
    plant.swap_in(damaged, faulty[1], wrong)
    stand.publish(film, library, ladder, "--proofs", "packets", "--no-scores")
    plant.blame(damaged, wrong, encoder)
    shown = json.loads(stand.run("show", "three-shots", "--library", library, "--json").stdout)

    code, told = stand.upkeep(library, "scrub", "--sample", "100")
    assert code == 6
    assert {each["kind"] for each in told["findings"]} == {"frames"}
    code, done = stand.upkeep(library, "repair")
    assert (code, done["lost"], done["left"]) == (0, [], [])
    (suspect,) = done["suspects"]
    assert (suspect["function"], suspect["host"]) == ("encode_chunk", encoder.host)
    assert suspect["tools"] == {"ffmpeg": encoder.tool}
    assert sorted(suspect["chunks"]) == sorted(wrong.values())
    assert (suspect["since"][11:16], suspect["until"][11:16]) == ("12:00", "12:29")

    after = stand.shown(library)
    entry = "titles/three-shots/main.m3u8"
    assert after[entry] == before[entry]
    assert stand.upkeep(library, "scrub", "--sample", "100")[0] == 0
    states = {
        one["id"]: one["state"]
        for one in json.loads(
            stand.run("show", "three-shots", "--library", library, "--json").stdout
        )["packages"]
    }
    assert states[shown["package"]] == "held"
    made = damaged.ask("SELECT count(*) FROM derivation WHERE function = 'encode_chunk'")
    assert made == [(6 + 2,)]


@pytest.mark.parametrize(("scored", "how"), [(True, "finer"), (False, "coarser")])
def test_what_other_tools_make_is_shown_only_where_it_looks_as_good(
    scored: bool, how: str, published: tuple[Path, Any], unscored: tuple[Path, Any], tmp_path: Path
) -> None:
    library = stand.copied((published if scored else unscored)[0], tmp_path / "library")
    damaged, others = Library(library, random.Random(2)), stand.other_tools(tmp_path, how)
    chunk = damaged.choose(damaged.keys("encode_chunk"))
    (library / chunk).unlink()
    (shown,) = damaged.ask("SELECT current FROM title")
    assert stand.upkeep(library, "scrub", "--sample", "0")[0] == 6

    code, done = stand.upkeep(library, "repair", **others)
    states = dict(damaged.ask("SELECT id, state FROM package"))
    (current,) = damaged.ask("SELECT current FROM title")
    if how == "finer":
        assert (code, done["left"], len(done["mended"])) == (0, [], 1)
        assert current != shown and states == {shown[0]: "held", current[0]: "ready"}
        assert stand.upkeep(library, "scrub", "--sample", "0", **others)[1]["findings"] == []
        assert stand.run("verify", "three-shots", "--library", library).returncode == 0
    else:
        assert code == 6 and "looks worse" in done["left"][0]["reason"]
        assert current == shown and states[shown[0]] == "ready"
        assert {s for package, s in states.items() if package != shown[0]} == {"held"}


def test_a_source_without_a_copy_is_lost_from_when_to_when(library: Path) -> None:
    with sqlite3.connect(library / "matinee.db") as connection:
        connection.execute("DELETE FROM original")
        ((source,),) = connection.execute("SELECT source FROM title").fetchall()
    path = library / "objects" / source[:2] / source
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)

    code, done = stand.upkeep(library, "repair", "three-shots")
    assert code == 6
    (lost,) = done["lost"]
    assert lost["digest"] == source
    assert "pictures are lost from" in lost["reason"] or "track" in lost["reason"]
    assert stand.upkeep(library, "repair")[1]["lost"][0]["reason"] == lost["reason"]


def test_a_pass_that_is_broken_off_goes_on_where_it_was(ward: Ward) -> None:
    class Stopped(Exception):
        pass

    def stop(state: Any) -> None:
        if state.phase == "objects" and state.place:
            raise Stopped

    objects, size = ward.holdings.size()
    before = ward.scrubs.newest(9)
    with pytest.raises(Stopped):
        asyncio.run(scrub(ward, Wanted(sample=0), stop))
    done = asyncio.run(scrub(ward, Wanted(sample=0)))

    assert ward.scrubs.newest(9) == [done, *before]
    assert (done.counts["objects"], done.counts["bytes"]) == (objects, size)


def test_a_publish_leaves_no_object_that_nothing_names(ward: Ward) -> None:
    assert not asyncio.run(scrub(ward, Wanted(sample=0))).counts.get("unclaimed")


def test_reading_is_as_slow_as_is_asked_for(ward: Ward) -> None:
    _, size = ward.holdings.size()
    from matinee.flows.throttle import Throttle

    waits: list[float] = []
    throttle = Throttle(size / 2, lambda: 0.0, waits.append)
    for _ in range(4):
        throttle.take(size // 4)
    assert waits == pytest.approx([0.5, 1.0, 1.5, 2.0], rel=0.01)


@pytest.mark.parametrize(
    ("fault", "kind"), [("unreadable", "unreadable"), ("exchanged", "exchanged")]
)
def test_what_a_disk_does_wrong_is_named(ward: Ward, fault: Any, kind: str) -> None:
    one, other = ward.holdings.objects(0, 2, None, None)
    store = FaultyStore(ward.store, {one.key: fault}, other.key)
    asyncio.run(scrub(replace(ward, store=store), Wanted(sample=0)))

    (finding,) = ward.findings.all_open()
    assert (finding.fault.kind, finding.fault.thing) == (kind, one.key)


def test_half_an_object_never_appears(ward: Ward, library: Path) -> None:
    store = FaultyStore(ward.store, {"*": "torn"})
    data = b"whole" * 1000

    with pytest.raises(ObjectDamaged):
        asyncio.run(store.write("objects/aa/new", data, digest=digest_of(data)))
    assert asyncio.run(ward.store.size("objects/aa/new")) is None


def test_bytes_that_changed_are_not_given_out(ward: Ward, tmp_path: Path) -> None:
    data = b"whole" * 1000
    asset = Asset(digest_of(data), len(data), "text/plain")
    key = f"objects/{asset.digest[:2]}/{asset.digest}"
    store = FaultyStore(ward.store, {key: "changing"})
    asyncio.run(store.write(key, data, digest=asset.digest))

    class At:
        def locate(self, digest: str) -> list[str]:
            return [key] if digest == asset.digest else []

    bench: Any = Bench.__new__(Bench)
    bench.store, bench.inventory = store, At()
    with pytest.raises(ObjectDamaged):
        asyncio.run(bench.read(asset))


def test_a_viewer_gets_every_file_while_it_is_mended(library: Path, matinee: Any) -> None:
    damaged = Library(library, random.Random(3))
    keys = [damaged.flip(damaged.choose(damaged.keys("package", "renditions/"), ".m4s"))]
    inode = (library / keys[0]).stat().st_ino
    sizes = {key: (library / key).stat().st_size for key in keys}
    ended: Ended = matinee("repair", keys[0], "--library", library)

    assert ended.exit_code == 0, ended.err
    assert {key: (library / key).stat().st_size for key in keys} == sizes
    assert (library / keys[0]).stat().st_ino != inode, "it was written into, not replaced"
    shutil.rmtree(library)


def test_a_service_scrubs_and_repairs_by_runs(library: Path) -> None:
    damaged = Library(library, random.Random(5))
    planted = plant.chunk(damaged)
    ((kind, key),) = planted.found
    settings = Settings(library, 2)
    worker, release = open_worker(settings)
    opened = open_library(settings)

    def carried_out(run_id: str, flow: str, request: dict[str, Any]) -> Outcome:
        opened.runs.submit(Wish(run_id, flow, LIBRARY, request))
        run = opened.runs.claim(worker.owner)
        assert run is not None

        async def work() -> Outcome:
            return await worker.execute(run, Board(LIBRARY))

        return asyncio.run(work())

    scrubbed = carried_out("run-1", "scrub", {"sample": 0, "within_s": 0.1})
    assert (scrubbed.state, scrubbed.result["findings"]) == ("done", 1)
    (told,) = opened.events.search(Search(type="finding.opened"), 5)
    assert told.event is not None
    assert (told.event.data["kind"], told.event.data["thing"]) == (kind, key)

    repaired = carried_out("run-2", "repair", {})
    assert (repaired.state, repaired.result["mended"]) == ("done", 1)
    (closed,) = opened.events.search(Search(type="finding.closed"), 5)
    assert closed.event is not None and closed.event.data["state"] == "mended"
    with pytest.raises(UsageError, match="no flow"):
        carried_out("run-3", "nonsense", {})
    release()
    opened.engine.dispose()
