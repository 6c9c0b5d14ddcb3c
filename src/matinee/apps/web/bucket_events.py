"""``POST /bucket-events``: what stores tell of their objects."""

import json
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from matinee.apps.web.errors import problem, status_of
from matinee.apps.web.tus import May
from matinee.core.bucket_documents import BucketDocumentInvalid, Notice, read_document
from matinee.core.errors import MatineeError

ROOT = "/bucket-events"
LARGEST = 1024 * 1024
"""Bytes of a document; stores send 256 KiB at most."""


class BucketEvents:
    """The endpoint.

    Args:
        hear: Looks notices up; gives how many concerned films of ours.
        note: Takes what a person has to do.
        may: Who asks.
    """

    def __init__(
        self,
        hear: Callable[[Sequence[Notice]], Awaitable[int]],
        note: Callable[[str], None],
        may: May,
    ) -> None:
        self._hear, self._note, self._may = hear, note, may

    def routes(self) -> list[Route]:
        """The route, to be put into an application."""
        return [Route(ROOT, self.answer, methods=["POST"])]

    async def answer(self, request: Request) -> Response:
        """Answer when all that a document tells of was looked up, and is in the log."""
        try:
            await self._may(request, "upload")
            heard = read_document(await _document(request))
            if heard.request:
                self._note(f"a notification service asks you to {heard.request}")
            return JSONResponse({"heard": await self._hear(heard.notices)})
        except MatineeError as error:
            return problem(status_of(type(error)), error.code, error.message, error.hint)


async def _document(request: Request) -> Any:
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > LARGEST:
            raise BucketDocumentInvalid(f"a document has {LARGEST // 1024} KiB at most")
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BucketDocumentInvalid("a document is JSON in UTF-8") from error
