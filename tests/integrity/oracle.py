"""What mending costs at least, and what is lost of a source: worked out beside the program."""

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import av

from matinee.adapters.copies import LOCAL_BYTES_A_SECOND
from matinee.assets.derivation import Step
from matinee.flows.vault_copies import BYTES_A_SECOND
from matinee.flows.ways import ALMOST_NOTHING_S

WAYS = {"another key": LOCAL_BYTES_A_SECOND, "its original": LOCAL_BYTES_A_SECOND}


@dataclass(frozen=True)
class Way:
    """One way to an asset: a copy, or the step that makes it again."""

    name: str
    cost_s: float


def cheapest(library: Path, vault: Path | None, keys: Sequence[str]) -> tuple[float, set[str]]:
    """The least price of having the objects at these keys again, and by which ways: all tried.

    What else they need is good, or is among them.
    """
    with sqlite3.connect(library / "matinee.db") as database:
        digests = {_digest(database, key) for key in keys}
        ways = [_ways(database, library, vault, digest, set(keys)) for digest in sorted(digests)]
    best = min(
        product(*ways), key=lambda chosen: (_price(chosen), sum(w.name != "copy" for w in chosen))
    )
    return _price(best), {"copy" if way.name == "copy" else "remake" for way in best}


def _price(chosen: Sequence[Way]) -> float:
    """A step that gives several of them is run once."""
    copies = sum(way.cost_s for way in chosen if way.name == "copy")
    return copies + sum({way.name: way.cost_s for way in chosen if way.name != "copy"}.values())


def _digest(database: sqlite3.Connection, key: str) -> str:
    found: tuple[str] = database.execute(
        "SELECT digest FROM location WHERE key = ?", (key,)
    ).fetchone()
    return found[0]


def _ways(
    database: sqlite3.Connection, library: Path, vault: Path | None, digest: str, bad: set[str]
) -> list[Way]:
    (size,) = database.execute(
        "SELECT size_bytes FROM asset WHERE digest = ?", (digest,)
    ).fetchone()
    copies = []
    keys = {k for (k,) in database.execute("SELECT key FROM location WHERE digest = ?", (digest,))}
    if any((library / key).exists() for key in keys - bad):
        copies.append(size / LOCAL_BYTES_A_SECOND)
    places = database.execute("SELECT place FROM original WHERE digest = ?", (digest,)).fetchall()
    if any(Path(place).exists() and Path(place).stat().st_size == size for (place,) in places):
        copies.append(size / LOCAL_BYTES_A_SECOND)
    if vault is not None and (vault / "copies" / digest[:2] / digest).exists():
        copies.append(size / BYTES_A_SECOND)
    ways = [Way("copy", max(ALMOST_NOTHING_S, min(copies)))] if copies else []
    made = database.execute(
        "SELECT d.key, d.wall_s, d.function, o.role FROM derivation d JOIN derivation_output o ON"
        " o.derivation = d.sequence WHERE o.digest = ? AND d.function NOT IN ('ingest')", (digest,),
    ).fetchall()  # fmt: skip
    again = {
        Way(key, max(ALMOST_NOTHING_S, wall_s))
        for key, wall_s, function, role in made
        # A package puts its files at its own paths alone.
        if function != "package"
        or any(each.endswith(f"/{role}") or not each.startswith("titles/") for each in keys & bad)
    }
    return ways + sorted(again, key=lambda way: way.name)


def row(library: Path, key: str) -> tuple[float, set[str]]:
    """The price of having a derivation's row right again: nothing where what is left tells it."""
    with sqlite3.connect(library / "matinee.db") as database:
        function, version, *texts, wall_s = database.execute(
            "SELECT function, version, inputs, parameters, tools, wall_s FROM derivation"
            " WHERE key = ?", (key,),
        ).fetchone()  # fmt: skip
        links = database.execute(
            "SELECT i.digest FROM derivation_input i JOIN derivation d ON d.sequence = i.derivation"
            " WHERE d.key = ?", (key,),
        ).fetchall()  # fmt: skip
    again = max(ALMOST_NOTHING_S, wall_s), {"remake"}
    try:
        inputs, parameters, tools = map(json.loads, texts)
    except ValueError:
        return again
    guesses = [
        inputs,
        *({**inputs, role: link} for role in inputs for (link,) in links if link != inputs[role]),
    ]
    if any(Step(function, version, one, parameters, tools).key == key for one in guesses):
        return 0.0, {"row"}
    return again


def hit_by(film: Path, offset: int) -> dict[str, Any] | None:
    """The packet in which a byte of a film lies: its track, and when it is shown in seconds.

    None: it lies in no packet.
    """
    with av.open(str(film)) as container:
        for packet in container.demux():
            if packet.pos is None or packet.pts is None or packet.size == 0:
                continue
            if packet.pos <= offset < packet.pos + packet.size:
                stream = packet.stream
                begins = (container.start_time or 0) / av.time_base
                return {
                    "track": stream.index,
                    "type": stream.type,
                    "time": float(packet.pts * packet.time_base) - begins,
                }
    return None
