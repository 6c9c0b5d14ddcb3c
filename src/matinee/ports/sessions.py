"""What the web keeps of those who use it: signed-in browsers, and answers to be given again."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from matinee.core.events import Fact
from matinee.core.ids import Digest
from matinee.ports.tokens import Token


class Sessions(Protocol):
    """Signed-in browsers. A session is known by the digest of its cookie's secret."""

    def open(self, digest: Digest, token: Token, ends_at: datetime, facts: Sequence[Fact]) -> None:
        """Keep a new session of a token, and forget those that have ended."""
        ...

    def find(self, digest: Digest) -> tuple[Token, datetime] | None:
        """The token that opened a session, as it is now, and when the session ends."""
        ...

    def close(self, digest: Digest, facts: Sequence[Fact]) -> None:
        """End a session; nothing happens when it is not there."""
        ...


@dataclass(frozen=True, slots=True)
class Reply:
    """What is known of a request that was made under a key.

    ``status`` is None while it is still being worked on.
    """

    request: Digest
    status: int | None
    body: bytes


class Replies(Protocol):
    """Answers to requests that carried an idempotency key, kept for a day."""

    def begin(self, who: str, key: str, request: Digest) -> Reply | None:
        """Take a key for a request: None when it was free, else what is known of its request.

        A key that was taken long ago and never answered, because its process died, is free.
        """
        ...

    def keep(self, who: str, key: str, status: int, body: bytes) -> None:
        """Keep the answer."""
        ...

    def drop(self, who: str, key: str) -> None:
        """Free a key whose request had no effect."""
        ...
