"""What the tables of upkeep promise, in every database."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine, text
from tests.contracts.clock import Clock

from matinee.adapters.sql.database import writing
from matinee.adapters.sql.events import SqlEventLog
from matinee.adapters.sql.holdings import SqlHoldings
from matinee.adapters.sql.ledger import SqlLedger
from matinee.adapters.sql.lineage import SqlLineage
from matinee.adapters.sql.upkeep import SqlFindings, SqlOriginals, SqlScrubs
from matinee.assets.asset import Asset
from matinee.assets.derivation import Cost, Derivation, Step
from matinee.assets.health import Fault
from matinee.core.ids import Digest, digest_of
from matinee.ports.events import Search

FILM, CHUNK = digest_of(b"film"), digest_of(b"chunk")
FAULT = Fault("changed", "objects/aa/x", CHUNK, None, {"found": FILM})


def derivation(host: str = "here", clip: Digest = FILM, minutes: int = 0) -> Derivation:
    step = Step("encode_chunk", 2, {"clip": clip, "again": clip}, {}, {"ffmpeg": "f"})
    began = Clock()() + timedelta(minutes=minutes)
    chunk = Asset(digest_of(host.encode() + clip.encode()), 5, "video/mp4")
    return Derivation(step, {"chunk": chunk}, Cost(host, began, 1.0, 2.0))


def record(engine: Engine, made: Derivation) -> Derivation:
    ledger = SqlLedger(engine, Clock())
    digest = made.outputs["chunk"].digest
    ledger.record(ledger.begin("run", made.step), made, [(digest, f"objects/{digest}")])
    return made


def test_what_was_made_of_something_is_found_by_it(engine: Engine) -> None:
    made = record(engine, derivation())
    other = record(engine, derivation(clip=CHUNK))
    lineage = SqlLineage(engine, Clock())

    assert list(lineage.used_any([FILM])) == [made]
    assert {each.step.key for each in lineage.used_any([FILM, CHUNK])} == {
        made.step.key, other.step.key,
    }  # fmt: skip
    assert list(lineage.made_any([made.outputs["chunk"].digest])) == [made]
    assert lineage.that_used(FILM, "encode_chunk", "clip") == made
    assert lineage.that_used(FILM, "encode_chunk", "film") is None


def test_the_same_making_is_found_by_host_and_time(engine: Engine) -> None:
    clips = [digest_of(bytes([n])) for n in range(4)]
    first = record(engine, derivation("a", clips[0], 0))
    second = record(engine, derivation("a", clips[1], 10))
    record(engine, derivation("a", clips[2], 60))
    record(engine, derivation("b", clips[3], 5))
    lineage, noon = SqlLineage(engine, Clock()), Clock()()

    assert lineage.alike(second, noon, noon + timedelta(minutes=30)) == [first, second]


def test_keys_are_found_by_their_beginning(engine: Engine) -> None:
    made = record(engine, derivation())
    digest = made.outputs["chunk"].digest
    lineage = SqlLineage(engine, Clock())

    assert lineage.under("objects/") == {f"objects/{digest}": digest}
    assert lineage.under("object0") == {}
    assert lineage.at(f"objects/{digest}") == digest
    assert lineage.places([digest, FILM]) == {digest: [f"objects/{digest}"]}
    assert lineage.assets([digest]) == {digest: made.outputs["chunk"]}


def test_a_row_that_cannot_be_read_hides_no_other(engine: Engine) -> None:
    made, kept = record(engine, derivation()), record(engine, derivation(clip=CHUNK))
    if engine.dialect.name != "sqlite":
        pytest.skip("this database takes no such bytes")
    with writing(engine) as connection:
        broken = text("UPDATE derivation SET parameters = '{\"a\": 01}' WHERE key = :key")
        connection.execute(broken, {"key": made.step.key})
    digests = [each.outputs["chunk"].digest for each in (made, kept)]

    assert list(SqlLineage(engine, Clock()).made_any(digests)) == [kept]
    assert SqlLedger(engine, Clock()).find(made.step.recipe) == []
    assert [row.derivation is None for row in SqlHoldings(engine, Clock()).rows(0, 9)] == [
        True, False,
    ]  # fmt: skip


def test_a_row_of_another_recipe_than_it_says_is_as_good_as_none(engine: Engine) -> None:
    made = record(engine, derivation())
    with writing(engine) as connection:
        broken = text("UPDATE derivation SET parameters = '{\"a\": 1}' WHERE key = :key")
        connection.execute(broken, {"key": made.step.key})
    ledger = SqlLedger(engine, Clock())
    assert ledger.find(made.step.recipe) == []
    digest = made.outputs["chunk"].digest

    ledger.record(ledger.begin("run", made.step), made, [(digest, "objects/a")], anew=True)

    assert ledger.find(made.step.recipe) == [made]
    assert SqlLineage(engine, Clock()).used_any([FILM]) == [made]


def test_what_is_made_elsewhere_lies_here_no_more(engine: Engine) -> None:
    made, kept = record(engine, derivation()), record(engine, derivation(clip=CHUNK))
    gone, stays = (each.outputs["chunk"].digest for each in (made, kept))
    holdings, lineage = SqlHoldings(engine, Clock()), SqlLineage(engine, Clock())

    holdings.release(made.step.key, [f"objects/{gone}"])

    assert [row.key for row in holdings.rows(0, 9)] == [kept.step.key]
    assert holdings.row(made.step.key) is None
    (row,) = holdings.rows(0, 9)
    assert holdings.row(kept.step.key) == row
    assert holdings.inputs(kept.step.key) == [CHUNK] and not holdings.inputs(made.step.key)
    assert lineage.places([gone, stays]) == {stays: [f"objects/{stays}"]}
    assert not lineage.made_any([gone]) and not lineage.used_any([FILM])


def test_a_fault_is_found_once_and_told_once(engine: Engine) -> None:
    findings, log = SqlFindings(engine, Clock()), SqlEventLog(engine, Clock())
    (finding,) = findings.open([FAULT, FAULT])

    assert findings.open([FAULT]) == []
    assert [each.fault for each in findings.all_open()] == [FAULT]
    findings.close(finding, "mended", "copied")
    findings.close(finding, "lost", "too late")
    assert findings.all_open() == []
    (again,) = findings.open([FAULT])
    assert again.id != finding.id
    assert [each.state for each in findings.page([], None, 5)] == ["open", "mended"]
    types = [entry.type for entry in log.search(Search(type="finding.*"), 10)]
    assert types == ["finding.opened", "finding.closed", "finding.opened"]


def test_what_is_lost_stays_told_and_can_be_mended(engine: Engine) -> None:
    findings = SqlFindings(engine, Clock())
    (finding,) = findings.open([FAULT])
    findings.close(finding, "lost", "no copy")

    assert findings.open([FAULT]) == []
    assert [each.state for each in findings.all_open()] == ["lost"]
    findings.close(finding, "mended", "a copy came")
    assert findings.all_open() == []


def test_a_pass_goes_on_where_it_was_unless_it_is_another(engine: Engine) -> None:
    scrubs = SqlScrubs(engine, Clock())
    first = scrubs.begin({"rate": None})
    from dataclasses import replace

    scrubs.tell(replace(first, phase="objects", place="7", counts={"objects": 7}))

    other, resumed = scrubs.begin({"rate": 5.0}), scrubs.begin({"rate": None})
    assert other.id != first.id
    assert (resumed.id, resumed.phase, resumed.place) == (first.id, "objects", "7")
    assert resumed.counts == {"objects": 7}
    assert scrubs.end(resumed).state == "done"
    assert scrubs.begin({"rate": None}).id not in (first.id, other.id)


def test_places_of_originals_are_kept_the_last_seen_first(engine: Engine) -> None:
    clock = Clock()
    originals = SqlOriginals(engine, clock)
    for place in ("/a", "/b", "/a"):
        originals.note(FILM, place)
        clock.pass_s(60)
    assert list(originals.of(FILM)) == ["/a", "/b"]


@pytest.mark.parametrize("change", ["inputs", "recipe"])
def test_a_row_that_was_changed_is_seen(engine: Engine, change: str) -> None:
    made = record(engine, derivation())
    holdings = SqlHoldings(engine, Clock())
    (row,) = holdings.rows(0, 10)
    assert row.derivation == made
    assert (row.key, row.recipe, row.lacking) == (made.step.key, made.step.recipe, ())
    values = {"inputs": '{"clip": "x"}', "recipe": "0" * 64}
    with writing(engine) as connection:
        query = f"UPDATE derivation SET {change} = :value"  # noqa: S608
        connection.execute(text(query), {"value": values[change]})

    (row,) = holdings.rows(0, 10)
    assert row.derivation is not None
    assert (row.derivation.step.recipe, row.derivation.step.key) != (row.recipe, row.key)
    holdings.rewrite(row.key, made.step)
    assert [(each.derivation, each.recipe) for each in holdings.rows(0, 10)] == [
        (made, made.step.recipe)
    ]
    holdings.forget(row.key)
    assert holdings.rows(0, 10) == []


def test_objects_are_told_in_order_with_what_is_asked_for(engine: Engine) -> None:
    early, late = derivation("a", FILM, 0), derivation("a", CHUNK, 90)
    for each in (early, late):
        record(engine, each)
    holdings = SqlHoldings(engine, Clock())
    held = holdings.objects(0, 10, None, None)

    assert [each.asset for each in held] == [d.outputs["chunk"] for d in (early, late)]
    assert holdings.size() == (2, 10)
    assert [each.number for each in holdings.objects(held[0].number, 10, None, None)] == [
        held[1].number
    ]
    since = holdings.objects(0, 10, Clock()() + timedelta(hours=1), None)
    assert [each.asset for each in since] == [late.outputs["chunk"]]
    assert holdings.known([held[0].key, "objects/no"]) == {held[0].key}
