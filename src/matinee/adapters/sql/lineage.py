"""Questions about the ledger that people ask, one at a time."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields
from datetime import datetime

from sqlalchemy import Engine, select

from matinee.adapters.sql.database import reading
from matinee.adapters.sql.ledger import AT_ONCE, SqlLedger
from matinee.adapters.sql.schema import assets, attempts, derivations, locations
from matinee.assets.asset import Asset
from matinee.assets.derivation import Derivation
from matinee.core.ids import Digest
from matinee.ports.lineage import Ancestry, Lineage, Try


class SqlLineage(Lineage, Ancestry):
    """The ledger's tables, asked by key and by use.

    Args:
        engine: The database.
        now: The time, with its zone.
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
        found = (
            each
            for each in self._ledger.used_any([digest])
            if each.step.function == function and each.step.inputs.get(role) == digest
        )
        return next(found, None)

    def tries(self, run: str, keys: Sequence[Digest]) -> Sequence[Try]:
        columns = [attempts.c[field.name] for field in fields(Try)]
        query = select(*columns).where(attempts.c.run == run, attempts.c.key.in_(keys))
        with reading(self._engine) as connection:
            return [Try(*row) for row in connection.execute(query.order_by(attempts.c.id))]

    def made_any(self, digests: Sequence[Digest]) -> Sequence[Derivation]:
        return self._ledger.made_any(digests)

    def used_any(self, digests: Sequence[Digest]) -> Sequence[Derivation]:
        return self._ledger.used_any(digests)

    def assets(self, digests: Sequence[Digest]) -> Mapping[Digest, Asset]:
        found: dict[Digest, Asset] = {}
        for part in _parts(digests):
            query = select(assets).where(assets.c.digest.in_(part))
            with reading(self._engine) as connection:
                found |= {row.digest: Asset(**row._asdict()) for row in connection.execute(query)}
        return found

    def places(self, digests: Sequence[Digest]) -> Mapping[Digest, Sequence[str]]:
        found: dict[Digest, list[str]] = {}
        columns = locations.c
        for part in _parts(digests):
            query = select(columns.digest, columns.key).where(columns.digest.in_(part))
            with reading(self._engine) as connection:
                for digest, key in connection.execute(query.order_by(columns.sequence)):
                    found.setdefault(digest, []).append(key)
        return found

    def at(self, key: str) -> Digest | None:
        query = select(locations.c.digest).where(locations.c.key == key)
        with reading(self._engine) as connection:
            found: Digest | None = connection.scalar(query)
        return found

    def under(self, prefix: str) -> Mapping[str, Digest]:
        last = prefix[:-1] + chr(ord(prefix[-1]) + 1)
        columns = locations.c
        query = select(columns.key, columns.digest).where(columns.key >= prefix, columns.key < last)
        with reading(self._engine) as connection:
            rows = connection.execute(query).all()
        return {key: digest for key, digest in sorted(rows) if key.startswith(prefix)}

    def alike(self, like: Derivation, start: datetime, end: datetime) -> Sequence[Derivation]:
        columns = derivations.c
        query = select(columns.sequence, columns.tools).where(
            columns.function == like.step.function,
            columns.version == like.step.version,
            columns.host == like.cost.host,
            columns.started_at >= start,
            columns.started_at <= end,
        )
        with reading(self._engine) as connection:
            rows = connection.execute(query).all()
        same = [row.sequence for row in rows if row.tools == dict(like.step.tools)]
        return sorted(self._ledger.of_sequences(same), key=lambda each: each.cost.started_at)


def _parts(digests: Sequence[Digest]) -> Iterator[Sequence[Digest]]:
    """As many as one query asks for at a time."""
    for start in range(0, len(digests), AT_ONCE):
        yield digests[start : start + AT_ONCE]
