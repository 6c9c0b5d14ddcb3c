"""The steps of every (chunk, rung), and what the ledger has of them already."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from matinee.assets.asset import Asset
from matinee.assets.derivation import Step
from matinee.core.ids import Digest
from matinee.core.time import as_text
from matinee.media.ladder import Rung, display_size
from matinee.media.plan import SegmentPlan
from matinee.media.source import Picture, SourceInfo
from matinee.media.timeline import ClipPlan, Timeline, clip_plans
from matinee.stages.bench import Bench


@dataclass(frozen=True, slots=True)
class Film:
    """A film as the stages after split see it."""

    info: SourceInfo
    timeline: Timeline
    plan: SegmentPlan
    clips: tuple[ClipPlan, ...]
    rungs: tuple[Rung, ...]

    @property
    def picture(self) -> Picture:
        """The main video track's picture."""
        return self.info.picture

    def starts(self, clip: ClipPlan) -> tuple[int, ...]:
        """The first frames of the clip's segments, from the clip's first frame."""
        return tuple(self.plan.starts_in(clip.frames))


def film_of(info: SourceInfo, timeline: Timeline, plan: SegmentPlan, rungs: Sequence[Rung]) -> Film:
    """Plan the clips, one for each chunk."""
    clips = clip_plans(timeline, plan.chunks, info.picture.configuration)
    return Film(info, timeline, plan, tuple(clips), tuple(rungs))


def picture_parameters(picture: Picture) -> dict[str, Any]:
    """What the container says of the picture and the packets do not."""
    colour = picture.colour
    return {
        "rotation": picture.rotation,
        "sample_aspect": as_text(picture.sample_aspect),
        "colour": [colour.primaries, colour.transfer, colour.matrix, colour.full_range],
    }


def encode_step(bench: Bench, film: Film, clip: ClipPlan, rung: Rung) -> Step:
    """Packets and settings decide a chunk; where they lie and how many workers there are do not."""
    return Step(
        "encode_chunk", 1,
        {"clip": clip.digest},
        {
            **rung.as_parameters(),
            "starts": list(film.starts(clip)),
            "picture": picture_parameters(film.picture),
        },
        bench.tool_ids("ffmpeg"),
    )  # fmt: skip


def sign_step(bench: Bench, chunk: Digest) -> Step:
    """The signature of a chunk's decoded frames."""
    return Step("sign_chunk", 1, {"chunk": chunk}, {}, bench.tool_ids("ffmpeg"))


def score_step(bench: Bench, film: Film, clip: ClipPlan, chunk: Digest) -> Step:
    """VMAF of a chunk's frames at the film's own size."""
    return Step(
        "score_chunk", 1,
        {"chunk": chunk, "clip": clip.digest},
        {
            "metric": "vmaf",
            "size": list(display_size(film.picture)),
            "rate": as_text(film.plan.rate),
            "picture": picture_parameters(film.picture),
        },
        bench.tool_ids("ffmpeg"),
    )  # fmt: skip


@dataclass
class ChunkState:
    """What there is of one (chunk, rung). None: still to be made."""

    clip: ClipPlan
    rung: Rung
    chunk: Asset | None = None
    signature: Asset | None = None
    scores: Asset | None = None


async def look_up(
    bench: Bench, film: Film, *, signed: bool, scored: bool, with_bytes: bool
) -> list[list[ChunkState]]:
    """The state of every clip (outer) and rung (inner).

    With ``with_bytes``, a chunk whose bytes are gone counts as not made.
    """
    table = [[ChunkState(clip, rung) for rung in film.rungs] for clip in film.clips]
    for column, rung in enumerate(film.rungs):
        steps = [encode_step(bench, film, clip, rung) for clip in film.clips]
        for row, derivation in enumerate(bench.find_all(steps)):
            if derivation is None:
                continue
            chunk = derivation.outputs["chunk"]
            if with_bytes and await bench.place(chunk) is None:
                continue
            bench.reused("encode", derivation)
            state = table[row][column]
            state.chunk = chunk
            if signed:
                step = sign_step(bench, chunk.digest)
                state.signature = _known(bench, "prove", step, "signature")
            if scored:
                step = score_step(bench, film, state.clip, chunk.digest)
                state.scores = _known(bench, "score", step, "scores")
    return table


def _known(bench: Bench, stage: str, step: Step, role: str) -> Asset | None:
    derivation = bench.find(step)
    if derivation is None:
        return None
    bench.reused(stage, derivation)
    return derivation.outputs[role]
