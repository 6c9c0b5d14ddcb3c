"""The long form: every kind of damage at many random places, one after the other.

python -m tests.integrity.planted --places 25 --seed 1
"""

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.conftest import TINY_LADDER, make_film
from tests.integrity import plant, stand
from tests.integrity.plant import Library, Planted


class Wrong(AssertionError):
    """Damage that was not found, not named right, not mended, or not in the cheapest way."""


def check(library: Path, planted: Planted, before: dict[str, str]) -> float:
    """Scrub, repair, scrub; gives the seconds that it took."""
    begun = time.monotonic()
    code, told = stand.upkeep(library, "scrub", "--sample", "0")
    found = {(each["kind"], each["thing"]) for each in told["findings"]}
    kinds = {kind for kind, _ in found}
    for kind, thing in planted.found:
        if code != 6 or kind not in kinds or (thing is not None and (kind, thing) not in found):
            raise Wrong(f"{kind} {thing} was not found: {found}")
    if extra := {each for each in found if each[0] not in {kind for kind, _ in planted.found}}:
        raise Wrong(f"found what was not planted: {extra}")
    code, done = stand.upkeep(library, "repair")
    if code != 0:
        raise Wrong(f"not mended: {done['lost']} {done['left']}")
    if not {act["way"] for act in done["acts"]} <= planted.ways | {"remake"}:
        raise Wrong(f"mended in another way: {done['acts']}")
    after = stand.shown(library)
    if changed := {key for key, digest in before.items() if after.get(key) != digest}:
        raise Wrong(f"other bytes than before: {sorted(changed)[:5]}")
    code, told = stand.upkeep(library, "scrub", "--sample", "0")
    if code != 0:
        raise Wrong(f"not right after repair: {told['findings']}")
    return time.monotonic() - begun


def main() -> int:
    """Plant, check, print a line for each kind."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--places", type=int, default=25)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kind", nargs="*", choices=sorted(plant.KINDS), default=[*plant.KINDS])
    chosen = parser.parse_args()
    kinds = {kind: plant.KINDS[kind] for kind in chosen.kind}
    failed = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        whole = made(folder)
        before = stand.shown(whole)
        for kind, damage in kinds.items():
            failed += tried(kind, damage, whole, before, chosen.places, chosen.seed)
    print(f"seed {chosen.seed}: {failed} of {len(kinds) * chosen.places} failed")
    return 1 if failed else 0


def made(folder: Path) -> Path:
    """A library with one title, its log sealed."""
    film, ladder = make_film(folder / "film.mp4", text=True), folder / "tiny.toml"
    ladder.write_text(TINY_LADDER)
    stand.publish(film, folder / "whole", ladder)
    stand.seal(folder / "whole")
    return folder / "whole"


def tried(
    kind: str, damage: Callable[[Library], Planted], whole: Path, before: dict[str, str],
    places: int, seed: int,
) -> int:  # fmt: skip
    """One kind at many places; gives how many failed."""
    failed, took = 0, 0.0
    for place in range(places):
        library = stand.copied(whole, whole.parent / "damaged")
        try:
            planted = damage(Library(library, random.Random(f"{seed} {kind} {place}")))
            took += check(library, planted, before)
        except Wrong as wrong:
            failed += 1
            print(f"  {kind} {place}: {wrong}", flush=True)
    print(f"{kind:<12} {places - failed} of {places} right, {took:.1f} s", flush=True)
    return failed


if __name__ == "__main__":
    sys.exit(main())
