"""What every ledger promises."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from threading import Barrier

import pytest
from sqlalchemy import URL, Engine

from matinee.adapters.sql.catalog import SqlPackages, SqlTitles
from matinee.adapters.sql.database import open_database
from matinee.adapters.sql.fence import Fence
from matinee.adapters.sql.ledger import SqlLedger
from matinee.adapters.sql.runs import SqlRuns
from matinee.assets.asset import Asset
from matinee.assets.derivation import Cost, Derivation, Step
from matinee.core.errors import LibraryError, RunLost
from matinee.core.ids import Digest, digest_of
from matinee.ports.catalog import Package, Title
from matinee.ports.runs import Wish

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
STEP = Step(
    "encode", 3, {"chunk": digest_of(b"chunk")}, {"crf": 23, "sizes": [1, 2]}, {"ffmpeg": "old"}
)

RACER = """
import sys
from tests.contracts.test_ledger import STEP, made_by, now
from matinee.adapters.sql.database import open_database
from matinee.adapters.sql.ledger import SqlLedger
print("ready", flush=True)
sys.stdin.readline()
ledger = SqlLedger(open_database(sys.argv[1]), now)
for crf in range(40):
    derivation = made_by(sys.argv[2], crf)
    ledger.record(ledger.begin(sys.argv[2], derivation.step), derivation, [])
"""


def now() -> datetime:
    return NOON


def asset_of(data: bytes, media_type: str = "video/mp4") -> Asset:
    return Asset(digest_of(data), len(data), media_type)


def made_by(host: str, crf: int = 23) -> Derivation:
    step = replace(STEP, parameters={"crf": crf})
    return Derivation(step, {"video": asset_of(f"{host}{crf}".encode())}, Cost(host, NOON, 1.5, 9))


@pytest.fixture
def ledger(engine: Engine) -> SqlLedger:
    return SqlLedger(engine, now)


def record(
    ledger: SqlLedger, derivation: Derivation, locations: dict[Digest, str] | None = None
) -> None:
    places = (locations or {}).items()
    ledger.record(ledger.begin("run", derivation.step), derivation, places)


def test_what_is_recorded_is_found(ledger: SqlLedger) -> None:
    outputs = {"video": asset_of(b"v"), "log": asset_of(b"", "text/plain"), "same": asset_of(b"v")}
    derivation = Derivation(STEP, outputs, Cost("host", NOON, 1.25, 4.5))
    record(ledger, derivation)

    (found,) = ledger.find(STEP.recipe)
    assert found == derivation
    assert (found.step.key, found.step.recipe) == (STEP.key, STEP.recipe)


def test_a_derivation_may_have_no_outputs(ledger: SqlLedger) -> None:
    derivation = Derivation(STEP, {}, Cost("host", NOON, 0, 0))
    record(ledger, derivation)

    assert ledger.find(STEP.recipe) == [derivation]


def test_what_was_never_made_is_not_found(ledger: SqlLedger) -> None:
    assert ledger.find(STEP.recipe) == []
    assert ledger.made(digest_of(b"none")) == []
    assert ledger.locate(digest_of(b"none")) == []
    assert ledger.locate_all([]) == []
    assert ledger.asset(digest_of(b"none")) is None


def test_times_come_back_in_utc(ledger: SqlLedger) -> None:
    local = NOON.astimezone(timezone(timedelta(hours=-7)))
    record(ledger, replace(made_by("host"), cost=Cost("host", local, 1, 1)))

    (found,) = ledger.find(made_by("host").step.recipe)
    assert found.cost.started_at == NOON
    assert found.cost.started_at.tzinfo is UTC


def test_recording_twice_keeps_the_first(ledger: SqlLedger) -> None:
    first, second = made_by("first"), made_by("second")
    assert first.step.key == second.step.key
    record(ledger, first)
    attempt = ledger.begin("run", second.step)

    ledger.record(attempt, second, [(second.outputs["video"].digest, "second.mp4")])

    assert ledger.find(first.step.recipe) == [first]
    assert ledger.asset(second.outputs["video"].digest) is None
    assert [attempt.outcome for attempt in ledger.attempts()] == ["done", "done"]


def test_making_lost_bytes_again_tells_where_they_lie_now(ledger: SqlLedger) -> None:
    first = made_by("first")
    digest = first.outputs["video"].digest
    record(ledger, first, {digest: "lost.mp4"})

    record(ledger, first, {digest: "again.mp4"})

    assert ledger.locate(digest) == ["lost.mp4", "again.mp4"]


def test_two_outputs_of_equal_bytes_lie_in_two_places(ledger: SqlLedger) -> None:
    same = asset_of(b"same")
    derivation = Derivation(STEP, {"1.vtt": same, "2.vtt": same}, Cost("host", NOON, 0, 0))
    attempt = ledger.begin("run", STEP)

    ledger.record(attempt, derivation, [(same.digest, "1.vtt"), (same.digest, "2.vtt")])

    assert set(ledger.locate(same.digest)) == {"1.vtt", "2.vtt"}
    none = digest_of(b"none")
    assert [sorted(k) for k in ledger.locate_all([none, same.digest])] == [[], ["1.vtt", "2.vtt"]]


def test_the_newest_of_a_function_are_found_and_those_that_used_a_thing(ledger: SqlLedger) -> None:
    other = digest_of(b"another chunk")
    every = [made_by("host", crf) for crf in range(4)]
    every[2] = replace(every[2], step=replace(every[2].step, inputs={"chunk": other}))
    for derivation in (*every, replace(every[0], step=replace(STEP, function="score"))):
        record(ledger, derivation)

    assert ledger.newest("encode", 3) == every[:0:-1]
    assert ledger.newest("encode", 9, of=other) == [every[2]]
    assert ledger.newest("encode", 9, of=digest_of(b"none")) == ledger.newest("none", 9) == []
    assert ledger.newest("encode", 9, giving="video") == every[::-1]
    assert ledger.newest("encode", 9, giving="sound") == []


def test_find_gives_the_newest_first_across_tools(ledger: SqlLedger) -> None:
    old = made_by("host")
    new = replace(old, step=replace(old.step, tools={"ffmpeg": "new"}))
    newest = replace(old, step=replace(old.step, tools={"ffmpeg": "newest"}))
    record(ledger, old)
    record(ledger, new)
    record(ledger, newest)

    assert ledger.find(old.step.recipe) == [newest, new, old]


def test_many_recipes_are_found_at_once_each_at_its_place(ledger: SqlLedger) -> None:
    made = [made_by("host", crf) for crf in range(3)]
    newer = replace(made[0], step=replace(made[0].step, tools={"ffmpeg": "new"}))
    for derivation in (*made, newer):
        record(ledger, derivation)
    never = [digest_of(b"%d" % number) for number in range(1200)]
    asked = [made[2].step.recipe, *never, made[0].step.recipe, made[2].step.recipe]

    assert ledger.find_all(asked) == [
        [made[2]], *([] for _ in never), [newer, made[0]], [made[2]],
    ]  # fmt: skip
    assert ledger.find_all([]) == []


def test_attempts_are_open_until_they_end(ledger: SqlLedger) -> None:
    derivation = made_by("host")
    done, lost, bad = (ledger.begin(run, derivation.step) for run in ("one", "one", "two"))
    ledger.record(done, derivation, [])
    ledger.fail(bad, "the encoder fell over")

    attempts = ledger.attempts()
    assert [(each.id, each.run, each.outcome) for each in attempts] == [
        (done, "one", "done"),
        (lost, "one", None),
        (bad, "two", "failed"),
    ]
    assert {each.key for each in attempts} == {derivation.step.key}
    assert {each.started_at for each in attempts} == {NOON}
    assert [each.id for each in ledger.attempts("one")] == [done, lost]


def test_a_closed_attempt_stays_closed(ledger: SqlLedger) -> None:
    derivation = made_by("host")
    attempt = ledger.begin("run", derivation.step)
    ledger.record(attempt, derivation, [])
    ledger.fail(attempt, "too late")

    assert [each.outcome for each in ledger.attempts()] == ["done"]


def test_a_lost_attempt_loses_no_work(ledger: SqlLedger) -> None:
    derivation = made_by("host")
    ledger.record(4711, derivation, [])

    assert ledger.find(derivation.step.recipe) == [derivation]


def test_an_asset_may_lie_in_several_places(ledger: SqlLedger) -> None:
    video = asset_of(b"same")
    for crf, key in ((1, "first.mp4"), (2, "second.mp4"), (3, "first.mp4")):
        derivation = replace(made_by("host", crf), outputs={"video": video})
        record(ledger, derivation, {video.digest: key})

    assert ledger.locate(video.digest) == ["first.mp4", "second.mp4"]
    assert ledger.asset(video.digest) == video
    assert [each.step.parameters["crf"] for each in ledger.made(video.digest)] == [3, 2, 1]


def test_a_key_that_was_written_again_is_no_place_of_the_old(ledger: SqlLedger) -> None:
    old, new = made_by("host", 1), made_by("host", 2)
    record(ledger, old, {old.outputs["video"].digest: "entry.m3u8"})
    record(ledger, new, {new.outputs["video"].digest: "entry.m3u8"})

    assert ledger.locate(old.outputs["video"].digest) == []
    assert ledger.locate(new.outputs["video"].digest) == ["entry.m3u8"]


def test_a_record_is_whole_or_not_at_all(ledger: SqlLedger) -> None:
    derivation = made_by("host")
    attempt = ledger.begin("run", derivation.step)

    with pytest.raises(LibraryError, match="database"):
        ledger.record(attempt, derivation, [(digest_of(b"of no asset"), "stray.mp4")])

    assert ledger.find(derivation.step.recipe) == []
    assert ledger.asset(derivation.outputs["video"].digest) is None
    assert [each.outcome for each in ledger.attempts()] == [None]


def test_thousands_of_outputs_are_one_record(ledger: SqlLedger) -> None:
    outputs = {f"segment {n}": asset_of(str(n).encode()) for n in range(3000)}
    derivation = Derivation(STEP, outputs, Cost("host", NOON, 1, 1))
    record(ledger, derivation, {each.digest: f"{role}.m4s" for role, each in outputs.items()})

    assert ledger.find(STEP.recipe) == [derivation]
    assert ledger.locate(outputs["segment 2999"].digest) == ["segment 2999.m4s"]


def test_threads_that_record_the_same_key_agree(ledger: SqlLedger) -> None:
    barrier = Barrier(4)

    def race(host: str) -> None:
        barrier.wait()
        for crf in range(25):
            record(ledger, made_by(host, crf))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(race, "abcd"))

    for crf in range(25):
        (found,) = ledger.find(made_by("a", crf).step.recipe)
        assert found == made_by(found.cost.host, crf)
    assert {each.outcome for each in ledger.attempts()} == {"done"}


def test_what_a_claimed_run_writes_counts_only_while_it_is_its_own(
    engine: Engine, ledger: SqlLedger
) -> None:
    runs = SqlRuns(engine, now)
    runs.submit(Wish("run", "publish", "a.mkv", {}))
    mine = runs.claim("me")
    assert mine is not None
    fence = Fence(mine.id, mine.token)
    fenced = SqlLedger(engine, now, fence)
    titles, packages = SqlTitles(engine, now, fence), SqlPackages(engine, now, fence)
    title = Title("t", "T", digest_of(b"t"), "a.mkv", "", NOON, None)
    package = Package("p", "t", "ready", NOON, {}, digest_of(b"r"), {})
    first, second = made_by("host", 1), made_by("host", 2)
    attempt = fenced.begin("run", first.step)
    fenced.record(attempt, first, [])
    assert titles.add(title) == title
    runs.release_all("me")
    assert runs.claim("other") is not None

    for write in (
        lambda: fenced.begin("run", second.step),
        lambda: fenced.record(attempt, second, []),
        lambda: titles.describe("t", "New", None),
        lambda: packages.add(package),
        lambda: packages.point("t", None),
    ):
        with pytest.raises(RunLost, match="run"):
            write()

    assert len(ledger.attempts()) == 1
    assert (ledger.find(first.step.recipe), ledger.find(second.step.recipe)) == ([first], [])
    assert titles.get("t") == title
    assert packages.of_title("t") == []


def test_processes_that_open_and_record_at_once_agree(address: URL) -> None:
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", RACER, str(address), host],
            env={"PYTHONPATH": ":".join(sys.path)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for host in "ab"
    ]
    for racer in racers:
        assert racer.stdout is not None and racer.stdout.readline() == "ready\n"
    for racer in racers:
        assert racer.stdin is not None
        racer.stdin.write("go\n")
        racer.stdin.flush()
    for racer in racers:
        racer.communicate()
    assert [racer.returncode for racer in racers] == [0, 0]

    engine = open_database(address)
    ledger = SqlLedger(engine, now)
    for crf in range(40):
        (found,) = ledger.find(made_by("a", crf).step.recipe)
        assert found == made_by(found.cost.host, crf)
    assert len(ledger.attempts()) == 80
    engine.dispose()


def test_what_is_made_anew_takes_the_place_of_what_was_there(ledger: SqlLedger) -> None:
    old, new = made_by("old"), made_by("new")
    for derivation, anew in ((old, False), (new, True)):
        place = (derivation.outputs["video"].digest, f"objects/{derivation.cost.host}")
        ledger.record(ledger.begin("run", STEP), derivation, [place], anew=anew)

    (found,) = ledger.find(new.step.recipe)
    assert found == new
    assert ledger.locate(new.outputs["video"].digest) == ["objects/new"]
    assert ledger.made(old.outputs["video"].digest) == []
