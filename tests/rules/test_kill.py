"""kill -9 at any moment: every event has its effect, once, and nobody is left behind."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.conftest import ROOT
from tests.rules.stand import Stand, arrived, stand
from tests.rules.test_functions import install

from matinee.adapters.owners import is_dead
from matinee.core.events import Fact

KILLS = int(os.environ.get("KILLS", "3"))
EVENTS_A_KILL = 25

pytestmark = pytest.mark.slow


def start(folder: Path, site: Path) -> subprocess.Popen[str]:
    victim = subprocess.Popen(
        [sys.executable, "-m", "tests.rules.victim", folder],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'src'}:{site}"},
        stdout=subprocess.PIPE,
        text=True,
        process_group=0,
    )
    assert victim.stdout is not None and victim.stdout.readline() == "ready\n"
    return victim


def kill(victim: subprocess.Popen[str]) -> list[str]:
    """Kill the process alone; the names of its children, as /proc knows them."""
    children = Path(f"/proc/{victim.pid}/task/{victim.pid}/children").read_text().split()
    victim.send_signal(signal.SIGKILL)
    victim.communicate()
    return children


def is_settled(made: Stand, events: int) -> bool:
    states = [delivery.state for delivery in made.all()]
    return len(states) == events and set(states) == {"done"}


def test_every_event_has_its_effect_once_whoever_is_killed_when(tmp_path: Path) -> None:
    site = tmp_path / "site"
    site.mkdir()
    install(site, "odd_ones", "from tests.rules.victim import plain_count\n")
    made, roll = stand(tmp_path), random.Random(4)
    orphans: list[str] = []
    told = 0
    for _ in range(KILLS):
        victim = start(tmp_path, site)
        kill_at = time.monotonic() + roll.uniform(0.05, 0.8)
        first = told
        while time.monotonic() < kill_at:
            if told - first < EVENTS_A_KILL:
                data = arrived(f"{told}").data
                kind = "film.removed" if told % 5 == 0 else "film.arrived"
                made.tell(Fact(kind, f"film/watch/{told % 7}", data))
                told += 1
        orphans += kill(victim)
    victim = start(tmp_path, site)
    deadline = time.monotonic() + 60
    while not is_settled(made, told):
        assert time.monotonic() < deadline, [d.state for d in made.all() if d.state != "done"]
        time.sleep(0.05)
    orphans += kill(victim)

    effects = [*made.told("title.changed"), *made.told("title.hidden")]
    counted = sorted(int(event.data["title"]) for event in effects)
    assert counted == list(range(told))
    runs = [run.wish.film for run in made.runs.page((), None, 10_000)]
    assert sorted(map(int, runs)) == [n for n in range(told) if n % 5]
    assert len(made.told("run.queued")) == len(runs)
    assert all(is_dead(lease.owner) for lease in made.deliveries.held())
    while any(Path(f"/proc/{child}").exists() for child in orphans):
        assert time.monotonic() < deadline, "a function host outlived its parent"
        time.sleep(0.05)
