"""The long form: every kind of damage at many random places, one after the other.

python -m tests.integrity.planted --places 25 --seed 1 --kind segment chunk

Each place is a library of its own that is damaged there. One pass has to find the damage and name
it; one repair has to mend it in the cheapest way (worked out beside it, ``oracle.py``); then every
path must have the bytes that it had before, and a second pass must find nothing.
"""

import argparse
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.conftest import SUBTITLES, TINY_LADDER, make_film
from tests.integrity import oracle, plant, stand
from tests.integrity.plant import Library, Planted

ROUNDING_S = 0.002
"""Prices are told in milliseconds."""


class Wrong(AssertionError):
    """Damage that was not found, not named right, not mended, or not in the cheapest way."""

    def __init__(self, step: str, said: str) -> None:
        super().__init__(f"not {step}: {said}")
        self.step = step


MOVING = ("testsrc2", "mandelbrot") * 3
"""Shots in which each frame looks otherwise than the next: of a still one nobody sees the order."""

STEPS = ("found", "named", "repaired", "cheapest", "same digests")
"""What has to hold at each place, one after the other."""


@dataclass(frozen=True)
class Scene:
    """A whole library with its film, a backup of it, and the digests of all that it has.

    ``faulty`` is another film, a library of it, and one whose encoder gave wrong frames.
    """

    film: Path
    ladder: Path
    whole: Path
    vault: Path
    before: dict[str, str]
    faulty: tuple[Path, Path, Path] | None = None

    def copy(self) -> Path:
        return stand.copied(self.whole, self.whole.parent / "damaged")


@dataclass
class Line:
    """What came of one kind: how many places passed each step, and by which ways."""

    kind: str
    places: int = 0
    passed: Counter[str] = field(default_factory=Counter)
    ways: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0

    @property
    def failed(self) -> int:
        return self.places - self.passed[STEPS[-1]]


Trial = Callable[[Scene, random.Random], str]
"""Damages one place and has it mended; gives the way, or raises ``Wrong``."""


def check_kind(damage: Callable[[Library], Planted]) -> Trial:
    """A kind that a scrub finds and a repair mends; every other place has a backup to go to."""

    def trial(scene: Scene, rng: random.Random) -> str:
        library = scene.copy()
        vault = scene.vault if rng.random() < 0.5 else None
        if vault is not None:
            stand.give_backup(library, vault)
        return check(library, damage(Library(library, rng)), scene.before, vault)

    return trial


def check(library: Path, planted: Planted, before: dict[str, str], vault: Path | None) -> str:
    """Scrub, repair, scrub."""
    find(library, planted.found)
    price, ways = 0.0, {"row"}
    if planted.keys:
        price, ways = oracle.cheapest(library, vault, planted.keys)
    if planted.step:
        price, ways = oracle.row(library, planted.step)
    code, done = stand.upkeep(library, "repair")
    if code != 0:
        raise Wrong("repaired", f"{done['lost']} {done['left']}")
    taken = {act["way"] for act in done["acts"]}
    if taken != ways or done["cost_s"] > price + ROUNDING_S:
        raise Wrong("cheapest", f"{done['acts']} instead of {ways} for {price:.3f} s")
    look_same(library, before)
    return "+".join(sorted(taken))


def find(library: Path, wanted: set[tuple[str, str | None]]) -> None:
    """One pass finds what was planted, names it, and finds nothing else."""
    code, told = stand.upkeep(library, "scrub", "--sample", "0")
    found = {(each["kind"], each["thing"]) for each in told["findings"]}
    if code != 6 or not found:
        raise Wrong("found", f"{wanted}")
    anyhow = {kind for kind, thing in wanted if thing is None}
    exactly = {(kind, thing) for kind, thing in found if kind not in anyhow}
    if exactly != {one for one in wanted if one[1] is not None} or not anyhow <= {
        kind for kind, _ in found
    }:
        raise Wrong("named", f"{found} instead of {wanted}")


def look_same(library: Path, before: dict[str, str]) -> None:
    """Every path has the bytes that it had, and a pass finds nothing any more."""
    after = stand.shown(library)
    if changed := {key for key, digest in before.items() if after.get(key) != digest}:
        raise Wrong("same digests", f"other bytes than before: {sorted(changed)[:5]}")
    code, told = stand.upkeep(library, "scrub", "--sample", "0")
    if code != 0 or told["findings"]:
        raise Wrong("same digests", f"the next pass found {told['findings']}")


def check_backup(scene: Scene, rng: random.Random) -> str:
    """A flipped byte in a backup: what proves it names it, the next backup writes it again."""
    library, vault = scene.copy(), stand.copied(scene.vault, scene.vault.parent / "bad-vault")
    keys = [
        path.relative_to(vault).as_posix()
        for folder in ("copies", "lists", "snapshots", "seconds")
        for path in sorted((vault / folder).rglob("*"))
        if path.is_file()
    ]
    key = rng.choice(keys)
    good = (vault / key).read_bytes()
    Library(vault, rng).flip(key)
    times = {path: path.stat().st_mtime_ns for path in vault.rglob("*") if path.is_file()}
    code, (told,) = stand.upkeep(library, "backups", "--from", vault, "--verify")
    if code != 6:
        raise Wrong("found", key)
    if (told["checked"]["damaged"], told["checked"]["missing"]) != ([key], []):
        raise Wrong("named", f"{told['checked']} instead of {key}")
    code, (done,) = stand.upkeep(library, "backup", "--to", vault)
    if code != 0:
        raise Wrong("repaired", f"{key}: {done}")
    there = {path for path in times if path.exists()}
    again = {path for path in there if path.stat().st_mtime_ns != times[path]}
    if again != {vault / key} & there:
        raise Wrong("cheapest", f"written again were {again}")
    _, (proved,) = stand.upkeep(library, "backups", "--from", vault, "--verify")
    left = [*proved["checked"]["damaged"], *proved["checked"]["missing"]]
    if (vault / key).exists():
        if left or (vault / key).read_bytes() != good:
            raise Wrong("same digests", f"the backup is still bad: {left}")
        return "copy"
    # Of rows and lists as they were then: only the older snapshot lacks it, the newest is whole.
    back = scene.vault.parent / "back"
    shutil.rmtree(back, ignore_errors=True)
    if left != [key] or stand.run("restore", "--from", vault, "--library", back).returncode:
        raise Wrong("repaired", f"{left} are bad, {key} was")
    look_same(back, scene.before)
    return "older"


def check_database(scene: Scene, rng: random.Random) -> str:
    """The database is destroyed: it comes back from the last snapshot, and the objects are used."""
    library = scene.copy()
    for path in library.glob("matinee.db*"):
        if rng.random() < 0.5:
            path.unlink()
        else:
            path.write_bytes(rng.randbytes(max(1, path.stat().st_size // 2)))
    if stand.run("list", "--library", library, "--json").stdout.strip() not in (b"", b"[]"):
        raise Wrong("found", "titles are listed")
    for path in library.glob("matinee.db*"):
        path.unlink()
    times = {p: p.stat().st_mtime_ns for p in (library / "objects").rglob("*") if p.is_file()}
    ended = stand.run("restore", "--from", scene.vault, "--library", library)
    if ended.returncode:
        raise Wrong("repaired", ended.stderr.decode())
    if again := [path for path, time in times.items() if path.stat().st_mtime_ns != time]:
        raise Wrong("cheapest", f"objects that were right were fetched: {again[:3]}")
    look_same(library, scene.before)
    return "restore"


def check_lost(scene: Scene, rng: random.Random) -> str:
    """A flipped byte in a source without a second copy: called lost, from when to when."""
    library = scene.copy()
    damaged = Library(library, rng)
    ((source,),) = damaged.ask("SELECT source FROM title")
    with damaged.database() as connection:
        connection.execute("DELETE FROM original")
    path = library / "objects" / source[:2] / source
    data = bytearray(path.read_bytes())
    place = rng.randrange(len(data))
    data[place] ^= 1 << rng.randrange(8)
    path.write_bytes(data)
    find(library, {("changed", f"objects/{source[:2]}/{source}")})
    code, done = stand.upkeep(library, "repair")
    if code != 6 or len(done["lost"]) != 1 or done["left"]:
        raise Wrong("repaired", f"it was not called lost: {done}")
    reason = done["lost"][0]["reason"]
    if not tells(reason, oracle.hit_by(scene.film, place)):
        raise Wrong("cheapest", f"{oracle.hit_by(scene.film, place)} is lost, told is: {reason}")
    after = stand.shown(library)
    if changed := {
        k for k, d in scene.before.items() if after.get(k) != d and not k.endswith(source)
    }:
        raise Wrong("same digests", f"{sorted(changed)[:5]}")
    return "lost"


def tells(reason: str, hit: dict[str, Any] | None) -> bool:
    """Whether the words say what is lost: the stretch in which a picture lies, or the track."""
    if "lost is all of it" in reason or "cannot be read" in reason:
        return True
    if hit is None:
        return "beside them" in reason or "lost" in reason or "damaged" in reason
    if hit["type"] != "video":
        return f"track {hit['track']} " in reason
    import re

    spans = re.findall(r"from ([\d.]+) s to ([\d.]+) s", reason)
    return any(float(begin) - 0.02 <= hit["time"] <= float(end) + 0.02 for begin, end in spans)


def check_frames(scene: Scene, rng: random.Random) -> str:
    """Chunks of wrong frames, by one version on one host in one hour, among good ones."""
    assert scene.faulty is not None
    film, good, bad = scene.faulty
    library = stand.copied(good, good.parent / "damaged-frames")
    before, damaged = stand.shown(library), Library(library, rng)
    every = plant.wrong_chunks(damaged, bad)
    chosen = rng.sample(sorted(every), rng.randint(1, min(4, len(every))))
    wrong = {recipe: every[recipe] for recipe in chosen}
    encoder = plant.FaultyEncoder.of(rng)
    plant.swap_in(damaged, bad, wrong)
    stand.publish(film, library, scene.ladder, "--proofs", "packets", "--no-scores")
    plant.blame(damaged, wrong, encoder)
    code, told = stand.upkeep(library, "scrub", "--sample", "100")
    if code != 6 or {each["kind"] for each in told["findings"]} != {"frames"}:
        raise Wrong("found", f"{told['findings']}")
    code, done = stand.upkeep(library, "repair")
    suspects = [
        (each["function"], each["host"], each["tools"], sorted(each["chunks"]))
        for each in done["suspects"]
    ]
    blamed = ("encode_chunk", encoder.host, {"ffmpeg": encoder.tool}, sorted(wrong.values()))
    if suspects != [blamed]:
        raise Wrong("named", f"{suspects} instead of {blamed}")
    if code != 0 or done["lost"] or done["left"]:
        raise Wrong("repaired", f"{done['lost']} {done['left']}")
    again = damaged.ask(
        "SELECT recipe FROM derivation WHERE function = 'encode_chunk'"
        " GROUP BY recipe HAVING count(*) > 1"
    )
    if {recipe for (recipe,) in again} != set(wrong):
        raise Wrong("cheapest", f"{len(again)} chunks were made again, {len(wrong)} were wrong")
    after = stand.shown(library)
    lost = {key for key, digest in before.items() if after.get(key) != digest}
    if lost or stand.upkeep(library, "scrub", "--sample", "100")[0] != 0:
        raise Wrong("same digests", f"{sorted(lost)[:5]}")
    return "remake"


TRIALS: dict[str, Trial] = {
    **{name: check_kind(damage) for name, damage in plant.KINDS.items()},
    "backup": check_backup,
    "database": check_database,
    "frames": check_frames,
    "lost": check_lost,
}
"""Every kind of damage, and how it is tried."""


def made(folder: Path, kinds: list[str]) -> Scene:
    """A library with one title: two packages, posters, its log sealed; and a backup of it."""
    film, ladder = make_film(folder / "film.mp4", text=True), folder / "tiny.toml"
    ladder.write_text(TINY_LADDER)
    (folder / "film.de.srt").write_text(SUBTITLES)
    whole, vault = folder / "whole", folder / "vault"
    stand.publish(film, whole, ladder)
    stand.publish(film, whole, ladder, "--subtitles", f"{folder / 'film.de.srt'}:de")
    stand.make_posters(whole)
    stand.seal(whole)
    stand.give_backup(whole, vault)
    assert stand.upkeep(whole, "backup")[0] == 0
    (whole / "backup.toml").unlink()
    faulty = None
    if "frames" in kinds:
        faulty = (
            make_film(folder / "long.mp4", 60, pictures=MOVING),
            folder / "good",
            folder / "bad",
        )
        stand.publish(faulty[0], faulty[1], ladder, "--proofs", "packets", "--no-scores")
        stand.publish_faultily(faulty[0], faulty[2], ladder, folder)
    return Scene(film, ladder, whole, vault, stand.shown(whole), faulty)


def tried(scene: Scene, kind: str, places: range, seed: int) -> Line:
    """One kind at many places."""
    line = Line(kind)
    for place in places:
        begun = time.monotonic()
        line.places += 1
        try:
            line.ways[TRIALS[kind](scene, random.Random(f"{seed} {kind} {place}"))] += 1
            line.passed.update(STEPS)
        except Wrong as wrong:
            line.passed.update(STEPS[: STEPS.index(wrong.step)])
            print(f"  {kind} {place}: {wrong}", flush=True)
        line.seconds += time.monotonic() - begun
    return line


def table(lines: list[Line]) -> Iterator[str]:
    """What came of every kind."""
    yield f"{'kind':<11}{'places':>7}" + "".join(f"{step:>14}" for step in STEPS) + "  ways"
    for line in lines:
        counts = "".join(f"{line.passed[step]:>14}" for step in STEPS)
        ways = ", ".join(f"{way} {count}" for way, count in sorted(line.ways.items()))
        yield f"{line.kind:<11}{line.places:>7}{counts}  {ways} ({line.seconds:.0f} s)"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--places", type=int, default=25, help="of each kind")
    parser.add_argument("--first", type=int, default=0, help="the first place: to go on after it")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kind", nargs="*", choices=sorted(TRIALS), default=[*TRIALS])
    chosen = parser.parse_args()
    lines = []
    with tempfile.TemporaryDirectory() as name:
        scene = made(Path(name), chosen.kind)
        for kind in chosen.kind:
            places = range(chosen.first, chosen.first + chosen.places)
            lines.append(tried(scene, kind, places, chosen.seed))
            print([*table(lines)][-1], flush=True)
    print("\n".join(table(lines)))
    failed = sum(line.failed for line in lines)
    print(f"seed {chosen.seed}: {failed} of {sum(line.places for line in lines)} places failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
