"""Rungs of titles: the newest searches are asked for by themselves."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

OF_RUNGS = sa.text("function = 'choose_rungs'")


def upgrade() -> None:
    op.create_index(
        "ix_derivation_rungs", "derivation", ["sequence"],
        sqlite_where=OF_RUNGS, postgresql_where=OF_RUNGS,
    )  # fmt: skip
