"""API tokens: who may do what, until when. The token itself is known to its holder alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from matinee.core.events import Fact
from matinee.core.ids import Digest


@dataclass(frozen=True, slots=True)
class Token:
    """A token as it is kept: by the digest of its characters.

    ``scopes`` name what it may do. ``used_at`` is right to a minute.
    """

    id: str
    name: str
    digest: Digest
    scopes: tuple[str, ...]
    made_at: datetime
    expires_at: datetime | None = None
    used_at: datetime | None = None
    revoked_at: datetime | None = None

    def is_valid(self, now: datetime) -> bool:
        """Whether it opens anything: neither revoked nor expired."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


class Tokens(Protocol):
    """The tokens of a library. Facts are told in the transaction of the change."""

    def add(self, token: Token, facts: Sequence[Fact] = ()) -> None:
        """Keep a new token."""
        ...

    def find(self, digest: Digest) -> Token | None:
        """The token of that digest, also one that is not valid any more."""
        ...

    def all(self) -> Sequence[Token]:
        """Every token, oldest first."""
        ...

    def revoke(self, token_id: str, facts: Sequence[Fact] = ()) -> Token:
        """Make a token open nothing from now on; raises ``NotFound``.

        One that is revoked already stays as it is, and the facts are not told.
        """
        ...

    def used(self, token: Token) -> None:
        """Note that a token, as ``find`` gave it, is used now; at most one write a minute."""
        ...
