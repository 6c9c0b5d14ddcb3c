"""The origin: manifests, segments, subtitles and thumbnails of published titles, nothing else.

Names are checked before anything is touched: plain words, known suffixes, no hidden files.
"""

import asyncio
import os
import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.types import Receive, Scope, Send

from matinee.apps.web.origin_files import MAY_CHANGE, FileChanged, Files, Opened
from matinee.apps.web.ranges import ByteSpan, RangeUnsatisfiable, entity_tag_matches, wanted_span
from matinee.core.errors import NotFound
from matinee.media import media_types

MEDIA_TYPES = media_types.MEDIA_TYPES | {".json": "application/json"}
STATIC_TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
}
IMMUTABLE = "public, max-age=31536000, immutable"
REVALIDATE = "no-cache"

_ANY_ORIGIN = {
    "access-control-allow-origin": "*",
    "access-control-expose-headers": "Content-Length, Content-Range, ETag",
}
_PREFLIGHT = {
    **_ANY_ORIGIN,
    "access-control-allow-methods": "GET, HEAD, OPTIONS",
    "access-control-allow-headers": "Range, If-None-Match, If-Range, If-Modified-Since",
    "access-control-max-age": "86400",
    "content-length": "0",
}
_GUARDS = {"x-content-type-options": "nosniff", "cross-origin-resource-policy": "cross-origin"}
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._~@+-]{0,254}")
_TRIES = 3


@dataclass(frozen=True, slots=True)
class _Answer:
    """Status, headers, and the body's pieces where there are any."""

    status: int
    headers: Mapping[str, str]
    body: AsyncIterator[bytes] | None = None


class MediaFiles:
    """ASGI application that serves files, read-only, to any origin.

    Single byte ranges, conditional requests, ``HEAD`` and CORS preflight are answered; entry
    manifests (``<title>/main.m3u8`` and ``main.mpd``) and previews must be asked for again each
    time, all else never changes.
    """

    def __init__(
        self,
        files: Files,
        types: Mapping[str, str],
        *,
        any_origin: bool,
        all_revalidated: bool = False,
    ) -> None:
        self._files = files
        self._types = types
        self._guards = (
            _GUARDS | _ANY_ORIGIN if any_origin else {"x-content-type-options": "nosniff"}
        )
        self._preflight = (
            _PREFLIGHT if any_origin else {"allow": "GET, HEAD", "content-length": "0"}
        )
        self._all_revalidated = all_revalidated

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; the path below the mount names the file."""
        method = scope["method"]
        if method == "OPTIONS":
            await _start(send, 204, self._preflight)
            await _finish(send)
            return
        if method not in ("GET", "HEAD"):
            await _start(send, 405, {"allow": "GET, HEAD, OPTIONS", "content-length": "0"})
            await _finish(send)
            return
        relative = scope["path"][len(scope.get("root_path", "")) :].lstrip("/")
        media_type = self._type_of(relative)
        for _ in range(_TRIES):
            found = await self._files.open(relative)
            try:
                answer = await self._answer(relative, media_type, found, scope)
                await _send(send, receive, answer)
            except FileChanged:
                continue
            finally:
                found.close()
            return
        raise NotFound(f"no file {relative!r}")

    def _type_of(self, relative: str) -> str:
        names = relative.split("/")
        media_type = self._types.get(os.path.splitext(names[-1])[1])  # noqa: PTH122 - a URL
        if media_type is None or not all(_NAME.fullmatch(name) for name in names):
            raise NotFound(f"no file {relative!r}")
        return media_type

    async def _answer(self, relative: str, media_type: str, found: Opened, scope: Scope) -> _Answer:
        asked = Headers(scope=scope)
        changes = self._all_revalidated or MAY_CHANGE.fullmatch(relative)
        headers = self._guards | {
            "etag": found.tag,
            "cache-control": REVALIDATE if changes else IMMUTABLE,
            "accept-ranges": "bytes",
        }
        if entity_tag_matches(asked.get("if-none-match"), found.tag):
            return _Answer(304, headers)
        try:
            span = wanted_span(asked.get("range"), asked.get("if-range"), found.tag, found.size)
        except RangeUnsatisfiable:
            headers |= {"content-range": f"bytes */{found.size}", "content-length": "0"}
            return _Answer(416, headers)
        headers |= {"content-type": media_type}
        if span is None:
            status, span = 200, ByteSpan(0, found.size)
        else:
            status = 206
            headers["content-range"] = f"bytes {span.start}-{span.end - 1}/{found.size}"
        headers["content-length"] = str(len(span))
        wants_body = scope["method"] == "GET" and len(span) > 0
        return _Answer(status, headers, await found.pieces(span) if wants_body else None)


async def _send(send: Send, receive: Receive, answer: _Answer) -> None:
    await _start(send, answer.status, answer.headers)
    if answer.body is None:
        await _finish(send)
        return
    left, listening = int(answer.headers["content-length"]), None
    try:
        async for piece in answer.body:
            left -= len(piece)
            await send({"type": "http.response.body", "body": piece, "more_body": left > 0})
            if left > 0:
                listening = listening or asyncio.create_task(_until_gone(receive))
                if listening.done():
                    return  # what nobody hears need not be read
    finally:
        if listening is not None:
            listening.cancel()


async def _until_gone(receive: Receive) -> None:
    """Return when the other side has hung up."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def _start(send: Send, status: int, headers: Mapping[str, str]) -> None:
    raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": raw})


async def _finish(send: Send) -> None:
    await send({"type": "http.response.body", "body": b"", "more_body": False})
