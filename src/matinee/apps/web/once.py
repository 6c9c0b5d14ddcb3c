"""Idempotency keys: a POST that is made twice acts once and is answered twice."""

import re
from collections.abc import Callable, Coroutine
from typing import Any

from anyio import to_thread
from fastapi import Request, Response
from fastapi.routing import APIRoute

from matinee.apps.web.errors import KeyBusy, KeyReused
from matinee.apps.web.service import Service
from matinee.core.errors import UsageError
from matinee.core.ids import digest_of, digest_of_value

HEADER = "idempotency-key"
REPLAYED = "idempotency-replayed"
_KEY = re.compile(r"[\x21-\x7e]{1,128}")

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class OnceRoute(APIRoute):
    """A route whose POSTs take an idempotency key. Only what had an effect is remembered."""

    def get_route_handler(self) -> Handler:
        """The handler, which looks for the key first."""
        handle = super().get_route_handler()

        async def once(request: Request) -> Response:
            key = request.headers.get(HEADER)
            if key is None or request.method != "POST":
                return await handle(request)
            if not _KEY.fullmatch(key):
                raise UsageError("an Idempotency-Key has 1 to 128 visible characters")
            return await _answered_once(handle, request, key)

        return once


async def _answered_once(handle: Handler, request: Request, key: str) -> Response:
    service: Service = request.app.state.service
    who = request.state.person.who
    asked = digest_of_value([request.url.path, request.url.query, digest_of(await request.body())])
    known = await to_thread.run_sync(service.replies.begin, who, key, asked)
    if known is not None:
        if known.request != asked:
            raise KeyReused(f"the key {key!r} had another request")
        if known.status is None:
            raise KeyBusy(f"the request of the key {key!r} is still being worked on")
        return Response(known.body, known.status, {REPLAYED: "true"}, media_type="application/json")
    try:
        response = await handle(request)
    except BaseException:
        await to_thread.run_sync(service.replies.drop, who, key)
        raise
    await to_thread.run_sync(
        service.replies.keep, who, key, response.status_code, bytes(response.body)
    )
    return response
