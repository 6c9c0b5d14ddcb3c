"""Deleting: titles that are to go, objects that are condemned, who works with objects."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

DIGEST = sa.String(64)
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("title", sa.Column("removes_at", TIME))
    op.add_column("title", sa.Column("was_shown", sa.Text))
    op.create_table(
        "condemned",
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("digest", DIGEST),
        sa.Column("size_bytes", sa.BigInteger, nullable=False),
        sa.Column("condemned_at", TIME, nullable=False),
        sa.Column("after_visit", sa.BigInteger, nullable=False),
        sa.Column("owner", sa.Text),
    )
    op.create_index(op.f("ix_condemned_digest"), "condemned", ["digest"])
    visit = op.create_table(
        "visit",
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("counter", sa.BigInteger, nullable=False),
        sa.Column("seen", sa.BigInteger),
        sa.Column("seen_at", TIME),
    )
    op.bulk_insert(visit, [{"number": 0, "owner": "", "counter": 0}])
