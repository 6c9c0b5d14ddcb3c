"""Errors on the web: one table of statuses, and the form that each reader wants."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response

from matinee.apps.web import pages
from matinee.core.errors import (
    LibraryBusy,
    LibraryFull,
    LibraryUnreachable,
    LibraryUnwritable,
    MatineeError,
    NotFound,
    UsageError,
)
from matinee.ports.keys import KeysOutdated
from matinee.ports.uploads import (
    ChecksumMismatch,
    OffsetConflict,
    UploadExpired,
    UploadTooLarge,
)

PROBLEM = "application/problem+json"
BUSY_S = 1
"""When to ask again while the database is held by another."""


class NotSignedIn(UsageError):
    """No token, or one that opens nothing."""

    code = "access.unknown"
    advice = "give a token in `Authorization: Bearer ...`; make one with: matinee token add NAME"


class NotAllowed(UsageError):
    """The token's scopes do not allow it."""

    code = "access.denied"
    advice = "use a token that has the scope"


class Forged(UsageError):
    """A request with a session's cookie that does not come from the session's page."""

    code = "access.forged"
    advice = "reload the page; sign in again if that does not help"


class WrongHost(UsageError):
    """A request by a name that this service is not known by."""

    code = "access.wrong_host"
    advice = "use the address that `matinee up` printed"


class TooManyTries(UsageError):
    """Too many failed tries to sign in."""

    code = "access.too_many"
    retryable = True
    advice = "wait a minute, then try again"

    def __init__(self, message: str, hint: str = "", wait_s: int = 60) -> None:
        super().__init__(message, hint)
        self.args = (message, hint, wait_s)
        self.wait_s = wait_s


class VersionUnknown(UsageError):
    """Another version of the protocol."""

    code = "upload.version"
    advice = "speak tus 1.0.0"


class BodyUnknown(UsageError):
    """Bytes of another kind than the protocol's."""

    code = "upload.body"
    advice = "send them as application/offset+octet-stream"


class Conflict(UsageError):
    """What is asked does not go together with how things stand."""

    code = "state.conflict"
    advice = "look at its state, then decide again"


class Changed(UsageError):
    """It was changed since it was read."""

    code = "state.changed"
    advice = "read it again, then decide again"


class KeyBusy(UsageError):
    """The first request of an idempotency key is still being worked on."""

    code = "idempotency.busy"
    retryable = True
    advice = "ask again in a moment, with the same key"


class KeyReused(UsageError):
    """An idempotency key that had another request."""

    code = "idempotency.reused"
    advice = "use a new key for every act"


class RequestInvalid(UsageError):
    """A request that does not fit its form."""

    code = "request.invalid"
    advice = "see the form in docs/reference/api.md or at /v1/openapi.json"


class RequestTooLarge(UsageError):
    """A body that is larger than any call needs."""

    code = "request.too_large"
    advice = "films are uploaded at /uploads"


STATUS_OF: Mapping[type, int] = {
    UsageError: 400,
    NotSignedIn: 401,
    NotAllowed: 403,
    Forged: 403,
    NotFound: 404,
    Conflict: 409,
    KeysOutdated: 409,
    KeyBusy: 409,
    OffsetConflict: 409,
    UploadExpired: 410,
    Changed: 412,
    VersionUnknown: 412,
    RequestTooLarge: 413,
    UploadTooLarge: 413,
    BodyUnknown: 415,
    WrongHost: 421,
    RequestInvalid: 422,
    KeyReused: 422,
    TooManyTries: 429,
    ChecksumMismatch: 460,
    LibraryBusy: 503,
    LibraryUnreachable: 503,
    LibraryUnwritable: 503,
    LibraryFull: 507,
}
"""The status of an error, by the nearest of its classes that is named; 500 for all others."""

_CODES = {
    404: NotFound.code,
    405: "method_not_allowed",
    413: RequestTooLarge.code,
    422: RequestInvalid.code,
}


def status_of(kind: type[MatineeError]) -> int:
    """The status that answers an error of a class."""
    return next((STATUS_OF[each] for each in kind.__mro__ if each in STATUS_OF), 500)


def problem(
    status: int, code: str, detail: str, hint: str = "", errors: Sequence[Mapping[str, str]] = ()
) -> JSONResponse:
    """A problem document (RFC 9457); ``code`` is stable, ``type`` needs no address of ours."""
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": "Checksum Mismatch" if status == 460 else HTTPStatus(status).phrase,
        "status": status,
        "code": code,
        "detail": detail,
    }
    if hint:
        body["hint"] = hint
    if errors:
        body["errors"] = list(errors)
    return JSONResponse(body, status, media_type=PROBLEM, headers={"cache-control": "no-store"})


def on_matinee_error(request: Request, error: Exception) -> Response:
    """Answer an error of the tree."""
    assert isinstance(error, MatineeError)
    status = status_of(type(error))
    response = render(request, status, error.code, error.message, error.hint)
    if isinstance(error, NotSignedIn):
        response.headers["www-authenticate"] = 'Bearer realm="matinee"'
    if isinstance(error, TooManyTries):
        response.headers["retry-after"] = str(error.wait_s)
    if isinstance(error, LibraryBusy):
        response.headers["retry-after"] = str(BUSY_S)
    return response


def on_http_error(request: Request, error: Exception) -> Response:
    """Answer what the router refuses."""
    assert isinstance(error, HTTPException)
    code = _CODES.get(error.status_code, UsageError.code)
    detail = f"nothing at {request.url.path}"
    if error.status_code not in (404, 405):
        detail = str(error.detail)
    response = render(request, error.status_code, code, detail)
    response.headers.update(error.headers or {})
    return response


def on_invalid_request(_request: Request, error: Exception) -> Response:
    """Answer a request that does not fit its form, with the place of each fault."""
    assert isinstance(error, RequestValidationError)
    faults = [
        {"place": ".".join(map(str, fault["loc"])), "message": str(fault["msg"])}
        for fault in error.errors()
    ]
    detail = "; ".join(f"{fault['place']}: {fault['message']}" for fault in faults)
    return problem(422, RequestInvalid.code, detail, RequestInvalid.advice, faults)


def on_defect(request: Request, _error: Exception) -> Response:
    """Answer a defect without a word of it."""
    return render(request, 500, "internal", "the server met a defect; its log says more")


def render(request: Request, status: int, code: str, detail: str, hint: str = "") -> Response:
    """An error in the form that its reader wants: problem document, short text or page."""
    path = request.url.path
    if path.startswith(("/v1", "/uploads", "/hooks")):
        return problem(status, code, detail, hint)
    title = HTTPStatus(status).phrase
    if path.startswith(("/media", "/static", "/metrics")):
        headers = {"cache-control": "no-store", "access-control-allow-origin": "*"}
        return PlainTextResponse(f"{title}\n", status, headers=headers)
    page = pages.error_page(status, title, detail, hint)
    return HTMLResponse(page, status, headers={"cache-control": "no-store"})
