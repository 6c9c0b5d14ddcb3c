"""Upkeep: inputs of derivations by digest, places of originals, scrubs and what they found."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

DIGEST = sa.String(64)
TIME = sa.DateTime(timezone=True)
ORDERED = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "derivation_input",
        sa.Column("digest", DIGEST, primary_key=True),
        sa.Column("derivation", sa.Integer, sa.ForeignKey("derivation.sequence"), primary_key=True),
    )
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    read = sa.func.json_each if is_sqlite else sa.func.json_each_text
    derivation = sa.table(
        "derivation", sa.column("sequence", sa.Integer), sa.column("inputs", sa.JSON)
    )
    each = read(derivation.c.inputs).table_valued("key", "value").alias("each")
    known = (
        sa.select(each.c.value, derivation.c.sequence)
        .select_from(derivation.join(each, sa.true()))
        .distinct()
    )
    own = sa.table("derivation_input", sa.column("digest"), sa.column("derivation"))
    op.execute(sa.insert(own).from_select(["digest", "derivation"], known))
    op.create_table(
        "original",
        sa.Column("digest", DIGEST, primary_key=True),
        sa.Column("place", sa.Text, primary_key=True),
        sa.Column("seen_at", TIME, nullable=False),
    )
    op.create_table(
        "scrub",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("settings", sa.JSON, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("phase", sa.Text, nullable=False),
        sa.Column("place", sa.Text, nullable=False),
        sa.Column("counts", sa.JSON, nullable=False),
        sa.Column("begun_at", TIME, nullable=False),
        sa.Column("told_at", TIME, nullable=False),
        sa.Column("ended_at", TIME),
    )
    op.create_table(
        "finding",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("thing", ORDERED, nullable=False),
        sa.Column("digest", DIGEST),
        sa.Column("title", sa.Text),
        sa.Column("detail", sa.JSON, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("found_at", TIME, nullable=False),
        sa.Column("closed_at", TIME),
        sa.Column("how", sa.Text),
    )
    for columns in (["state", "id"], ["thing", "id"]):
        op.create_index(op.f(f"ix_finding_{'_'.join(columns)}"), "finding", columns)
