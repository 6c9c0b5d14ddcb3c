"""Garbage collection over the tables: what the catalog and the ledger need, and what they do not.

What is dead is found in a transaction that only reads. Rows change in short ones, each of which
looks again at what came meanwhile.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import islice, pairwise
from typing import Any

from sqlalchemy import Connection, Engine, Table, and_, delete, exists, func, select, update

from matinee.adapters.sql.database import insert_if_absent, reading, writing
from matinee.adapters.sql.needs import Needs, read_needs, sheets
from matinee.adapters.sql.schema import (
    assets,
    condemned,
    derivation_outputs,
    derivations,
    locations,
    metadata,
    originals,
    packages,
    showings,
    titles,
    visits,
)
from matinee.assets.asset import object_key
from matinee.core.ids import Digest
from matinee.ports.garbage import Doomed, Garbage, Retired

SILENT = timedelta(hours=1)
"""How long the counter of another machine's visitor may stand still, as seen from here."""

AT_ONCE = 500
NOTHING = Retired()
_CURRENT = select(titles.c.id, titles.c.current)
_COUNTING = select(visits.c.counter).where(visits.c.number == 0).with_for_update()


class SqlGarbage(Garbage):
    """Garbage of a database that ``open_database`` opened.

    Args:
        engine: The database.
        now: The time, with its zone.
        is_dead: Whether a process is known to have ended.
    """

    def __init__(
        self, engine: Engine, now: Callable[[], datetime], is_dead: Callable[[str], bool]
    ) -> None:
        self._engine = engine
        self._now = now
        self._is_dead = is_dead

    def retired(self, now: datetime) -> Retired:
        with reading(self._engine) as connection:
            gone = connection.scalars(select(titles.c.id).where(titles.c.removes_at <= now)).all()
            old = [each for each in _old_packages(connection, now) if each[0] not in set(gone)]
        return Retired(gone, old)

    def dismiss(self, retired: Retired, now: datetime) -> Retired:
        done_titles, done_packages = [], []
        for title, package in retired.packages:
            with writing(self._engine) as connection:
                if _dismiss_package(connection, title, package):
                    done_packages.append((title, package))
        for title in retired.titles:
            with writing(self._engine) as connection:
                if _dismiss_title(connection, title, now):
                    done_titles.append(title)
        return Retired(done_titles, done_packages)

    def dead(self, retired: Retired, young: datetime) -> Sequence[Doomed]:
        with reading(self._engine) as connection:
            return list(_dead(connection, read_needs(connection, retired, young)))

    def is_known(self, keys: Sequence[str], retired: Retired, young: datetime) -> Sequence[str]:
        with reading(self._engine) as connection:
            return sorted(_known(connection, keys, young, retired))

    def condemn(self, doomed: Sequence[Doomed], now: datetime) -> None:
        dead = {one.key for one in doomed}
        with reading(self._engine) as connection:
            listed = connection.scalars(select(condemned.c.key)).all()
        for keys in _batches(key for key in listed if key not in dead):
            with writing(self._engine) as connection:
                connection.execute(delete(condemned).where(_open(keys)))
        for batch in _batches(doomed):
            with writing(self._engine) as connection:
                after = connection.scalars(_COUNTING).one()
                rows = [
                    {
                        "key": one.key, "digest": one.digest, "size_bytes": one.size_bytes,
                        "condemned_at": now, "after_visit": after,
                    }
                    for one in batch
                ]  # fmt: skip
                connection.execute(insert_if_absent(connection, condemned), rows)

    def placed(self) -> int:
        with reading(self._engine) as connection:
            known = connection.scalars(select(func.count()).select_from(locations)).one()
            return known + connection.scalars(select(func.count()).select_from(condemned)).one()

    def waiting(self) -> tuple[int, int]:
        size = func.coalesce(func.sum(condemned.c.size_bytes), 0)
        with reading(self._engine) as connection:
            count, total = connection.execute(select(func.count(), size)).one()
        return count, int(total)

    def claim(self, before: datetime, owner: str, young: datetime, limit: int) -> Sequence[Doomed]:
        oldest = self._oldest_visit()
        ripe = [condemned.c.owner.is_(None), condemned.c.condemned_at <= before]
        if oldest is not None:
            ripe.append(condemned.c.after_visit < oldest)
        query = select(condemned.c.key, condemned.c.digest, condemned.c.size_bytes).where(*ripe)
        while True:
            with writing(self._engine) as connection:
                rows = connection.execute(
                    query.order_by(condemned.c.key).limit(limit).with_for_update()
                ).all()
                found = [Doomed(row.key, row.digest, row.size_bytes) for row in rows]
                needed = _needed_after_all(connection, found, young)
                connection.execute(delete(condemned).where(_open(needed)))
                claimed = [one for one in found if one.key not in needed]
                taken = update(condemned).where(_open([one.key for one in claimed]))
                connection.execute(taken.values(owner=owner))
                _forget_in_ledger(connection, claimed)
            if claimed or not found:
                return claimed

    def unfinished(self) -> Sequence[Doomed]:
        with reading(self._engine) as connection:
            rows = connection.execute(select(condemned).where(condemned.c.owner.is_not(None)))
            return [
                Doomed(row.key, row.digest, row.size_bytes)
                for row in rows
                if self._is_dead(row.owner)
            ]

    def forget(self, keys: Sequence[str]) -> None:
        for batch in _batches(keys):
            with writing(self._engine) as connection:
                connection.execute(delete(condemned).where(condemned.c.key.in_(batch)))

    def _oldest_visit(self) -> int | None:
        """The number of the oldest visitor that is there; those that are dead are seen off."""
        now, oldest = self._now(), None
        with writing(self._engine) as connection:
            query = select(visits).where(visits.c.number > 0).order_by(visits.c.number)
            for row in connection.execute(query).all():
                own = visits.c.number == row.number
                has_moved = row.seen != row.counter
                is_silent = not has_moved and now - row.seen_at > SILENT
                if self._is_dead(row.owner) or (
                    is_silent and self._engine.dialect.name != "sqlite"
                ):
                    connection.execute(delete(visits).where(own))
                    continue
                oldest = oldest or row.number
                if has_moved:
                    seen = {"seen": row.counter, "seen_at": now}
                    connection.execute(update(visits).where(own).values(seen))
        return oldest


def _open(keys: Iterable[str]) -> Any:
    return and_(condemned.c.key.in_(list(keys)), condemned.c.owner.is_(None))


def _old_packages(connection: Connection, now: datetime) -> Iterator[tuple[str, str]]:
    """Packages that have had their time; see the port."""
    shown: dict[str, list[tuple[str | None, datetime]]] = {}
    for row in connection.execute(select(showings).order_by(showings.c.sequence)):
        shown.setdefault(row.title, []).append((row.package, row.shown_at))
    current = {row.id: row.current for row in connection.execute(_CURRENT)}
    newest: dict[str, str] = {}
    rows = connection.execute(
        select(packages.c.title, packages.c.id, packages.c.made_at, packages.c.sketch).order_by(
            packages.c.made_at, packages.c.id
        )
    ).all()
    for row in rows:
        newest[row.title] = row.id
    for row in rows:
        history = shown.get(row.title, [])
        before = [p for p, _ in history if p is not None and p != current[row.title]]
        if row.id in (current[row.title], newest[row.title], *before[-1:]):
            continue
        ends = [end for (p, _), (_, end) in pairwise(history) if p == row.id]
        duration = float((row.sketch or {}).get("duration") or 0)
        stays = max(timedelta(hours=24), timedelta(seconds=2 * duration))
        if max([row.made_at, *ends]) + stays <= now:
            yield row.title, row.id


def _dismiss_package(connection: Connection, title: str, package: str) -> bool:
    shown = select(titles.c.current).where(titles.c.id == title).with_for_update()
    if connection.scalar(shown) == package:
        return False
    own = (showings.c.title == title) & (showings.c.package == package)
    connection.execute(delete(showings).where(own))
    gone = delete(packages).where(packages.c.title == title, packages.c.id == package)
    return connection.execute(gone).rowcount == 1


def _dismiss_title(connection: Connection, title: str, now: datetime) -> bool:
    query = select(titles.c.id).where(titles.c.id == title, titles.c.removes_at <= now)
    if connection.scalar(query.with_for_update()) is None:
        return False
    connection.execute(delete(showings).where(showings.c.title == title))
    connection.execute(delete(packages).where(packages.c.title == title))
    connection.execute(delete(titles).where(titles.c.id == title))
    return True


def _dead(connection: Connection, needs: Needs) -> Iterator[Doomed]:
    query = (
        select(locations.c.key, assets.c.digest, assets.c.size_bytes)
        .join(assets, assets.c.digest == locations.c.digest)
        .order_by(locations.c.sequence)
    )
    for row in connection.execution_options(yield_per=2000).execute(query):
        if not needs.has(row.key, row.digest):
            yield Doomed(row.key, row.digest, row.size_bytes)


def _needed_after_all(connection: Connection, found: Sequence[Doomed], young: datetime) -> set[str]:
    """Keys of what was needed again since it was found dead: asked in the claim's transaction."""
    digests = {one.digest for one in found if one.digest is not None}
    used: set[str] = set()
    for batch in _batches(sorted(digests)):
        new = (
            select(derivation_outputs.c.digest)
            .join(derivations)
            .where(derivation_outputs.c.digest.in_(batch), derivations.c.started_at >= young)
        )
        used |= set(connection.scalars(new))
    loose = [one.key for one in found if one.digest is None]
    known = _known(connection, loose, young)
    in_packages = _in_packages(connection, [one.key for one in found])
    return {
        one.key for one in found if one.digest in used or one.key in known or one.key in in_packages
    }


def _in_packages(connection: Connection, keys: Sequence[str]) -> set[str]:
    """Those of the keys that are files of a package."""
    by_title: dict[str, list[str]] = {}
    for key in keys:
        parts = key.split("/", 2)
        if parts[0] == "titles" and len(parts) == 3:
            by_title.setdefault(parts[1], []).append(parts[2])
    found: set[str] = set()
    for title, paths in by_title.items():
        for files in connection.scalars(select(packages.c.files).where(packages.c.title == title)):
            found |= {f"titles/{title}/{path}" for path in paths if path in files}
    return found


def _known(
    connection: Connection, keys: Sequence[str], young: datetime, retired: Retired = NOTHING
) -> set[str]:
    """Those of the keys that a row places, that are named by their digest, or a title's own."""
    found: set[str] = set()
    if keys:
        found |= {object_key(Digest(sheet)) for sheet in sheets(connection, young)} & set(keys)
    for batch in _batches(keys):
        at = select(locations.c.key).where(locations.c.key.in_(batch))
        found |= set(connection.scalars(at))
        reports = {key.rpartition("/")[2]: key for key in batch if key.startswith("objects/")}
        named = select(packages.c.report, packages.c.title, packages.c.id).where(
            packages.c.report.in_(reports)
        )
        for report, title, package in connection.execute(named):
            if title not in retired.titles and (title, package) not in retired.packages:
                found.add(object_key(Digest(report)))
        own = {key: key.split("/")[1] for key in batch if _is_own(key)}
        there = set(
            connection.scalars(select(titles.c.id).where(titles.c.id.in_(set(own.values()))))
        )
        found |= {
            key for key, title in own.items() if title in there and title not in retired.titles
        }
    return found


def _is_own(key: str) -> bool:
    """Whether a key is a title's own that no table has: entry manifests, poster, preview."""
    parts = key.split("/")
    return len(parts) == 3 or (len(parts) > 3 and parts[0] == "titles" and parts[2] == "preview")


def _forget_in_ledger(connection: Connection, claimed: Sequence[Doomed]) -> None:
    """Remove the places of what was claimed, what made it, and assets that nothing names then."""
    keys = [one.key for one in claimed]
    digests = sorted({one.digest for one in claimed if one.digest is not None})
    connection.execute(delete(locations).where(locations.c.key.in_(keys)))
    unplaced = select(assets.c.digest).where(
        assets.c.digest.in_(digests),
        ~exists().where(locations.c.digest == assets.c.digest),
    )
    gone = connection.scalars(unplaced).all()
    steps = connection.scalars(
        select(derivation_outputs.c.derivation)
        .distinct()
        .where(derivation_outputs.c.digest.in_(gone))
    ).all()
    for table, column in _referring(derivations):
        connection.execute(delete(table).where(table.c[column].in_(steps)))
    connection.execute(delete(derivations).where(derivations.c.sequence.in_(steps)))
    connection.execute(delete(originals).where(originals.c.digest.in_(gone)))
    free = [~exists().where(t.c[name] == assets.c.digest) for t, name in _referring(assets)]
    connection.execute(delete(assets).where(assets.c.digest.in_(gone), *free))


def _referring(to: Table) -> list[tuple[Table, str]]:
    """Tables and their columns that refer to a table's rows."""
    return [
        (table, column.name)
        for table in metadata.sorted_tables
        for column in table.columns
        if any(key.column.table is to for key in column.foreign_keys)
    ]


def _batches(items: Iterable[Any]) -> Iterator[list[Any]]:
    iterator = iter(items)
    while batch := list(islice(iterator, AT_ONCE)):
        yield batch
