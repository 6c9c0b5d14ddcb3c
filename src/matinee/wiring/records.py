"""Where lineage is read, and what scrubs found: the part of upkeep that needs no tools."""

from matinee.adapters.sql.lineage import SqlLineage
from matinee.adapters.sql.upkeep import SqlFindings, SqlScrubs
from matinee.flows.lineage import Records, read_proved
from matinee.ports.upkeep import Findings, Scrubs
from matinee.wiring.library import Library, now


def records_of(library: Library) -> Records:
    """Where lineage is read."""
    lineage = SqlLineage(library.engine, now)
    return Records(
        lineage, library.titles, library.packages,
        lambda asset: read_proved(library.store.read, lineage, asset),
    )  # fmt: skip


def findings_of(library: Library) -> Findings:
    """What scrubs found."""
    return SqlFindings(library.engine, now)


def scrubs_of(library: Library) -> Scrubs:
    """The passes."""
    return SqlScrubs(library.engine, now)
