"""Publishes the film as a person would, and takes the run apart."""

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from benchmarks.film import ROOT
from benchmarks.measure import Spent, run
from benchmarks.workplace import Workplace
from matinee.assets.asset import object_key
from matinee.config import Settings
from matinee.ladders import load_ladder
from matinee.media.ladder import Ladder, Rung
from matinee.media.profile import profile_of
from matinee.media.source_timeline import timeline_of
from matinee.media.tracks import plan_tracks
from matinee.wiring.library import open_library
from matinee.wiring.reading import indexer

LEAN = ("--no-scores", "--proofs", "packets")
"""Encode, package and prove by packets: nothing is decoded again."""


@dataclass(frozen=True, slots=True)
class Publish:
    """One ``matinee publish``: the controller, its largest tool, and what it printed.

    ``stages`` are the processor seconds of the tools by stage.
    """

    spent: Spent
    controller_cpu_s: float
    controller_peak_bytes: int
    tool_peak_bytes: int
    document: dict[str, Any]
    stages: dict[str, float]
    rendition_bytes: int


def matinee(*arguments: str) -> list[str]:
    """A ``matinee`` command line."""
    return [sys.executable, "-m", "matinee", *arguments]


def publish(film: Path, library: Path, *options: str) -> Publish:
    """Publish ``film`` in ``library``."""
    report = library.with_name(f"{library.name}-usage.json")
    command = [
        sys.executable, "-m", "benchmarks.inside", str(report),
        "publish", str(film), "--library", str(library), "--json", *options,
    ]  # fmt: skip
    spent, printed = run(command, ROOT)
    usage, document = json.loads(report.read_text()), json.loads(printed)
    made = _report(library, document["title"])
    return Publish(
        spent=spent,
        document=document,
        stages={stage["name"]: stage["cpu_s"] for stage in made["stages"]},
        rendition_bytes=sum(sum(r["segment_bits"]) // 8 for r in made["renditions"]),
        **usage,
    )


def _report(library: Path, title: str) -> dict[str, Any]:
    """The report of the title's newest package."""
    package = open_library(Settings(library, workers=1)).packages.of_title(title)[-1]
    report: dict[str, Any] = json.loads((library / object_key(package.report)).read_bytes())
    return report


def publishing(workplace: Workplace, *options: str) -> Callable[[], Publish]:
    """What publishes the cut in a fresh library, again and again."""

    def once() -> Publish:
        with workplace.folder() as folder:
            return publish(workplace.film.cut, folder / "library", *options)

    return once


@dataclass(frozen=True, slots=True)
class Plan:
    """What Matinee would make of a film: its rungs and the rate of its stereo sound, if any."""

    ladder: Ladder
    rungs: tuple[Rung, ...]
    stereo_bit_rate: int | None
    duration: Fraction


def plan_of(film: Path, ladder_name: str) -> Plan:
    """The plan by a ladder."""
    ladder = load_ladder(ladder_name)
    info, packets, time_base = indexer().inspect(film)
    timeline = timeline_of(info, packets, time_base)
    tracks = plan_tracks(info, timeline, profile_of(ladder), ())
    sounds = [sound for track in tracks.sounds for sound in track.renditions]
    return Plan(ladder, tracks.rungs, sounds[0].bit_rate if sounds else None, timeline.duration)
