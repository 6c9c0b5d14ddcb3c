"""The first tables: ledger and catalog."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

DIGEST = sa.String(64)
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    create_ledger()
    create_catalog()


def create_ledger() -> None:
    op.create_table(
        "asset",
        sa.Column("digest", DIGEST, primary_key=True),
        sa.Column("size_bytes", sa.BigInteger, nullable=False),
        sa.Column("media_type", sa.Text, nullable=False),
    )
    op.create_table(
        "location",
        sa.Column("sequence", sa.Integer, primary_key=True),
        sa.Column("digest", DIGEST, sa.ForeignKey("asset.digest"), nullable=False, index=True),
        sa.Column("key", sa.Text, nullable=False, unique=True),
    )
    op.create_table(
        "derivation",
        sa.Column("sequence", sa.Integer, primary_key=True),
        sa.Column("key", DIGEST, nullable=False, unique=True),
        sa.Column("recipe", DIGEST, nullable=False, index=True),
        sa.Column("function", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("inputs", sa.JSON, nullable=False),
        sa.Column("parameters", sa.JSON, nullable=False),
        sa.Column("tools", sa.JSON, nullable=False),
        sa.Column("host", sa.Text, nullable=False),
        sa.Column("started_at", TIME, nullable=False),
        sa.Column("wall_s", sa.Float, nullable=False),
        sa.Column("cpu_s", sa.Float, nullable=False),
    )
    op.create_table(
        "derivation_output",
        sa.Column("derivation", sa.Integer, sa.ForeignKey("derivation.sequence"), primary_key=True),
        sa.Column("role", sa.Text, primary_key=True),
        sa.Column("digest", DIGEST, sa.ForeignKey("asset.digest"), nullable=False, index=True),
    )
    op.create_table(
        "attempt",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("run", sa.Text, nullable=False, index=True),
        sa.Column("key", DIGEST, nullable=False),
        sa.Column("function", sa.Text, nullable=False),
        sa.Column("started_at", TIME, nullable=False),
        sa.Column("ended_at", TIME),
        sa.Column("outcome", sa.Text),
        sa.Column("reason", sa.Text),
    )


def create_catalog() -> None:
    op.create_table(
        "title",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, nullable=False, index=True),
        sa.Column("source", DIGEST, nullable=False, unique=True),
        sa.Column("film", sa.Text, nullable=False),
        sa.Column("credit", sa.Text, nullable=False),
        sa.Column("added_at", TIME, nullable=False),
        sa.Column("current", sa.Text),
    )
    op.create_table(
        "package",
        sa.Column("title", sa.Text, sa.ForeignKey("title.id"), primary_key=True),
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("made_at", TIME, nullable=False),
        sa.Column("files", sa.JSON, nullable=False),
        sa.Column("report", DIGEST, nullable=False),
        sa.Column("settings", sa.JSON, nullable=False),
    )
    op.create_table(
        "showing",
        sa.Column("sequence", sa.Integer, primary_key=True),
        sa.Column("title", sa.Text, sa.ForeignKey("title.id"), nullable=False, index=True),
        sa.Column("package", sa.Text),
        sa.Column("shown_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(["title", "package"], ["package.title", "package.id"]),
    )
