"""The ledger of derivations, in tables."""

import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, fields
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple, Self

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    Engine,
    Select,
    Text,
    bindparam,
    cast,
    delete,
    exists,
    insert,
    select,
    update,
)

from matinee.adapters.sql import schema
from matinee.adapters.sql.database import insert_if_absent, insert_or_change, reading, writing
from matinee.adapters.sql.fence import Check, checked
from matinee.assets.asset import Asset
from matinee.assets.derivation import Cost, Derivation, Shared, Step
from matinee.core.ids import Digest
from matinee.ports.ledger import Attempt, Inventory, Ledger

_COLUMNS = schema.derivations.c
_READ: Select[Any] = select(
    _COLUMNS.sequence,
    _COLUMNS.function,
    _COLUMNS.version,
    # Their text: what many rows have in common is parsed once.
    *(cast(_COLUMNS[name], Text).label(name) for name in ("inputs", "parameters", "tools")),
    *(_COLUMNS[field.name] for field in fields(Cost)),
)


class _Queries(NamedTuple):
    """Derivations that meet a condition on ``:digests``, newest first, and their outputs.

    Built once: building them takes longer than running them, and a resumed run asks for thousands.
    """

    derivations: Select[Any]
    outputs: Select[Any]

    @classmethod
    def where(cls, condition: ColumnElement[bool]) -> Self:
        """The two queries for one condition."""
        sequence, links, assets = _COLUMNS.sequence, schema.derivation_outputs, schema.assets
        return cls(
            _READ.where(condition).order_by(sequence.desc()),
            select(
                links.c.derivation, links.c.role, *(assets.c[each.name] for each in fields(Asset))
            )
            .join(assets, assets.c.digest == links.c.digest)
            .where(links.c.derivation.in_(select(sequence).where(condition)))
            .order_by(links.c.derivation, links.c.role),
        )


_DIGESTS: BindParameter[Digest] = bindparam("digests", expanding=True)
_OF_RECIPES = _Queries.where(schema.derivations.c.recipe.in_(_DIGESTS))
_WITH_OUTPUT = _Queries.where(
    schema.derivations.c.sequence.in_(
        select(schema.derivation_outputs.c.derivation).where(
            schema.derivation_outputs.c.digest.in_(_DIGESTS)
        )
    )
)
_WITH_INPUT = _Queries.where(
    schema.derivations.c.sequence.in_(
        select(schema.derivation_inputs.c.derivation).where(
            schema.derivation_inputs.c.digest.in_(_DIGESTS)
        )
    )
)
_OF_SEQUENCES = _Queries.where(schema.derivations.c.sequence.in_(_DIGESTS))

_OUTPUTS_OF_KEY = (
    select(schema.derivation_outputs.c.digest)
    .join(schema.derivations)
    .where(schema.derivations.c.key == bindparam("key"))
)


_PLACES = (
    select(schema.locations.c.digest, schema.locations.c.key)
    .where(schema.locations.c.digest.in_(_DIGESTS))
    .order_by(schema.locations.c.sequence)
)
_LISTED = select(schema.condemned.c.digest).where(schema.condemned.c.digest.in_(_DIGESTS))
_ANY = select(schema.condemned.c.key).limit(1)
_SPARE = delete(schema.condemned).where(
    schema.condemned.c.digest.in_(_DIGESTS), schema.condemned.c.owner.is_(None)
)

AT_ONCE = 500
"""Recipes or digests that one query asks for."""

SHORT = 4096
"""Characters of parameters that are kept at hand, for other rows that have the same."""


class SqlLedger(Ledger, Inventory):
    """Derivations, attempts and assets in a database that ``open_database`` opened.

    Safe to share between threads and processes.

    Args:
        engine: The database.
        now: The time, with its zone.
        fence: The run that writes, if one does: ``begin`` and ``record`` raise ``RunLost`` when it
            was taken over.
        spares: Whether what is found is going to be used: garbage collection lets it be then.
    """

    def __init__(
        self, engine: Engine, now: Callable[[], datetime], fence: Check | None = None, *,
        spares: bool = False,
    ) -> None:  # fmt: skip
        self._engine = engine
        self._now = now
        self._fence = fence
        self._spares = spares

    def find(self, recipe: Digest) -> Sequence[Derivation]:
        return self.find_all([recipe])[0]

    def find_all(self, recipes: Sequence[Digest]) -> Sequence[Sequence[Derivation]]:
        found: dict[Digest, list[Derivation]] = {recipe: [] for recipe in recipes}
        asked = list(found)
        for start in range(0, len(asked), AT_ONCE):
            for derivation in self._of_recipes(asked[start : start + AT_ONCE]):
                # A row that was damaged is of another recipe than it says: of none that is asked.
                if derivation.step.recipe in found:
                    found[derivation.step.recipe].append(derivation)
        return [found[recipe] for recipe in recipes]

    def begin(self, run: str, step: Step) -> int:
        row = {"run": run, "key": step.key, "function": step.function, "started_at": self._now()}
        new = insert(schema.attempts).values(row).returning(schema.attempts.c.id)
        with writing(self._engine) as connection:
            checked(connection, self._fence)
            attempt: int = connection.scalars(new).one()
        return attempt

    def newest(
        self, function: str, limit: int, *, of: Digest | None = None, giving: str | None = None
    ) -> Sequence[Derivation]:
        columns, used, made = (
            schema.derivations.c, schema.derivation_inputs.c, schema.derivation_outputs.c
        )  # fmt: skip
        query = select(columns.sequence).where(columns.function == function)
        if of is not None:
            users = select(used.derivation).where(used.digest == of)
            query = query.where(columns.sequence.in_(users))
        if giving is not None:
            is_given = exists().where(made.derivation == columns.sequence, made.role == giving)
            query = query.where(is_given)
        with reading(self._engine) as connection:
            found = connection.scalars(query.order_by(columns.sequence.desc()).limit(limit)).all()
        return self.of_sequences(found)

    def record(
        self,
        attempt: int,
        derivation: Derivation,
        locations: Iterable[tuple[Digest, str]],
        *,
        anew: bool = False,
    ) -> None:
        columns = schema.derivations.c
        with writing(self._engine) as connection:
            checked(connection, self._fence)
            new = insert_if_absent(connection, schema.derivations).returning(columns.sequence)
            sequence = connection.scalar(new, _derivation_row(derivation))
            if sequence is None and anew:
                sequence = _emptied(connection, derivation)
            if sequence is not None:
                _write_inputs(connection, sequence, derivation.step)
                _write_outputs(connection, sequence, derivation.outputs)
                _write_places(connection, locations)
            else:
                first = set(connection.scalars(_OUTPUTS_OF_KEY, {"key": derivation.step.key}))
                _write_places(connection, [place for place in locations if place[0] in first])
            self._close(connection, attempt, "done")

    def fail(self, attempt: int, reason: str) -> None:
        with writing(self._engine) as connection:
            self._close(connection, attempt, "failed", reason)

    def attempts(self, run: str | None = None) -> Sequence[Attempt]:
        columns = schema.attempts.c
        query = select(*(columns[field.name] for field in fields(Attempt))).order_by(columns.id)
        if run is not None:
            query = query.where(columns.run == run)
        with reading(self._engine) as connection:
            return [Attempt(**row._asdict()) for row in connection.execute(query)]

    def _of_recipes(self, recipes: Sequence[Digest]) -> list[Derivation]:
        found = self._derivations(_OF_RECIPES, recipes)
        if not self._spares:
            return found
        digests = {asset.digest for each in found for asset in each.outputs.values()}
        # What was being removed before it could be spared is no longer there the second time.
        return self._derivations(_OF_RECIPES, recipes) if self._spare(digests) else found

    def _spare(self, digests: Collection[Digest]) -> bool:
        """Take assets off the list of the condemned; whether any was on it."""
        with reading(self._engine) as connection:
            if connection.scalar(_ANY) is None:  # nearly always
                return False
        named = list(digests)
        batches = [named[at : at + AT_ONCE] for at in range(0, len(named), AT_ONCE)]
        with reading(self._engine) as connection:
            listed = [d for each in batches for d in connection.scalars(_LISTED, {"digests": each})]
        if listed:
            with writing(self._engine) as connection:
                for at in range(0, len(listed), AT_ONCE):
                    connection.execute(_SPARE, {"digests": listed[at : at + AT_ONCE]})
        return bool(listed)

    def locate(self, digest: Digest) -> Sequence[str]:
        return self.locate_all([digest])[0]

    def locate_all(self, digests: Sequence[Digest]) -> Sequence[Sequence[str]]:
        found: dict[Digest, list[str]] = {digest: [] for digest in digests}
        asked = list(found)
        if self._spares:
            self._spare(asked)
        with reading(self._engine) as connection:
            for start in range(0, len(asked), AT_ONCE):
                rows = connection.execute(_PLACES, {"digests": asked[start : start + AT_ONCE]})
                for digest, key in rows:
                    found[digest].append(key)
        return [found[digest] for digest in digests]

    def made(self, digest: Digest) -> Sequence[Derivation]:
        return self._derivations(_WITH_OUTPUT, [digest])

    def asset(self, digest: Digest) -> Asset | None:
        query = select(schema.assets).where(schema.assets.c.digest == digest)
        with reading(self._engine) as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else Asset(**row._asdict())

    def made_any(self, digests: Sequence[Digest]) -> Sequence[Derivation]:
        """The derivations that have one of these assets among their outputs, newest first."""
        return self._in_parts(_WITH_OUTPUT, digests)

    def used_any(self, digests: Sequence[Digest]) -> Sequence[Derivation]:
        """The derivations that have one of these digests among their inputs, newest first."""
        return self._in_parts(_WITH_INPUT, digests)

    def of_sequences(self, sequences: Sequence[int]) -> Sequence[Derivation]:
        """The derivations of these rows, newest first."""
        return self._in_parts(_OF_SEQUENCES, sequences)

    def _in_parts(self, queries: _Queries, asked: Sequence[Any]) -> list[Derivation]:
        """Every derivation that is asked for, once."""
        found: dict[Digest, Derivation] = {}
        for start in range(0, len(asked), AT_ONCE):
            for derivation in self._derivations(queries, asked[start : start + AT_ONCE]):
                found.setdefault(derivation.step.key, derivation)
        return list(found.values())

    def _derivations(self, queries: _Queries, digests: Sequence[Any]) -> list[Derivation]:
        asked = {"digests": digests}
        with reading(self._engine) as connection:
            rows = connection.execute(queries.derivations, asked).all()
            links = connection.execute(queries.outputs, asked).all() if rows else []
        outputs: dict[int, dict[str, Asset]] = {}
        for sequence, role, *asset in links:
            outputs.setdefault(sequence, {})[role] = Asset(*asset)
        derivations = []
        for sequence, function, version, inputs, parameters, tools, *cost in rows:
            step = _step(function, version, inputs, parameters, tools)
            if step is not None:
                derivations.append(Derivation(step, outputs.get(sequence, {}), Cost(*cost)))
        return derivations

    def _close(
        self, connection: Connection, attempt: int, outcome: str, reason: str | None = None
    ) -> None:
        """Close an attempt; one that is closed stays as it is."""
        columns = schema.attempts.c
        connection.execute(
            update(schema.attempts)
            .where(columns.id == attempt, columns.outcome.is_(None))
            .values(outcome=outcome, reason=reason, ended_at=self._now())
        )


def _step(function: str, version: int, inputs: str, parameters: str, tools: str) -> Step | None:
    """The step of a row; None of one that was damaged so that it cannot be read."""
    try:
        given = dict(json.loads(inputs))
        step = Step(function, version, given, _parsed(parameters), _parsed(tools))
        _ = step.key
    except (ValueError, TypeError):
        return None
    return step


def _parsed(text: str) -> Mapping[str, Any]:
    return _shared(text) if len(text) <= SHORT else Shared(json.loads(text))


@lru_cache(1024)
def _shared(text: str) -> Shared:
    return Shared(json.loads(text))


def _derivation_row(derivation: Derivation) -> dict[str, Any]:
    step, cost = derivation.step, derivation.cost
    return {
        "key": step.key,
        "recipe": step.recipe,
        "function": step.function,
        "version": step.version,
        "inputs": dict(step.inputs),
        "parameters": dict(step.parameters),
        "tools": dict(step.tools),
        "host": cost.host,
        "started_at": cost.started_at,
        "wall_s": cost.wall_s,
        "cpu_s": cost.cpu_s,
    }


def _emptied(connection: Connection, derivation: Derivation) -> int:
    """The row that is there for the derivation's key, written anew, without inputs and outputs.

    What was in it may be damaged: all of it is written.
    """
    columns, key = schema.derivations.c, derivation.step.key
    row = {name: value for name, value in _derivation_row(derivation).items() if name != "key"}
    changed = update(schema.derivations).where(columns.key == key).values(row)
    sequence: int = connection.scalars(changed.returning(columns.sequence)).one()
    for links in (schema.derivation_outputs, schema.derivation_inputs):
        connection.execute(delete(links).where(links.c.derivation == sequence))
    return sequence


def _write_outputs(connection: Connection, sequence: int, outputs: Mapping[str, Asset]) -> None:
    """Write assets and which derivation gave them.

    In the order of their digests, so that two writers of the same assets never wait for each other.
    """
    assets = {asset.digest: asset for asset in outputs.values()}
    asset_rows = [asdict(assets[digest]) for digest in sorted(assets)]
    output_rows = [
        {"derivation": sequence, "role": role, "digest": asset.digest}
        for role, asset in outputs.items()
    ]
    if asset_rows:
        connection.execute(insert_if_absent(connection, schema.assets), asset_rows)
        connection.execute(insert(schema.derivation_outputs), output_rows)


def _write_inputs(connection: Connection, sequence: int, step: Step) -> None:
    """Write what a derivation was made from, so that it is found by that."""
    rows = [{"digest": d, "derivation": sequence} for d in sorted(set(step.inputs.values()))]
    if rows:
        connection.execute(insert(schema.derivation_inputs), rows)


def _write_places(connection: Connection, locations: Iterable[tuple[Digest, str]]) -> None:
    """Write where assets lie, in the order of their digests."""
    rows = [{"digest": digest, "key": key} for digest, key in sorted(locations)]
    if rows:
        place = insert_or_change(connection, schema.locations, key=["key"], changed=["digest"])
        connection.execute(place, rows)
