"""API tokens, in tables."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, Row, bindparam, insert, select, update

from matinee.adapters.sql.database import reading, writing
from matinee.adapters.sql.facts import tell
from matinee.adapters.sql.schema import tokens
from matinee.core.errors import NotFound
from matinee.core.events import Fact
from matinee.core.ids import Digest
from matinee.ports.tokens import Token, Tokens

NOTED_AFTER = timedelta(minutes=1)
"""How old the note of a token's use may be: not every request is a write."""

_FIND = select(tokens).where(tokens.c.digest == bindparam("wanted"))
_ONE = select(tokens).where(tokens.c.id == bindparam("one")).with_for_update()
_ALL = select(tokens).order_by(tokens.c.made_at, tokens.c.id)
_CHANGE = update(tokens).where(tokens.c.id == bindparam("one"))
_REVOKE = _CHANGE.values(revoked_at=bindparam("now"))
_USED = _CHANGE.values(used_at=bindparam("now"))


class SqlTokens(Tokens):
    """Tokens in a database that ``open_database`` opened.

    Args:
        engine: The database.
        now: The time, with its zone.
    """

    def __init__(self, engine: Engine, now: Callable[[], datetime]) -> None:
        self._engine = engine
        self._now = now

    def add(self, token: Token, facts: Sequence[Fact] = ()) -> None:
        row = {each.name: getattr(token, each.name) for each in tokens.c}
        with writing(self._engine) as connection:
            connection.execute(insert(tokens), row | {"scopes": list(token.scopes)})
            tell(connection, facts, self._now())

    def find(self, digest: Digest) -> Token | None:
        with reading(self._engine) as connection:
            row = connection.execute(_FIND, {"wanted": digest}).one_or_none()
        return None if row is None else token_of(row)

    def all(self) -> Sequence[Token]:
        with reading(self._engine) as connection:
            return [token_of(row) for row in connection.execute(_ALL)]

    def revoke(self, token_id: str, facts: Sequence[Fact] = ()) -> Token:
        with writing(self._engine) as connection:
            token = _known(connection, token_id)
            if token.revoked_at is None:
                connection.execute(_REVOKE, {"one": token_id, "now": self._now()})
                token = _known(connection, token_id)
                tell(connection, facts, self._now())
            return token

    def used(self, token: Token) -> None:
        now = self._now()
        if token.used_at is None or abs(now - token.used_at) >= NOTED_AFTER:
            with writing(self._engine) as connection:
                connection.execute(_USED, {"one": token.id, "now": now})


def _known(connection: Connection, token_id: str) -> Token:
    row = connection.execute(_ONE, {"one": token_id}).one_or_none()
    if row is None:
        raise NotFound(f"no token has the id {token_id!r}", "list the tokens")
    return token_of(row)


def token_of(row: Row[Any]) -> Token:
    """The token of a row that has its columns."""
    known = {each.name: getattr(row, each.name) for each in tokens.c}
    return Token(**{**known, "scopes": tuple(row.scopes)})
