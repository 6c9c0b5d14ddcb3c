"""Runs as JSON; read by API and feed alike."""

from collections.abc import Mapping
from typing import Any

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


def share_of(progress: Mapping[str, Any]) -> float | None:
    """How much of the frames that are counted is done; None while nothing is counted."""
    counted = [stage for stage in progress.get("stages", ()) if stage.get("total")]
    total = sum(stage["total"] for stage in counted)
    done = sum(min(stage["done"], stage["total"]) for stage in counted)
    return round(done / total, 4) if total else None
