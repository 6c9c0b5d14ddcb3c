"""What the calls of ``/v1`` share: pages, entity tags, who acts."""

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from typing import Annotated, Any, TypeVar

from anyio import to_thread
from fastapi import Depends, Request
from starlette.responses import JSONResponse, Response

from matinee.apps.web.access import Person
from matinee.apps.web.credentials import person_acted
from matinee.apps.web.errors import Changed, status_of
from matinee.apps.web.guard import needs
from matinee.apps.web.ranges import entity_tag_matches
from matinee.apps.web.service import Service
from matinee.apps.web.v1.shapes import Problem
from matinee.core.errors import MatineeError, UsageError
from matinee.core.events import Fact
from matinee.core.ids import digest_of_value

FRESH = {"cache-control": "no-cache"}
_T = TypeVar("_T")


def service_of(request: Request) -> Service:
    """The ports behind the API."""
    service: Service = request.app.state.service
    return service


Ports = Annotated[Service, Depends(service_of)]
Operator = Annotated[Person, Depends(needs("operate"))]
Administrator = Annotated[Person, Depends(needs("admin"))]


def acted(person: Person, act: str, target: str) -> list[Fact]:
    """The facts of an act of a person."""
    return [person_acted(person.who, act, target)]


async def act(service: Service, work: Callable[[], _T]) -> _T:
    """Do something off the event loop, then wake whoever waits for its events."""
    done = await to_thread.run_sync(work)
    service.wake()
    return done


def cursor_of(place: Sequence[Any]) -> str:
    """A place in a list, spelled for an address."""
    return base64.urlsafe_b64encode(json.dumps(place).encode()).rstrip(b"=").decode()


def place_of(cursor: str | None, kinds: Sequence[type]) -> list[Any] | None:
    """The place that a cursor spells.

    Raises:
        UsageError: it is none of ours.
    """
    if cursor is None:
        return None
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        place = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (ValueError, binascii.Error, RecursionError):
        place = None
    if (
        not isinstance(place, list)
        or [type(part) for part in place] != list(kinds)
        or any(isinstance(part, int) and not -(2**63) <= part < 2**63 for part in place)
    ):
        raise UsageError("this cursor is none of this list", "begin the list again without it")
    return place


def paged(request: Request, documents: Sequence[Any], place: Sequence[Any] | None) -> JSONResponse:
    """One page of a list, and where the next begins; None for the last one."""
    headers = dict(FRESH)
    if place is not None:
        following = request.url.include_query_params(cursor=cursor_of(place))
        headers["link"] = f'<{following.path}?{following.query}>; rel="next"'
    return JSONResponse(list(documents), headers=headers)


def tag_of(state: Any) -> str:
    """The entity tag of a thing's state."""
    return f'"{digest_of_value(state)[:20]}"'


def tagged(request: Request, document: Any, tag: str) -> Response:
    """A document with its tag, or 304 when the caller has it."""
    headers = {**FRESH, "etag": tag}
    if entity_tag_matches(request.headers.get("if-none-match"), tag):
        return Response(status_code=304, headers=headers)
    return JSONResponse(document, headers=headers)


def check_unchanged(request: Request, tag: str) -> None:
    """Hold the caller to what it has read.

    Raises:
        Changed: ``If-Match`` names another state.
    """
    wanted = request.headers.get("if-match")
    if wanted is not None and not entity_tag_matches(wanted, tag):
        raise Changed("it was changed since you read it")


def refusals(*kinds: type[MatineeError]) -> dict[int | str, dict[str, Any]]:
    """The answers to errors, as OpenAPI has them."""
    statuses = {400, 401, 403, 413, 421, 500, 503, *map(status_of, kinds)}
    return {
        status: {"model": Problem, "description": "see the table of errors"}
        for status in sorted(statuses)
    }
