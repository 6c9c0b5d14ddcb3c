"""What the database says that there is, row by row, and how its rows are put right."""

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Connection,
    Engine,
    Select,
    Text,
    cast,
    delete,
    func,
    or_,
    select,
    text,
    update,
)
from sqlalchemy import Row as SqlRow

from matinee.adapters.sql.database import insert_or_change, reading, writing
from matinee.adapters.sql.schema import (
    assets,
    derivation_inputs,
    derivation_outputs,
    derivations,
    locations,
    packages,
    titles,
)
from matinee.assets.asset import Asset
from matinee.assets.derivation import Cost, Derivation, Step
from matinee.core.errors import LibraryError
from matinee.core.ids import Digest
from matinee.ports.upkeep import Held, Holdings, Row

_OBJECTS = select(
    locations.c.sequence, locations.c.key, assets.c.digest, assets.c.size_bytes, assets.c.media_type
).join(assets, assets.c.digest == locations.c.digest)
_AS_TEXT = [
    cast(derivations.c[name], Text).label(name) for name in ("inputs", "parameters", "tools")
]
_ROWS = select(
    derivations.c.sequence, derivations.c.key, derivations.c.recipe, derivations.c.function,
    derivations.c.version, *_AS_TEXT, derivations.c.host, derivations.c.started_at,
    derivations.c.wall_s, derivations.c.cpu_s,
).order_by(derivations.c.sequence)  # fmt: skip


class SqlHoldings(Holdings):
    """The ledger's and the catalog's tables.

    Args:
        engine: The database.
        now: The time, with its zone.
    """

    def __init__(self, engine: Engine, now: Callable[[], datetime]) -> None:
        self._engine, self._now = engine, now

    def objects(
        self, after: int, limit: int, since: datetime | None, title: str | None
    ) -> Sequence[Held]:
        query = _OBJECTS.where(locations.c.sequence > after)
        if since is not None:
            query = query.where(locations.c.digest.in_(_made_since(since)))
        if title is not None:
            query = query.where(_of_title(title))
        with reading(self._engine) as connection:
            rows = connection.execute(query.order_by(locations.c.sequence).limit(limit))
            return [Held(number, key, Asset(*asset)) for number, key, *asset in rows]

    def known(self, keys: Sequence[str]) -> Collection[str]:
        digests = {key.rpartition("/")[2]: key for key in keys if key.startswith("objects/")}
        with reading(self._engine) as connection:
            own = connection.scalars(select(locations.c.key).where(locations.c.key.in_(keys)))
            reports = select(packages.c.report).where(packages.c.report.in_(list(digests)))
            return {*own, *(digests[digest] for digest in connection.scalars(reports))}

    def size(self) -> tuple[int, int]:
        query = select(func.count(), func.coalesce(func.sum(assets.c.size_bytes), 0)).select_from(
            locations.join(assets, assets.c.digest == locations.c.digest)
        )
        with reading(self._engine) as connection:
            count, size = connection.execute(query).one()
        return int(count), int(size)

    def rows(self, after: int, limit: int) -> Sequence[Row]:
        return self._rows(_ROWS.where(derivations.c.sequence > after).limit(limit))

    def row(self, key: Digest) -> Row | None:
        return next(iter(self._rows(_ROWS.where(derivations.c.key == key))), None)

    def _rows(self, query: Select[Any]) -> list[Row]:
        with reading(self._engine) as connection:
            rows = connection.execute(query).all()
            numbers = [row.sequence for row in rows]
            links = select(
                derivation_outputs.c.derivation, derivation_outputs.c.role, assets,
                select(locations.c.sequence)
                .where(locations.c.digest == assets.c.digest)
                .exists()
                .label("lies"),
            ).join(assets, assets.c.digest == derivation_outputs.c.digest)  # fmt: skip
            given = connection.execute(links.where(derivation_outputs.c.derivation.in_(numbers)))
            outputs: dict[int, dict[str, tuple[Asset, bool]]] = {number: {} for number in numbers}
            for number, role, digest, size, kind, lies in given:
                outputs[number][role] = Asset(digest, size, kind), bool(lies)
        return [_row(row, outputs[row.sequence]) for row in rows]

    def faults(self) -> Sequence[str]:
        if self._engine.dialect.name != "sqlite":
            return []  # PostgreSQL checks its pages as it reads them
        try:
            with reading(self._engine) as connection:
                told = connection.scalars(text("PRAGMA integrity_check(20)")).all()
        except LibraryError as error:
            return [str(error)]
        return [each for each in told if each != "ok"]

    def set_size(self, digest: Digest, size_bytes: int) -> None:
        with writing(self._engine) as connection:
            changed = update(assets).where(assets.c.digest == digest)
            connection.execute(changed.values(size_bytes=size_bytes))

    def set_type(self, digest: Digest, media_type: str) -> None:
        with writing(self._engine) as connection:
            changed = update(assets).where(assets.c.digest == digest)
            connection.execute(changed.values(media_type=media_type))

    def outputs(self, key: Digest) -> Sequence[Digest]:
        links = derivation_outputs.c
        query = select(links.digest).join(derivations).where(derivations.c.key == key)
        with reading(self._engine) as connection:
            return connection.scalars(query.order_by(links.role)).all()

    def inputs(self, key: Digest) -> Sequence[Digest]:
        links = derivation_inputs.c
        query = select(links.digest).join(derivations, derivations.c.sequence == links.derivation)
        with reading(self._engine) as connection:
            found = connection.scalars(query.where(derivations.c.key == key)).all()
        return sorted(found)

    def place(self, digest: Digest, key: str) -> None:
        with writing(self._engine) as connection:
            placed = insert_or_change(connection, locations, key=["key"], changed=["digest"])
            connection.execute(placed, {"digest": digest, "key": key})

    def rewrite(self, key: Digest, step: Step) -> None:
        values = {
            "recipe": step.recipe, "function": step.function, "version": step.version,
            "inputs": dict(step.inputs), "parameters": dict(step.parameters),
            "tools": dict(step.tools),
        }  # fmt: skip
        with writing(self._engine) as connection:
            changed = update(derivations).where(derivations.c.key == key).values(values)
            connection.execute(changed)

    def forget(self, key: Digest) -> None:
        with writing(self._engine) as connection:
            _forget(connection, key)

    def release(self, key: Digest, places: Sequence[str]) -> None:
        with writing(self._engine) as connection:
            _forget(connection, key)
            connection.execute(delete(locations).where(locations.c.key.in_(places)))

    def set_files(self, title: str, package: str, files: Mapping[str, Digest]) -> None:
        own = (packages.c.title == title, packages.c.id == package)
        with writing(self._engine) as connection:
            connection.execute(update(packages).where(*own).values(files=dict(files)))


def _forget(connection: Connection, key: Digest) -> None:
    number = select(derivations.c.sequence).where(derivations.c.key == key).scalar_subquery()
    for table in (derivation_outputs, derivation_inputs):
        connection.execute(delete(table).where(table.c.derivation == number))
    connection.execute(delete(derivations).where(derivations.c.key == key))


def _made_since(since: datetime) -> Select[tuple[str]]:
    return (
        select(derivation_outputs.c.digest)
        .join(derivations)
        .where(derivations.c.started_at >= since)
    )


def _of_title(title: str) -> Any:
    """Files of a title; what went into its packages; and what these were made of and prove."""
    prefix = f"titles/{title}/"
    own = (locations.c.key >= prefix, locations.c.key < prefix[:-1] + "0")
    files = select(locations.c.digest).where(*own)
    makers = select(derivation_outputs.c.derivation).where(derivation_outputs.c.digest.in_(files))
    parts = select(derivation_inputs.c.digest).where(derivation_inputs.c.derivation.in_(makers))
    users = select(derivation_inputs.c.derivation).where(derivation_inputs.c.digest.in_(parts))
    siblings = select(derivation_outputs.c.derivation).where(derivation_outputs.c.digest.in_(parts))
    proofs = select(derivation_outputs.c.digest).where(
        or_(
            derivation_outputs.c.derivation.in_(users),
            derivation_outputs.c.derivation.in_(siblings),
            derivation_outputs.c.derivation.in_(makers),
        )
    )
    source = select(titles.c.source).where(titles.c.id == title)
    looks = select(derivation_inputs.c.derivation).where(derivation_inputs.c.digest.in_(source))
    found = select(derivation_outputs.c.digest).where(derivation_outputs.c.derivation.in_(looks))
    digest = locations.c.digest
    return or_(*(digest.in_(some) for some in (files, parts, proofs, source, found)))


def _row(row: SqlRow[Any], outputs: Mapping[str, tuple[Asset, bool]]) -> Row:
    try:
        inputs, parameters, tools = (
            json.loads(each) for each in (row.inputs, row.parameters, row.tools)
        )
        step = Step(row.function, row.version, inputs, parameters, tools)
        made = {role: asset for role, (asset, _) in outputs.items()}
        cost = Cost(row.host, row.started_at, row.wall_s, row.cpu_s)
        derivation = Derivation(step, made, cost)
        _ = step.key
    except (ValueError, TypeError):
        derivation = None
    lacking = tuple(role for role, (_, lies) in outputs.items() if not lies)
    return Row(
        row.sequence, row.key, row.recipe, row.function, row.version, row.wall_s, derivation,
        lacking,
    )  # fmt: skip
