"""What every keeper of tokens promises."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Engine
from tests.contracts.clock import NOON, Clock

from matinee.adapters.sql.events import SqlEventLog
from matinee.adapters.sql.tokens import SqlTokens
from matinee.core.errors import LibraryError, NotFound
from matinee.core.events import Fact
from matinee.core.ids import digest_of
from matinee.ports.tokens import Token

TOKEN = Token("t1", "studio", digest_of(b"secret"), ("read", "act"), NOON, NOON + timedelta(days=1))
ACT = [Fact("person.acted", "token/t1")]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def tokens(engine: Engine, clock: Clock) -> SqlTokens:
    return SqlTokens(engine, clock)


def test_a_token_is_found_by_its_digest(tokens: SqlTokens) -> None:
    tokens.add(TOKEN)

    assert tokens.find(TOKEN.digest) == TOKEN
    assert tokens.find(digest_of(b"other")) is None


def test_an_id_or_a_digest_is_given_once(tokens: SqlTokens) -> None:
    tokens.add(TOKEN)

    for same in (replace(TOKEN, id="t2"), replace(TOKEN, digest=digest_of(b"other"))):
        with pytest.raises(LibraryError):
            tokens.add(same)
    assert tokens.all() == [TOKEN]


def test_tokens_are_listed_oldest_first(tokens: SqlTokens) -> None:
    for number in (3, 1, 2):
        token = Token(f"t{number}", "x", digest_of(bytes([number])), (), NOON)
        tokens.add(replace(token, made_at=NOON + timedelta(seconds=number)))

    assert [token.id for token in tokens.all()] == ["t1", "t2", "t3"]


def test_a_token_is_revoked_once(tokens: SqlTokens, engine: Engine, clock: Clock) -> None:
    tokens.add(TOKEN, ACT)
    clock.pass_s(5)
    revoked = tokens.revoke("t1", ACT)
    clock.pass_s(5)

    assert tokens.revoke("t1", ACT) == revoked == tokens.find(TOKEN.digest)
    assert revoked.revoked_at == NOON + timedelta(seconds=5)
    assert SqlEventLog(engine, clock).last() == 2
    with pytest.raises(NotFound, match="nobody"):
        tokens.revoke("nobody")


def test_a_token_opens_until_it_expires_or_is_revoked() -> None:
    assert TOKEN.is_valid(NOON + timedelta(hours=23))
    assert not TOKEN.is_valid(NOON + timedelta(days=1))
    assert replace(TOKEN, expires_at=None).is_valid(NOON + timedelta(days=999))
    assert not replace(TOKEN, revoked_at=NOON).is_valid(NOON)


def test_its_use_is_noted_to_a_minute(tokens: SqlTokens, clock: Clock) -> None:
    tokens.add(TOKEN)

    def used() -> float | None:
        token = tokens.find(TOKEN.digest)
        assert token is not None
        tokens.used(token)
        (again,) = tokens.all()
        return None if again.used_at is None else (again.used_at - NOON).total_seconds()

    assert used() == 0
    clock.pass_s(59)
    assert used() == 0
    clock.pass_s(1)
    assert used() == 60
