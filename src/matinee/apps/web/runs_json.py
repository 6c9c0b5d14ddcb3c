"""Runs as JSON; read by API and feed alike."""

from collections.abc import Mapping
from typing import Any

from matinee.apps.web.library import plain_place
from matinee.apps.web.service import Service
from matinee.apps.web.signed_media import signed_address
from matinee.media.preview import DASH, HLS
from matinee.ports.runs import Run


def run_summary(run: Run) -> dict[str, Any]:
    """A run as a list shows it."""
    return {
        "id": run.id,
        "flow": run.wish.flow,
        "film": run.wish.film,
        "title": run.title,
        "state": run.state,
        "priority": run.wish.priority,
        "deadline": run.wish.deadline and run.wish.deadline.isoformat(),
        "attempts": run.attempts,
        "cause": run.wish.cause,
        "error": run.error and dict(run.error),
        "result": run.result and dict(run.result),
        "queued_at": run.queued_at.isoformat(),
        "started_at": run.started_at and run.started_at.isoformat(),
        "ended_at": run.ended_at and run.ended_at.isoformat(),
        "fps": run.progress.get("fps"),
        "left_s": run.progress.get("left_s"),
        "share": share_of(run.progress),
    }


def run_whole(run: Run) -> dict[str, Any]:
    """A run with all that its worker told."""
    return {
        **run_summary(run),
        "request": dict(run.wish.request),
        "progress": {"stages": [], "grid": None, "note": None, **run.progress},
    }


def run_shown(service: Service, run: Run) -> dict[str, Any]:
    """The same, and where its preview plays while the run goes on."""
    document = run_whole(run)
    has_preview = run.progress.get("preview") and run.title and not run.is_over
    place = place_of_media(service, run.title) if has_preview and run.title else None
    preview = place and {"hls": f"{place}{HLS}", "dash": f"{place}{DASH}"}
    return {**document, "preview": preview}


def place_of_media(service: Service, title: str) -> str:
    """Where a title's media lie that are not on screen, for one who may read."""
    if service.access.reading_is_open:
        return plain_place(title)
    return signed_address(service.key, title, None, service.now().timestamp())


def share_of(progress: Mapping[str, Any]) -> float | None:
    """How much of the frames that are counted is done; None while nothing is counted."""
    counted = [stage for stage in progress.get("stages", ()) if stage.get("total")]
    total = sum(stage["total"] for stage in counted)
    done = sum(min(stage["done"], stage["total"]) for stage in counted)
    return round(done / total, 4) if total else None
