"""How long it takes to plan the repair of a title in a library of a million assets."""

import asyncio
import json
import sqlite3
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from benchmarks.table import Bar, Figure
from benchmarks.workplace import Workplace, tell
from matinee.assets.asset import object_key
from matinee.assets.derivation import Step
from matinee.assets.health import Clinic, plan_repair
from matinee.config import Settings
from matinee.core.ids import Digest, digest_of
from matinee.flows.lineage import title_graph, title_of
from matinee.flows.ways import ways_of
from matinee.wiring.library import open_library
from matinee.wiring.records import records_of

NAME = "repair_plan"
TITLES, CHUNKS, RUNGS = 250, 200, 4
"""Each chunk of a rung is coded, signed, scored, and becomes two segments: five assets."""

BAD = 50
NOON = "2026-03-01 12:00:00.000000"


def run(workplace: Workplace) -> Iterator[Figure]:
    """From the digests of bad assets to the plan: lineage read, title found, ways weighed."""
    with workplace.folder() as folder:
        settings = Settings(folder / "library", workers=1)
        library = open_library(settings)
        count = _stock(settings.library / "matinee.db")
        records = records_of(library)
        seconds = []
        for turn in range(workplace.repeats):
            title = turn * 100 % TITLES
            bad = [_name(title, f"chunk {n % RUNGS} {n}") for n in range(BAD // 2)]
            bad += [_name(title, f"segment {n % RUNGS} {n}") for n in range(BAD // 2)]
            began = time.monotonic()
            found = title_of(records, bad[0])
            assert found is not None
            made = asyncio.run(title_graph(records, found, bad[0], makers_of=bad))
            remakings = [
                way.remaking for way in ways_of([made], dict.fromkeys(bad, ()), {}).values()
            ]
            plan = plan_repair(Clinic(frozenset(bad), {}, remakings), bad)
            seconds.append(time.monotonic() - began)
            assert plan.mended == frozenset(bad)
            assert not plan.lost
        library.engine.dispose()
        words = f"plan the repair of {BAD} assets among {count:,}"
        yield Figure(NAME, words, "s", max(seconds), bar=Bar(2, "ours"))


def _name(title: int, what: str) -> Digest:
    return digest_of(f"{title} {what}".encode())


def _stock(path: Any) -> int:
    """Titles as publishing leaves them in the ledger, without their bytes; gives the assets."""
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA synchronous=OFF")
    number, total = 0, 0
    for title in range(TITLES):
        steps, files = _title(title)
        rows, outputs, inputs, assets, places = [], [], [], {}, []
        for step, made in steps:
            number += 1
            rows.append((
                number, step.key, step.recipe, step.function, step.version,
                json.dumps(dict(step.inputs)), json.dumps(dict(step.parameters)),
                json.dumps(dict(step.tools)), "host", NOON, 1.0, 1.0,
            ))  # fmt: skip
            inputs += [(digest, number) for digest in set(step.inputs.values())]
            for role, digest in made.items():
                outputs.append((number, role, digest))
                assets[digest] = (digest, 1_000_000, "video/mp4")
                key = f"titles/t{title}/{role}" if "/" in role else object_key(digest)
                places.append((digest, key))
        with connection:
            _write(connection, "asset", list(assets.values()))
            _write(connection, "derivation", rows)
            _write(connection, "derivation_output", outputs)
            _write(connection, "derivation_input", inputs)
            connection.executemany("INSERT INTO location (digest, key) VALUES (?, ?)", places)
            _catalog(connection, title, files)
        total += len(assets)
        if title % 50 == 49:
            tell(f"{NAME}: {title + 1}/{TITLES} titles")
    connection.close()
    return total


def _write(connection: sqlite3.Connection, table: str, rows: Sequence[tuple[Any, ...]]) -> None:
    marks = ", ".join("?" * len(rows[0]))
    connection.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)  # noqa: S608


def _catalog(connection: sqlite3.Connection, title: int, files: dict[str, Digest]) -> None:
    name = f"t{title}"
    connection.execute(
        "INSERT INTO title (id, name, source, film, credit, added_at, current, folded)"
        " VALUES (?, ?, ?, 'film.mkv', '', ?, 'package', ?)",
        (name, name, _name(title, "source"), str(datetime.now(UTC))[:26], name),
    )
    connection.execute(
        "INSERT INTO package (title, id, state, made_at, files, report, settings)"
        " VALUES (?, 'package', 'ready', ?, ?, ?, '{}')",
        (name, NOON, json.dumps(files), _name(title, "report")),
    )


def _title(title: int) -> tuple[list[tuple[Step, dict[str, Digest]]], dict[str, Digest]]:
    """The steps of a title with their outputs, and the files of its package."""
    tools = {"ffmpeg": "f" * 64}
    source = _name(title, "source")
    steps = [(Step("ingest", 1, {"film": source}, {}), {"source": source})]
    chunks: dict[str, Digest] = {}
    streams = []
    files = {"packages/package/main.m3u8": _name(title, "hls")}
    for rung in range(RUNGS):
        folder = f"video-r{rung}-0123456789ab"
        streams.append({"kind": "video", "name": f"video-r{rung}", "folder": folder})
        for n in range(CHUNKS):
            chunk = _name(title, f"chunk {rung} {n}")
            clip = {"clip": _name(title, f"clip {n}")}
            parameters = {"height": rung, "starts": [0, 97]}
            steps.append((Step("encode_chunk", 2, clip, parameters, tools), {"chunk": chunk}))
            for function, role in (("sign_chunk", "signature"), ("score_chunk", "scores")):
                digest = _name(title, f"{role} {rung} {n}")
                step = Step(function, 2, {"chunk": chunk, "clip": clip["clip"]}, {}, tools)
                steps.append((step, {role: digest}))
            chunks[f"video/r{rung}/{n:05d}"] = chunk
            for half in (1, 2):
                path = f"renditions/{folder}/{2 * n + half:05d}.m4s"
                name = f"segment {rung} {n}" if half == 1 else f"segment {rung} {n} b"
                files[path] = _name(title, name)
    parameters = {
        "streams": streams, "frames": 97 * 2 * CHUNKS,
        "segments": [97 * n for n in range(2 * CHUNKS)],
    }  # fmt: skip
    join = {"join": _name(title, "join")}
    package = Step("package", 3, chunks, parameters, {"packager": "p"})
    return [*steps, (package, {**files, **join})], files
