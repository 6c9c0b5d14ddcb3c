"""``/v1/events``: what happened, and what led to what."""

from typing import Annotated, Any

from anyio import to_thread
from fastapi import APIRouter, Query, Request
from starlette.responses import JSONResponse, Response

from matinee.apps.web.v1.common import FRESH, Ports, paged, place_of, refusals
from matinee.apps.web.v1.deliveries import delivery_summary
from matinee.apps.web.v1.shapes import Chain, EventShown, EventTypeShown, GivenTime
from matinee.core.errors import NotFound, UsageError
from matinee.core.events import TYPES
from matinee.ports.events import Entry, Search

router = APIRouter(prefix="/v1/events", tags=["events"])

MOST_EFFECTS = 500
_MOST_CAUSES = 200
_Text = Annotated[str | None, Query(max_length=1000)]


async def event_shown(service: Ports, entry: Entry) -> dict[str, Any]:
    """An event with its place in the log."""
    event = await service.read_event(entry)
    return {**event.as_json(), "place": entry.place}


@router.get("", response_model=list[EventShown], responses=refusals(UsageError))
async def get_events(
    request: Request,
    service: Ports,
    type: _Text = None,  # noqa: A002  # the field's own name
    subject: _Text = None,
    cause: _Text = None,
    since: GivenTime | None = None,
    until: GivenTime | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[str | None, Query(max_length=1000)] = None,
) -> Response:
    """Events that meet all conditions, newest first."""
    place = place_of(cursor, [int])
    which = Search(type, subject, cause, since, until, place[0] if place else None)
    entries = await to_thread.run_sync(service.log.search, which, limit + 1)
    following = [entries[limit - 1].place] if len(entries) > limit else None
    shown = [await event_shown(service, entry) for entry in entries[:limit]]
    return paged(request, shown, following)


@router.get("/types", response_model=list[EventTypeShown], responses=refusals())
def get_event_types() -> Response:
    """Every type of event, what it means and its fields."""
    return JSONResponse(
        [
            {
                "name": kind.name,
                "meaning": kind.meaning,
                "fields": {name: list(field) for name, field in kind.fields.items()},
            }
            for kind in TYPES.values()
        ],
        headers=FRESH,
    )


@router.get("/{event:path}/chain", response_model=Chain, responses=refusals(NotFound))
async def get_chain(service: Ports, event: str) -> Response:
    """The causes of an event up to the first, and all that came of that, as a tree."""
    path = await to_thread.run_sync(_causes, service, event)
    tree = _Tree(service, [entry.id for entry in path])
    root = await tree.node(path[-1])
    return JSONResponse({"root": root, "cut": tree.cut}, headers=FRESH)


@router.get("/{event:path}", response_model=EventShown, responses=refusals(NotFound))
async def get_event(service: Ports, event: str) -> Response:
    """One event."""
    entry = await to_thread.run_sync(service.log.get, event)
    return JSONResponse(await event_shown(service, entry), headers=FRESH)


def _causes(service: Ports, event: str) -> list[Entry]:
    """An event and its causes, as far as the log has them; the first cause last."""
    path = [service.log.get(event)]
    seen = {path[0].id}
    while (cause := path[-1].cause) and cause not in seen and len(path) < _MOST_CAUSES:
        try:
            path.append(service.log.get(cause))
        except NotFound:
            break
        seen.add(cause)
    return path


class _Tree:
    """Events below the first cause, at most so many.

    Those on the way to the one that was asked for are always there.
    """

    def __init__(self, service: Ports, way: list[str]) -> None:
        self._service, self._way = service, set(way)
        self._left = MOST_EFFECTS
        self._seen: set[str] = set()
        self.cut = False

    async def node(self, entry: Entry) -> dict[str, Any]:
        """An event, its deliveries and its effects."""
        self._seen.add(entry.id)

        def look() -> tuple[Any, Any]:
            deliveries = self._service.deliveries.of_event(entry.id)
            return deliveries, self._service.log.search(Search(cause=entry.id), self._left + 1)

        deliveries, effects = await to_thread.run_sync(look)
        nodes = []
        for effect in reversed(effects):
            if effect.id in self._seen:
                continue
            if effect.id not in self._way:
                if self._left == 0:
                    self.cut = True
                    continue
                self._left -= 1
            nodes.append(await self.node(effect))
        return {
            "event": await event_shown(self._service, entry),
            "deliveries": [delivery_summary(delivery) for delivery in deliveries],
            "effects": nodes,
        }
