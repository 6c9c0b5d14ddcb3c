"""The origin: manifests, segments, subtitles and thumbnails of published titles, nothing else.

Names are checked before the disk is touched: plain words, known suffixes, no hidden files. The real
path must then lie below the folder that is served, so a symbolic link leads nowhere.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISREG

from anyio import to_thread
from starlette.datastructures import Headers
from starlette.types import Receive, Scope, Send

from matinee.apps.web.ranges import ByteSpan, RangeUnsatisfiable, entity_tag_matches, wanted_span
from matinee.core.errors import NotFound

MEDIA_TYPES = {
    ".m3u8": "application/vnd.apple.mpegurl",
    ".mpd": "application/dash+xml",
    ".mp4": "video/mp4",
    ".m4s": "video/mp4",
    ".vtt": "text/vtt; charset=utf-8",
    ".jpg": "image/jpeg",
    ".json": "application/json",
}
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
_ENTRY_MANIFEST = re.compile(r"[^/]+/main\.(m3u8|mpd)")
_PIECE_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class _Found:
    """An open file: its descriptor, size, identity and, when it is small, the wanted bytes."""

    descriptor: int
    size: int
    tag: str


class MediaFiles:
    """ASGI application that serves the files below one folder, read-only, to any origin.

    Single byte ranges, conditional requests, ``HEAD`` and CORS preflight are answered; entry
    manifests (``<title>/main.m3u8`` and ``main.mpd``) must be asked for again each time, all else
    never changes.
    """

    def __init__(
        self,
        folder: Path,
        types: Mapping[str, str],
        *,
        any_origin: bool,
        all_revalidated: bool = False,
    ) -> None:
        self._folder = os.path.realpath(folder)
        self._types = types
        self._guards = (
            _GUARDS | _ANY_ORIGIN if any_origin else {"x-content-type-options": "nosniff"}
        )
        self._preflight = (
            _PREFLIGHT if any_origin else {"allow": "GET, HEAD", "content-length": "0"}
        )
        self._all_revalidated = all_revalidated

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
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
        found = await to_thread.run_sync(self._open, relative)
        try:
            await self._answer(relative, media_type, found, scope, send)
        finally:
            os.close(found.descriptor)

    def _type_of(self, relative: str) -> str:
        names = relative.split("/")
        media_type = self._types.get(os.path.splitext(names[-1])[1])  # noqa: PTH122 - a URL
        if media_type is None or not all(_NAME.fullmatch(name) for name in names):
            raise NotFound(f"no file {relative!r}")
        return media_type

    def _open(self, relative: str) -> _Found:
        path = os.path.realpath(os.path.join(self._folder, relative))  # noqa: PTH118 - hot path
        if not path.startswith(self._folder + os.sep):
            raise NotFound(f"no file {relative!r}")
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOFOLLOW)
        except OSError as error:
            raise NotFound(f"no file {relative!r}") from error
        status = os.fstat(descriptor)
        if not S_ISREG(status.st_mode):
            os.close(descriptor)
            raise NotFound(f"no file {relative!r}")
        tag = f'"{status.st_ino:x}-{status.st_size:x}-{status.st_mtime_ns:x}"'
        return _Found(descriptor, status.st_size, tag)

    async def _answer(
        self, relative: str, media_type: str, found: _Found, scope: Scope, send: Send
    ) -> None:
        asked = Headers(scope=scope)
        changes = self._all_revalidated or _ENTRY_MANIFEST.fullmatch(relative)
        headers = self._guards | {
            "etag": found.tag,
            "cache-control": REVALIDATE if changes else IMMUTABLE,
            "accept-ranges": "bytes",
        }
        if entity_tag_matches(asked.get("if-none-match"), found.tag):
            await _start(send, 304, headers)
            await _finish(send)
            return
        try:
            span = wanted_span(asked.get("range"), asked.get("if-range"), found.tag, found.size)
        except RangeUnsatisfiable:
            headers |= {"content-range": f"bytes */{found.size}", "content-length": "0"}
            await _start(send, 416, headers)
            await _finish(send)
            return
        headers |= {"content-type": media_type}
        if span is None:
            status, span = 200, ByteSpan(0, found.size)
        else:
            status = 206
            headers["content-range"] = f"bytes {span.start}-{span.end - 1}/{found.size}"
        headers["content-length"] = str(len(span))
        await _start(send, status, headers)
        await _send_span(
            send, found.descriptor, ByteSpan(0, 0) if scope["method"] == "HEAD" else span
        )


async def _send_span(send: Send, descriptor: int, span: ByteSpan) -> None:
    """Send the bytes of ``span``, read in a thread; a file that shrank ends the answer early."""
    at = span.start
    while at < span.end:
        piece = await to_thread.run_sync(os.pread, descriptor, min(_PIECE_BYTES, span.end - at), at)
        if not piece:
            raise OSError("the file became shorter while it was served")
        at += len(piece)
        await send({"type": "http.response.body", "body": piece, "more_body": at < span.end})
    if not len(span):
        await _finish(send)


async def _start(send: Send, status: int, headers: Mapping[str, str]) -> None:
    raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": raw})


async def _finish(send: Send) -> None:
    await send({"type": "http.response.body", "body": b"", "more_body": False})
