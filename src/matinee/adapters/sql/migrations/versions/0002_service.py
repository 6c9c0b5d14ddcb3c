"""The service: events, seals, deliveries, runs, tokens; rights windows of titles."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

DIGEST = sa.String(64)
TIME = sa.DateTime(timezone=True)
COUNT = sa.BigInteger().with_variant(sa.Integer, "sqlite")
ORDERED = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    widen_titles()
    create_log()
    create_deliveries()
    create_runs()
    create_tokens()
    create_web()


def widen_titles() -> None:
    op.add_column("package", sa.Column("sketch", sa.JSON))
    for name, usual in (("is_public", sa.false()), ("told_open", sa.true())):
        column = sa.Column(name, sa.Boolean, nullable=False, server_default=usual)
        op.add_column("title", column)
    op.add_column("title", sa.Column("opens_at", TIME))
    op.add_column("title", sa.Column("closes_at", TIME))
    op.add_column("title", sa.Column("folded", ORDERED, server_default="", nullable=False))
    for columns in (["opens_at"], ["closes_at"], ["folded", "id"]):
        op.create_index(op.f(f"ix_title_{'_'.join(columns)}"), "title", columns)
    title = sa.table("title", sa.column("id"), sa.column("name"), sa.column("folded"))
    connection = op.get_bind()
    # Folded here, because databases know different letters.
    rows = connection.execute(sa.select(title.c.id, title.c.name)).all()
    for row in rows:
        connection.execute(
            sa.update(title).where(title.c.id == row.id).values(folded=row.name.casefold())
        )


def create_log() -> None:
    op.create_table(
        "seal",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("first", COUNT, nullable=False, unique=True),
        sa.Column("last", COUNT, nullable=False),
        sa.Column("count", sa.Integer, nullable=False),
        sa.Column("body", DIGEST, sa.ForeignKey("asset.digest"), nullable=False),
        sa.Column("previous", DIGEST),
        sa.Column("sealed_at", TIME, nullable=False),
    )
    op.create_table(
        "event",
        sa.Column("place", COUNT, primary_key=True, autoincrement=False),
        sa.Column("id", sa.Text, nullable=False, unique=True),
        sa.Column("time", TIME, nullable=False),
        sa.Column("type", ORDERED, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("subject", ORDERED, nullable=False),
        sa.Column("cause", sa.Text),
        sa.Column("seal", sa.Integer, sa.ForeignKey("seal.number")),
        sa.Column("body", sa.JSON),
        sa.Column("is_late", sa.Boolean, nullable=False, server_default=sa.false()),
    )
    for column in ("type", "subject", "cause"):
        op.create_index(op.f(f"ix_event_{column}_place"), "event", [column, "place"])
    for name, is_so in (("ix_event_in_time", sa.false()), ("ix_event_late", sa.true())):
        where = sa.column("is_late") == is_so
        columns = ["time", "place"]
        op.create_index(name, "event", columns, sqlite_where=where, postgresql_where=where)
    kept = sa.text("seal IS NOT NULL AND body IS NOT NULL")
    op.create_index("ix_event_kept", "event", ["place"], sqlite_where=kept, postgresql_where=kept)
    bookmark = op.create_table(
        "bookmark",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("place", COUNT, nullable=False),
        sa.Column("reached_at", TIME),
    )
    op.bulk_insert(bookmark, [{"name": "log", "place": 0}, {"name": "router", "place": 0}])


def create_deliveries() -> None:
    op.create_table(
        "delivery",
        sa.Column("id", COUNT, primary_key=True),
        sa.Column("event", COUNT, sa.ForeignKey("event.place"), nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("rule", sa.Text, nullable=False),
        sa.Column("function", sa.Text, nullable=False),
        sa.Column("parameters", sa.JSON, nullable=False),
        sa.Column("ordered", sa.Boolean, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("due_at", TIME, nullable=False),
        sa.Column("owner", sa.Text),
        sa.Column("token", sa.Integer, nullable=False),
        sa.Column("counter", sa.Integer, nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("ended_at", TIME),
        sa.Column("line", sa.Text),
        sa.Column("ready_at", TIME),
        sa.UniqueConstraint("event", "rule"),
    )
    for columns in (["state", "id"], ["subject", "id"], ["rule", "due_at"]):
        op.create_index(op.f(f"ix_delivery_{'_'.join(columns)}"), "delivery", columns)
    for columns in (["line", "id"], ["ready_at", "id", "function"], ["owner"]):
        index_where_there("delivery", columns)


def create_runs() -> None:
    op.create_table(
        "run",
        sa.Column("sequence", sa.Integer, primary_key=True),
        sa.Column("id", sa.Text, nullable=False, unique=True),
        sa.Column("flow", sa.Text, nullable=False),
        sa.Column("film", sa.Text, nullable=False),
        sa.Column("request", sa.JSON, nullable=False),
        sa.Column("priority", sa.Integer, nullable=False),
        sa.Column("deadline", TIME),
        sa.Column("cause", sa.Text),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("owner", sa.Text),
        sa.Column("token", sa.Integer, nullable=False),
        sa.Column("counter", sa.Integer, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("title", sa.Text),
        sa.Column("progress", sa.JSON, nullable=False),
        sa.Column("error", sa.JSON),
        sa.Column("result", sa.JSON),
        sa.Column("queued_at", TIME, nullable=False),
        sa.Column("started_at", TIME),
        sa.Column("ended_at", TIME),
        sa.Column("rank", sa.Integer, nullable=False),
        sa.Column("needed_at", TIME, nullable=False),
    )
    following = ["state", "rank", "needed_at", "queued_at", "sequence"]
    op.create_index("ix_run_next", "run", following)
    for columns in (["state", "queued_at", "sequence"], ["queued_at", "sequence"]):
        op.create_index(op.f(f"ix_run_{'_'.join(columns)}"), "run", columns)
    index_where_there("run", ["owner"])
    index_where_there("run", ["title", "queued_at"])


def create_tokens() -> None:
    op.create_table(
        "token",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("digest", DIGEST, nullable=False, unique=True),
        sa.Column("scopes", sa.JSON, nullable=False),
        sa.Column("made_at", TIME, nullable=False),
        sa.Column("expires_at", TIME),
        sa.Column("used_at", TIME),
        sa.Column("revoked_at", TIME),
    )


def create_web() -> None:
    op.create_table(
        "session",
        sa.Column("digest", DIGEST, primary_key=True),
        sa.Column("token", sa.Text, sa.ForeignKey("token.id"), nullable=False),
        sa.Column("ends_at", TIME, nullable=False),
    )
    op.create_table(
        "reply",
        sa.Column("who", sa.Text, primary_key=True),
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("request", DIGEST, nullable=False),
        sa.Column("asked_at", TIME, nullable=False, index=True),
        sa.Column("status", sa.Integer),
        sa.Column("body", sa.Text, nullable=False),
    )


def index_where_there(table: str, columns: list[str]) -> None:
    there = sa.text(f"{columns[0]} IS NOT NULL")
    name = op.f(f"ix_{table}_{'_'.join(columns)}")
    op.create_index(name, table, columns, sqlite_where=there, postgresql_where=there)
