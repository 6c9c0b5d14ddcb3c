"""``/v1/runs``: what is being made, and what people do about it."""

from typing import Annotated, Literal

from anyio import to_thread
from fastapi import APIRouter, Path, Query, Request
from starlette.responses import JSONResponse, Response

from matinee.apps.web.cells import cell_json
from matinee.apps.web.errors import Changed, Conflict
from matinee.apps.web.once import OnceRoute
from matinee.apps.web.runs_json import run_shown, run_summary, run_whole
from matinee.apps.web.service import Service
from matinee.apps.web.v1.common import (
    FRESH,
    Operator,
    Ports,
    act,
    acted,
    check_unchanged,
    paged,
    place_of,
    refusals,
    tag_of,
    tagged,
)
from matinee.apps.web.v1.making_shapes import Cell
from matinee.apps.web.v1.shapes import Priority, Restart, RunSummary, RunWhole
from matinee.core.errors import NotFound, UsageError
from matinee.ports.runs import Run

router = APIRouter(prefix="/v1/runs", tags=["runs"], route_class=OnceRoute)

FROM = "redo"
"""The field of a run's request that names the first stage to be made anew."""

State = Literal["queued", "running", "cancelling", "done", "held", "refused", "failed", "cancelled"]


@router.get("", response_model=list[RunSummary], responses=refusals(UsageError, NotFound))
def get_runs(
    request: Request,
    service: Ports,
    state: Annotated[list[State] | None, Query(max_length=8)] = None,
    title: Annotated[str | None, Query(max_length=200)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[str | None, Query(max_length=1000)] = None,
) -> Response:
    """Runs, newest first."""
    place = place_of(cursor, [str])
    before = place[0] if place else None
    runs = service.runs.page(state or [], before, limit + 1, title)
    following = [runs[limit - 1].id] if len(runs) > limit else None
    return paged(request, [run_summary(run) for run in runs[:limit]], following)


@router.get("/{run}", response_model=RunWhole, responses=refusals(NotFound))
def get_run(request: Request, service: Ports, run: str) -> Response:
    """One run with its progress."""
    found = service.runs.get(run)
    return tagged(request, run_shown(service, found), tag_of(run_whole(found)))


@router.get("/{run}/cells/{rung}/{chunk}", response_model=Cell, responses=refusals(NotFound))
async def get_cell(
    service: Ports, run: str, rung: str, chunk: Annotated[int, Path(ge=0, le=10**6)]
) -> Response:
    """How one chunk of one rung was made, with its score and every try at it."""
    found = await to_thread.run_sync(service.runs.get, run)
    return JSONResponse(await cell_json(service, found, rung, chunk), headers=FRESH)


@router.patch("/{run}", response_model=RunWhole, responses=refusals(NotFound, Conflict, Changed))
async def change_run(
    request: Request, service: Ports, person: Operator, run: str, change: Priority
) -> Response:
    """Change how soon a run is worked on."""
    before = await to_thread.run_sync(service.runs.get, run)
    check_unchanged(request, tag_of(run_whole(before)))
    _is_open(before)
    facts = acted(person, f"set priority {change.priority}", f"run/{run}")
    return _answer(
        service, await act(service, lambda: service.runs.hurry(run, change.priority, facts))
    )


@router.post("/{run}/cancel", response_model=RunWhole, responses=refusals(NotFound, Conflict))
async def cancel_run(service: Ports, person: Operator, run: str) -> Response:
    """End a run; what is finished is kept."""
    _is_open(await to_thread.run_sync(service.runs.get, run))
    facts = acted(person, "cancel", f"run/{run}")
    return _answer(service, await act(service, lambda: service.runs.cancel(run, facts)))


@router.post("/{run}/retry", response_model=RunWhole, responses=refusals(NotFound, Conflict))
async def retry_run(service: Ports, person: Operator, run: str) -> Response:
    """Queue a run that is over again; what is finished is not made again."""
    return await _again(service, person, run, None)


@router.post("/{run}/restart", response_model=RunWhole, responses=refusals(NotFound, Conflict))
async def restart_run(service: Ports, person: Operator, run: str, restart: Restart) -> Response:
    """Queue a run that is over again; a stage and those after it are made anew."""
    return await _again(service, person, run, restart.stage)


async def _again(service: Ports, person: Operator, run: str, stage: str | None) -> Response:
    before = await to_thread.run_sync(service.runs.get, run)
    if not before.is_over:
        raise Conflict("this run is not over", "cancel it first")
    wanted = {key: value for key, value in before.wish.request.items() if key != FROM}
    if stage is not None:
        wanted[FROM] = stage
    facts = acted(person, f"restart from {stage}" if stage else "retry", f"run/{run}")
    return _answer(service, await act(service, lambda: service.runs.again(run, wanted, facts)))


def _is_open(run: Run) -> None:
    if run.is_over:
        raise Conflict(f"this run is over: {run.state}", "retry it, if it is to run again")


def _answer(service: Service, run: Run) -> Response:
    headers = {**FRESH, "etag": tag_of(run_whole(run))}
    return JSONResponse(run_shown(service, run), headers=headers)
