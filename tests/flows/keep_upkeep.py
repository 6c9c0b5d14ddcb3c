"""Kills of scrubs and repairs: a damaged library is found out and mended all the same."""

import json
import random
import sqlite3
from collections import Counter
from pathlib import Path

from tests.flows.killing import Scene, done, killed
from tests.integrity import plant, stand
from tests.integrity.plant import Library

KINDS = (
    plant.source, plant.chunk, plant.segment, plant.playlist, plant.proof, plant.missing,
    plant.truncated, plant.row, plant.size,
)  # fmt: skip
"""What is damaged all at once, each time anew."""


def disturb_scrub(scene: Scene, folder: Path, kills: int, chance: random.Random) -> None:
    """Scrub with kills: a pass goes on where it was; each fault is told once, none is missed."""
    library = stand.copied(scene.library, folder / "scrubbed")
    stand.seal(library)
    wanted = _damage(library, chance)
    scrub = ("scrub", "--sample", "0", "--library", library)
    calm = stand.copied(library, folder / "calm")
    lasts = _scrubbed(calm)
    left = kills
    while left:
        left -= killed(chance, lasts, *scrub)
    _scrubbed(library)
    passes = Library(library, chance).ask("SELECT state, counts FROM scrub ORDER BY id")
    once = Library(calm, chance).ask("SELECT state, counts FROM scrub")
    expected = json.loads(once[0][1])
    for state, counts in passes:
        told = json.loads(counts)
        assert state == "done", f"{len(passes)} passes, one is {state}"
        for what in ("objects", "bytes", "titles", "rows"):
            assert told[what] == expected[what], f"{what}: {told} instead of {expected}"
    found = Library(library, chance).ask("SELECT kind, thing FROM finding")
    assert max(Counter(found).values()) == 1, "a fault was noted twice"
    assert {(k, t) for k, t in wanted if t is not None} <= set(found), "a fault was missed"
    ((events,),) = Library(library, chance).ask(
        "SELECT count(*) FROM event WHERE type = 'finding.opened'"
    )
    assert events == len(found), f"{events} events tell of {len(found)} faults"


def _scrubbed(library: Path) -> float:
    """A whole pass, which finds faults; gives the seconds that it took."""
    import time

    begun = time.monotonic()
    code, told = stand.upkeep(library, "scrub", "--sample", "0")
    assert code == 6, told
    return time.monotonic() - begun


def _damage(library: Path, chance: random.Random) -> set[tuple[str, str | None]]:
    damaged = Library(library, chance)
    return {each for kind in KINDS for each in kind(damaged).found}


def disturb_repair(scene: Scene, folder: Path, kills: int, chance: random.Random) -> None:
    """Repair with kills: no object gets worse, what was mended stays, in the end all is right."""
    whole = stand.copied(scene.library, folder / "whole")
    stand.seal(whole)
    before = stand.shown(whole)
    lasts, left = _repaired_calmly(whole, folder, chance), kills
    while left:
        library = stand.copied(whole, folder / "mended")
        _damage(library, chance)
        _scrubbed(library)
        damaged, made = stand.shown(library), _made(library)
        repair = ("repair", "--library", library)
        while left and killed(chance, lasts, *repair):
            left -= 1
            _look(library, before, damaged)
        done(*repair)
        again = [key for key, count in _made(library).items() if count - made[key] > 1]
        assert not again, f"done twice: {again[:3]}"
        after = stand.shown(library)
        assert {key: after.get(key) for key in before} == before, "not all is as it was"
        done("scrub", "--sample", "0", "--library", library)


def _repaired_calmly(whole: Path, folder: Path, chance: random.Random) -> float:
    library = stand.copied(whole, folder / "calm")
    _damage(library, chance)
    _scrubbed(library)
    return done("repair", "--library", library)


def _made(library: Path) -> Counter[str]:
    """How often each step was done."""
    with sqlite3.connect(library / "matinee.db") as database:
        rows = database.execute("SELECT key FROM attempt WHERE outcome = 'done'").fetchall()
    return Counter(key for (key,) in rows)


def _look(library: Path, before: dict[str, str], damaged: dict[str, str]) -> None:
    """Every object is as it was when it was right, or as bad as it was found."""
    now = stand.shown(library)
    worse = [key for key in before if now.get(key) not in (before[key], damaged.get(key))]
    assert not worse, f"worse than before: {worse[:3]}"
