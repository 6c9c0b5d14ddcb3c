"""Kills any process of a service at any moment, in all weathers, and proves what is there then.

Short form: ``test_chaos.py``. Long form: ``make chaos`` (``KILLS=200 SEED=1``).
"""

import argparse
import json
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from itertools import count
from pathlib import Path
from random import Random

from tests.chaos.proof import Tables, faults, unsettled
from tests.chaos.scene import Hook, Scene, false_clock, in_own_mounts
from tests.chaos.tree import KINDS, Tree
from tests.conftest import ROOT
from tests.ways.running import free_port

from matinee.config import read_settings
from matinee.core.errors import LibraryError
from matinee.core.events import Fact
from matinee.wiring.library import Library, open_library

TICK_S = 0.05
EVENTS_A_TICK = 0.1
FIRST_FILMS = 3
"""So many come one after the other; the last of them has the bytes of the one before."""

PATIENCE_S = 60.0
"""How long is waited for a process of the kind that is to be killed."""

CALM_S = 600.0
"""How long is waited for the end of all work."""

CLOCKS = (-7200, -300, -5, 5, 300, 7200, 3 * 86400)
"""How far the clock is set, in seconds."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How it went. ``stop_s`` is how long the service took to end when it was told to."""

    seed: int
    kills: dict[str, int]
    weathers: dict[str, int]
    films: int
    events: int
    starts: int
    own_ends: dict[str, int]
    exit_code: int
    stop_s: float
    raged_s: float
    seconds: float
    faults: list[str]


@dataclass
class Storm:
    """One storm over one scene."""

    scene: Scene
    tree: Tree
    chance: Random
    kills: Counter[str] = field(default_factory=Counter)
    weathers: Counter[str] = field(default_factory=Counter)
    told: int = 0
    _untold: list[Fact] = field(default_factory=list)
    _library: Library | None = None
    _clears: Callable[[], None] | None = None
    _clears_at: float = 0.0

    def rage(self, kills: int) -> None:
        """Kill so often; each kind of process and each weather comes in turn, shuffled."""
        kinds = self._turns(KINDS)
        weathers = self._turns(("full", "unwritable", *(("clock",) if false_clock() else ())))
        for number in range(kills):
            if len(self.scene.films) < FIRST_FILMS:
                self.scene.film_comes()
            if number % 2 == 0:
                self._change_weather(next(weathers))
            self._kill_one(next(kinds))
        self._clear()
        self.scene.set_clock(0)

    def _turns(self, kinds: "tuple[str, ...]"):
        for _ in count():
            yield from self.chance.sample(kinds, len(kinds))

    def _kill_one(self, kind: str) -> None:
        """Wait for a process of that kind, then for a random moment, and kill one."""
        deadline = time.monotonic() + PATIENCE_S
        while not self.tree.of_kind(kind) and time.monotonic() < deadline:
            self._tick(films=kind in ("worker", "tool"))
        moment = time.monotonic() + self.chance.uniform(0, 1.5)
        while time.monotonic() < moment:
            self._tick()
        # What has ended meanwhile gives its place to another, as soon as there is one.
        while time.monotonic() < deadline + PATIENCE_S:
            for each in (kind, "tool", "worker", "service"):
                if found := self.tree.of_kind(each):
                    self.tree.kill(self.chance.choice(found))
                    self.kills[each] += 1
                    return
            self._tick()

    def _tick(self, *, films: bool = False) -> None:
        self.tree.keep()
        if time.monotonic() > self._clears_at:
            self._clear()
        if self.chance.random() < EVENTS_A_TICK:
            self._untold.append(self._fact())
        self._tell()
        if films and self._is_idle():
            self.scene.film_comes()
        time.sleep(TICK_S)

    def _fact(self) -> Fact:
        number = self.told
        self.told += 1
        subject = f"chaos/{self.chance.randrange(5)}"
        return Fact("chaos.told", subject, {"number": number}, id=f"told-{number}")

    def _tell(self) -> bool:
        """Tell what happened outside, however often that takes; as other programs do."""
        try:
            self._library = self._library or open_library(read_settings(str(self.scene.library), 1))
            if self._untold:
                self._library.events.append(self._untold)
            self._untold.clear()
        except LibraryError:
            return False
        return True

    def _is_idle(self) -> bool:
        try:
            ended = Tables(self.scene.library).one(
                "SELECT count(ended_at) FROM run WHERE flow = 'publish'"
            )
        except sqlite3.Error:
            return False
        return bool(ended == len(self.scene.films))

    def _change_weather(self, kind: str) -> None:
        self._clear()
        if kind == "full":
            self.scene.fill_disk()
            self._clears = self.scene.free_disk
        elif kind == "unwritable":
            self.scene.forbid_writing()
            self._clears = self.scene.allow_writing
        else:
            self.scene.set_clock(self.chance.choice(CLOCKS))
        self.weathers[kind] += 1
        self._clears_at = time.monotonic() + self.chance.uniform(0.5, 4)

    def _clear(self) -> None:
        if self._clears is not None:
            self._clears()
            self._clears = None

    def calm(self) -> list[str]:
        """Wait until everything is over."""
        deadline = time.monotonic() + CALM_S
        left = "events are not told"
        while time.monotonic() < deadline:
            self.tree.keep()
            if self._tell():
                left = unsettled(Tables(self.scene.library), len(self.scene.films))
                if not left:
                    return []
            time.sleep(0.2)
        return [f"not over after {CALM_S:.0f} s: {left}"]


def storm(folder: Path, kills: int, seed: int) -> Outcome:
    """Everything, in a folder that is empty."""
    begun, chance, hook = time.monotonic(), Random(seed), Hook()
    scene = Scene(folder, chance)
    scene.write_rules(hook.url)
    options = ["--library", scene.library, "--watch", scene.watched]
    bind = ["--bind", f"127.0.0.1:{free_port()}"]
    tree = Tree([*map(str, options), *bind], scene.variables(), scene.log)
    made = Storm(scene, tree, chance)
    try:
        made.rage(kills)
        raged_s = time.monotonic() - begun
        late = made.calm()
        exit_code, stop_s = tree.stop(signal.SIGTERM)
    finally:
        tree.end()
    found = faults(scene, hook, made.told)
    hook.close()
    return Outcome(
        seed=seed,
        kills=dict(made.kills),
        weathers=dict(made.weathers),
        films=len(scene.films),
        events=made.told,
        starts=tree.starts,
        own_ends={str(code): n for code, n in Counter(tree.own_ends).items()},
        exit_code=exit_code,
        stop_s=round(stop_s, 2),
        raged_s=round(raged_s, 1),
        seconds=round(time.monotonic() - begun, 1),
        faults=[*late, *_own_ends(tree), *found],
    )


def _own_ends(tree: Tree) -> list[str]:
    """It may end of itself where the library cannot be used, and for nothing else."""
    allowed = LibraryError.exit_code
    return [f"the service ended itself with {code}" for code in tree.own_ends if code != allowed]


def run_apart(folder: Path, kills: int, seed: int) -> "subprocess.CompletedProcess[str]":
    """Run it where disks can be mounted; its outcome is JSON on standard output."""
    arguments = ["--folder", str(folder), "--kills", str(kills), "--seed", str(seed)]
    command = in_own_mounts("tests.chaos.storm", ["--inside", *arguments])
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, cwd=ROOT, check=False)


def main() -> None:
    """The long form."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--inside", action="store_true")
    arguments = parser.parse_args()
    if arguments.inside:
        print(json.dumps(asdict(storm(arguments.folder, arguments.kills, arguments.seed))))
        return
    folder = Path(arguments.folder or tempfile.mkdtemp(prefix="chaos-"))
    folder.mkdir(exist_ok=True)
    done = run_apart(folder, arguments.kills, arguments.seed)
    print(done.stdout)
    is_well = done.returncode == 0 and not json.loads(done.stdout)["faults"]
    if is_well:
        shutil.rmtree(folder)
    else:
        print(f"the service's log: {folder / 'service.log'}", file=sys.stderr)
    sys.exit(not is_well)


if __name__ == "__main__":
    main()
