"""``/v1/numbers``, ``/v1/stream`` and ``/metrics``: how busy the service is, and what happens."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Annotated

from fastapi import APIRouter, Query, Request
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from starlette.responses import JSONResponse, Response, StreamingResponse

from matinee.apps.web.access import Person
from matinee.apps.web.feed import Feed
from matinee.apps.web.guard import Persons
from matinee.apps.web.numbers import NAMES, Row
from matinee.apps.web.v1.common import FRESH, refusals
from matinee.apps.web.v1.shapes import NumbersShown
from matinee.core.errors import UsageError

router = APIRouter(tags=["numbers and stream"])

METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_MEANINGS = {
    "frames_per_second": "Frames that the running runs encode a second",
    "runs_running": "Runs that are worked on",
    "runs_queued": "Runs that wait for their turn",
    "run_age_s": "Seconds that the oldest queued run waits",
    "deliveries_waiting": "Deliveries that wait",
    "delivery_age_s": "Seconds since the oldest delivery fell due that could be claimed",
    "deliveries_dead": "Deliveries that failed for good",
    "events_per_second": "Events told a second",
    "cores_busy": "Cores of this machine that are at work",
    "disk_used_bytes": "Bytes used on the library's disk",
    "disk_free_bytes": "Bytes free on the library's disk",
    "memory_bytes": "Memory of the serving process",
}
assert _MEANINGS.keys() == set(NAMES)


@router.get("/v1/numbers", response_model=NumbersShown, responses=refusals())
async def get_numbers(request: Request) -> Response:
    """How busy the service is: now, in the last 10 minutes, in the last 24 hours."""
    return JSONResponse(_feed_of(request).numbers.as_json(), headers=FRESH)


@router.get("/v1/stream", response_class=StreamingResponse, responses=refusals(UsageError))
async def get_stream(
    request: Request,
    after: Annotated[int | None, Query(ge=0, lt=2**62)] = None,
    run: Annotated[str | None, Query(max_length=200)] = None,
) -> Response:
    """Server-sent events: what happens, as it happens."""
    last = request.headers.get("last-event-id", "")
    if last:
        if not last.isdecimal() or int(last) >= 2**62:
            raise UsageError("Last-Event-ID is a place in the log")
        after = int(last)
    persons: Persons = request.app.state.persons
    texts = _while_let_in(_feed_of(request), persons, request.state.person, after, run)
    headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
    return StreamingResponse(texts, media_type="text/event-stream", headers=headers)


@router.get("/metrics", include_in_schema=False)
async def get_metrics(request: Request) -> Response:
    """The numbers of now, for Prometheus."""
    registry = CollectorRegistry()
    registry.register(_Now(_feed_of(request).numbers.now))
    return Response(generate_latest(registry), media_type=METRICS_TYPE, headers=FRESH)


class _Now:
    """The newest numbers as gauges; those that are not known are left out."""

    def __init__(self, now: Row) -> None:
        self._now = now

    def collect(self) -> list[Metric]:
        """One gauge for each number."""
        names = {name: f"matinee_{name.removesuffix('_s')}" for name in NAMES}
        return [
            GaugeMetricFamily(
                names[name] + ("_seconds" if name.endswith("_s") else ""),
                _MEANINGS[name],
                value=value,
            )
            for name in NAMES
            if (value := self._now[name]) is not None
        ]


async def _while_let_in(
    feed: Feed, persons: Persons, person: Person, after: int | None, run: str | None
) -> AsyncIterator[str]:
    async with aclosing(feed.listen(after, run)) as texts:
        async for text in texts:
            yield text
            if not await persons.is_still_in(person):
                return


def _feed_of(request: Request) -> Feed:
    feed: Feed = request.app.state.feed
    return feed
