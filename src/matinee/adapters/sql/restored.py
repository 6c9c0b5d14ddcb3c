"""One title's rows from a snapshot, brought back beside those that are there."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Table, delete, insert, select, update

from matinee.adapters.sql.columns import UtcTime
from matinee.adapters.sql.database import insert_if_absent, insert_or_change
from matinee.adapters.sql.schema import (
    assets,
    condemned,
    derivation_inputs,
    derivation_outputs,
    derivations,
    locations,
    packages,
    showings,
    titles,
)
from matinee.core.errors import LibraryBusy, LibraryError
from matinee.ports.dump import TitleRows

AT_ONCE = 500


class TitleTaken(LibraryError):
    """A title cannot be restored: its id, or its film, belongs to another title by now."""

    code = "restore.taken"
    advice = "restore into another library, or delete the title that is in the way"


def add_title(connection: Connection, rows: TitleRows) -> None:
    """Write the rows in the caller's transaction; see the port."""
    is_new = _add_row_of(connection, rows)
    _spare(connection, [row["key"] for row in rows.locations])
    _each(connection, assets, rows.assets)
    numbers = {row["sequence"]: _derivation(connection, row) for row in rows.derivations}
    links = ({**row, "derivation": numbers[row["derivation"]]} for row in rows.outputs)
    _each(connection, derivation_outputs, links)
    place = insert_or_change(connection, locations, key=["key"], changed=["digest"])
    for row in rows.locations:
        connection.execute(place, {"digest": row["digest"], "key": row["key"]})
    _each(connection, packages, rows.packages)
    if is_new:
        for row in _typed(showings, rows.showings):
            del row["sequence"]
            connection.execute(insert(showings), row)
    elif rows.title["current"] is not None:
        shows_nothing = (titles.c.id == rows.title["id"]) & titles.c.current.is_(None)
        shown = {"current": rows.title["current"], "removes_at": None, "was_shown": None}
        connection.execute(update(titles).where(shows_nothing).values(shown))


def _add_row_of(connection: Connection, rows: TitleRows) -> bool:
    """Whether the title was not there."""
    wanted = rows.title
    found = connection.execute(
        select(titles.c.id, titles.c.source)
        .where((titles.c.id == wanted["id"]) | (titles.c.source == wanted["source"]))
        .with_for_update()
    ).all()
    for row in found:
        if (row.id, row.source) != (wanted["id"], wanted["source"]):
            raise TitleTaken(
                f"the id {row.id} is another film's"
                if row.id == wanted["id"]
                else f"the film is in the library already, as {row.id}"
            )
    if not found:
        _each(connection, titles, [wanted])
    return not found


def _spare(connection: Connection, keys: Sequence[str]) -> None:
    """Take what lay there already off the list of the condemned."""
    for at in range(0, len(keys), AT_ONCE):
        there = condemned.c.key.in_(keys[at : at + AT_ONCE])
        connection.execute(delete(condemned).where(there, condemned.c.owner.is_(None)))
        if connection.scalar(select(condemned.c.key).where(there).limit(1)) is not None:
            raise LibraryBusy("garbage collection is removing an object of the title")


def _derivation(connection: Connection, row: Mapping[str, Any]) -> int:
    """The number that the derivation has here."""
    (typed,) = _typed(derivations, [row])
    del typed["sequence"]
    new = insert_if_absent(connection, derivations).returning(derivations.c.sequence)
    number: int | None = connection.scalar(new, typed)
    if number is None:
        known = select(derivations.c.sequence).where(derivations.c.key == row["key"])
        there: int = connection.scalars(known).one()
        return there
    made_from = [{"digest": d, "derivation": number} for d in sorted(set(row["inputs"].values()))]
    if made_from:
        connection.execute(insert(derivation_inputs), made_from)
    return number


def _each(connection: Connection, table: Table, rows: Iterable[Mapping[str, Any]]) -> None:
    for row in _typed(table, rows):
        connection.execute(insert_if_absent(connection, table), row)


def _typed(table: Table, rows: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """The rows with times as times."""
    times = {column.name for column in table.columns if isinstance(column.type, UtcTime)}
    for row in rows:
        yield {
            name: datetime.fromisoformat(value) if name in times and value is not None else value
            for name, value in row.items()
        }
