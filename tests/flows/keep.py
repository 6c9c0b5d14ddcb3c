"""Kills backups, restores and garbage collections at random moments, and proves what is left.

Collections run beside publishes that use what is being collected. Short form: ``test_keep.py``.
Long form: ``make keep`` (``python -m tests.flows.keep``).
"""

import argparse
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.conftest import TINY_LADDER, environment, make_film
from tests.flows.crash import digest_tree, kill_tree
from tests.forks import run_module

AT_ONCE = ("--grace", "0", "--unused", "0")


@dataclass(frozen=True)
class Scene:
    """A film, its ladder, and a library in which it is published."""

    film: Path
    ladder: Path
    library: Path
    title: str

    def publish(self, library: Path) -> list[str]:
        return [
            "publish", str(self.film), "--ladder", str(self.ladder), "--no-scores",
            "--library", str(library),
        ]  # fmt: skip


def begin(*words: object) -> "subprocess.Popen[bytes]":
    """A command of the program, in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "matinee", *map(str, words)],
        env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
    )  # fmt: skip


def done(*words: object) -> float:
    """Run a command to its good end; gives the seconds that it took."""
    started = time.monotonic()
    ended = run_module("matinee", *words, variables=environment(), timeout_s=240)
    assert ended.returncode == 0, (words, ended.stderr.decode())
    return time.monotonic() - started


def killed(chance: random.Random, longest_s: float, *words: object) -> bool:
    """``kill -9`` a command after a random time; False when it was over before."""
    soon = chance.uniform(0.05, longest_s)
    try:
        run_module("matinee", *words, variables=environment(), timeout_s=soon)
    except subprocess.TimeoutExpired:
        return True
    return False


def disturb_backup(scene: Scene, folder: Path, kills: int, chance: random.Random) -> None:
    """Back up with kills: each copy is written once, and what comes back is the library."""
    vault = folder / "vault"
    backup = ("backup", "--to", vault, "--library", scene.library)
    lasts = done("backup", "--to", folder / "calm", "--library", scene.library)
    written: Counter[str] = Counter()
    for _ in range(kills):
        if not killed(chance, lasts, *backup):
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
    for _ in range(kills):
        before = {path: path.stat().st_mtime_ns for path in _files(new)}
        if not killed(chance, lasts, *restore):
            shutil.rmtree(new)
            continue
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
    for number in range(kills):
        done("delete", scene.title, "--grace", "0", "--library", library)
        publish, collection = begin(*scene.publish(library)), begin(*collect)
        time.sleep(chance.uniform(0.3, 4.0))
        victims = [publish, collection] if number % 3 == 2 else [(publish, collection)[number % 2]]
        for victim in victims:
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


def scene_in(folder: Path) -> Scene:
    """A scene of its own."""
    film, ladder = make_film(folder / "Three Shots.mp4", text=True), folder / "tiny.toml"
    ladder.write_text(TINY_LADDER)
    scene = Scene(film, ladder, folder / "library", "three-shots")
    done(*scene.publish(scene.library))
    return scene


PARTS = {
    "backup": disturb_backup, "restore": disturb_restore, "collection": disturb_collection,
}  # fmt: skip


def main(words: Sequence[str] | None = None) -> None:
    """The long form."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50, help="of each")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args(words)
    with tempfile.TemporaryDirectory() as name:
        scene = scene_in(Path(name))
        for part, disturb in PARTS.items():
            folder = Path(name) / part
            folder.mkdir()
            started = time.monotonic()
            disturb(scene, folder, arguments.kills, random.Random(f"{part} {arguments.seed}"))
            seconds = time.monotonic() - started
            print(f"{part}: {arguments.kills} kills, nothing lost, {seconds:.0f} s", flush=True)


if __name__ == "__main__":
    main()
