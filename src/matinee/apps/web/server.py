"""Serves the web application from this process until it is told to stop."""

import asyncio
import os
import re
import signal
import socket
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from granian.constants import Interfaces, SSLProtocols
from granian.http import HTTP1Settings
from granian.server.embed import Server
from starlette.types import ASGIApp

from matinee.apps.web.app import create_app
from matinee.apps.web.library import WebServices
from matinee.core.errors import UsageError

_GRACE_S = 1.0
_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----")


@dataclass(frozen=True, slots=True)
class Certificate:
    """Files in PEM: a certificate with its chain, and its private key."""

    chain: Path
    key: Path

    @property
    def shown(self) -> str:
        """What every client is shown: the certificates of the chain, and nothing beside them."""
        text = self.chain.read_text(encoding="ascii", errors="replace")
        return "\n".join(_CERTIFICATE.findall(text))


class AddressTaken(UsageError):
    """The address to serve on cannot be had."""

    code = "serve.address_taken"


def serve(
    services: WebServices, host: str, port: int, on_bound: Callable[[str, int], None] | None = None
) -> None:
    """Serve until SIGINT or SIGTERM, then end within two seconds.

    Args:
        services: The library to serve.
        host: Name or address to bind.
        port: Port to bind; 0 picks a free one.
        on_bound: Told the address and port once connections are accepted.

    Raises:
        AddressTaken: another program has the port, or the address is not ours.
    """
    asyncio.run(_serve_until_signal(create_app(services), host, port, on_bound))


async def _serve_until_signal(
    app: ASGIApp, host: str, port: int, on_bound: Callable[[str, int], None] | None
) -> None:
    stopping = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    await serve_app(app, host, port, on_bound, stopping)


async def serve_app(
    app: ASGIApp,
    host: str,
    port: int,
    on_bound: Callable[[str, int], None] | None,
    stopping: asyncio.Event,
    certificate: Certificate | None = None,
) -> None:
    """Serve any ASGI application on the running loop until ``stopping`` is set.

    With a certificate, by TLS 1.2 or newer.
    """
    with _claim(host, port) as claim:
        address, bound_port = claim.getsockname()[:2]
        server = Server(
            app,
            address=address,
            port=bound_port,
            interface=Interfaces.ASGINL,
            log_enabled=False,
            websockets=False,
            backlog=1024,
            http1_settings=HTTP1Settings(header_read_timeout=15_000),
            ssl_cert=certificate.chain if certificate else None,
            ssl_key=certificate.key if certificate else None,
            ssl_protocol_min=SSLProtocols.tls12,
        )
        serving = asyncio.create_task(server.serve())
        stop = asyncio.create_task(stopping.wait())
        try:
            await _until_accepting(address, bound_port, serving)
            if on_bound is not None:
                on_bound(address, bound_port)
            await asyncio.wait({serving, stop}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stop.cancel()
            server.stop()  # type: ignore[no-untyped-call]
            await asyncio.wait({serving}, timeout=_GRACE_S)
            if not serving.done():
                _hang_up(bound_port)
                await asyncio.wait({serving}, timeout=_GRACE_S / 2)
        if serving.done():
            serving.result()


def _claim(host: str, port: int) -> socket.socket:
    """A bound socket that holds the port until the server has it, and is never listened on.

    The server shares its port (``SO_REUSEPORT``), so it would not notice another server there. This
    socket is bound without sharing, which notices, and then allows it.
    """
    try:
        family, kind, _, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        claim = socket.socket(family, kind)
        try:
            claim.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            claim.bind(address)
            claim.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        except BaseException:
            claim.close()
            raise
    except OSError as error:
        raise AddressTaken(
            f"cannot serve on {host}:{port}: {error.strerror or error}",
            "choose another port with --port, or 0 for any free one",
        ) from error
    return claim


def _hang_up(port: int) -> None:
    """End the connections of clients that stopped reading.

    The server waits for them for ever, in native threads that also keep the process from ending,
    and has no way to be told otherwise.
    """
    for name in os.listdir("/dev/fd"):  # noqa: PTH208 - numbers, not paths
        with suppress(OSError), socket.socket(fileno=os.dup(int(name))) as connection:
            if connection.getpeername() and connection.getsockname()[1] == port:
                connection.shutdown(socket.SHUT_RDWR)


async def _until_accepting(address: str, port: int, serving: asyncio.Task[None]) -> None:
    """Return once a connection is accepted, or serving has ended."""
    while not serving.done():
        try:
            _, writer = await asyncio.open_connection(address, port)
        except OSError:
            await asyncio.sleep(0.005)
        else:
            writer.close()
            return
