"""What the web keeps and asks beside the library's ports."""

from dataclasses import dataclass

from matinee.adapters.sql.lineage import SqlLineage
from matinee.adapters.sql.sessions import SqlReplies, SqlSessions
from matinee.adapters.sql.shelf import SqlShelf
from matinee.adapters.sql.upkeep import SqlFindings, SqlScrubs
from matinee.flows.lineage import Records
from matinee.ports.keeping import Keeping
from matinee.ports.lineage import Lineage
from matinee.ports.sessions import Replies, Sessions
from matinee.ports.shelf import Shelf
from matinee.ports.upkeep import Findings, Scrubs
from matinee.wiring.backup import keeper_of
from matinee.wiring.library import Library, now
from matinee.wiring.records import records_of


@dataclass(frozen=True)
class WebParts:
    """What the web keeps and asks beside the library's ports."""

    shelf: Shelf
    lineage: Lineage
    records: Records
    findings: Findings
    scrubs: Scrubs
    sessions: Sessions
    replies: Replies
    keeping: Keeping


def web_parts(library: Library) -> WebParts:
    """The web's own ports, over the library's database."""
    return WebParts(
        shelf=SqlShelf(library.engine),
        lineage=SqlLineage(library.engine, now),
        records=records_of(library),
        findings=SqlFindings(library.engine, now),
        scrubs=SqlScrubs(library.engine, now),
        sessions=SqlSessions(library.engine, now),
        replies=SqlReplies(library.engine, now),
        keeping=keeper_of(library),
    )
