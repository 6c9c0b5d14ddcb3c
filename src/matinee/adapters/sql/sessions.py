"""Signed-in browsers, and answers to be given again, in tables."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Engine, delete, insert, select, update

from matinee.adapters.sql.database import insert_if_absent, reading, writing
from matinee.adapters.sql.facts import tell
from matinee.adapters.sql.schema import replies, sessions, tokens
from matinee.adapters.sql.tokens import token_of
from matinee.core.events import Fact
from matinee.core.ids import Digest
from matinee.ports.sessions import Replies, Reply, Sessions
from matinee.ports.tokens import Token

KEPT = timedelta(hours=24)
"""How long an answer is kept."""

ABANDONED = timedelta(minutes=2)
"""After so long without an answer, whoever worked on a request is dead."""


class SqlSessions(Sessions):
    """Sessions in a database that ``open_database`` opened.

    Args:
        engine: The database.
        now: The time, with its zone.
    """

    def __init__(self, engine: Engine, now: Callable[[], datetime]) -> None:
        self._engine = engine
        self._now = now

    def open(self, digest: Digest, token: Token, ends_at: datetime, facts: Sequence[Fact]) -> None:
        now = self._now()
        with writing(self._engine) as connection:
            connection.execute(delete(sessions).where(sessions.c.ends_at <= now))
            row = {"digest": digest, "token": token.id, "ends_at": ends_at}
            connection.execute(insert(sessions), row)
            tell(connection, facts, now)

    def find(self, digest: Digest) -> tuple[Token, datetime] | None:
        query = (
            select(tokens, sessions.c.ends_at)
            .join(sessions, sessions.c.token == tokens.c.id)
            .where(sessions.c.digest == digest)
        )
        with reading(self._engine) as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else (token_of(row), row.ends_at)

    def close(self, digest: Digest, facts: Sequence[Fact]) -> None:
        gone = delete(sessions).where(sessions.c.digest == digest).returning(sessions.c.digest)
        with writing(self._engine) as connection:
            if connection.scalar(gone) is not None:
                tell(connection, facts, self._now())


class SqlReplies(Replies):
    """Answers in a database that ``open_database`` opened.

    Args:
        engine: The database.
        now: The time, with its zone.
    """

    def __init__(self, engine: Engine, now: Callable[[], datetime]) -> None:
        self._engine = engine
        self._now = now

    def begin(self, who: str, key: str, request: Digest) -> Reply | None:
        now = self._now()
        old = replies.c.asked_at <= now - KEPT
        dead = replies.c.status.is_(None) & (replies.c.asked_at <= now - ABANDONED)
        row = {"who": who, "key": key, "request": request, "asked_at": now, "body": ""}
        with writing(self._engine) as connection:
            connection.execute(delete(replies).where(old | dead))
            new = insert_if_absent(connection, replies).returning(replies.c.key)
            if connection.scalar(new, row) is not None:
                return None
            query = select(replies).where(replies.c.who == who, replies.c.key == key)
            known = connection.execute(query).one()
        return Reply(known.request, known.status, known.body.encode())

    def keep(self, who: str, key: str, status: int, body: bytes) -> None:
        answer = (
            update(replies)
            .where(replies.c.who == who, replies.c.key == key)
            .values(status=status, body=body.decode())
        )
        with writing(self._engine) as connection:
            connection.execute(answer)

    def drop(self, who: str, key: str) -> None:
        with writing(self._engine) as connection:
            connection.execute(delete(replies).where(replies.c.who == who, replies.c.key == key))
