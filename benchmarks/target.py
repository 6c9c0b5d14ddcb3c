"""A target of VMAF: what it costs, how near shots come to it, and what it saves.

The peer of the bits is one CRF for all shots, the same rungs, at the same harmonic mean of VMAF:
between the two whole CRFs around it, the logarithm of bits is interpolated.
"""

import json
import math
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

from benchmarks.film import ROOT
from benchmarks.measure import run as run_program
from benchmarks.ours import Publish, matinee, publish
from benchmarks.table import Bar, Figure
from benchmarks.workplace import Workplace, tell

NAME = "target"
TARGET = 93
LEAN = ("--proofs", "packets")


def run(workplace: Workplace) -> Iterator[Figure]:
    """One film at a target, and by one CRF for all."""
    with workplace.folder() as folder:
        library, film = folder / "library", workplace.film.cut
        tell(f"{NAME}: VMAF {TARGET}")
        made = publish(film, library, "--ladder", "standard", "--target-vmaf", str(TARGET), *LEAN)
        choice = _explained(made, library)["choices"][0]
        yield from _costs(made, choice)
        yield from _nearness(made)
        yield from _bits(workplace, folder, made, choice)


def _explained(made: Publish, library: Path) -> dict[str, Any]:
    title = made.document["title"]
    _, printed = run_program(matinee("explain", title, "--library", str(library), "--json"), ROOT)
    found: dict[str, Any] = json.loads(printed)
    return found


def _costs(made: Publish, choice: dict[str, Any]) -> Iterator[Figure]:
    encodes, search = made.stages["encode"], made.stages["search"]
    yield Figure(
        NAME, "CPU of the search, in CPU of the final encodes", "", search / encodes,
        bar=Bar(1.0, "ours"),
    )  # fmt: skip
    yield Figure(NAME, "CPU of the search, beside the final encodes", "s", search, encodes)
    yield Figure(NAME, "rounds", "", choice["rounds"])


def _nearness(made: Publish) -> Iterator[Figure]:
    (found,) = (v["evidence"] for v in made.document["verdicts"] if v["judge"] == "promise")
    median, p5 = abs(found["median_shot"] - TARGET), TARGET - found["p5_shot"]
    yield Figure(NAME, "the median shot's distance", "VMAF", median, bar=Bar(0.5, "ours"))
    yield Figure(NAME, "5th percentile of shots, below", "VMAF", p5, bar=Bar(1.5, "ours"))
    mean = found["harmonic_mean"] - TARGET
    yield Figure(NAME, "harmonic mean, above", "VMAF", mean)


def _bits(
    workplace: Workplace, folder: Path, made: Publish, choice: dict[str, Any]
) -> Iterator[Figure]:
    crfs = [shot["crf"] for shot in choice["shots"]]
    middle = round(sum(crfs) / len(crfs))
    points = []
    for crf in (middle - 2, middle, middle + 2):
        tell(f"{NAME}: CRF {crf} for all")
        ladder = folder / f"one-{crf}.toml"
        standard = (ROOT / "src/matinee/ladders/standard.toml").read_text()
        ladder.write_text(standard.replace("crf = 23", f"crf = {crf}"))
        fixed = publish(workplace.film.cut, folder / "library", "--ladder", str(ladder), *LEAN)
        points.append(_rungs(fixed))
    for name, (bits, quality) in _rungs(made).items():
        alike = _bits_at(quality, [point[name] for point in points])
        if alike is None:
            workplace.note(f"{NAME}: {name} has a VMAF that no CRF for all came near to")
        else:
            gain = 100 * (bits / alike - 1)
            yield Figure(NAME, f"bits over one CRF for all, {name}", "%", gain)


def _rungs(made: Publish) -> dict[str, tuple[float, float]]:
    """Bit rate and harmonic mean of VMAF of every picture."""
    return {
        one["name"]: (one["bits_per_second"], one["vmaf"]["harmonic_mean"])
        for one in made.document["renditions"]
        if one["type"] == "video"
    }


def _bits_at(quality: float, points: list[tuple[float, float]]) -> float | None:
    """The bits that a quality takes along the points; None where they do not reach it."""
    ordered = sorted(points, key=lambda point: point[1])
    for (low, worse), (high, better) in pairwise(ordered):
        if worse <= quality <= better and better > worse:
            share = (quality - worse) / (better - worse)
            return math.exp(math.log(low) + share * (math.log(high) - math.log(low)))
    return None
