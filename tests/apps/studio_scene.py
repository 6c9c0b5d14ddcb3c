"""A service in the middle of its work, for the studio: runs, rules, a dead delivery."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from tests.apps.cinema import TITLE
from tests.apps.live_service import LiveService

from matinee.apps.web.service import OpenUpload, ShownRule, Tested
from matinee.core.events import Event, Fact
from matinee.ports.deliveries import Order, Settled
from matinee.ports.runs import Ended, Run, Wish
from matinee.wiring.library import now

RUNGS = ("144p", "216p", "288p")
CHUNKS = 24
FRAMES = 240

SOURCE = """[[rule]]
name = "publish what arrives"
when = { type = ["film.arrived"] }
do = "publish"

[[rule]]
name = "tell of faults"
when = { type = ["verdict.failed"] }
do = "notify"
at_most = "10 per hour"
"""


@dataclass
class TwoRules:
    """The rules of ``SOURCE``; this one matches by the event's type alone."""

    rules: Sequence[ShownRule] = field(
        default_factory=lambda: [
            ShownRule(
                "publish what arrives", "rules.toml", 1, {"type": ["film.arrived"]}, None,
                "publish", {}, None, None, None, ordered=True,
            ),
            ShownRule(
                "tell of faults", "rules.toml", 6, {"type": ["verdict.failed"]}, None, "notify", {},
                "10 per hour", None, None, ordered=False,
            ),
        ]
    )  # fmt: skip

    def all(self) -> Sequence[ShownRule]:
        return self.rules

    def sources(self) -> Sequence[tuple[str, str]]:
        return [("rules.toml", SOURCE)]

    def test(self, event: Event) -> Sequence[Tested]:
        found = []
        for rule in self.rules:
            matches = rule.when is not None and event.type in rule.when["type"]
            why = "all conditions hold" if matches else f"type is {event.type}"
            found.append(Tested(rule.name, matches, why))
        return found


@dataclass
class OneUpload:
    def open(self) -> Sequence[OpenUpload]:
        ago = now() - timedelta(minutes=3)
        return [OpenUpload("u1", "Night Train.mkv", 4_000_000_000, 1_300_000_000, ago, ago)]


def progress(cells: dict[str, str], *, fps: float | None = 48.0) -> dict[str, Any]:
    """What a worker tells of a film in ``CHUNKS`` chunks."""
    total = CHUNKS * FRAMES
    stages = [
        {"name": "inspect", "total": 0, "done": 0, "reused": 0, "state": "done"},
        {"name": "scan", "total": total, "done": total, "reused": 0, "state": "done"},
    ]
    for kind, letters in (("encode", "edu"), ("score", "du")):
        for rung in RUNGS:
            done = sum(letter in letters for letter in cells[rung]) * FRAMES
            state = "done" if done == total else "running"
            stages.append({"name": f"{kind} {rung}", "total": total, "done": done,
                           "reused": cells[rung].count("u") * FRAMES, "state": state})  # fmt: skip
    return {
        "stages": stages,
        "grid": {
            "rungs": list(RUNGS),
            "chunks": [[n * FRAMES, (n + 1) * FRAMES] for n in range(CHUNKS)],
            "cells": cells,
            "sheet": None,
        },
        "fps": fps,
        "left_s": 74.0,
        "note": None,
    }


def cells(done: int) -> dict[str, str]:
    """So many chunks are done, one is encoded, two are worked on."""
    row = ("u" * 3 + "d" * done + "err" + "q" * CHUNKS)[:CHUNKS]
    return dict.fromkeys(RUNGS, row)


@dataclass
class Scene:
    """``running`` is the run that can be moved on."""

    live: LiveService
    running: Run
    delivery: int

    def move(self, done: int) -> None:
        self.live.library.runs.tell(self.running, progress(cells(done)), TITLE)

    def end(self) -> None:
        everything = dict.fromkeys(RUNGS, "d" * CHUNKS)
        self.live.library.runs.tell(self.running, progress(everything), TITLE)
        result = {"title": TITLE, "package": None}
        self.live.library.runs.end(self.running, Ended("done", result=result))


def set_scene(live: LiveService) -> Scene:
    """One run is being made, two wait, two failed; a delivery is dead."""
    runs, log = live.library.runs, live.service.log
    (arrived,) = log.append(
        [Fact("film.arrived", "film/watch/film.mkv", {"name": "film.mkv", "origin": "watch"})]
    )

    def wish(run: str, film: str, priority: int = 0) -> Wish:
        return Wish(run, "publish", film, {"place": f"/{film}"}, priority, None, arrived.id)

    broken = {
        "code": "tool.failed",
        "message": "encoding chunk 7: ffmpeg exited with 137: killed",
        "hint": "run the same command again: what is finished is kept",
    }
    torn = {
        "code": "source.damaged",
        "message": "Torn.mkv is damaged from 0:12 to 0:15",
        "hint": "try another copy of the film",
    }
    for run, film, state, error in (
        ("r-failed", "Broken.mov", "failed", broken), ("r-refused", "Torn.mkv", "refused", torn),
    ):  # fmt: skip
        runs.submit(wish(run, film, 100))
        claimed = runs.claim("worker")
        assert claimed is not None
        letters = dict.fromkeys(RUNGS, "dddddddf" + "q" * (CHUNKS - 8))
        runs.tell(claimed, progress(letters, fps=None), None)
        runs.end(claimed, Ended(state, error))
    runs.submit(wish("r-running", "film.mkv", 50))
    running = runs.claim("worker")
    assert running is not None
    for number in (1, 2):
        runs.submit(wish(f"r-queued-{number}", f"Waiting {number}.mkv"))
    scene = Scene(live, running, _dead_delivery(live))
    scene.move(4)
    return scene


def _dead_delivery(live: LiveService) -> int:
    desk = live.library.deliveries
    live.service.log.append([Fact("verdict.failed", "title/torn", {
        "title": "torn", "name": "Torn", "judge": "frames", "about": "video-144p",
        "reasons": ["12 frames are missing"],
    })])  # fmt: skip

    def choose(event: Event) -> list[Order]:
        wanted = event.type == "verdict.failed"
        return [Order("tell of faults", "notify", {"to": "ops"}, now())] if wanted else []

    while desk.route(choose, 100):
        pass
    (claimed,) = desk.claim("tests", now() + timedelta(1), 10)
    reason = "https://hooks.example answered 410"
    desk.settle(claimed, Settled("dead", reason=reason, code="notify.refused", hint="mend it"))
    return claimed.id
