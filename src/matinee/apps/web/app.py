"""The web application: pages for people, JSON for programs, files for players.

``create_app`` is the part that only reads titles, for ``matinee serve``; with a ``Service`` it is
all of it, for ``matinee up``.
"""

import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from matinee import __version__
from matinee.apps.web import errors, pages
from matinee.apps.web.access import Person
from matinee.apps.web.feed import Feed
from matinee.apps.web.guard import Guard, Persons
from matinee.apps.web.library import Library, WebServices, plain_place
from matinee.apps.web.licences import KeyDesk, Licences
from matinee.apps.web.media_files import MEDIA_TYPES, STATIC_TYPES, MediaFiles
from matinee.apps.web.numbers import Numbers
from matinee.apps.web.origin_files import FolderFiles
from matinee.apps.web.runs_json import place_of_media
from matinee.apps.web.service import Service
from matinee.apps.web.signed_media import MediaDoor
from matinee.apps.web.tries import Tries
from matinee.apps.web.v1 import (
    backups,
    busy,
    deliveries,
    events,
    rules,
    runs,
    sessions,
    titles,
    upkeep,
)
from matinee.core.errors import MatineeError, NotFound
from matinee.ports.catalog import Package, Title

__all__ = ["SECURITY_HEADERS", "WebServices", "create_app"]

SECURITY_HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
        "media-src 'self' data: blob:; connect-src 'self'; worker-src 'self' blob:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}

_ANYONE = Person("anyone", frozenset({"read"}))


def create_app(
    catalog: WebServices,
    service: Service | None = None,
    folder: Path = Path(),
    more: Sequence[BaseRoute] = (),
) -> FastAPI:
    """The application over one library.

    Args:
        catalog: The library's titles and files.
        service: What ``matinee up`` runs; None for reading alone.
        folder: A folder on the disk that the service's numbers tell of.
        more: Further routes of the service, such as its ways in, behind the same door.
    """
    app = FastAPI(
        title="Matinee",
        version=__version__,
        summary="From a film to verified streams that play.",
        openapi_url="/v1/openapi.json" if service else None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    _answer_errors(app)
    media = _media_of(catalog)
    static = MediaFiles(
        FolderFiles(pages.STATIC), STATIC_TYPES, any_origin=False, all_revalidated=True
    )
    app.include_router(titles.reading)
    if service is None:
        app.state.library = Library(catalog)
        app.router.routes.append(Mount("/media/titles", media))
        app.add_middleware(_Open)
    else:
        _add_service(app, catalog, service, folder, media)
        app.router.routes.extend(more)
    app.router.routes.extend(
        [
            Route("/", pages.get_home),
            Route("/watch/{title}", pages.get_watch),
            Route("/titles/{title}", pages.get_report),
            Route("/healthz", _get_health),
            Mount("/static", static),
        ]
    )
    app.add_middleware(_SecurityHeaders)
    return app


def _media_of(catalog: WebServices) -> ASGIApp:
    """The files of titles, and the keys of those that are encrypted."""

    def look(name: str) -> tuple[Title, Sequence[Package]]:
        return catalog.titles.get(name), catalog.packages.of_title(name)

    files = MediaFiles(catalog.media, MEDIA_TYPES, any_origin=True)
    return Licences(files, KeyDesk(catalog.open_keys, look))


def _answer_errors(app: FastAPI) -> None:
    for kind, answer in (
        (MatineeError, errors.on_matinee_error),
        (HTTPException, errors.on_http_error),
        (RequestValidationError, errors.on_invalid_request),
        (Exception, _on_defect),
    ):
        app.add_exception_handler(kind, answer)


def feed_of(app: FastAPI) -> Feed:
    """What keeps listeners told: ``keep`` is to run beside the server, ``poke`` after events."""
    feed: Feed = app.state.feed
    return feed


def _add_service(
    app: FastAPI, catalog: WebServices, service: Service, folder: Path, media: ASGIApp
) -> None:
    """All that reads or changes more than titles, and the door before it."""

    def is_public(title: str) -> bool:
        try:
            return catalog.titles.get(title).is_public
        except NotFound:
            return False

    door = MediaDoor(media, service.key, is_public)

    def address(title: Title, duration_s: float | None) -> str:
        if service.access.reading_is_open or title.is_public:
            return plain_place(title.id)
        return door.address(title.id, duration_s)

    state = app.state
    state.door = door
    state.service = service
    state.library = Library(catalog, address, partial(place_of_media, service))
    state.persons = Persons(service.access, service.tokens, service.sessions, service.now)
    state.tries = Tries(time.monotonic)
    state.feed = Feed(service, Numbers(service, folder))
    for part in (titles.acting, runs.router, deliveries.router, events.router, rules.router,
                 backups.router, sessions.router, upkeep.router, busy.router):  # fmt: skip
        app.include_router(part)
    app.router.routes.append(Mount("/media", door))
    app.router.routes.append(Route("/studio", pages.get_studio))
    app.router.routes.append(Route("/studio/{page:path}", pages.get_studio))
    app.openapi = lambda: _described(app)  # type: ignore[method-assign]
    app.add_middleware(Guard, access=service.access, persons=state.persons, key=service.key)


def _described(app: FastAPI) -> dict[str, Any]:
    """OpenAPI, in which errors are problem documents."""
    if app.openapi_schema is None:
        document = FastAPI.openapi(app)
        for path in document["paths"].values():
            for call in path.values():
                call["responses"].setdefault("422", {}).pop("content", None)
                for status, answer in call["responses"].items():
                    if int(status) >= 400:
                        answer["description"] = "See the table of errors"
                        schema = {"$ref": "#/components/schemas/Problem"}
                        answer["content"] = {errors.PROBLEM: {"schema": schema}}
        for unused in ("HTTPValidationError", "ValidationError"):
            document["components"]["schemas"].pop(unused, None)
        app.openapi_schema = document
    return app.openapi_schema


async def _get_health(_request: Request) -> Response:
    """``GET /healthz``: the process answers."""
    return JSONResponse({"status": "ok"}, headers={"cache-control": "no-store"})


def _on_defect(request: Request, error: Exception) -> Response:
    response = errors.on_defect(request, error)
    response.headers.update(SECURITY_HEADERS)  # this answer does not pass the middleware
    return response


class _Open:
    """Middleware of an application that is open to whoever reaches it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scope.setdefault("state", {})["person"] = _ANYONE
        await self._app(scope, receive, send)


class _SecurityHeaders:
    """Adds the security headers to everything that is not a media file."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._raw = [(k.encode(), v.encode()) for k, v in SECURITY_HEADERS.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith("/media/"):
            await self._app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                there = {name for name, _ in message["headers"]}
                added = [pair for pair in self._raw if pair[0] not in there]
                message["headers"] = [*message["headers"], *added]
            await send(message)

        await self._app(scope, receive, send_guarded)
