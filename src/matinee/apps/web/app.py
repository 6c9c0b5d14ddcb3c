"""The web application: pages for people, JSON for programs, files for players."""

from http import HTTPStatus

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from matinee.apps.web import api, pages
from matinee.apps.web.library import Library, WebServices
from matinee.apps.web.media_files import MEDIA_TYPES, STATIC_TYPES, MediaFiles
from matinee.apps.web.origin_files import FolderFiles
from matinee.core.errors import (
    LibraryBusy,
    LibraryUnreachable,
    MatineeError,
    NotFound,
    UsageError,
)

__all__ = ["WebServices", "create_app"]

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

STATUS_OF: dict[type, int] = {
    NotFound: 404,
    UsageError: 400,
    LibraryBusy: 503,
    LibraryUnreachable: 503,
}


def create_app(services: WebServices) -> Starlette:
    """The application over one library."""
    media = MediaFiles(services.media, MEDIA_TYPES, any_origin=True)
    static = MediaFiles(
        FolderFiles(pages.STATIC), STATIC_TYPES, any_origin=False, all_revalidated=True
    )
    app = Starlette(
        routes=[
            Route("/", pages.get_home),
            Route("/watch/{title}", pages.get_watch),
            Route("/titles/{title}", pages.get_report),
            Route("/v1/titles", api.get_titles),
            Route("/v1/titles/{id}", api.get_title),
            Route("/healthz", api.get_health),
            Mount("/media/titles", media),
            Mount("/static", static),
        ],
        middleware=[Middleware(_SecurityHeaders)],
        exception_handlers={
            MatineeError: _on_matinee_error,
            HTTPException: _on_http_error,
            Exception: _on_defect,
        },
    )
    app.state.library = Library(services)
    return app


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


def _on_matinee_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, MatineeError)
    status = next((STATUS_OF[kind] for kind in type(error).__mro__ if kind in STATUS_OF), 500)
    return _render(request, status, error.code, error.message, error.hint)


def _on_http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    code = {404: "not_found", 405: "method_not_allowed"}.get(error.status_code, "usage")
    response = _render(request, error.status_code, code, f"nothing at {request.url.path}")
    response.headers.update(error.headers or {})
    return response


def _on_defect(request: Request, _error: Exception) -> Response:
    response = _render(request, 500, "internal", "the server met a defect; its log says more")
    response.headers.update(SECURITY_HEADERS)  # this answer does not pass the middleware
    return response


def _render(request: Request, status: int, code: str, detail: str, hint: str = "") -> Response:
    """An error in the form that its reader wants: problem document, short text or page."""
    title = HTTPStatus(status).phrase
    if request.url.path.startswith("/v1"):
        return api.problem(status, code, title, detail, hint)
    if request.url.path.startswith(("/media", "/static")):
        headers = {"cache-control": "no-store", "access-control-allow-origin": "*"}
        return PlainTextResponse(f"{title}\n", status, headers=headers)
    page = pages.error_page(status, title, detail, hint)
    return HTMLResponse(page, status, headers={"cache-control": "no-store"})
