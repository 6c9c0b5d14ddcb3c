"""Who may do what: scopes, persons, and what the address that is served on allows. Pure."""

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from matinee.core.errors import UsageError
from matinee.core.ids import Digest
from matinee.ports.tokens import Token

SCOPES = ("read", "upload", "operate", "admin")
_CONTAINED = {
    "read": {"read"},
    "upload": {"upload"},
    "operate": {"operate", "read", "upload"},
    "admin": set(SCOPES),
}
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class AddressOpen(UsageError):
    """To be served to others without what keeps strangers out."""

    code = "serve.address_open"
    advice = (
        "give a certificate with --certificate and --key, or --behind-proxy where a proxy has it"
    )


@dataclass(frozen=True, slots=True)
class Person:
    """Who asks. ``who`` is the name of a token; ``session`` the digest of a cookie's secret."""

    who: str
    scopes: frozenset[str]
    token: Token | None = None
    session: Digest | None = None

    def may(self, scope: str) -> bool:
        """Whether the scope is among theirs."""
        return scope in self.scopes


@dataclass(frozen=True, slots=True)
class Access:
    """What the address allows. ``hosts`` are the names it may be called by; empty: any.

    Where ``reading_is_open``, who gives no credentials may read. That is so on loopback alone, and
    then a page of another site must not get in by a name of its own that leads here (DNS
    rebinding): so the names are checked.
    """

    reading_is_open: bool
    is_secure: bool
    behind_proxy: bool = False
    hosts: frozenset[str] = frozenset()

    def knows_host(self, header: str | None) -> bool:
        """Whether a ``Host`` header names this service."""
        return not self.hosts or host_of(header) in self.hosts

    @property
    def cookie(self) -> str:
        """The name of the session's cookie; browsers hold ``__Host-`` to this very host."""
        return "__Host-matinee" if self.is_secure else "matinee"

    @property
    def anyone(self) -> Person:
        """Who gives no credentials."""
        return Person("anyone", frozenset({"read"} if self.reading_is_open else ()))


def access_for(address: str, *, has_certificate: bool, behind_proxy: bool) -> Access:
    """What an address allows that the service is to be bound to.

    Raises:
        AddressOpen: others reach it, and nothing keeps what is sent secret.
    """
    if is_loopback(address) and not behind_proxy:
        names = {"localhost", "127.0.0.1", "::1", address.lower()}
        return Access(reading_is_open=True, is_secure=has_certificate, hosts=frozenset(names))
    if not has_certificate and not behind_proxy:
        raise AddressOpen(f"{address} is reached by others, and there is no TLS")
    return Access(reading_is_open=False, is_secure=True, behind_proxy=behind_proxy)


def is_loopback(address: str) -> bool:
    """Whether only this machine reaches an address."""
    if address.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def host_of(header: str | None) -> str | None:
    """The name in a ``Host`` header, without its port; None for one that is no name."""
    try:
        return urlsplit(f"//{header}").hostname if header else None
    except ValueError:
        return None


def all_of(scopes: Iterable[str]) -> frozenset[str]:
    """Scopes with those that they contain; unknown ones open nothing."""
    return frozenset().union(*(_CONTAINED.get(scope, set()) for scope in scopes))


def person_of(token: Token, session: Digest | None = None) -> Person:
    """The person who holds a token."""
    return Person(token.name, all_of(token.scopes), token, session)
