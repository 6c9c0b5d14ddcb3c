"""Kinds of columns, in what SQLite and PostgreSQL have in common.

Times are stored in UTC.
"""

from datetime import UTC, datetime

from sqlalchemy import (
    JSON,
    BigInteger,
    DateTime,
    Dialect,
    Integer,
    String,
    Text,
    TypeDecorator,
)


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


DIGEST = String(64)

COUNT = BigInteger().with_variant(Integer, "sqlite")
"""A number that may outgrow 32 bits; SQLite counts rows by INTEGER alone."""

ORDERED = Text().with_variant(Text(collation="C"), "postgresql")
"""Text in the order of its code points in every database, for beginnings and pages."""

BODY = JSON(none_as_null=True)
