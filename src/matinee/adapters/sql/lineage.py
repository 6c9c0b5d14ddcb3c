"""Questions about the ledger that people ask, one at a time."""

from collections.abc import Callable, Sequence
from dataclasses import fields
from datetime import datetime

from sqlalchemy import ColumnElement, Engine, select

from matinee.adapters.sql.database import reading
from matinee.adapters.sql.ledger import SqlLedger
from matinee.adapters.sql.schema import attempts, derivations
from matinee.assets.derivation import Derivation
from matinee.core.ids import Digest
from matinee.ports.lineage import Lineage, Try


class SqlLineage(Lineage):
    """The ledger's tables, asked by key and by use.

    ``that_used`` reads the inputs of every derivation of the function: there is no index of inputs,
    which every write would pay for and only people's questions need.
    """

    def __init__(self, engine: Engine, now: Callable[[], datetime]) -> None:
        self._engine = engine
        self._ledger = SqlLedger(engine, now)

    def of_recipe(self, recipe: Digest) -> Derivation | None:
        return next(iter(self._ledger.find(recipe)), None)

    def that_made(self, digest: Digest, function: str) -> Derivation | None:
        found = (each for each in self._ledger.made(digest) if each.step.function == function)
        return next(found, None)

    def that_used(self, digest: Digest, function: str, role: str) -> Derivation | None:
        return self._newest(
            derivations.c.function == function, derivations.c.inputs[role].as_string() == digest
        )

    def tries(self, run: str, keys: Sequence[Digest]) -> Sequence[Try]:
        columns = [attempts.c[field.name] for field in fields(Try)]
        query = select(*columns).where(attempts.c.run == run, attempts.c.key.in_(keys))
        with reading(self._engine) as connection:
            return [Try(*row) for row in connection.execute(query.order_by(attempts.c.id))]

    def _newest(self, *which: ColumnElement[bool]) -> Derivation | None:
        newest = derivations.c.sequence.desc()
        query = select(derivations.c.recipe, derivations.c.key).where(*which).order_by(newest)
        with reading(self._engine) as connection:
            row = connection.execute(query.limit(1)).one_or_none()
        if row is None:
            return None
        found = self._ledger.find(row.recipe)
        return next((each for each in found if each.step.key == row.key), None)
