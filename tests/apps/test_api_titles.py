"""``/v1/titles`` as it is changed, and cells of a film, over a library that the program made."""

import shutil
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.apps.cinema import TITLE, Cinema
from tests.apps.live_service import LiveService, live_service

from matinee.ports.runs import Ended, Wish
from matinee.wiring.library import now

pytestmark = pytest.mark.tools

PATH = f"/v1/titles/{TITLE}"


@pytest.fixture
def live(cinema: Cinema, tmp_path: Path) -> Iterator[LiveService]:
    library = tmp_path / "library"
    shutil.copytree(cinema.library, library)
    with live_service(library) as service:
        yield service


def what_followed(live: LiveService, act: str) -> set[str]:
    """Types of the events that an act of a person caused."""
    told = live.ask("/v1/events?type=person.acted").json
    (cause,) = [event["id"] for event in told if event["data"]["act"] == act]
    return {event["type"] for event in live.ask(f"/v1/events?cause={cause}").json}


def test_a_title_is_renamed_opened_and_given_a_window(live: LiveService) -> None:
    before = live.ask(PATH)
    window = {"opens_at": "2026-01-01T00:00:00Z", "closes_at": "2999-01-01T00:00:00+01:00"}
    change = {"name": " Another  name ", "credit": "", "public": True, **window}
    changed = live.ask(PATH, "PATCH", change, if_match=before.headers["etag"])

    assert changed.status == 200
    title = changed.json
    assert (title["credit"], title["public"]) == ("", True)
    assert title["name"] == "Another name"
    assert title["opens_at"] == "2026-01-01T00:00:00+00:00"
    assert title["closes_at"] == "2998-12-31T23:00:00+00:00"
    assert live.ask(PATH).json == title
    assert live.ask(PATH, "PATCH", {"name": "x"}, if_match=before.headers["etag"]).status == 412
    assert live.ask(PATH, "PATCH", {"opens_at": None}).json["opens_at"] is None
    assert live.ask("/v1/titles?search=ANOTHER").json[0]["id"] == TITLE
    assert live.ask("/v1/titles?search=nothing").json == []
    for wrong, status in (
        ({"name": ""}, 422),
        ({"unknown": 1}, 422),
        ({"closes_at": "2025-01-01T00:00:00"}, 422),
        ({"opens_at": "2999-06-01T00:00:00Z"}, 400),
    ):
        assert live.ask(PATH, "PATCH", wrong).status == status, wrong


def test_a_title_is_hidden_shown_and_rolled_back(live: LiveService, cinema: Cinema) -> None:
    first, second = cinema.packages
    playlist = f"/media/titles/{TITLE}/main.m3u8"

    hidden = live.ask(f"{PATH}/hide", "POST", {}).json
    assert (hidden["state"], hidden["media"]) == ("hidden", None)
    assert live.ask(playlist).status == 404
    assert what_followed(live, "hide") == {"title.hidden"}
    assert live.ask(f"{PATH}/show", "POST", {}).json["current"] == second
    assert live.ask(playlist).status == 200
    assert what_followed(live, "show") == {"title.published"}
    assert live.ask(f"{PATH}/rollback", "POST", {}).json["current"] in (first, second)
    shown = live.ask(f"{PATH}/show", "POST", {"package": first}).json
    assert (shown["current"], first in live.ask(playlist).body.decode()) == (first, True)
    assert live.ask(f"{PATH}/show", "POST", {"package": "none"}).status == 404


def test_a_title_is_deleted_and_brought_back(live: LiveService, cinema: Cinema) -> None:
    playlist = f"/media/titles/{TITLE}/main.m3u8"

    deleted = live.ask(f"{PATH}/delete", "POST", {"days": 3}).json
    assert (deleted["state"], deleted["media"], deleted["current"]) == ("deleted", None, None)
    left = datetime.fromisoformat(deleted["removes_at"]) - now()
    assert timedelta(days=2.9) < left < timedelta(days=3.1)
    assert live.ask(playlist).status == 404
    assert what_followed(live, "delete") == {"title.deleted"}
    assert live.ask("/v1/titles").json == []
    assert [each["id"] for each in live.ask("/v1/titles?state=deleted").json] == [TITLE]

    back = live.ask(f"{PATH}/undelete", "POST", {}).json
    assert (back["state"], back["current"]) == ("published", cinema.packages[1])
    assert back["removes_at"] is None
    assert live.ask(playlist).status == 200
    assert what_followed(live, "undelete") == {"title.undeleted"}
    assert live.ask("/v1/titles?state=deleted").json == []
    for wrong, status in (({"days": -1}, 422), ({"days": "7"}, 422), ({"weeks": 1}, 422)):
        assert live.ask(f"{PATH}/delete", "POST", wrong).status == status, wrong
    assert live.ask("/v1/titles/none/delete", "POST", {}).status == 404
    assert live.ask(f"{PATH}/delete", "POST", {}, secret=live.token("read")).status == 403


def test_a_finished_cell_tells_how_it_was_made(live: LiveService, cinema: Cinema) -> None:
    plan = cinema.report["plan"]
    rung = next(r for r in cinema.report["renditions"] if r["type"] == "video")
    name = rung["name"].removeprefix("video-")
    chunks = [[segment["start"], segment["end"]] for segment in plan["segments"]]
    progress: dict[str, Any] = {
        "stages": [], "fps": None, "left_s": None, "note": None,
        "grid": {"rungs": [name], "chunks": chunks, "cells": {name: "d" * plan["chunks"]}},
    }  # fmt: skip
    live.library.runs.submit(Wish("made", "publish", "film.mkv", {"place": "/film.mkv"}))
    run = live.library.runs.claim("a worker")
    assert run is not None
    live.library.runs.tell(run, progress, TITLE)
    live.library.runs.end(
        run, Ended("done", result={"title": TITLE, "package": cinema.packages[-1]})
    )

    cell = live.ask(f"/v1/runs/made/cells/{name}/1").json
    assert cell["encoded"]["function"] == "encode_chunk"
    assert cell["encoded"]["parameters"]["height"] == rung["height"]
    assert set(cell["encoded"]["tools"]) == {"ffmpeg"}
    assert cell["scored"]["inputs"]["chunk"] == cell["encoded"]["outputs"]["chunk"]
    assert cell["key"] == cell["encoded"]["key"]
    assert 0 < cell["score"]["min"] <= cell["score"]["p5"] <= cell["score"]["mean"] <= 100
    assert live.ask(f"/v1/runs/made/cells/{name}/0").json["key"] != cell["key"]
    assert live.ask(f"/v1/runs/made/cells/{name}/{plan['chunks']}").status == 404
    assert live.ask("/v1/runs/made/cells/none/0").status == 404
