"""Kills scrubs, repairs, backups, restores and garbage collections at random moments.

What is left is proved: nothing is lost, and no finished work was done again. Collections run beside
publishes that use what is being collected. Short form: ``test_keep.py``. Long form: ``make keep``
(``python -m tests.flows.keep``); ``--part`` and ``--kills`` make pieces of it.
"""

import argparse
import random
import shutil
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from tests.flows.crash import digest_tree, kill_tree
from tests.flows.keep_upkeep import disturb_repair, disturb_scrub
from tests.flows.killing import Scene, begin, done, killed, scene_in

AT_ONCE = ("--grace", "0", "--unused", "0")


def disturb_backup(scene: Scene, folder: Path, kills: int, chance: random.Random) -> None:
    """Back up with kills: each copy is written once, and what comes back is the library."""
    vault = folder / "vault"
    backup = ("backup", "--to", vault, "--library", scene.library)
    lasts = done("backup", "--to", folder / "calm", "--library", scene.library)
    written: Counter[str] = Counter()
    left = kills
    while left:
        if killed(chance, lasts, *backup):
            left -= 1
        else:
            shutil.rmtree(vault)  # whole: the kills that are left fall on a new one
            written.clear()
        for copy in (vault / "copies").rglob("*"):
            if copy.is_file():
                written[f"{copy.name} {copy.stat().st_mtime_ns}"] += 1
    done(*backup)
    done("backups", "--from", vault, "--verify", "--library", scene.library)
    names = Counter(entry.partition(" ")[0] for entry in written)
    assert not [name for name, count in names.items() if count > 1], "a copy was written twice"
    done("restore", "--from", vault, "--library", folder / "back")
    assert digest_tree(folder / "back" / "titles") == digest_tree(scene.library / "titles")


def disturb_restore(scene: Scene, folder: Path, kills: int, chance: random.Random) -> None:
    """Restore with kills: no row before all objects are there, and no object is written twice."""
    vault, new = folder / "vault-of-restore", folder / "new"
    done("backup", "--to", vault, "--library", scene.library)
    restore = ("restore", "--from", vault, "--library", new)
    lasts = done("restore", "--from", vault, "--library", folder / "calm-restore")
    left = kills
    while left:
        before = {path: path.stat().st_mtime_ns for path in _files(new)}
        if not killed(chance, lasts, *restore):
            shutil.rmtree(new)
            continue
        left -= 1
        same = [path for path in before if path.exists() and before[path] != _time(path)]
        assert not same, f"written twice: {same[:3]}"
    rows = _count(new, "title")
    if rows == 0:
        done(*restore)
    assert digest_tree(new / "titles") == digest_tree(scene.library / "titles")
    done("verify", scene.title, "--library", new)


def disturb_collection(scene: Scene, folder: Path, kills: int, chance: random.Random) -> None:
    """Delete, collect and publish the same film at once, killing each; in the end it is whole."""
    library = folder / "collected"
    shutil.copytree(scene.library, library)
    collect = ("gc", *AT_ONCE, "--library", library)
    number, left = 0, kills
    while left > 0:
        number += 1
        done("delete", scene.title, "--grace", "0", "--library", library)
        publish, collection = begin(*scene.publish(library)), begin(*collect)
        time.sleep(chance.uniform(0.3, 4.0))
        victims = [publish, collection] if number % 3 == 2 else [(publish, collection)[number % 2]]
        for victim in victims:
            left -= victim.poll() is None
            kill_tree(victim)
        for process in (publish, collection):
            process.communicate(timeout=240)
        done(*collect)  # beside nothing: it finishes what was broken off
        done(*scene.publish(library))
        done("verify", scene.title, "--library", library)
        done(*collect)
        done("verify", scene.title, "--library", library)
        _check_places(library)


def _check_places(library: Path) -> None:
    """Every object that the ledger places is there, with its size; nothing is condemned."""
    with sqlite3.connect(library / "matinee.db") as database:
        rows = database.execute(
            "SELECT key, size_bytes FROM location JOIN asset USING (digest)"
        ).fetchall()
        assert database.execute("SELECT count(*) FROM condemned").fetchone() == (0,)
        assert database.execute("SELECT count(*) FROM visit").fetchone() == (1,)
        assert database.execute("PRAGMA foreign_key_check").fetchall() == []
    wrong = [key for key, size in rows if _size(library / key) != size]
    assert not wrong, f"the ledger places what is not there: {wrong[:3]}"


def _size(path: Path) -> int | None:
    return path.stat().st_size if path.exists() else None


def _time(path: Path) -> int:
    return path.stat().st_mtime_ns


def _files(folder: Path) -> Iterator[Path]:
    for place in ("objects", "titles"):
        yield from (path for path in (folder / place).rglob("*") if _is_object(path))


def _is_object(path: Path) -> bool:
    return path.is_file() and path.name not in ("main.m3u8", "main.mpd")


def _count(library: Path, table: str) -> int:
    if not (library / "matinee.db").exists():
        return 0
    with sqlite3.connect(library / "matinee.db") as database:
        try:
            (count,) = database.execute(f"SELECT count(*) FROM {table}").fetchone()  # noqa: S608
        except sqlite3.OperationalError:
            return 0
    return int(count)


PARTS: dict[str, Callable[[Scene, Path, int, random.Random], None]] = {
    "scrub": disturb_scrub, "repair": disturb_repair, "backup": disturb_backup,
    "restore": disturb_restore, "collection": disturb_collection,
}  # fmt: skip
"""Each kills its command so many times and proves what is left; raises ``AssertionError``."""


def main(words: Sequence[str] | None = None) -> int:
    """The long form."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50, help="of each")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--part", nargs="*", choices=[*PARTS], default=[*PARTS])
    arguments = parser.parse_args(words)
    told, failed = [], 0
    with tempfile.TemporaryDirectory() as name:
        scene = scene_in(Path(name))
        for part in arguments.part:
            folder = Path(name) / part
            folder.mkdir()
            started = time.monotonic()
            try:
                chance = random.Random(f"{part} {arguments.seed}")
                PARTS[part](scene, folder, arguments.kills, chance)
            except AssertionError as error:
                failed += 1
                said = f"FAILED: {error}"
            else:
                said = "nothing lost, nothing finished done again"
            seconds = time.monotonic() - started
            told.append(f"{part}: {arguments.kills} kills, {said}, {seconds:.0f} s")
            print(told[-1], flush=True)
            shutil.rmtree(folder)
    print(f"seed {arguments.seed}: {failed} of {len(told)} parts failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
