"""What the ledger costs: a derivation begun and recorded, and thousands looked up again."""

import json
import sqlite3
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.table import Bar, Figure, paired
from benchmarks.workplace import Workplace, tell
from matinee.assets.asset import Asset, object_key
from matinee.assets.derivation import Cost, Derivation, Step
from matinee.config import Settings
from matinee.core.ids import digest_of
from matinee.core.progress import Silent
from matinee.stages.bench import Bench
from matinee.wiring.publishing import open_house

NAME = "bookkeeping"
BATCH = 500
"""How many are written before the peer takes its turn."""

PARAMETERS = {
    "width": 1280, "height": 720, "rate": "24/1", "codec": "h264", "preset": "medium", "crf": 23,
    "maxrate": 3_200_000, "bufsize": 6_400_000, "level": "3.1", "reference_frames": 3, "threads": 1,
    "starts": [0, 97],
    "picture": {
        "rotation": 0, "sample_aspect": "1/1", "colour": ["bt709", "bt709", "bt709", False],
    },
}  # fmt: skip
"""What an encoded chunk's step has."""


def run(workplace: Workplace) -> Iterator[Figure]:
    """Beside SQLite with one table, one row a transaction, looked up by its primary key."""
    count = workplace.derivations
    with workplace.folder() as folder:
        settings = Settings(folder / "library", workers=1)
        with open_house(settings, Silent(), refresh=False) as (_, bench):
            rows = _open_rows(folder / "peer.db")
            steps = [_step(bench, number) for number in range(count)]
            ours, peer = [], []
            for start in range(0, count, BATCH):
                batch = steps[start : start + BATCH]
                ours.append(_record(bench, batch) / len(batch))
                peer.append(_insert(rows, batch) / len(batch))
                tell(f"{NAME}: {start + len(batch)}/{count} derivations")
            yield paired(
                NAME,
                "begin and record a derivation, beside one SQLite row",
                "ms",
                [1e3 * seconds for seconds in ours],
                [1e3 * seconds for seconds in peer],
                Bar(5, "ours"),
            )
            again = [
                _step(bench, number) for number in range(count)
            ]  # their keys not yet worked out
            seconds, plain = _find(bench, again), _select(rows, again)
            rows.close()
    name = f"look up {count} derivations, beside as many SQLite rows"
    yield paired(NAME, name, "s", [seconds], [plain], Bar(5, "ours"))


def _step(bench: Bench, number: int) -> Step:
    inputs = {"clip": digest_of(number.to_bytes(8))}
    return Step("encode_chunk", 1, inputs, PARAMETERS, bench.tool_ids("ffmpeg"))


def _record(bench: Bench, steps: list[Step]) -> float:
    """Seconds to write the steps as derivations of one output each."""
    started = time.monotonic()
    for step in steps:
        attempt = bench.ledger.begin(bench.run, step)
        chunk = Asset(digest_of(step.key.encode()), 1_000_000, "video/mp4")
        derivation = Derivation(step, {"chunk": chunk}, Cost("here", datetime.now(UTC), 1.0, 2.0))
        bench.ledger.record(attempt, derivation, [(chunk.digest, object_key(chunk.digest))])
    return time.monotonic() - started


def _find(bench: Bench, steps: list[Step]) -> float:
    started = time.monotonic()
    found = bench.find_all(steps)
    seconds = time.monotonic() - started
    assert None not in found
    return seconds


def _open_rows(file: Path) -> sqlite3.Connection:
    """A table beside ours, as durable as ours."""
    rows = sqlite3.connect(file, isolation_level=None)
    rows.execute("PRAGMA journal_mode = WAL")
    rows.execute("PRAGMA synchronous = NORMAL")
    rows.execute("CREATE TABLE derivations (key TEXT PRIMARY KEY, step TEXT)")
    return rows


def _insert(rows: sqlite3.Connection, steps: list[Step]) -> float:
    started = time.monotonic()
    for step in steps:
        rows.execute(
            "INSERT INTO derivations VALUES (?, ?)",
            (step.recipe, json.dumps(dict(step.parameters))),
        )
    return time.monotonic() - started


def _select(rows: sqlite3.Connection, steps: list[Step]) -> float:
    started = time.monotonic()
    for step in steps:
        row = rows.execute("SELECT step FROM derivations WHERE key = ?", (step.recipe,)).fetchone()
        json.loads(row[0])
    return time.monotonic() - started
