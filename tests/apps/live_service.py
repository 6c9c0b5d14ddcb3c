"""The whole web of the service over a real library, in this process, asked over HTTP."""

import asyncio
import http.client
import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from matinee.apps.web.access import Access
from matinee.apps.web.app import create_app, feed_of
from matinee.apps.web.credentials import administrator, make_token
from matinee.apps.web.parts import catalog_of, service_of
from matinee.apps.web.server import serve_app
from matinee.apps.web.service import OpenUpload, Service, ShownRule, Tested
from matinee.apps.web.signed_media import MediaDoor
from matinee.config import read_settings
from matinee.core.events import Event
from matinee.wiring.library import Library, now, open_library
from matinee.wiring.web import web_parts

LOOPBACK = Access(
    reading_is_open=True, is_secure=False, hosts=frozenset({"127.0.0.1", "localhost"})
)
ELSEWHERE = Access(reading_is_open=False, is_secure=True)


@dataclass
class NoRules:
    """A service without rules."""

    def all(self) -> Sequence[ShownRule]:
        return []

    def sources(self) -> Sequence[tuple[str, str]]:
        return []

    def test(self, event: Event) -> Sequence[Tested]:
        del event
        return []


@dataclass
class NoUploads:
    """A service that takes no uploads."""

    def open(self) -> Sequence[OpenUpload]:
        return []


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class LiveService:
    """``secret`` is the administrator's token."""

    library: Library
    service: Service
    address: str
    port: int
    secret: str
    door: MediaDoor
    woken: list[int] = field(default_factory=list)

    def ask(
        self, path: str, method: str = "GET", body: Any = None, *, secret: str | None = "",
        **headers: str,
    ) -> Answer:  # fmt: skip
        """One request, by default with the administrator's token; None: without one."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if secret is not None:
            sent.setdefault("authorization", f"Bearer {secret or self.secret}")
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        if data is not None:
            sent.setdefault("content-type", "application/json")
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request(method, path, data, sent)
            response = connection.getresponse()
            named = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, named, response.read())
        finally:
            connection.close()

    def token(self, *scopes: str, days: float | None = None) -> str:
        name = "-".join(scopes)
        return make_token(self.service.tokens, name, scopes, days, now(), "tests")[1]


@contextmanager
def live_service(folder: Path, access: Access = LOOPBACK, **parts: Any) -> Iterator[LiveService]:
    """Serve a library until the block ends."""
    library = open_library(read_settings(str(folder), None))
    woken: list[int] = []

    service = service_of(
        library,
        web_parts(library),
        access,
        parts.get("rules", NoRules()),
        parts.get("uploads", NoUploads()),
        lambda: woken.append(1),
    )
    _, secret = administrator(service.tokens, now())
    app = create_app(catalog_of(library, web_parts(library)), service)
    loop, stopping, bound = asyncio.new_event_loop(), asyncio.Event(), threading.Event()
    where: list[tuple[str, int]] = []

    async def run() -> None:
        keeping = asyncio.create_task(feed_of(app).keep())

        def told(address: str, port: int) -> None:
            where.append((address, port))
            bound.set()

        await serve_app(app, "127.0.0.1", 0, told, stopping)
        keeping.cancel()
        with suppress(asyncio.CancelledError):
            await keeping

    thread = threading.Thread(target=loop.run_until_complete, args=(run(),), daemon=True)
    thread.start()
    assert bound.wait(10)
    try:
        address, port = where[0]
        yield LiveService(
            library, service, f"http://{address}:{port}", port, secret or "", app.state.door, woken
        )
    finally:
        loop.call_soon_threadsafe(stopping.set)
        thread.join(10)
        assert not thread.is_alive()
        loop.close()
        library.engine.dispose()
