"""``/v1/lineage``, ``/v1/scrubs``, ``/v1/findings``: where things come from, if they are right."""

import secrets
from typing import Annotated, Any, Literal

from anyio import to_thread
from fastapi import APIRouter, Query, Request
from starlette.responses import JSONResponse, Response

from matinee.apps.web.once import OnceRoute
from matinee.apps.web.runs_json import run_summary
from matinee.apps.web.v1.common import FRESH, Operator, Ports, act, acted, paged, place_of, refusals
from matinee.apps.web.v1.shapes import RunSummary
from matinee.apps.web.v1.upkeep_shapes import FindingShown, LineageShown, ScrubShown
from matinee.core.errors import NotFound, UsageError
from matinee.flows.findings_json import finding_json
from matinee.flows.lineage import find_thing
from matinee.flows.lineage_told import lineage_json
from matinee.flows.upkeep_runs import LIBRARY
from matinee.ports.runs import Wish
from matinee.ports.upkeep import Scrub

router = APIRouter(prefix="/v1", tags=["upkeep"], route_class=OnceRoute)

SHOWN = 2_000
"""Assets of a lineage that one answer has at most."""


@router.get("/lineage", response_model=LineageShown, responses=refusals(NotFound))
async def get_lineage(
    service: Ports, thing: Annotated[str, Query(min_length=1, max_length=1000)]
) -> Response:
    """What a title, rendition, file or digest was made of, and what was made of it."""
    found = await find_thing(service.records, thing)
    document = await to_thread.run_sync(lineage_json, service.records, found, SHOWN)
    return JSONResponse(document, headers=FRESH)


@router.get("/scrubs", response_model=list[ScrubShown], responses=refusals())
def get_scrubs(service: Ports, limit: Annotated[int, Query(ge=1, le=100)] = 20) -> Response:
    """The last passes over all that is stored, newest first."""
    return JSONResponse([_scrub(one) for one in service.scrubs.newest(limit)], headers=FRESH)


@router.get("/findings", response_model=list[FindingShown], responses=refusals(UsageError))
def get_findings(
    request: Request,
    service: Ports,
    state: Annotated[list[Literal["open", "mended", "lost"]] | None, Query(max_length=3)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[str | None, Query(max_length=1000)] = None,
) -> Response:
    """Faults that were found, newest first."""
    place = place_of(cursor, [int])
    found = service.findings.page(state or [], place[0] if place else None, limit + 1)
    following = [found[limit - 1].id] if len(found) > limit else None
    return paged(request, [finding_json(one) for one in found[:limit]], following)


@router.post("/scrubs", response_model=RunSummary, status_code=202, responses=refusals())
async def begin_scrub(service: Ports, person: Operator) -> Response:
    """Queue a run that proves all that is stored."""
    return await _queued(service, person, "scrub")


@router.post("/repairs", response_model=RunSummary, status_code=202, responses=refusals())
async def begin_repair(service: Ports, person: Operator) -> Response:
    """Queue a run that mends all that was found."""
    return await _queued(service, person, "repair")


async def _queued(service: Ports, person: Operator, flow: str) -> Response:
    def work() -> Any:
        (event,) = service.log.append(acted(person, flow, LIBRARY))
        name = f"{flow}-{secrets.token_hex(16)}"
        return service.submit(Wish(name, flow, LIBRARY, {}, 10, None, event.id), None)

    run = await act(service, work)
    return JSONResponse(run_summary(run), status_code=202, headers=FRESH)


def _scrub(scrub: Scrub) -> dict[str, Any]:
    return {
        "scrub": scrub.id,
        "settings": dict(scrub.settings),
        "state": scrub.state,
        "phase": scrub.phase or None,
        "counts": dict(scrub.counts),
        "begun_at": scrub.begun_at.isoformat(),
        "told_at": scrub.told_at.isoformat(),
        "ended_at": scrub.ended_at.isoformat() if scrub.ended_at else None,
    }
