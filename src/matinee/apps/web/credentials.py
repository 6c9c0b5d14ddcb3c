"""Tokens, links to sign in with, and the signing key: how they are made and kept.

A token is 256 random bits, so its SHA-256 is all that need be kept of it: there is nothing to guess
that a slow hash would protect. Its beginning lets tools that look for leaked secrets know it.
"""

import os
import secrets
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from matinee.apps.web.access import SCOPES
from matinee.core.disk_failures import of_disk
from matinee.core.errors import LibraryError, UsageError
from matinee.core.events import Fact
from matinee.core.ids import digest_of
from matinee.core.signing import KEY_BYTES
from matinee.ports.tokens import Token, Tokens

BEGINNING = "mat_"
ADMINISTRATOR = "administrator"
KEY_FILE = "signing.key"
LINK_S = 3600.0
"""How long a link can be used to sign in."""


def person_acted(who: str, act: str, target: str) -> Fact:
    """The fact that a person did something."""
    return Fact("person.acted", f"person/{who}", {"who": who, "act": act, "target": target})


def make_token(
    tokens: Tokens, name: str, scopes: Sequence[str], days: float | None, now: datetime, by: str
) -> tuple[Token, str]:
    """A new token and its secret, which is kept nowhere.

    Raises:
        UsageError: no name, no scope or an unknown one, or an end in the past.
    """
    wanted = tuple(scope for scope in SCOPES if scope in scopes)
    if not wanted or len(wanted) != len(set(scopes)):
        raise UsageError(f"scopes are some of {', '.join(SCOPES)}")
    if not name.strip() or len(name) > 100 or not name.isprintable():
        raise UsageError("a token needs a name of at most 100 printable characters")
    if days is not None and not 0 < days <= 36_500:
        raise UsageError("a token ends after more than 0 and at most 36500 days")
    secret = BEGINNING + secrets.token_urlsafe(32)
    token = Token(
        id=f"{secrets.token_hex(6)}",
        name=name.strip(),
        digest=digest_of(secret.encode()),
        scopes=wanted,
        made_at=now,
        expires_at=None if days is None else now + timedelta(days=days),
    )
    tokens.add(token, [person_acted(by, "add token", f"token/{token.id}")])
    return token, secret


def token_json(token: Token) -> dict[str, Any]:
    """What may be told of a token."""
    return {
        "id": token.id,
        "name": token.name,
        "scopes": list(token.scopes),
        "made_at": token.made_at.isoformat(),
        "expires_at": token.expires_at and token.expires_at.isoformat(),
        "used_at": token.used_at and token.used_at.isoformat(),
        "revoked_at": token.revoked_at and token.revoked_at.isoformat(),
    }


def administrator(tokens: Tokens, now: datetime) -> tuple[Token, str | None]:
    """The newest token of an administrator that is valid; made, with its secret, if there is none.

    The secret is to be shown once, to the person who starts the service.
    """
    valid = [token for token in tokens.all() if token.is_valid(now) and "admin" in token.scopes]
    if valid:
        return valid[-1], None
    return make_token(tokens, ADMINISTRATOR, ["admin"], None, now, "matinee")


class Links:
    """Codes that open a session once, kept by this process alone."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._codes: dict[str, tuple[float, Token]] = {}

    def make(self, token: Token) -> str:
        """A path of this service that signs in whoever opens it first, within the hour.

        The code stands behind ``#``, which browsers neither send nor tell other pages.
        """
        code = secrets.token_urlsafe(32)
        self._codes[digest_of(code.encode())] = (self._clock() + LINK_S, token)
        return f"/studio/sign-in#code={code}"

    def use(self, code: str) -> Token | None:
        """The token of a code, the first time."""
        until, token = self._codes.pop(digest_of(code.encode(errors="surrogatepass")), (0.0, None))
        return token if self._clock() < until else None


def signing_key(folder: Path) -> bytes:
    """The key in a folder, made the first time, readable by its owner alone.

    Raises:
        LibraryError: it cannot be read or made, or others may read it.
    """
    path = folder / KEY_FILE
    try:
        if not path.exists():
            _write_key(path)
        key = path.read_bytes()
        mode = path.stat().st_mode
    except OSError as error:
        raise of_disk(f"the signing key {path} cannot be had: {error.strerror}", error) from error
    if mode & 0o077:
        raise LibraryError(f"others may read {path}", f"run: chmod 600 {path}")
    if len(key) != KEY_BYTES:
        raise LibraryError(
            f"{path} is no signing key", "remove it: a new one is made, old addresses end"
        )
    return key


def write_private(path: Path, content: bytes) -> None:
    """Write a file in one step that its owner alone may read.

    Raises:
        LibraryError: it cannot be written; LibraryFull, LibraryUnwritable where that may pass.
    """
    written = path.with_name(f".{path.name}.{os.getpid()}")
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(written, flags, 0o600), "wb") as file:
            file.write(content)
        written.replace(path)
    except OSError as error:
        with suppress(OSError):
            written.unlink(missing_ok=True)
        raise of_disk(f"{path} cannot be written: {error.strerror}", error) from error


def _write_key(path: Path) -> None:
    """Write a new key in one step; one that another process wrote meanwhile stays."""
    written = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(written, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(secrets.token_bytes(KEY_BYTES))
    with suppress(FileExistsError):
        os.link(written, path)
    written.unlink()
