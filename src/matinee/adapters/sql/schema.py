"""The tables, in what SQLite and PostgreSQL have in common.

Times are stored in UTC. A ``sequence`` counts rows as they come, so that "newest" needs no clock.
"""

from datetime import UTC, datetime

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
)

REVISION = "0001"
"""The migration that makes these tables; a database that says so is opened as it is."""


class UtcTime(TypeDecorator[datetime]):
    """An aware time, kept and given in UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """To UTC; a time that does not know its zone is refused."""
        del dialect
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value} does not say its time zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """From UTC, which SQLite keeps without saying so."""
        del dialect
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    }
)

_DIGEST = String(64)

assets = Table(
    "asset",
    metadata,
    Column("digest", _DIGEST, primary_key=True),
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
    Column("key", _DIGEST, nullable=False, unique=True),
    Column("recipe", _DIGEST, nullable=False, index=True),
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

derivation_outputs = Table(
    "derivation_output",
    metadata,
    Column("derivation", ForeignKey("derivation.sequence"), primary_key=True),
    Column("role", Text, primary_key=True),
    Column("digest", ForeignKey("asset.digest"), nullable=False, index=True),
)

attempts = Table(
    "attempt",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("run", Text, nullable=False, index=True),
    Column("key", _DIGEST, nullable=False),
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
    Column("source", _DIGEST, nullable=False, unique=True),
    Column("film", Text, nullable=False),
    Column("credit", Text, nullable=False),
    Column("added_at", UtcTime, nullable=False),
    # No foreign key: it would close a circle with package. Packages are never removed.
    Column("current", Text),
)

packages = Table(
    "package",
    metadata,
    Column("title", ForeignKey("title.id"), primary_key=True),
    Column("id", Text, primary_key=True),
    Column("state", Text, nullable=False),
    Column("made_at", UtcTime, nullable=False),
    Column("files", JSON, nullable=False),
    Column("report", _DIGEST, nullable=False),
    Column("settings", JSON, nullable=False),
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
