"""Damage of many kinds, planted in a library at places that a seed chooses."""

import json
import random
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from matinee.assets.derivation import Step


@dataclass(frozen=True)
class Planted:
    """What was done. ``found``: kind and thing of each finding that must name it.

    A thing that is None: any thing of that kind will do. ``keys`` are the objects that are bad by
    it, ``step`` is the key of the derivation whose row is.
    """

    found: set[tuple[str, str | None]]
    keys: tuple[str, ...] = ()
    step: str | None = None


@dataclass(frozen=True)
class Library:
    """A library that is damaged: its folder, its database, and what chooses the places."""

    folder: Path
    rng: random.Random
    taken: set[str] = field(default_factory=set)
    """Keys that are damaged already: none is damaged twice."""

    def database(self) -> sqlite3.Connection:
        return sqlite3.connect(self.folder / "matinee.db")

    def ask(self, query: str, *values: Any) -> list[Any]:
        with self.database() as connection:
            return connection.execute(query, values).fetchall()

    def keys(self, function: str, *roles: str) -> list[str]:
        """Where outputs of a function lie, whose role begins so."""
        query = (
            "SELECT DISTINCT o.role, l.key FROM derivation d JOIN derivation_output o"
            " ON o.derivation = d.sequence JOIN location l ON l.digest = o.digest"
            " WHERE d.function = ? ORDER BY l.key"
        )
        rows = self.ask(query, function)
        return [key for role, key in rows if not roles or role.startswith(roles)]

    def choose(self, keys: list[str], suffix: str = "") -> str:
        key = self.rng.choice(sorted({k for k in keys if k.endswith(suffix)} - self.taken))
        self.taken.add(key)
        return key

    def flip(self, key: str) -> str:
        path = self.folder / key
        data = bytearray(path.read_bytes())
        data[self.rng.randrange(len(data))] ^= 1 << self.rng.randrange(8)
        path.write_bytes(data)
        return key


def flipped(library: Library, key: str) -> Planted:
    return Planted({("changed", library.flip(key))}, (key,))


def source(library: Library) -> Planted:
    (digest,) = library.rng.choice(library.ask("SELECT source FROM title"))
    return flipped(library, f"objects/{digest[:2]}/{digest}")


def chunk(library: Library) -> Planted:
    return flipped(library, library.choose(library.keys("encode_chunk")))


def rendition(library: Library) -> Planted:
    return flipped(library, library.choose(library.keys("encode_sound", "sound")))


def segment(library: Library) -> Planted:
    keys = library.keys("package", "renditions/")
    return flipped(library, library.choose(keys, ".m4s"))


def playlist(library: Library) -> Planted:
    return flipped(library, library.choose(library.keys("package", "packages/")))


def proof(library: Library) -> Planted:
    functions = ("sign_chunk", "score_chunk", "scan", "encode_sound", "judge", "package")
    roles = ("signature", "scores", "cuts", "proof", "verdicts", "join")
    every = [
        [k for k in library.keys(each, *roles) if k.startswith("objects/")] for each in functions
    ]
    return flipped(library, library.choose(library.rng.choice([keys for keys in every if keys])))


def row(library: Library) -> Planted:
    """A byte of a derivation's row: of what it says of itself."""
    functions = ("encode_chunk", "sign_chunk", "scan", "encode_sound", "package", "judge")
    query = "SELECT sequence, key, {} FROM derivation WHERE function = ? ORDER BY sequence"
    column = library.rng.choice(("inputs", "parameters", "recipe"))
    function = library.rng.choice(functions)
    number, key, text = library.rng.choice(library.ask(query.format(column), function))
    if text == "{}":
        return row(library)
    digits = [n for n, sign in enumerate(text) if sign in "0123456789abcdef"]
    place = library.rng.choice(digits)
    other = "1" if text[place] != "1" else "2"
    changed = text[:place] + other + text[place + 1 :]
    with library.database() as connection:
        update = f"UPDATE derivation SET {column} = ? WHERE sequence = ?"  # noqa: S608
        connection.execute(update, (changed, number))
    return Planted({("row", f"derivation/{key}")}, step=key)


def event(library: Library) -> Planted:
    (place,) = library.rng.choice(library.ask("SELECT place FROM event WHERE seal IS NOT NULL"))
    column = library.rng.choice(("type", "subject", "source"))
    with library.database() as connection:
        update = f"UPDATE event SET {column} = {column} || 'x' WHERE place = ?"  # noqa: S608
        connection.execute(update, (place,))
    return Planted({("event", None)})


MADE = {
    "encode_chunk", "sign_chunk", "score_chunk", "encode_sound", "make_text", "scan", "inspect",
    "package", "judge", "poster",
}  # fmt: skip
"""Functions whose outputs are made again when they are bad."""


def anything(library: Library) -> str:
    """An object that can be made again."""
    every = [sorted({*library.keys(each)} - library.taken) for each in sorted(MADE)]
    return library.choose(library.rng.choice([keys for keys in every if keys]))


def missing(library: Library) -> Planted:
    key = anything(library)
    (library.folder / key).unlink()
    return Planted({("missing", key)}, (key,))


def truncated(library: Library) -> Planted:
    key = anything(library)
    path = library.folder / key
    data = path.read_bytes()
    path.write_bytes(data[: library.rng.randrange(len(data))])
    return Planted({("short", key)}, (key,))


def exchanged(library: Library) -> Planted:
    one, other = anything(library), anything(library)
    first, second = library.folder / one, library.folder / other
    data = first.read_bytes()
    if data == second.read_bytes():
        return exchanged(library)
    first.write_bytes(second.read_bytes())
    second.write_bytes(data)
    return Planted({("exchanged", one), ("exchanged", other)}, (one, other))


def poster(library: Library) -> Planted:
    """One of the posters, or the one beside the title."""
    (title,) = library.rng.choice(library.ask("SELECT id FROM title"))
    beside = f"titles/{title}/poster.jpg"
    key = library.rng.choice([beside, *library.keys("poster")])
    if key == beside:
        return Planted({("poster", library.flip(key))})
    library.taken.add(key)
    return flipped(library, key)


def entry(library: Library) -> Planted:
    (title,) = library.rng.choice(library.ask("SELECT id FROM title"))
    name = library.rng.choice(("main.m3u8", "main.mpd"))
    return Planted({("entry", library.flip(f"titles/{title}/{name}"))})


def size(library: Library) -> Planted:
    key = anything(library)
    with library.database() as connection:
        connection.execute(
            "UPDATE asset SET size_bytes = size_bytes + 1 WHERE digest ="
            " (SELECT digest FROM location WHERE key = ?)", (key,),
        )  # fmt: skip
    same = library.ask(
        "SELECT key FROM location WHERE digest = (SELECT digest FROM location WHERE key = ?)", key
    )
    return Planted({("size", each) for (each,) in same})


def files(library: Library) -> Planted:
    title, package, listed = library.rng.choice(library.ask("SELECT title, id, files FROM package"))
    known = json.loads(listed)
    del known[library.rng.choice(sorted(known))]
    with library.database() as connection:
        connection.execute(
            "UPDATE package SET files = ? WHERE title = ? AND id = ?",
            (json.dumps(known), title, package),
        )
    return Planted({("files", f"package/{title}/{package}")})


KINDS: dict[str, Callable[[Library], Planted]] = {
    each.__name__: each
    for each in (
        source, chunk, rendition, segment, playlist, proof, row, event, missing, truncated,
        exchanged, poster, entry, size, files,
    )
}  # fmt: skip
"""Kinds of damage that a scrub finds and a repair mends, all in the library itself."""


@dataclass(frozen=True)
class FaultyEncoder:
    """What the ledger says of an encoder that went wrong: its version, host and first minute."""

    tool: str = "f" * 64
    host: str = "enc-7"
    began: str = "2026-03-01 12:{:02}:00.000000"

    @classmethod
    def of(cls, rng: random.Random) -> "FaultyEncoder":
        """One of a random version, host and hour."""
        tool = f"{rng.getrandbits(256):064x}"
        hour = rng.randrange(24)
        return cls(tool, f"enc-{rng.randrange(100)}", f"2026-03-01 {hour:02}:{{:02}}:00.000000")


def wrong_chunks(library: Library, other: Path) -> dict[str, str]:
    """The chunks of a library that shows other frames, by recipe: those that differ from ours."""
    query = (
        "SELECT d.recipe, o.digest FROM derivation d JOIN derivation_output o ON"
        " o.derivation = d.sequence WHERE d.function = 'encode_chunk' ORDER BY d.sequence"
    )
    good = dict(library.ask(query))
    bad = dict(Library(other, library.rng).ask(query))
    return {recipe: bad[recipe] for recipe in good if bad[recipe] != good[recipe]}


def swap_in(library: Library, other: Path, wrong: dict[str, str]) -> None:
    """Let chunks be those of a faulty encoder, whose library is ``other``; the ledger says good.

    The package is to be made again from them by the caller; then ``blame`` is called.
    """
    for recipe, bad in wrong.items():
        key = f"objects/{bad[:2]}/{bad}"
        (library.folder / key).parent.mkdir(exist_ok=True)
        data = (other / key).read_bytes()
        (library.folder / key).write_bytes(data)
        with library.database() as connection:
            connection.execute("INSERT INTO asset VALUES (?, ?, 'video/mp4')", (bad, len(data)))
            connection.execute("INSERT INTO location (digest, key) VALUES (?, ?)", (bad, key))
            connection.execute(
                "UPDATE derivation_output SET digest = ? WHERE derivation ="
                " (SELECT sequence FROM derivation WHERE recipe = ?)", (bad, recipe),
            )  # fmt: skip


def blame(library: Library, wrong: dict[str, str], encoder: FaultyEncoder) -> None:
    """Write into the rows of wrong chunks which version made them, where and when: in one hour."""
    for number, recipe in enumerate(wrong):
        minute = number * 59 // len(wrong)
        ((row_number, version, inputs, parameters),) = library.ask(
            "SELECT sequence, version, inputs, parameters FROM derivation WHERE recipe = ?", recipe
        )
        tools = {"ffmpeg": encoder.tool}
        step = Step("encode_chunk", version, json.loads(inputs), json.loads(parameters), tools)
        with library.database() as connection:
            connection.execute(
                "UPDATE derivation SET tools = ?, key = ?, host = ?, started_at = ?"
                " WHERE sequence = ?",
                (json.dumps(tools), step.key, encoder.host, encoder.began.format(minute),
                 row_number),
            )  # fmt: skip
