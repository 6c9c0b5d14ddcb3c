"""What of the library's objects is needed, by the rows of one transaction."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from matinee.adapters.sql.schema import (
    derivation_outputs,
    derivations,
    locations,
    packages,
    runs,
    seals,
    titles,
)
from matinee.assets.reach import Link, needed
from matinee.ports.garbage import Retired

KEPT = frozenset({"drill"})
"""Functions whose outputs are kept for their own sake: verdicts over backups."""


@dataclass(frozen=True, slots=True)
class Needs:
    """Digests that are needed, and of these the new ones; files and titles that stay."""

    digests: set[str]
    young: set[str]
    files: dict[str, set[str]]
    places: dict[str, int]
    """How many places each digest has."""

    def has(self, key: str, digest: str) -> bool:
        """Whether the object at a key is needed there."""
        if digest not in self.digests:
            return False
        parts = key.split("/", 2)
        if parts[0] != "titles" or len(parts) < 3 or digest in self.young:
            return True
        files = self.files.get(parts[1])
        if files is not None and (parts[2] in files or parts[2].startswith("posters/")):
            return True
        return self.places[digest] == 1


def read_needs(connection: Connection, retired: Retired, young: datetime) -> Needs:
    """What stays when ``retired`` is gone; what was made after ``young`` is needed as it is."""
    gone, old = set(retired.titles), set(retired.packages)
    files: dict[str, set[str]] = {}
    roots: set[str] = set()
    for title, source in connection.execute(select(titles.c.id, titles.c.source)):
        if title not in gone:
            files[title] = set()
            roots.add(source)
    rows = connection.execute(
        select(packages.c.title, packages.c.id, packages.c.files, packages.c.report)
    )
    for row in rows:
        if row.title not in gone and (row.title, row.id) not in old:
            files[row.title] |= set(row.files)
            roots |= {row.report, *row.files.values()}
    roots |= set(connection.scalars(select(seals.c.body)))
    roots |= set(sheets(connection, young))
    places: dict[str, int] = defaultdict(int)
    for key, digest in connection.execute(select(locations.c.key, locations.c.digest)):
        places[digest] += 1
        parts = key.split("/", 3)
        if parts[0] == "titles" and parts[2] == "posters" and parts[1] in files:
            roots.add(digest)
    links, new = _links(connection, young)
    fresh = {name for link in links if link.number in new for name in link.outputs}
    live = needed(links, roots | fresh)
    digests = roots | {name for link in links if link.number in live for name in link.outputs}
    return Needs(digests, fresh, files, places)


def _links(connection: Connection, young: datetime) -> tuple[list[Link], set[int]]:
    """The whole ledger as a graph, and which of it is new."""
    outputs: dict[int, list[str]] = defaultdict(list)
    names = select(derivation_outputs.c.derivation, derivation_outputs.c.digest)
    for number, digest in connection.execute(names):
        outputs[number].append(digest)
    columns = derivations.c
    query = select(columns.sequence, columns.function, columns.inputs, columns.started_at)
    links, new = [], set()
    for row in connection.execution_options(yield_per=2000).execute(query):
        links.append(
            Link(row.sequence, row.function, list(row.inputs.values()), outputs[row.sequence])
        )
        if row.started_at >= young or row.function in KEPT:
            new.add(row.sequence)
    return links, new


def sheets(connection: Connection, young: datetime) -> Iterator[str]:
    """What names the cells of runs that people may still look at."""
    query = select(runs.c.progress).where(runs.c.ended_at.is_(None) | (runs.c.ended_at >= young))
    for progress in connection.scalars(query):
        sheet = (progress.get("grid") or {}).get("sheet")
        if sheet:
            yield sheet
