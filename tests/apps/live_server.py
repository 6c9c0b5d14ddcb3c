"""The real server on loopback, in a thread with a loop of its own."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from starlette.responses import FileResponse, HTMLResponse
from starlette.routing import Route

from matinee.apps.web.app import create_app
from matinee.apps.web.library import WebServices
from matinee.apps.web.server import serve_app

TEST_PLAYERS = Path(__file__).parents[2] / ".cache" / "test-players"
_BARE_PAGE = (
    '<!doctype html><html lang="en"><title>player</title><link rel="icon" href="data:,">'
    '<video id="video" muted playsinline></video><script src="/test-players/{name}"></script>'
)


@dataclass(frozen=True)
class LiveServer:
    address: str

    @classmethod
    @contextmanager
    def over(cls, services: WebServices) -> Iterator["LiveServer"]:
        """Serve the application, and beside it bare pages for other players."""
        app = create_app(services)
        app.router.routes += [
            Route(
                "/test-players/{name}", lambda r: FileResponse(TEST_PLAYERS / r.path_params["name"])
            ),
            Route("/bare/{name}", lambda r: HTMLResponse(_BARE_PAGE.format(**r.path_params))),
        ]
        bound = threading.Event()
        address: list[str] = []
        loop = asyncio.new_event_loop()
        stop = asyncio.Event()

        def on_bound(host: str, port: int) -> None:
            address.append(f"http://{host}:{port}")
            bound.set()

        def run() -> None:
            loop.run_until_complete(serve_app(app, "127.0.0.1", 0, on_bound, stop))
            loop.close()

        thread = threading.Thread(target=run, name="web")
        thread.start()
        try:
            assert bound.wait(10), "the server did not start"
            yield cls(address[0])
        finally:
            loop.call_soon_threadsafe(stop.set)
            thread.join(5)
            assert not thread.is_alive()
