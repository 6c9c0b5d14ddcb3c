"""What the web keeps and asks, in every database: sessions, answers, shelves, lineage."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Engine
from tests.contracts.clock import NOON, Clock

from matinee.adapters.sql.catalog import SqlPackages, SqlTitles
from matinee.adapters.sql.events import SqlEventLog
from matinee.adapters.sql.ledger import SqlLedger
from matinee.adapters.sql.lineage import SqlLineage
from matinee.adapters.sql.runs import SqlRuns
from matinee.adapters.sql.sessions import ABANDONED, KEPT, SqlReplies, SqlSessions
from matinee.adapters.sql.shelf import SqlShelf
from matinee.adapters.sql.tokens import SqlTokens
from matinee.assets.asset import Asset
from matinee.assets.derivation import Cost, Derivation, Step
from matinee.core.events import Fact
from matinee.core.ids import Digest, digest_of
from matinee.ports.catalog import Package, Title
from matinee.ports.runs import Wish
from matinee.ports.sessions import Reply
from matinee.ports.shelf import Shown
from matinee.ports.tokens import Token

TOKEN = Token("t1", "studio", digest_of(b"secret"), ("read",), NOON)
COOKIE, OTHER, ASKED = digest_of(b"cookie"), digest_of(b"other"), digest_of(b"request")
HOUR = timedelta(hours=1)
SKETCH = {"duration": 12.5, "thumbnails": None}


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_a_session_knows_its_token_as_it_is_now(engine: Engine, clock: Clock) -> None:
    tokens, sessions = SqlTokens(engine, clock), SqlSessions(engine, clock)
    tokens.add(TOKEN)
    sessions.open(COOKIE, TOKEN, NOON + HOUR, [Fact("person.acted", "person/studio")])

    assert sessions.find(COOKIE) == (TOKEN, NOON + HOUR)
    assert sessions.find(OTHER) is None
    revoked = tokens.revoke("t1")
    assert sessions.find(COOKIE) == (revoked, NOON + HOUR)
    assert SqlEventLog(engine, clock).last() == 1


def test_a_session_ends_once_and_old_ones_are_forgotten(engine: Engine, clock: Clock) -> None:
    tokens, sessions = SqlTokens(engine, clock), SqlSessions(engine, clock)
    tokens.add(TOKEN)
    sessions.open(COOKIE, TOKEN, NOON + HOUR, [])
    clock.pass_s(3600)
    sessions.open(OTHER, TOKEN, NOON + 2 * HOUR, [])
    assert sessions.find(COOKIE) is None

    for _ in range(2):
        sessions.close(OTHER, [Fact("person.acted", "person/studio")])
    assert sessions.find(OTHER) is None
    assert SqlEventLog(engine, clock).last() == 1


def test_an_answer_is_given_again_to_the_same_person_for_a_day(
    engine: Engine, clock: Clock
) -> None:
    replies = SqlReplies(engine, clock)
    assert replies.begin("a", "key", ASKED) is None
    assert replies.begin("a", "key", OTHER) == Reply(ASKED, None, b"")
    replies.keep("a", "key", 200, '{"é": 1}'.encode())

    assert replies.begin("a", "key", ASKED) == Reply(ASKED, 200, '{"é": 1}'.encode())
    assert replies.begin("b", "key", ASKED) is None
    clock.pass_s(KEPT.total_seconds())
    assert replies.begin("a", "key", ASKED) is None


def test_a_key_is_free_again_when_its_request_came_to_nothing(engine: Engine, clock: Clock) -> None:
    replies = SqlReplies(engine, clock)
    replies.begin("a", "dropped", ASKED)
    replies.drop("a", "dropped")
    assert replies.begin("a", "dropped", OTHER) is None
    replies.begin("a", "dead", ASKED)
    clock.pass_s(ABANDONED.total_seconds())
    assert replies.begin("a", "dead", ASKED) is None


def test_lists_show_the_package_on_screen_else_the_newest(engine: Engine, clock: Clock) -> None:
    titles, packages = SqlTitles(engine, clock), SqlPackages(engine, clock)
    added = [
        titles.add(Title(name, name, digest_of(name.encode()), "a.mkv", "", NOON, None))
        for name in ("old", "new", "none")
    ]
    for title in added[:2]:
        for number, sketch in enumerate((SKETCH, None)):
            report = digest_of(f"{title.id} {number}".encode())
            at = NOON + number * HOUR
            packages.add(Package(str(number), title.id, "ready", at, {}, report, {}, sketch))
    added[0] = packages.point("old", "0")

    assert SqlShelf(engine).shown(added) == {
        "old": Shown(digest_of(b"old 0"), SKETCH),
        "new": Shown(digest_of(b"new 1"), None),
    }


def test_runs_are_found_by_their_title(engine: Engine, clock: Clock) -> None:
    runs = SqlRuns(engine, clock)
    for name in ("one", "two"):
        runs.submit(Wish(name, "publish", "a.mkv", {"place": "/a"}))
    run = runs.claim("worker")
    assert run is not None
    runs.tell(run, {}, "sintel")

    assert [found.id for found in runs.page([], None, 10, "sintel")] == [run.id]
    assert runs.page(["queued"], None, 10, "sintel") == []


def derive(ledger: SqlLedger, step: Step, role: str, content: bytes) -> Derivation:
    asset = Asset(digest_of(content), len(content), "video/mp4")
    derivation = Derivation(step, {role: asset}, Cost("host", NOON, 1.0, 2.0))
    ledger.record(ledger.begin("run", step), derivation, [])
    return derivation


def test_what_made_and_what_used_an_asset_is_found(engine: Engine, clock: Clock) -> None:
    ledger, lineage = SqlLedger(engine, clock), SqlLineage(engine, clock)
    encode = Step("encode_chunk", 1, {"clip": digest_of(b"clip")}, {"crf": 20}, {"ffmpeg": "1"})
    encoded = derive(ledger, encode, "chunk", b"chunk")
    newer = derive(ledger, replace(encode, tools={"ffmpeg": "2"}), "chunk", b"chunk")
    chunk: Digest = encoded.outputs["chunk"].digest
    scored = derive(ledger, Step("score_chunk", 1, {"chunk": chunk}, {}), "scores", b"1")

    assert lineage.of_recipe(encode.recipe) == newer
    assert lineage.that_made(chunk, "encode_chunk") == newer
    assert lineage.that_made(chunk, "score_chunk") is None
    assert lineage.that_used(chunk, "score_chunk", "chunk") == scored
    assert lineage.that_used(chunk, "score_chunk", "clip") is None
    assert lineage.that_used(OTHER, "score_chunk", "chunk") is None


def test_tries_are_told_whole(engine: Engine, clock: Clock) -> None:
    ledger, lineage = SqlLedger(engine, clock), SqlLineage(engine, clock)
    step = Step("encode_chunk", 1, {}, {})
    failed = ledger.begin("run", step)
    clock.pass_s(5)
    ledger.fail(failed, "encode.failed: it broke")
    derive(ledger, step, "chunk", b"chunk")
    ledger.begin("another run", step)

    first, second = lineage.tries("run", [step.key])
    assert (first.outcome, first.reason) == ("failed", "encode.failed: it broke")
    assert first.ended_at == first.started_at + timedelta(seconds=5)
    assert (second.outcome, second.reason) == ("done", None)
    assert lineage.tries("run", []) == []
