"""Rungs that come from the title against the ladder's own: bits, bytes, what a viewer gets, CPU.

Both are published whole, by the same encoder and preset; every figure is of what ships. A viewer's
line carries the best rendition whose average bit rate it has; a line that carries none shows
nothing, which counts as a VMAF of 0.
"""

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from benchmarks.film import ROOT, live_action
from benchmarks.measure import run as run_program
from benchmarks.ours import Publish, matinee, publish
from benchmarks.table import Bar, Figure
from benchmarks.workplace import Workplace, tell
from matinee.media.curves import CurvesApart, Point, bd_rate, frontier
from matinee.media.ladder import Rung
from matinee.media.title_ladder import Spot, place
from matinee.media.viewers import Offer, lines, seen, views

NAME = "per_title"
LADDERS = ("standard", "av1")
LEAN = ("--proofs", "packets")
LINES = lines(0.2e6, 8e6, 49)
"""From 0.2 to 8 Mbit/s, each a 13th more than the one before."""

WAYS = {
    "6 VMAF apart": (6.0, 1.0001),
    "1.4 times the bits apart": (1e-4, 1.4),
    "2 times the bits apart": (1e-4, 2.0),
    "6 VMAF or 1.4 times the bits apart": (6.0, 1.4),
    "6 VMAF or 1.7 times the bits apart": (6.0, 1.7),
    "6 VMAF or 2 times the bits apart": (6.0, 2.0),
    "9 VMAF or 1.4 times the bits apart": (9.0, 1.4),
}
"""Steps from one rung to the next."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A ladder as it ships: its renditions by their mean bit rates, and their bytes."""

    offers: tuple[Offer, ...]
    size_bytes: int

    def points(self) -> list[Point]:
        """Bits a second and VMAF, along which curves are compared."""
        return frontier([Point(offer.rate, offer.quality) for offer in self.offers])


def run(workplace: Workplace) -> Iterator[Figure]:
    """Both ladders of both films."""
    films = {workplace.film.cut.stem.split("-")[0]: workplace.film.cut, "live": live_action()}
    for name, film in films.items():
        for ladder in LADDERS:
            yield from _compared(workplace, film, f"{name}, {ladder}", ladder)


def _compared(workplace: Workplace, film: Path, what: str, ladder: str) -> Iterator[Figure]:
    with workplace.folder() as folder:
        library = folder / "library"
        tell(f"{NAME}: {what}: the ladder's own rungs")
        fixed = publish(film, library, "--ladder", ladder, *LEAN)
        tell(f"{NAME}: {what}: rungs from the title")
        fitted = publish(film, library, "--ladder", ladder, "--per-title", *LEAN)
        hull = hull_of(fitted, library)
    yield from figures(what, stored(fixed.document), stored(fitted.document))
    encodes, search = fitted.stages["encode"], fitted.stages["search"]
    yield Figure(
        NAME, f"{what}: CPU of the search, in CPU of the final encodes", "", search / encodes,
        bar=Bar(1.0, "ours"),
    )  # fmt: skip
    yield Figure(NAME, f"{what}: rounds", "", hull["rounds"])
    yield from placings(what, hull)
    workplace.note(f"{NAME}: {what}: {told_rungs(hull)}")


def hull_of(made: Publish, library: Path) -> dict[str, Any]:
    """How its rungs were found, as ``explain`` has it."""
    title = made.document["title"]
    _, printed = run_program(matinee("explain", title, "--library", str(library), "--json"), ROOT)
    found: dict[str, Any] = json.loads(printed)["hulls"][0]
    return found


def told_rungs(hull: dict[str, Any]) -> str:
    """The rungs as they were found."""
    return ", ".join(
        f"{one['rung']} CRF {one['crf']:g} {one['bits_per_second'] / 1000:.0f} kbit/s "
        f"VMAF {one['vmaf']:.1f}"
        for one in hull["rungs"]
    )


def stored(document: dict[str, Any]) -> Stored:
    """The pictures of what ``publish`` printed."""
    pictures = [one for one in document["renditions"] if one["type"] == "video"]
    offers = [Offer(one["bits_per_second"], one["vmaf"]["harmonic_mean"]) for one in pictures]
    size = sum(one["bits_per_second"] * one["duration"] / 8 for one in pictures)
    return Stored(tuple(offers), round(size))


def figures(what: str, fixed: Stored, fitted: Stored) -> Iterator[Figure]:
    """Ours beside the fixed ladder."""
    yield Figure(NAME, f"{what}: rungs", "", len(fitted.offers), len(fixed.offers))
    ours, theirs = fitted.size_bytes / 1e6, fixed.size_bytes / 1e6
    yield Figure(NAME, f"{what}: bytes stored", "MB", ours, theirs)
    yield Figure(NAME, f"{what}: bytes stored, ours in theirs", "", ours / theirs)
    gain = bits_at_equal_quality(fixed, fitted)
    if gain is not None:
        yield Figure(NAME, f"{what}: bits at equal VMAF", "%", gain)
    both = views(fitted.offers, fixed.offers, LINES)
    yield Figure(NAME, f"{what}: VMAF over lines of 0.2 to 8 Mbit/s", "", both.ours, both.peer)
    yield Figure(NAME, f"{what}: lines with less", "%", 100 * both.lower / both.lines)
    yield Figure(NAME, f"{what}: VMAF less there, at most", "", both.deficit)
    ours, theirs = (max(offer.quality for offer in one.offers) for one in (fitted, fixed))
    yield Figure(NAME, f"{what}: VMAF of the best rung", "", ours, theirs)


def placings(what: str, hull: dict[str, Any]) -> Iterator[Figure]:
    """Ways to place rungs on the curves of a title: how many there are, bits, what viewers get."""
    spots = [
        Spot(_rung(size, point["crf"]), point["bits_per_second"], point["vmaf"])
        for size in hull["sizes"]
        for point in size["curve"]
    ]
    top = hull["rungs"][-1]["vmaf"]
    for how, step in WAYS.items():
        taken = place(spots, top, hull["slowest"], step=step)
        offers = [Offer(one.rate, one.quality) for one in taken]
        rate = math.fsum(one.rate for one in taken) / 1000
        yield Figure(NAME, f"{what}: rungs {how}", "", len(taken))
        yield Figure(NAME, f"{what}: bits of all rungs {how}", "kbit/s", rate)
        got = math.fsum(seen(offers, line) for line in LINES) / len(LINES)
        yield Figure(NAME, f"{what}: VMAF over lines, rungs {how}", "", got)


def _rung(size: dict[str, Any], crf: float) -> Rung:
    """A rung of which only size and CRF count."""
    width, height = size["width"], size["height"]
    return Rung(f"{height}p", width, height, Fraction(24), "h264", "", crf, 0, 0, "", 1, 1)


def bits_at_equal_quality(fixed: Stored, fitted: Stored) -> float | None:
    """Percent of bits more than the fixed ladder's (less: negative), along the rungs."""
    try:
        return bd_rate(fixed.points(), fitted.points())
    except CurvesApart:
        return None
