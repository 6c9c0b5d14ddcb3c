"""How fast a scrub reads, beside ``sha256sum`` over the same files in the same run."""

import json
import os
import random
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.film import ROOT
from benchmarks.measure import run as measured
from benchmarks.table import Bar, Figure, paired
from benchmarks.workplace import Workplace
from matinee.assets.asset import Asset, object_key
from matinee.assets.derivation import Cost, Derivation, Step
from matinee.config import Settings
from matinee.core.ids import Digest, digest_of
from matinee.wiring.library import Library, open_library

NAME = "scrub"
OBJECTS = 1_500
SIZES = (200_000, 2_000_000)
"""Bytes of an object: about what segments and chunks have."""

ENOUGH = 1.25
"""Of the time that ``sha256sum`` takes: 80 % of its speed."""


def run(workplace: Workplace) -> Iterator[Figure]:
    """The pass over the objects, without the start of the interpreter; both from warm files."""
    with workplace.folder() as folder:
        paths = _stock(open_library(Settings(folder / "library", workers=1)), folder / "library")
        listed = folder / "files"
        listed.write_text("\n".join(str(path) for path in paths))
        ours, peer, peaks = [], [], []
        for _ in range(workplace.repeats):
            spent, _ = measured(["xargs", "-a", str(listed), "sha256sum"], folder)
            peer.append(spent.wall_s)
            report = folder / "report.json"
            command = [sys.executable, "-m", "benchmarks.inside", str(report), "scrub"]
            command += ["--sample", "0", "--json", "--library", str(folder / "library")]
            _, told = measured(command, ROOT)
            ours.append(json.loads(told)["seconds"])
            peaks.append(json.loads(report.read_text())["controller_peak_bytes"] / 1e6)
        yield paired(
            NAME, "prove all objects, beside sha256sum", "s", ours, peer, Bar(ENOUGH, "ratio")
        )
        yield Figure(NAME, "peak memory of a scrub", "MB", max(peaks), bar=Bar(200, "ours"))


def _stock(library: Library, root: Path) -> list[Path]:
    """Objects of random bytes in the ledger and on the disk; gives their files."""
    rng, paths = random.Random(1), []  # noqa: S311
    for number in range(OBJECTS):
        data = os.urandom(rng.randrange(*SIZES))
        asset = Asset(digest_of(data), len(data), "video/mp4")
        paths.append(root / object_key(asset.digest))
        paths[-1].parent.mkdir(parents=True, exist_ok=True)
        paths[-1].write_bytes(data)
        step = Step("encode_chunk", 2, {"clip": Digest(f"{number:064x}")}, {}, {"ffmpeg": "f"})
        made = Derivation(step, {"chunk": asset}, Cost("host", datetime.now(UTC), 1.0, 1.0))
        attempt = library.ledger.begin("run", step)
        library.ledger.record(attempt, made, [(asset.digest, object_key(asset.digest))])
    library.engine.dispose()
    return paths
