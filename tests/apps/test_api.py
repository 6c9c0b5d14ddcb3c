"""``/v1`` over a real library: what it gives, what it changes, what it refuses."""

import asyncio
import json
import re
import socket
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.apps.live_service import LiveService, live_service

from matinee.adapters.sql.upkeep import SqlFindings, SqlScrubs
from matinee.assets.health import Fault
from matinee.core.events import Fact
from matinee.flows.seal_events import seal_events
from matinee.ports.deliveries import Order, Settled
from matinee.ports.runs import Ended, Run, Wish
from matinee.wiring.library import now

PROGRESS = {
    "stages": [
        {"name": "scan", "total": 0, "done": 0, "reused": 0, "state": "done"},
        {"name": "encode 72p", "total": 200, "done": 50, "reused": 10, "state": "running"},
    ],
    "grid": {"rungs": ["72p"], "chunks": [[0, 100], [100, 200]], "cells": {"72p": "dq"}},
    "fps": 12.5,
    "left_s": 12.0,
    "note": None,
}


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveService]:
    """One service for all; each test asks after what it made itself."""
    with live_service(tmp_path_factory.mktemp("api")) as service:
        yield service


def queue(live: LiveService, run: str, **wish: Any) -> str:
    live.library.runs.submit(Wish(run, "publish", f"{run}.mp4", {"place": f"/{run}.mp4"}, **wish))
    return run


def claim(live: LiveService, run: str) -> Run:
    queue(live, run, priority=100)
    claimed = live.library.runs.claim("a worker")
    assert claimed is not None and claimed.id == run
    return claimed


def told_acts(live: LiveService, target: str) -> list[str]:
    events = live.ask("/v1/events?type=person.acted&limit=200").json
    return [e["data"]["act"] for e in events if e["data"]["target"] == target]


def test_a_run_is_shown_with_its_progress(live: LiveService) -> None:
    run = claim(live, "shown")
    live.library.runs.tell(run, PROGRESS, "a-title")

    whole = live.ask("/v1/runs/shown").json
    assert whole["progress"] == PROGRESS
    assert whole["request"] == {"place": "/shown.mp4"}
    assert (whole["share"], whole["fps"], whole["left_s"]) == (0.25, 12.5, 12.0)
    listed = live.ask("/v1/runs?title=a-title").json
    assert [row["id"] for row in listed] == ["shown"]
    assert whole.items() >= listed[0].items()
    assert live.ask("/v1/runs?state=running&state=queued").json[0]["id"] == "shown"
    live.library.runs.end(run, Ended("done"))


def test_pages_follow_one_another_without_gap(live: LiveService) -> None:
    names = [queue(live, f"page-{number}") for number in range(5)]
    found: list[str] = []
    path: str | None = "/v1/runs?state=queued&limit=2"
    while path is not None:
        answer = live.ask(path)
        assert len(answer.json) <= 2
        found += [row["id"] for row in answer.json if row["id"] in names]
        link = re.fullmatch(r'<(.+)>; rel="next"', answer.headers.get("link", ""))
        path = link and link[1]

    assert found == names[::-1]
    for name in names:
        live.library.runs.cancel(name, [])


def test_a_run_that_did_not_change_is_not_sent_again(live: LiveService) -> None:
    queue(live, "tagged")
    tag = live.ask("/v1/runs/tagged").headers["etag"]

    assert live.ask("/v1/runs/tagged", if_none_match=tag).status == 304
    urgent = live.ask("/v1/runs/tagged", "PATCH", {"priority": 7}, if_match=tag)
    assert (urgent.status, urgent.json["priority"]) == (200, 7)
    assert live.ask("/v1/runs/tagged", if_none_match=tag).status == 200
    late = live.ask("/v1/runs/tagged", "PATCH", {"priority": 8}, if_match=tag)
    assert (late.status, late.json["code"]) == (412, "state.changed")
    assert live.ask("/v1/runs/tagged").json["priority"] == 7
    live.library.runs.cancel("tagged", [])


def test_a_run_is_cancelled_retried_and_restarted(live: LiveService) -> None:
    queue(live, "acted")
    assert live.ask("/v1/runs/acted/retry", "POST").json["code"] == "state.conflict"
    cancelled = live.ask("/v1/runs/acted/cancel", "POST", {})
    assert (cancelled.status, cancelled.json["state"]) == (200, "cancelled")
    assert live.ask("/v1/runs/acted/cancel", "POST").status == 409
    assert live.ask("/v1/runs/acted", "PATCH", {"priority": 1}).status == 409

    restarted = live.ask("/v1/runs/acted/restart", "POST", {"stage": "encode"}).json
    assert restarted["state"] == "queued"
    assert restarted["request"] == {"place": "/acted.mp4", "redo": "encode"}
    live.ask("/v1/runs/acted/cancel", "POST")
    retried = live.ask("/v1/runs/acted/retry", "POST").json
    assert retried["request"] == {"place": "/acted.mp4"}
    assert told_acts(live, "run/acted") == [
        "retry", "cancel", "restart from encode", "cancel",
    ]  # fmt: skip
    assert live.woken
    live.ask("/v1/runs/acted/cancel", "POST")


def test_a_key_makes_an_act_happen_once(live: LiveService) -> None:
    queue(live, "once")
    path = "/v1/runs/once/cancel"
    first = live.ask(path, "POST", {}, idempotency_key="k1")
    again = live.ask(path, "POST", {}, idempotency_key="k1")

    assert (first.status, again.status) == (200, 200)
    assert again.body == first.body
    assert again.headers["idempotency-replayed"] == "true"
    assert "idempotency-replayed" not in first.headers
    assert told_acts(live, "run/once") == ["cancel"]
    other = live.ask("/v1/runs/once/retry", "POST", {}, idempotency_key="k1")
    assert (other.status, other.json["code"]) == (422, "idempotency.reused")
    stranger = live.token("operate")
    assert live.ask(path, "POST", {}, secret=stranger, idempotency_key="k1").status == 409
    assert live.ask(path, "POST", {}, idempotency_key="a b").status == 400


def test_a_refused_act_frees_its_key(live: LiveService) -> None:
    queue(live, "freed")
    path = "/v1/runs/freed/retry"
    assert live.ask(path, "POST", idempotency_key="k2").status == 409
    live.ask("/v1/runs/freed/cancel", "POST")
    assert live.ask(path, "POST", idempotency_key="k2").status == 200
    live.ask("/v1/runs/freed/cancel", "POST")


def one_order(live: LiveService, subject: str, rule: str) -> int:
    """A delivery that is dead; gives its id."""
    live.service.log.append([Fact("film.arrived", subject, {"name": "a.mp4"}, id=f"of {subject}")])
    desk = live.library.deliveries
    while desk.route(
        lambda event: [Order(rule, "hold", {"why": 1}, now())] if event.subject == subject else [],
        100,
    ):
        pass
    claimed = [d for d in desk.claim("tests", now() + timedelta(1), 10) if d.rule == rule]
    assert desk.settle(claimed[0], Settled("dead", reason="it broke", code="x.y", hint="mend it"))
    return claimed[0].id


def test_a_dead_delivery_is_replayed_or_skipped(live: LiveService) -> None:
    delivery = one_order(live, "film/dead", "keep")
    dead = live.ask("/v1/deliveries?state=dead&subject=film/dead").json
    assert [(d["id"], d["reason"], d["rule"]) for d in dead] == [(delivery, "it broke", "keep")]
    assert dead[0]["event"]["type"] == "film.arrived"

    path = f"/v1/deliveries/{delivery}"
    assert live.ask(f"{path}/replay", "POST").json["state"] == "waiting"
    assert live.ask(f"{path}/skip", "POST").status == 409
    (claimed,) = live.library.deliveries.claim("tests", now() + timedelta(1), 10)
    live.library.deliveries.settle(claimed, Settled("dead", reason="again"))
    assert live.ask(f"{path}/skip", "POST").json["state"] == "skipped"
    assert told_acts(live, f"delivery/{delivery}") == ["skip", "replay"]
    of_event = live.ask("/v1/deliveries?event=of%20film/dead").json
    assert [d["state"] for d in of_event] == ["skipped"]
    assert live.ask("/v1/deliveries/999999/skip", "POST").status == 404


def test_events_are_found_by_type_subject_and_time(live: LiveService) -> None:
    first, second = live.service.log.append(
        [Fact("title.made", "title/found", {"title": "found"}), Fact("title.hidden", "title/found")]
    )

    assert [e["id"] for e in live.ask("/v1/events?subject=title/found").json] == [
        second.id, first.id,
    ]  # fmt: skip
    (made,) = live.ask("/v1/events?type=title.m*&subject=title/fo*").json
    assert made["data"] == {"title": "found"}
    assert (made["specversion"], made["place"] > 0) == ("1.0", True)
    assert live.ask(f"/v1/events/{first.id}").json == made
    late = (now() + timedelta(hours=1)).isoformat().replace("+00:00", "Z")
    assert live.ask(f"/v1/events?since={late}").json == []
    assert live.ask("/v1/events?since=2026-01-01T00:00:00").status == 422
    assert "film.arrived" in {kind["name"] for kind in live.ask("/v1/events/types").json}


def test_events_are_told_from_their_seals(live: LiveService) -> None:
    (told,) = live.service.log.append([Fact("title.made", "title/sealed", {"deep": [1]})])
    log = live.library.events
    while live.library.deliveries.route(lambda _: [], 1000):
        pass
    asyncio.run(seal_events(log, live.library.store, now, oldest=timedelta(0)))

    assert log.get(told.id).event is None
    (shown,) = live.ask("/v1/events?subject=title/sealed").json
    assert (shown["id"], shown["data"]) == (told.id, {"deep": [1]})


def test_a_chain_leads_from_the_first_cause_to_all_effects(live: LiveService) -> None:
    log = live.service.log
    (root,) = log.append([Fact("film.arrived", "film/chain", {})])
    left, right = log.append(
        [Fact("run.queued", f"run/{n}", {"run": n}, root.id) for n in ("left", "right")]
    )
    (leaf,) = log.append([Fact("run.ended", "run/right", {"run": "right"}, right.id)])

    chain = live.ask(f"/v1/events/{leaf.id}/chain").json
    assert chain["cut"] is False
    top = chain["root"]
    assert top["event"]["id"] == root.id
    assert [node["event"]["id"] for node in top["effects"]] == [left.id, right.id]
    assert [node["event"]["id"] for node in top["effects"][1]["effects"]] == [leaf.id]
    delivery = one_order(live, "film/chain-of-delivery", "chained")
    root_node = live.ask("/v1/events/of%20film%2Fchain-of-delivery/chain").json["root"]
    assert [d["id"] for d in root_node["deliveries"]] == [delivery]
    assert {node["event"]["type"] for node in root_node["effects"]} == {"delivery.dead"}


@pytest.mark.parametrize(
    ("path", "method", "status", "code"),
    [
        ("/v1/runs/none", "GET", 404, "not_found"),
        ("/v1/none", "GET", 404, "not_found"),
        ("/v1/runs", "DELETE", 405, "method_not_allowed"),
        ("/v1/runs?limit=0", "GET", 422, "request.invalid"),
        ("/v1/runs?cursor=W10", "GET", 400, "usage"),
        ("/v1/runs?cursor=WyJub25lIl0", "GET", 404, "not_found"),
        ("/v1/events?limit=1&cursor=%00", "GET", 400, "usage"),
        ("/v1/runs/none/restart", "POST", 422, "request.invalid"),
    ],
)
def test_refusals_are_problem_documents(
    live: LiveService, path: str, method: str, status: int, code: str
) -> None:
    answer = live.ask(path, method)

    assert (answer.status, answer.json["status"], answer.json["code"]) == (status, status, code)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json["detail"]
    assert ("errors" in answer.json) == (status == 422)


def test_a_body_that_is_too_large_or_no_json_is_refused(live: LiveService) -> None:
    path = "/v1/rules/test"
    announced = str((1 << 20) + 1)  # only that: who is refused may not hear it while it sends
    refused = live.ask(path, "POST", b"x", content_length=announced)
    assert refused.json["code"] == "request.too_large"
    assert live.ask(path, "POST", b"{").status == 422
    assert live.ask(path, "POST", {"type": "a", "subject": "b", "odd": 1}).status == 422
    assert live.ask(path, "POST", {"type": "film.arrived", "subject": "b"}).json == []


def listen(live: LiveService, path: str, until: str, **headers: str) -> list[tuple[str, Any]]:
    """What a listener hears up to the first of a kind that ``until`` is in."""
    with socket.create_connection(("127.0.0.1", live.port), timeout=10) as connection:
        told = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n{told}\r\n".encode())
        text, deadline = "", time.monotonic() + 10
        while until not in text:
            assert time.monotonic() < deadline, text
            text += connection.recv(65536).decode()
    found = re.findall(r"event: (\w+)\n(?:id: \d+\n)?data: (.+)\n\n", text)
    return [(kind, json.loads(data)) for kind, data in found]


def test_a_listener_misses_nothing_behind_its_place(live: LiveService) -> None:
    place = live.service.log.last()
    told = live.service.log.append([Fact("title.made", f"title/heard-{n}") for n in range(3)])

    heard = listen(live, f"/v1/stream?after={place}", "heard-2")
    assert [e["id"] for kind, e in heard if kind == "event"] == [event.id for event in told]
    later = listen(live, "/v1/stream", "heard-2", **{"Last-Event-ID": str(place + 1)})
    assert [e["id"] for kind, e in later if kind == "event"] == [e.id for e in told[1:]]
    assert live.ask("/v1/stream?after=-1").status == 422


def test_a_listener_hears_a_run_move(live: LiveService) -> None:
    run = claim(live, "heard")
    live.library.runs.tell(run, PROGRESS, None)

    heard = listen(live, "/v1/stream?run=heard", "left_s")
    live.library.runs.end(run, Ended("done"))
    assert {kind for kind, _ in heard} <= {"run", "event"}
    (moved,) = [document for kind, document in heard if kind == "run"]
    assert moved == live.ask("/v1/runs/heard").json | {
        key: moved[key] for key in ("state", "ended_at", "result")
    }


def test_numbers_are_kept_and_told_to_prometheus(live: LiveService) -> None:
    queue(live, "counted")
    deadline = time.monotonic() + 10
    while not (numbers := live.ask("/v1/numbers").json)["now"]["runs_queued"]:
        assert time.monotonic() < deadline
        time.sleep(0.1)

    rows = len(numbers["seconds"]["times"])
    assert rows > 0
    assert {len(column) for column in numbers["seconds"]["columns"].values()} == {rows}
    assert numbers["now"]["disk_free_bytes"] > 0
    metrics = live.ask("/metrics").body.decode()
    assert re.search(r"^matinee_runs_queued [1-9]", metrics, re.MULTILINE)
    assert "# TYPE matinee_run_age_seconds gauge" in metrics
    live.library.runs.cancel("counted", [])


def test_a_cell_of_a_film_that_is_not_split_is_not_there(live: LiveService) -> None:
    queue(live, "early")
    assert live.ask("/v1/runs/early/cells/72p/0").status == 404
    live.library.runs.cancel("early", [])


def test_an_empty_library_is_served(tmp_path: Path) -> None:
    with live_service(tmp_path) as empty:
        assert empty.ask("/v1/titles").json == []
        assert empty.ask("/v1/titles/none").status == 404
        assert b"matinee publish" in empty.ask("/").body


def test_upkeep_is_told_and_asked_for(live: LiveService) -> None:
    findings = SqlFindings(live.library.engine, now)
    (lost, _) = findings.open([Fault("changed", f"objects/{n}", None, None) for n in "ab"])
    findings.close(lost, "lost", "no copy")
    told = live.ask("/v1/findings?state=lost").json
    assert [(each["thing"], each["how"]) for each in told] == [("objects/a", "no copy")]
    page = live.ask("/v1/findings?limit=1")
    assert page.json[0]["thing"] == "objects/b" and "next" in page.headers["link"]

    scrubs = SqlScrubs(live.library.engine, now)
    scrubs.end(scrubs.begin({"sample": 0.02, "since": None, "title": None}))
    assert live.ask("/v1/scrubs").json[0]["state"] == "done"
    for path, flow in (("/v1/scrubs", "scrub"), ("/v1/repairs", "repair")):
        answer = live.ask(path, "POST", {})
        assert (answer.status, answer.json["flow"], answer.json["state"]) == (202, flow, "queued")
        live.ask(f"/v1/runs/{answer.json['id']}/cancel", "POST")
    assert live.ask("/v1/lineage?thing=nothing-of-that-name").status == 404
