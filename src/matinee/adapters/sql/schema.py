"""The tables. A ``sequence`` counts rows as they come, so that "newest" needs no clock."""

from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    false,
    true,
)

from matinee.adapters.sql.columns import BODY, COUNT, DIGEST, ORDERED, UtcTime

REVISION = "0005"
"""The migration that makes these tables; a database that says so is opened as it is."""

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    }
)

assets = Table(
    "asset",
    metadata,
    Column("digest", DIGEST, primary_key=True),
    Column("size_bytes", BigInteger, nullable=False),
    Column("media_type", Text, nullable=False),
)

locations = Table(
    "location",
    metadata,
    Column("sequence", Integer, primary_key=True),
    Column("digest", ForeignKey("asset.digest"), nullable=False, index=True),
    # A key of the store names one object, so it is the location of one asset.
    Column("key", Text, nullable=False, unique=True),
)

derivations = Table(
    "derivation",
    metadata,
    Column("sequence", Integer, primary_key=True),
    Column("key", DIGEST, nullable=False, unique=True),
    Column("recipe", DIGEST, nullable=False, index=True),
    Column("function", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("inputs", JSON, nullable=False),
    Column("parameters", JSON, nullable=False),
    Column("tools", JSON, nullable=False),
    Column("host", Text, nullable=False),
    Column("started_at", UtcTime, nullable=False),
    Column("wall_s", Float, nullable=False),
    Column("cpu_s", Float, nullable=False),
)

# There is one for each title: the newest are asked for by themselves.
of_rungs = derivations.c.function == "choose_rungs"
Index(
    "ix_derivation_rungs", derivations.c.sequence, sqlite_where=of_rungs, postgresql_where=of_rungs
)

derivation_outputs = Table(
    "derivation_output",
    metadata,
    Column("derivation", ForeignKey("derivation.sequence"), primary_key=True),
    Column("role", Text, primary_key=True),
    Column("digest", ForeignKey("asset.digest"), nullable=False, index=True),
)

derivation_inputs = Table(
    "derivation_input",
    metadata,
    # What was made of an asset is one look; the roles are in the derivation's own row.
    Column("digest", DIGEST, primary_key=True),
    Column("derivation", ForeignKey("derivation.sequence"), primary_key=True),
)

originals = Table(
    "original",
    metadata,
    Column("digest", DIGEST, primary_key=True),
    Column("place", Text, primary_key=True),
    Column("seen_at", UtcTime, nullable=False),
)

attempts = Table(
    "attempt",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("run", Text, nullable=False, index=True),
    Column("key", DIGEST, nullable=False),
    Column("function", Text, nullable=False),
    Column("started_at", UtcTime, nullable=False),
    Column("ended_at", UtcTime),
    Column("outcome", Text),
    Column("reason", Text),
)

titles = Table(
    "title",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False, index=True),
    Column("source", DIGEST, nullable=False, unique=True),
    Column("film", Text, nullable=False),
    Column("credit", Text, nullable=False),
    Column("added_at", UtcTime, nullable=False),
    # No foreign key: it would close a circle with package. Packages are never removed.
    Column("current", Text),
    Column("is_public", Boolean, nullable=False, server_default=false()),
    Column("opens_at", UtcTime, index=True),
    Column("closes_at", UtcTime, index=True),
    # Deleted: when it goes for good, and the package that was on screen.
    Column("removes_at", UtcTime),
    Column("was_shown", Text),
    # What was last told of its rights window.
    Column("told_open", Boolean, nullable=False, server_default=true()),
    # The name in one case, for search and order.
    Column("folded", ORDERED, nullable=False, server_default=""),
    Index(None, "folded", "id"),
)

packages = Table(
    "package",
    metadata,
    Column("title", ForeignKey("title.id"), primary_key=True),
    Column("id", Text, primary_key=True),
    Column("state", Text, nullable=False),
    Column("made_at", UtcTime, nullable=False),
    Column("files", JSON, nullable=False),
    Column("report", DIGEST, nullable=False),
    Column("settings", JSON, nullable=False),
    # None: an older version made it.
    Column("sketch", BODY),
)

showings = Table(
    "showing",
    metadata,
    Column("sequence", Integer, primary_key=True),
    Column("title", ForeignKey("title.id"), nullable=False, index=True),
    # None: the title was taken off.
    Column("package", Text),
    Column("shown_at", UtcTime, nullable=False),
    ForeignKeyConstraint(["title", "package"], ["package.title", "package.id"]),
)

events = Table(
    "event",
    metadata,
    # Given by the row "log" of bookmark: without gaps, in the order of commits.
    Column("place", COUNT, primary_key=True, autoincrement=False),
    Column("id", Text, nullable=False, unique=True),
    Column("time", UtcTime, nullable=False),
    Column("type", ORDERED, nullable=False),
    Column("source", Text, nullable=False),
    Column("subject", ORDERED, nullable=False),
    Column("cause", Text),
    Column("seal", ForeignKey("seal.number")),
    # None: it lies in the seal.
    Column("body", BODY),
    # An event before it has a later time: the clock went back.
    Column("is_late", Boolean, nullable=False, server_default=false()),
    Index(None, "type", "place"),
    Index(None, "subject", "place"),
    Index(None, "cause", "place"),
)

# Of those that are not late, times grow with places: what a time has to do with places is one look.
for name, is_so in (("ix_event_in_time", false()), ("ix_event_late", true())):
    where = events.c.is_late == is_so
    Index(name, events.c.time, events.c.place, sqlite_where=where, postgresql_where=where)

Index(
    "ix_event_kept",
    events.c.place,
    sqlite_where=events.c.seal.is_not(None) & events.c.body.is_not(None),
    postgresql_where=events.c.seal.is_not(None) & events.c.body.is_not(None),
)

seals = Table(
    "seal",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("first", COUNT, nullable=False, unique=True),
    Column("last", COUNT, nullable=False),
    Column("count", Integer, nullable=False),
    Column("body", ForeignKey("asset.digest"), nullable=False),
    Column("previous", DIGEST),
    Column("sealed_at", UtcTime, nullable=False),
)

bookmarks = Table(
    "bookmark",
    metadata,
    Column("name", Text, primary_key=True),
    Column("place", COUNT, nullable=False),
    # Of the log: the latest time of an event.
    Column("reached_at", UtcTime),
)

deliveries = Table(
    "delivery",
    metadata,
    Column("id", COUNT, primary_key=True),
    Column("event", ForeignKey("event.place"), nullable=False),
    Column("subject", Text, nullable=False),
    Column("rule", Text, nullable=False),
    Column("function", Text, nullable=False),
    Column("parameters", JSON, nullable=False),
    Column("ordered", Boolean, nullable=False),
    Column("state", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("due_at", UtcTime, nullable=False),
    Column("owner", Text),
    Column("token", Integer, nullable=False),
    Column("counter", Integer, nullable=False),
    Column("reason", Text),
    Column("ended_at", UtcTime),
    # The subject in whose line an ordered one stands until it is done or skipped.
    Column("line", Text),
    # When it may be claimed; None when it is not waiting or when it is not its turn.
    Column("ready_at", UtcTime),
    UniqueConstraint("event", "rule"),
    Index(None, "state", "id"),
    Index(None, "subject", "id"),
    Index(None, "rule", "due_at"),
)


def _where_there(column: Column[Any], *more: Column[Any]) -> Index:
    """An index of the few rows in which a column has a value."""
    there = column.is_not(None)
    return Index(None, column, *more, sqlite_where=there, postgresql_where=there)


_where_there(deliveries.c.line, deliveries.c.id)
_where_there(deliveries.c.ready_at, deliveries.c.id, deliveries.c.function)
_where_there(deliveries.c.owner)

runs = Table(
    "run",
    metadata,
    Column("sequence", Integer, primary_key=True),
    Column("id", Text, nullable=False, unique=True),
    Column("flow", Text, nullable=False),
    Column("film", Text, nullable=False),
    Column("request", JSON, nullable=False),
    Column("priority", Integer, nullable=False),
    Column("deadline", UtcTime),
    Column("cause", Text),
    Column("state", Text, nullable=False),
    Column("owner", Text),
    Column("token", Integer, nullable=False),
    Column("counter", Integer, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("title", Text),
    Column("progress", JSON, nullable=False),
    Column("error", BODY),
    Column("result", BODY),
    Column("queued_at", UtcTime, nullable=False),
    Column("started_at", UtcTime),
    Column("ended_at", UtcTime),
    # The priority turned round, and the deadline or the end of time: what sorts first is next.
    Column("rank", Integer, nullable=False),
    Column("needed_at", UtcTime, nullable=False),
    Index("ix_run_next", "state", "rank", "needed_at", "queued_at", "sequence"),
    Index(None, "state", "queued_at", "sequence"),
    Index(None, "queued_at", "sequence"),
)

_where_there(runs.c.owner)
_where_there(runs.c.title, runs.c.queued_at)

scrubs = Table(
    "scrub",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("settings", JSON, nullable=False),
    Column("state", Text, nullable=False),
    # How far it came: what it looks at, and after which of these it goes on.
    Column("phase", Text, nullable=False),
    Column("place", Text, nullable=False),
    Column("counts", JSON, nullable=False),
    Column("begun_at", UtcTime, nullable=False),
    Column("told_at", UtcTime, nullable=False),
    Column("ended_at", UtcTime),
)

findings = Table(
    "finding",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("kind", Text, nullable=False),
    # What it is about: a key of the store, or what names a row.
    Column("thing", ORDERED, nullable=False),
    Column("digest", DIGEST),
    Column("title", Text),
    Column("detail", JSON, nullable=False),
    Column("state", Text, nullable=False),
    Column("found_at", UtcTime, nullable=False),
    Column("closed_at", UtcTime),
    Column("how", Text),
    Index(None, "state", "id"),
    Index(None, "thing", "id"),
)

tokens = Table(
    "token",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("digest", DIGEST, nullable=False, unique=True),
    Column("scopes", JSON, nullable=False),
    Column("made_at", UtcTime, nullable=False),
    Column("expires_at", UtcTime),
    Column("used_at", UtcTime),
    Column("revoked_at", UtcTime),
)

sessions = Table(
    "session",
    metadata,
    Column("digest", DIGEST, primary_key=True),
    Column("token", ForeignKey("token.id"), nullable=False),
    Column("ends_at", UtcTime, nullable=False),
)

replies = Table(
    "reply",
    metadata,
    Column("who", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("request", DIGEST, nullable=False),
    Column("asked_at", UtcTime, nullable=False, index=True),
    # None: it is still being worked on.
    Column("status", Integer),
    Column("body", Text, nullable=False),
)

condemned = Table(
    "condemned",
    metadata,
    Column("key", Text, primary_key=True),
    # None: no table knows the object.
    Column("digest", DIGEST, index=True),
    Column("size_bytes", BigInteger, nullable=False),
    Column("condemned_at", UtcTime, nullable=False),
    # The last visit that had begun by then: it may have seen the object before.
    Column("after_visit", BigInteger, nullable=False),
    # Who is removing it; None while it can still be spared.
    Column("owner", Text),
)

visits = Table(
    "visit",
    metadata,
    # Row 0 counts them, and is locked by who begins one and by who condemns.
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("owner", Text, nullable=False),
    Column("counter", BigInteger, nullable=False),
    # The counter as garbage collection saw it, and when it saw that it had moved.
    Column("seen", BigInteger),
    Column("seen_at", UtcTime),
)
