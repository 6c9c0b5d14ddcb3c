"""Sends notices by HTTP, to addresses that an operator has nothing against.

A name is resolved once, the addresses are judged, and one of those that were judged is connected
to: a name that changes between looking and connecting leads nowhere else. Redirects are not
followed, answers are not read beyond their first line.
"""

import asyncio
import contextlib
import os
import re
import socket
import ssl
from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from matinee.ports.notices import NoticeFailed, NoticeRefused, Notices

WITHIN_S = 15.0
LONGEST_LINE = 4096
SHORTEST_SECRET, LONGEST_SECRET = 24, 64
"""Bytes, as Standard Webhooks want them."""

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
_NAT64 = IPv6Network("64:ff9b::/96")


@dataclass(frozen=True, slots=True)
class WebhookNotices(Notices):
    """``allowed`` are networks that may be reached though they are not public, also by http."""

    usual_url: str | None = None
    allowed: Sequence[Network] = ()

    def secret(self, where: str) -> bytes:
        kind, _, name = where.partition(":")
        if kind == "env":
            told = os.environ.get(name, "")
        elif kind == "file":
            try:
                told = Path(name).read_text(encoding="utf-8").strip()
            except (OSError, UnicodeDecodeError) as error:
                raise NoticeRefused(f"the secret in {name} cannot be read") from error
        else:
            raise NoticeRefused(f"{where!r} does not say where a secret is: env:NAME or file:PATH")
        return _secret_of(told, where)

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> None:
        target = _target(url)
        try:
            async with asyncio.timeout(WITHIN_S):
                address, is_allowed = await self._judged(target)
                if target.scheme != "https" and not is_allowed:
                    raise NoticeRefused(f"notices to {target.hostname} need https")
                status = await _sent(target, address, headers, body)
        except TimeoutError as error:
            raise NoticeFailed(f"{target.hostname} did not answer in {WITHIN_S:g} s") from error
        except (OSError, ssl.SSLError, ValueError) as error:
            raise NoticeFailed(f"{target.hostname} cannot be reached: {error}") from error
        if not 200 <= status < 300:
            raise NoticeFailed(f"{target.hostname} answered {status}")

    async def _judged(self, target: SplitResult) -> tuple[Address, bool]:
        """The address to connect to, and whether the operator allowed it."""
        loop = asyncio.get_running_loop()
        assert target.hostname is not None
        found = await loop.getaddrinfo(target.hostname, _port(target), type=socket.SOCK_STREAM)
        addresses = [ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]
        for address in addresses:
            if not is_public(address) and not self._allows(address):
                raise NoticeRefused(
                    f"{target.hostname} is at {address}, which is not a public address",
                    "an operator allows addresses of their own network with MATINEE_WEBHOOK_ALLOW",
                )
        return addresses[0], all(self._allows(address) for address in addresses)

    def _allows(self, address: Address) -> bool:
        return any(address in network for network in self.allowed)


def is_public(address: Address) -> bool:
    """Whether an address is one of the public internet, also where one lies inside another."""
    if isinstance(address, IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if address in _NAT64:
            inner = IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(inner)
        if address.teredo is not None or address.is_site_local:
            return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def _secret_of(told: str, where: str) -> bytes:
    secret = told.encode()
    if told.startswith("whsec_"):
        try:
            secret = b64decode(told.removeprefix("whsec_"), validate=True)
        except (NotBase64, ValueError) as error:
            raise NoticeRefused(
                f"the secret in {where} begins with whsec_ and is no base64"
            ) from error
    if not SHORTEST_SECRET <= len(secret) <= LONGEST_SECRET:
        raise NoticeRefused(
            f"the secret in {where} has {len(secret)} bytes",
            f"give one of {SHORTEST_SECRET} to {LONGEST_SECRET} bytes",
        )
    return secret


def _target(url: str) -> SplitResult:
    try:
        target = urlsplit(url)
        _port(target)
    except ValueError as error:
        raise NoticeRefused(f"{url!r} is no address") from error
    is_sound = target.hostname and not target.username and not re.search(r"[\x00-\x20\x7f]", url)
    if target.scheme not in ("https", "http") or not is_sound or not url.isascii():
        raise NoticeRefused(f"{url!r} is no https address")
    return target


def _port(target: SplitResult) -> int:
    return target.port or (443 if target.scheme == "https" else 80)


async def _sent(
    target: SplitResult, address: Address, headers: Mapping[str, str], body: bytes
) -> int:
    """Send one request; gives the status."""
    is_tls = target.scheme == "https"
    reading, writing = await asyncio.open_connection(
        str(address), _port(target), limit=LONGEST_LINE,
        ssl=ssl.create_default_context() if is_tls else None,
        server_hostname=target.hostname if is_tls else None,
    )  # fmt: skip
    try:
        writing.write(request_bytes(target, headers, body))
        await writing.drain()
        line = await reading.readline()
    finally:
        writing.close()
        with contextlib.suppress(OSError, ssl.SSLError):
            await writing.wait_closed()
    status = re.match(rb"HTTP/1\.[01] (\d{3})\b", line)
    if not status:
        raise ValueError("its answer is no HTTP")
    return int(status[1])


def request_bytes(target: SplitResult, headers: Mapping[str, str], body: bytes) -> bytes:
    """A POST request as RFC 9112 spells it."""
    path = (target.path or "/") + (f"?{target.query}" if target.query else "")
    lines = [
        f"POST {path} HTTP/1.1",
        f"host: {target.netloc}",
        "user-agent: matinee",
        "content-type: application/cloudevents+json; charset=utf-8",
        f"content-length: {len(body)}",
        "connection: close",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    return "\r\n".join([*lines, "", ""]).encode("ascii") + body
