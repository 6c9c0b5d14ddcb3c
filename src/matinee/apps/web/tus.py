"""Resumable uploads: tus 1.0 (https://tus.io/protocols/resumable-upload).

Core protocol, creation, creation-with-upload, termination, expiration, checksum. Errors are problem
documents.
"""

import base64
import binascii
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC
from email.utils import format_datetime
from pathlib import PurePath

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from matinee.apps.web.errors import BodyUnknown, VersionUnknown, problem, status_of
from matinee.core.errors import MatineeError, UsageError
from matinee.core.limits import UploadLimits
from matinee.media.subtitle_formats import FORMATS
from matinee.media.title_file import parse_wishes
from matinee.media.tracks import language_tag
from matinee.ports.uploads import (
    Checksum,
    Order,
    Upload,
    Uploads,
)

ROOT = "/uploads"
VERSION = "1.0.0"
EXTENSIONS = "creation,creation-with-upload,termination,expiration,checksum"
ALGORITHMS = ("sha1", "sha256", "md5")
BODY = "application/offset+octet-stream"
MEANINGLESS = frozenset({"filetype", "type", "relativePath"})
"""Metadata that common clients send."""

May = Callable[[Request, str], Awaitable[str]]
"""Who asks, when that one may do what a scope allows; raises ``MatineeError``."""


class UploadMalformed(UsageError):
    """A request that is not of the protocol."""

    code = "upload.malformed"
    advice = "use a client of tus 1.0"


_NUMBER = re.compile(r"[0-9]{1,18}")
_SHA256, _ID = re.compile(r"[0-9a-f]{64}"), re.compile(r"[0-9a-f]{32}")
MOST_BESIDE = 64
"""Files of subtitles that one film may bring."""


class Tus:
    """The endpoints over one library's uploads."""

    def __init__(self, uploads: Uploads, limits: UploadLimits, may: May) -> None:
        self._uploads, self._limits, self._may = uploads, limits, may

    def routes(self) -> list[Route]:
        """The routes, to be put into an application."""
        made = ["POST", "OPTIONS"]
        one = ["HEAD", "PATCH", "DELETE", "OPTIONS", "POST"]
        return [
            Route(ROOT, self.answer, methods=made),
            Route(f"{ROOT}/", self.answer, methods=made),
            Route(f"{ROOT}/{{id}}", self.answer, methods=one),
        ]

    async def answer(self, request: Request) -> Response:
        """Answer one request of the protocol."""
        method = request.headers.get("x-http-method-override", request.method).upper()
        try:
            response = await self._answer(request, method)
        except MatineeError as error:
            response = _problem(error)
        if method == "HEAD":
            response.headers["cache-control"] = "no-store"
        if method != "OPTIONS":
            response.headers["tus-resumable"] = VERSION
        return response

    async def _answer(self, request: Request, method: str) -> Response:
        if method == "OPTIONS":
            return self._options()
        if request.headers.get("tus-resumable") != VERSION:
            told = request.headers.get("tus-resumable", "none")
            raise VersionUnknown(f"the request speaks tus {told}")
        owner = await self._may(request, "upload")
        upload_id = request.path_params.get("id", "")
        match method, bool(upload_id):
            case "POST", False:
                response = await self._create(request, owner)
            case "HEAD", True:
                response = _told(await self._uploads.find(upload_id, owner))
            case "PATCH", True:
                response = await self._patch(request, upload_id, owner)
            case "DELETE", True:
                await self._uploads.remove(upload_id, owner)
                response = Response(status_code=204)
            case _:
                allowed = "HEAD, PATCH, DELETE, OPTIONS" if upload_id else "POST, OPTIONS"
                response = Response(status_code=405, headers={"allow": allowed})
        return response

    def _options(self) -> Response:
        return Response(
            status_code=204,
            headers={
                "tus-resumable": VERSION,
                "tus-version": VERSION,
                "tus-extension": EXTENSIONS,
                "tus-max-size": str(self._limits.largest),
                "tus-checksum-algorithm": ",".join(ALGORITHMS),
            },
        )

    async def _create(self, request: Request, owner: str) -> Response:
        """Creation, and creation with upload."""
        if "upload-concat" in request.headers or "upload-defer-length" in request.headers:
            raise UploadMalformed("concatenation and deferred lengths are not taken")
        length = _number(request, "upload-length")
        has_body = request.headers.get("content-type") == BODY
        if not has_body and _number(request, "content-length", 0):
            raise BodyUnknown("the bytes have another content type")
        checksum = _checksum(request)
        upload = await self._uploads.create(order_of(request, owner, length))
        if has_body:
            body = _body(request)
            upload = await self._uploads.append(upload.id, owner, 0, body, checksum)
        headers = {"location": f"{ROOT}/{upload.id}", **_expiry(upload)}
        if has_body:
            headers["upload-offset"] = str(upload.offset)
        return Response(status_code=201, headers=headers)

    async def _patch(self, request: Request, upload_id: str, owner: str) -> Response:
        if request.headers.get("content-type") != BODY:
            raise BodyUnknown("the bytes have another content type")
        offset = _number(request, "upload-offset")
        checksum = _checksum(request)
        body = _body(request)
        upload = await self._uploads.append(upload_id, owner, offset, body, checksum)
        headers = {"upload-offset": str(upload.offset), **_expiry(upload)}
        return Response(status_code=204, headers=headers)


def order_of(request: Request, owner: str, length: int) -> Order:
    """What the metadata of a new upload say.

    Raises:
        UploadMalformed: not metadata, or no subtitles. TitleFileInvalid: a field or value without a
            meaning.
    """
    raw = request.headers.get("upload-metadata", "")
    fields = read_metadata(raw)
    name = " ".join(fields.pop("filename", "").split()) or "film"
    if fields.get("name") in {name, ""}:  # some clients send the file's name under both
        del fields["name"]
    kind, language = fields.pop("kind", "film"), fields.pop("language", None)
    if kind not in ("film", "subtitles"):
        raise UploadMalformed(f"kind is {kind!r}, not film or subtitles")
    beside = [one.strip() for one in fields.pop("subtitles", "").split(",") if one.strip()]
    digest = fields.pop("sha256", "").lower()
    if digest and not _SHA256.fullmatch(digest):
        raise UploadMalformed("sha256 is not 64 hexadecimal digits")
    meant = {
        field: value
        for field, value in fields.items()
        if field not in MEANINGLESS and not field.lower().startswith("x-")
    }
    name = (name.replace("\\", "/").rpartition("/")[2] or "film")[-255:]
    if kind == "subtitles":
        _check_subtitles(name, language or "", [*meant, *(["subtitles"] if beside else [])])
        return Order(owner, length, name, {}, raw, digest or None, "subtitles", language or "")
    if language is not None:
        meant["language"] = language  # no field of a film: it is refused as one
    if len(beside) > MOST_BESIDE or not all(_ID.fullmatch(one) for one in beside):
        raise UploadMalformed(f"subtitles are ids of uploads, at most {MOST_BESIDE}")
    wishes = parse_wishes(meant)
    return Order(owner, length, name, wishes, raw, digest or None, subtitles=tuple(beside))


def _check_subtitles(name: str, language: str, others: list[str]) -> None:
    """Whether a file of subtitles is one, by what is said of it.

    Raises:
        UploadMalformed: it is not, or is said to have what only films have.
    """
    if PurePath(name).suffix.lower() not in FORMATS:
        raise UploadMalformed(f"{name} is not a kind of subtitle file that is read")
    if language and language_tag(language) == "und" and language.lower() != "und":
        raise UploadMalformed(f"language is {language!r}, which is no language code")
    if others:
        raise UploadMalformed(f"subtitles have no field {others[0]!r}")


def read_metadata(raw: str) -> dict[str, str]:
    """``Upload-Metadata``: pairs of a key and a Base64 value, with commas between them.

    Raises:
        UploadMalformed: something else.
    """
    fields: dict[str, str] = {}
    for pair in raw.split(",") if raw.strip() else []:
        key, _, value = pair.strip().partition(" ")
        if not key or key in fields:
            raise UploadMalformed("Upload-Metadata has an empty key, or one twice")
        try:
            fields[key] = base64.b64decode(value.strip(), validate=True).decode()
        except (binascii.Error, UnicodeDecodeError) as error:
            raise UploadMalformed(f"Upload-Metadata: {key} is not text in Base64") from error
        if not fields[key].isprintable():
            raise UploadMalformed(f"Upload-Metadata: {key} has signs that cannot be printed")
    return fields


def _told(upload: Upload) -> Response:
    headers = {
        "upload-offset": str(upload.offset),
        "upload-length": str(upload.order.length),
        **_expiry(upload),
    }
    if upload.order.metadata:
        headers["upload-metadata"] = upload.order.metadata
    return Response(status_code=200, headers=headers)


def _expiry(upload: Upload) -> dict[str, str]:
    if upload.expires_at is None:
        return {}
    return {"upload-expires": format_datetime(upload.expires_at.astimezone(UTC), usegmt=True)}


def _number(request: Request, name: str, usual: int | None = None) -> int:
    told = request.headers.get(name)
    if told is None and usual is not None:
        return usual
    if told is None or not _NUMBER.fullmatch(told):
        raise UploadMalformed(f"{name} is {told or 'missing'}, not a number of bytes")
    return int(told)


def _checksum(request: Request) -> Checksum | None:
    told = request.headers.get("upload-checksum")
    if told is None:
        return None
    algorithm, _, value = told.partition(" ")
    if algorithm not in ALGORITHMS:
        raise UploadMalformed(f"checksums of kind {algorithm!r} are not known")
    try:
        return Checksum(algorithm, base64.b64decode(value, validate=True))
    except binascii.Error as error:
        raise UploadMalformed("Upload-Checksum is not Base64") from error


async def _body(request: Request) -> AsyncIterator[bytes]:
    """The bytes of a request; a ``ConnectionError`` where they end too early."""
    announced, came = _number(request, "content-length", -1), 0
    try:
        async for piece in request.stream():
            came += len(piece)
            if piece:
                yield piece
    except ClientDisconnect as error:
        raise ConnectionError from error
    if announced >= 0 and came < announced:
        raise ConnectionError


def _problem(error: MatineeError) -> Response:
    status = status_of(type(error))
    response = problem(status, error.code, error.message, error.hint)
    if status == 412:
        response.headers["tus-version"] = VERSION
    return response
