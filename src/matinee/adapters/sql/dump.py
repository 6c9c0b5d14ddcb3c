"""A library's tables as pieces of JSON lines, the same from SQLite and PostgreSQL.

The first line of a piece names the table, its columns, and which of them are times. A piece covers
a fixed range of keys, so that rows that are only ever added leave all pieces but the last as they
were.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import chain, groupby
from pathlib import Path
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    Engine,
    Integer,
    String,
    Table,
    exists,
    false,
    func,
    insert,
    literal,
    select,
    update,
)

from matinee.adapters.sql.columns import UtcTime
from matinee.adapters.sql.database import reading, writing
from matinee.adapters.sql.facts import tell
from matinee.adapters.sql.restored import add_title
from matinee.adapters.sql.schema import (
    REVISION,
    assets,
    condemned,
    deliveries,
    derivation_outputs,
    derivations,
    locations,
    metadata,
    packages,
    runs,
    titles,
)
from matinee.assets.asset import object_key
from matinee.assets.snapshots import PIECE, packed, prefix_width, unpacked
from matinee.assets.worth import Making, Worth, left_out
from matinee.core.errors import LibraryError
from matinee.core.events import Fact
from matinee.core.ids import Digest, digest_of
from matinee.ports.dump import Dump, Dumped, Rows, TitleRows, Wanted

OF_THE_MOMENT = frozenset({"session", "reply", "condemned", "visit"})
"""Tables that are not backed up: who is signed in, answers that are kept for a day, garbage."""

AT_ONCE = 500
"""Rows that one statement writes."""

DIGITS = 64
"""Of a digest."""


class LibraryNotEmpty(LibraryError):
    """A library is to be restored where there is one already."""

    code = "restore.not_empty"
    advice = "name an empty place with --library, or restore one title: matinee restore TITLE"


class SqlDump(Dump):
    """The tables of a database that ``open_database`` opened."""

    def __init__(self, engine: Engine, now: Callable[[], datetime]) -> None:
        self._engine = engine
        self._now = now

    def take(self, folder: Path, worth: Worth, now: datetime) -> Dumped:
        wanted = folder / "wanted"
        with reading(self._engine) as connection, wanted.open("w", encoding="utf-8") as file:
            tables = {
                table.name: [_keep(folder, piece) for piece in _pieces(connection, table)]
                for table in kept_tables()
            }
            count = connection.scalars(select(func.count()).select_from(titles)).one()
            left = {bytes.fromhex(one) for one in _left_out(connection, worth, now)}
            total = 0
            for one in _wanted(connection, left):
                line = [one.digest, one.size_bytes, list(one.keys)]
                file.write(f"{json.dumps(line, ensure_ascii=True)}\n")
                total += 1

        def read() -> Iterator[Wanted]:
            with wanted.open(encoding="utf-8") as lines:
                for line in lines:
                    yield Wanted(*json.loads(line))

        return Dumped(REVISION, tables, count, total, read)

    def check_empty(self, revision: str) -> None:
        with reading(self._engine) as connection:
            _check_empty(connection, revision)

    def fill(
        self, revision: str, pieces: Rows, has: Callable[[str], bool], facts: Sequence[Fact] = ()
    ) -> None:
        known = {table.name: table for table in kept_tables()}
        with writing(self._engine) as connection:
            _check_empty(connection, revision)
            for name, table in known.items():
                if name == "bookmark":
                    connection.execute(table.delete())
                rows = chain.from_iterable(map(rows_of, pieces.get(name, ())))
                for batch in _batches(row for row in rows if _is_there(table, row, has)):
                    connection.execute(insert(table), batch)
                _go_on_counting(connection, table)
            _let_wait(connection)
            tell(connection, facts, self._now())

    def add_title(self, rows: TitleRows, facts: Sequence[Fact]) -> None:
        with writing(self._engine) as connection:
            add_title(connection, rows)
            tell(connection, facts, self._now())


def _check_empty(connection: Connection, revision: str) -> None:
    if revision > REVISION:
        raise LibraryError(
            f"the snapshot is of tables {revision}, newer than {REVISION}",
            "use the version of Matinee that made it, or a newer one",
        )
    for table in kept_tables():
        one = select(literal(1)).select_from(table).limit(1)
        if table.name != "bookmark" and connection.execute(one).first():  # which always has rows
            raise LibraryNotEmpty("the library's database has rows already")


def kept_tables() -> list[Table]:
    """The tables of a backup, each after those that it refers to."""
    return [table for table in metadata.sorted_tables if table.name not in OF_THE_MOMENT]


def rows_of(piece: bytes) -> Iterator[dict[str, Any]]:
    """The rows of a piece, with times as times."""
    lines = unpacked(piece)
    head = next(lines)
    columns, times = head["columns"], set(head["times"])
    for line in lines:
        yield {
            name: datetime.fromisoformat(value) if name in times and value is not None else value
            for name, value in zip(columns, line, strict=True)
        }


def _pieces(connection: Connection, table: Table) -> Iterator[bytes]:
    columns = list(table.columns)
    times = [column.name for column in columns if isinstance(column.type, UtcTime)]
    head = {"table": table.name, "columns": [c.name for c in columns], "times": times}
    key, group = _order(connection, table)
    query = select(table).order_by(*key)
    rows = connection.execution_options(yield_per=2000).execute(query)
    at = [column.name for column in columns].index(key[0].name)
    for _, part in groupby(enumerate(rows), lambda numbered: group(numbered[0], numbered[1][at])):
        yield packed(chain([head], ([*map(_plain, row)] for _, row in part)))


def _order(
    connection: Connection, table: Table
) -> tuple[list[Column[Any]], Callable[[int, Any], Any]]:
    """By what a table is ordered, and which piece a row lies in, by its number and first key."""
    key = list(table.primary_key.columns)
    if table is derivation_outputs:
        return key, lambda _, first: first // (PIECE // 4)
    if isinstance(key[0].type, Integer):
        return key, lambda _, first: first // PIECE
    if isinstance(key[0].type, String) and key[0].type.length == DIGITS:
        count = connection.scalars(select(func.count()).select_from(table)).one()
        width = prefix_width(count)
        return key, lambda _, first: first[:width]
    return key, lambda number, _: number // PIECE


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return value


def _keep(folder: Path, piece: bytes) -> Digest:
    digest = digest_of(piece)
    (folder / digest).write_bytes(piece)
    return digest


def _left_out(connection: Connection, worth: Worth, now: datetime) -> Iterator[Digest]:
    published = {
        digest
        for files in connection.scalars(select(packages.c.files))
        for digest in files.values()
    }
    return left_out(_makings(connection), published, worth, now)


def _makings(connection: Connection) -> Iterator[Making]:
    """Derivations in the order in which they were recorded: inputs first."""
    links, made = derivation_outputs.c, derivations.c
    query = (
        select(
            made.sequence, made.function, made.inputs, made.started_at, made.cpu_s, links.digest,
            assets.c.size_bytes,
        )
        .join(derivation_outputs, links.derivation == made.sequence)
        .join(assets, assets.c.digest == links.digest)
        .order_by(made.sequence)
    )  # fmt: skip
    rows = connection.execution_options(yield_per=2000).execute(query)
    for _, part in groupby(rows, lambda row: row.sequence):
        every = list(part)
        first = every[0]
        yield Making(
            first.function,
            list(first.inputs.values()),
            {row.digest: row.size_bytes for row in every},
            first.started_at,
            first.cpu_s,
        )


def _wanted(connection: Connection, left: set[bytes]) -> Iterator[Wanted]:
    """Located assets and what no table locates, ordered by digest."""
    loose = sorted(_loose(connection))
    known = _located(connection, left)
    place = 0
    for one in known:
        while place < len(loose) and loose[place] < one.digest:
            yield Wanted(loose[place], None, [object_key(loose[place])])
            place += 1
        if place < len(loose) and loose[place] == one.digest:
            place += 1
        yield one
    for digest in loose[place:]:
        yield Wanted(digest, None, [object_key(digest)])


def _located(connection: Connection, left: set[bytes]) -> Iterator[Wanted]:
    query = (
        select(assets.c.digest, assets.c.size_bytes, locations.c.key)
        .join(locations, locations.c.digest == assets.c.digest)
        .where(~exists().where(condemned.c.key == locations.c.key))
        .order_by(assets.c.digest, locations.c.sequence)
    )
    rows = connection.execution_options(yield_per=2000).execute(query)
    for digest, part in groupby(rows, lambda row: row.digest):
        every = list(part)
        if bytes.fromhex(digest) not in left:
            yield Wanted(Digest(digest), every[0].size_bytes, [row.key for row in every])


def _loose(connection: Connection) -> set[Digest]:
    """What is stored by its digest and is in no location: reports, and the sheets of grids."""
    found = set(connection.scalars(select(packages.c.report)))
    for progress in connection.scalars(select(runs.c.progress)):
        sheet = (progress.get("grid") or {}).get("sheet")
        found |= {sheet} if sheet else set()
    return {Digest(digest) for digest in found}


def _is_there(table: Table, row: Mapping[str, Any], has: Callable[[str], bool]) -> bool:
    return table is not locations or has(row["digest"])


def _batches(rows: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    batch: list[dict[str, Any]] = []
    for row in rows:
        batch.append(row)
        if len(batch) == AT_ONCE:
            yield batch
            batch = []
    if batch:
        yield batch


def _go_on_counting(connection: Connection, table: Table) -> None:
    """Let PostgreSQL count on from the rows that were written with their numbers."""
    (key, *more) = table.primary_key.columns
    if more or connection.dialect.name != "postgresql" or not isinstance(key.type, Integer):
        return
    if not key.autoincrement:
        return
    serial = func.pg_get_serial_sequence(table.name, key.name)
    last = select(func.coalesce(func.max(key), 0)).scalar_subquery()
    connection.execute(select(func.setval(serial, last + 1, false())))


def _let_wait(connection: Connection) -> None:
    """Nobody works on anything in a library that was just restored."""
    held = runs.c.owner.is_not(None)
    cancelled = held & (runs.c.state == "cancelling")
    connection.execute(update(runs).where(cancelled).values(state="cancelled", owner=None))
    connection.execute(update(runs).where(held).values(state="queued", owner=None))
    connection.execute(
        update(deliveries)
        .where(deliveries.c.owner.is_not(None))
        .values(state="waiting", owner=None, ready_at=deliveries.c.due_at)
    )
