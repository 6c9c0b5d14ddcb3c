"""``/v1/deliveries``: events on their way to functions, and what people do about dead ones."""

from typing import Annotated, Any, Literal

from anyio import to_thread
from fastapi import APIRouter, Path, Query, Request
from starlette.responses import JSONResponse, Response

from matinee.apps.web.errors import Conflict
from matinee.apps.web.once import OnceRoute
from matinee.apps.web.v1.common import (
    FRESH,
    Operator,
    Ports,
    act,
    acted,
    paged,
    place_of,
    refusals,
)
from matinee.apps.web.v1.shapes import DeliveryWhole
from matinee.core.errors import NotFound, UsageError
from matinee.ports.deliveries import Delivery

router = APIRouter(prefix="/v1/deliveries", tags=["deliveries"], route_class=OnceRoute)

Id = Annotated[int, Path(ge=1, lt=2**62)]
State = Literal["waiting", "running", "done", "dead", "skipped"]


def delivery_summary(delivery: Delivery) -> dict[str, Any]:
    """What became of an event."""
    return {
        "id": delivery.id,
        "rule": delivery.rule,
        "function": delivery.function,
        "state": delivery.state,
        "attempts": delivery.attempts,
        "reason": delivery.reason,
    }


def delivery_whole(delivery: Delivery) -> dict[str, Any]:
    """A delivery with its event."""
    return {
        **delivery_summary(delivery),
        "event": delivery.event.as_json(),
        "parameters": dict(delivery.parameters),
        "ordered": delivery.ordered,
        "due_at": delivery.due_at.isoformat(),
        "ended_at": delivery.ended_at and delivery.ended_at.isoformat(),
    }


@router.get("", response_model=list[DeliveryWhole], responses=refusals(UsageError))
def get_deliveries(
    request: Request,
    service: Ports,
    state: State | None = None,
    subject: Annotated[str | None, Query(max_length=1000)] = None,
    event: Annotated[str | None, Query(max_length=200)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[str | None, Query(max_length=1000)] = None,
) -> Response:
    """Deliveries, newest first; of one event, all of them."""
    if event is not None:
        found = [
            each
            for each in service.deliveries.of_event(event)
            if state in (None, each.state) and subject in (None, each.event.subject)
        ]
        return paged(request, [delivery_whole(each) for each in found], None)
    place = place_of(cursor, [int])
    before = place[0] if place else None
    page = service.deliveries.page(state, subject, before, limit + 1)
    following = [page[limit - 1].id] if len(page) > limit else None
    return paged(request, [delivery_whole(each) for each in page[:limit]], following)


@router.post(
    "/{delivery}/replay", response_model=DeliveryWhole, responses=refusals(NotFound, Conflict)
)
async def replay_delivery(service: Ports, person: Operator, delivery: Id) -> Response:
    """Let a dead delivery be tried again, from its first attempt."""
    facts = acted(person, "replay", f"delivery/{delivery}")
    await _is_dead(service, delivery)
    done = await act(service, lambda: service.deliveries.replay(delivery, facts))
    return JSONResponse(delivery_whole(done), headers=FRESH)


@router.post(
    "/{delivery}/skip", response_model=DeliveryWhole, responses=refusals(NotFound, Conflict)
)
async def skip_delivery(service: Ports, person: Operator, delivery: Id) -> Response:
    """Let a dead delivery go, so that its subject goes on."""
    facts = acted(person, "skip", f"delivery/{delivery}")
    await _is_dead(service, delivery)
    done = await act(service, lambda: service.deliveries.skip(delivery, facts))
    return JSONResponse(delivery_whole(done), headers=FRESH)


async def _is_dead(service: Ports, delivery: int) -> None:
    def look() -> Delivery | None:
        page = service.deliveries.page(None, None, delivery + 1, 1)
        return next((each for each in page if each.id == delivery), None)

    found = await to_thread.run_sync(look)
    if found is None:
        raise NotFound(f"no delivery {delivery}", "see them in GET /v1/deliveries")
    if found.state != "dead":
        raise Conflict(f"this delivery is not dead: {found.state}")
