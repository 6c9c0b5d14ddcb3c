"""Deadlines: the presets by which a film is published in time."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from matinee.media.deadline import hurried, presets_in_time
from matinee.media.source import SourceInfo, display_size
from matinee.media.timeline import Timeline
from matinee.media.tracks import TrackPlan
from matinee.stages.bench import Bench


@dataclass(frozen=True, slots=True)
class Deadline:
    """How long a publish may take, and what it has: so many tools at once.

    ``scored``: what ships is measured. ``on_late`` hears the seconds that it is likely to take
    where no preset is fast enough.
    """

    budget_s: float
    workers: int
    scored: bool
    on_late: Callable[[float], None]


def in_time(
    bench: Bench, deadline: Deadline, info: SourceInfo, timeline: Timeline, tracks: TrackPlan
) -> TrackPlan:
    """The tracks with the slowest presets by which the deadline is met, or the fastest."""
    found = presets_in_time(
        tracks.rungs, timeline.frames, display_size(info.picture), deadline.budget_s,
        deadline.workers, scored=deadline.scored,
    )  # fmt: skip
    if not found.is_soon_enough:
        deadline.on_late(found.expected_s)
    if found.steps == 0:
        return tracks
    rungs = tuple(hurried(rung, found.steps) for rung in tracks.rungs)
    changes = {(new.preset, old.preset) for new, old in zip(rungs, tracks.rungs, strict=True)}
    for new, old in sorted(changes):
        bench.progress.note(f"preset {new} instead of {old}: a deadline")
    return replace(tracks, rungs=rungs)
