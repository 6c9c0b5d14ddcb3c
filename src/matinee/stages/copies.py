"""Copies: files that somebody else encoded, measured against the film they were made from.

- Frame i of a copy is compared with frame i of the film, and that it shows it is proved.
- A copy is measured in pieces, each a derivation. Each piece has a frame more at either end, whose
  scores are left out: VMAF looks at the frames around, and so the scores are those of the whole.
"""

import asyncio
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from matinee.assets.asset import Asset
from matinee.assets.derivation import Derivation, Step
from matinee.core.errors import CopyShifted, CopyUnlike
from matinee.core.progress import Stage
from matinee.core.time import FrameSpan, as_text
from matinee.media.alignment import Place, find_piece, lively
from matinee.media.clips import ClipPlan, plan_clip
from matinee.media.comparison import Encode
from matinee.media.estimate import score_cost
from matinee.media.signature import Signature, compare
from matinee.media.source import SourceInfo, display_size, picture_parameters
from matinee.media.timeline import Timeline
from matinee.ports.tools import Clip, Measured
from matinee.stages.bench import Bench, Made
from matinee.stages.checks import describe
from matinee.stages.chunks import Film
from matinee.stages.counting import Counter
from matinee.stages.encode import Studio
from matinee.stages.inspect import inspect
from matinee.stages.passing import each_clip, one_clip

PIECES = 3
"""How many places of a copy are looked at before it is measured."""

ASPECT = 0.02
"""How far a copy's shape may be from the film's: sizes are rounded to even numbers."""


@dataclass(frozen=True, slots=True)
class Copy:
    """A file as it was found to be a copy of the film."""

    name: str
    path: Path
    info: SourceInfo
    timeline: Timeline

    @property
    def sizes(self) -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
        """The coded bytes of every frame, in order of showing."""
        return self.timeline.packets["size"][self.timeline.decode_order].astype(np.int64)


async def look_at_copy(
    bench: Bench, studio: Studio, name: str, path: Path, source: Asset, film: Film,
    reference: Signature,
) -> Copy:  # fmt: skip
    """Read a file, and prove in a few places that it is a copy of the film, frame by frame.

    Raises:
        CopyUnlike: it is not: another film, frame rate, shape or count of frames.
        CopyShifted: its frames are not at their numbers; names by how many.
    """
    info, timeline = await inspect(bench, studio.indexer, path, source)
    if info.needs_still or info.clock_jumps:
        what = "has no moving picture" if info.needs_still else "has a clock that jumps"
        raise CopyUnlike(f"{name} {what}", "give an encode of the whole film")
    copy = Copy(name, path, info, timeline)
    check_alike(copy, film)
    places = await _places(bench, studio, copy, film, reference)
    check_places(copy, film, places)
    return copy


def check_alike(copy: Copy, film: Film) -> None:
    """Whether the copy can be paired with the film at all.

    Raises:
        CopyUnlike: names what differs.
    """
    own, rate = copy.timeline, film.plan.rate
    if own.rate != rate:
        raise CopyUnlike(
            f"{copy.name} has {float(own.rate):.3f} frames a second, the film is shown at "
            f"{float(rate):.3f}",
            "encode the copy at the film's frame rate",
        )
    if own.fields != "progressive" or own.slots is not None:
        raise CopyUnlike(
            f"the frames of {copy.name} do not come evenly", "encode it at a constant frame rate"
        )
    (width, height), (wide, high) = display_size(copy.info.picture), display_size(film.picture)
    if abs(width * high / (height * wide) - 1) > ASPECT:
        raise CopyUnlike(
            f"{copy.name} shows {width}x{height}, another shape than the film's {wide}x{high}",
            "crop and pad neither, or both alike",
        )


async def _places(
    bench: Bench, studio: Studio, copy: Copy, film: Film, reference: Signature
) -> list[Place]:
    """Where a few lively pieces of the copy belong in the film."""
    count = min(copy.timeline.frames, film.plan.frames)
    bounds = [round(n * count / PIECES) for n in range(PIECES + 1)]
    spans = [FrameSpan(a, b) for a, b in pairwise(bounds) if a < b]
    folder = bench.scratch / f"look-{copy.info.track(copy.info.video).packets[:16]}"
    folder.mkdir(exist_ok=True)
    places = []
    for span in lively(reference, spans):
        plan = plan_clip(copy.timeline, span, copy.info.picture.configuration)
        clip = await one_clip(studio.indexer, copy.path, copy.info, copy.timeline, plan, folder)
        async with bench.slots:
            signature, _ = await studio.meter.sign(clip, copy.info.picture, film.plan.rate, folder)
        clip.path.unlink()
        places.append(await asyncio.to_thread(find_piece, reference, signature, span.start))
    return places


def check_places(copy: Copy, film: Film, places: Sequence[Place]) -> None:
    """Whether the pieces of the copy lie where they belong, and none of it is missing.

    Raises:
        CopyUnlike: it shows something else, or has another count of frames.
        CopyShifted: it is shifted, or lacks frames or has too many in between.
    """
    frames, expected = copy.timeline.frames, film.plan.frames
    counts = f"{copy.name} has {frames} frames, the film {expected}"
    shifts = [place.shift for place in places]
    if None in shifts:
        lost = places[shifts.index(None)].expected
        raise CopyUnlike(
            f"frame {lost} of {copy.name} shows nothing of the film nearby", "is it of this film?"
        )
    if any(shifts):
        first = next(place for place in places if place.shift)
        told = f"frame {first.expected} of {copy.name} shows the film's frame {first.found}"
        how = (
            f"all of it is shifted by {shifts[0]:+d}"
            if len(set(shifts)) == 1
            else f"it is shifted by {', '.join(f'{s:+d}' for s in shifts)} from place to place"
        )
        raise CopyShifted(f"{told}: {how} ({counts})" if frames != expected else f"{told}: {how}")
    if frames != expected:
        where = "at the end" if frames < expected else "after the film's end"
        raise CopyUnlike(
            f"{counts}: what differs is {where}", "scores pair frames by number: encode them all"
        )


async def measure_copy(
    bench: Bench, studio: Studio, source: Path, film: Film, copy: Copy, reference: Signature,
    line: str,
) -> Encode:  # fmt: skip
    """Bytes and scores of the copy's frames in the film's clips. ``line`` is told of progress.

    Raises:
        CopyShifted: somewhere it shows other frames than those of their numbers.
    """
    spans = [clip.frames for clip in film.clips]
    frames = sum(len(span) for span in spans)
    bench.progress.started(Stage(line, frames, score_cost(*display_size(film.picture))))
    pairs = [_paired(film, copy, span) for span in spans]
    steps = [_score_step(bench, film, copy, *pair) for pair in pairs]
    found = bench.find_each(steps)
    scored: dict[int, Derivation] = {}
    for span, derivation in zip(spans, found, strict=True):
        if derivation is not None and await bench.holds(derivation):
            scored[span.start] = derivation
            bench.reused("score", derivation)
            bench.progress.advanced(line, len(span), reused=True)
    work = _Measuring(bench, studio, film, copy, reference, line, scored)
    missing = [
        (span, *pair) for span, pair in zip(spans, pairs, strict=True) if span.start not in scored
    ]
    await work.run(source, missing)
    bench.progress.finished(line)
    parts = [
        _within(np.frombuffer(await bench.read(scored[s.start].outputs["scores"]), "<f4"), s)
        for s in spans
    ]
    picture = copy.info.picture
    return Encode(
        name=copy.name,
        width=picture.width,
        height=picture.height,
        crf=None,
        is_own=True,
        sizes=np.concatenate([copy.sizes[span.start : span.end] for span in spans]),
        scores=np.concatenate(parts).astype(np.float64),
    )


def _widened(span: FrameSpan, frames: int) -> FrameSpan:
    return FrameSpan(max(0, span.start - 1), min(frames, span.end + 1))


def _within(
    scores: "np.ndarray[tuple[int], np.dtype[np.float32]]", span: FrameSpan
) -> "np.ndarray[tuple[int], np.dtype[np.float32]]":
    """The span's own scores out of those of the widened one."""
    lead = min(1, span.start)
    return scores[lead : lead + len(span)]


def _paired(film: Film, copy: Copy, span: FrameSpan) -> tuple[ClipPlan, ClipPlan]:
    """The clips of film and copy for a span and a frame more at either end."""
    wide = _widened(span, film.plan.frames)
    return (
        plan_clip(film.timeline, wide, film.picture.configuration),
        plan_clip(copy.timeline, wide, copy.info.picture.configuration),
    )


def _score_step(bench: Bench, film: Film, copy: Copy, own: ClipPlan, copied: ClipPlan) -> Step:
    """VMAF of a copy's frames at the film's own size."""
    return Step(
        "score_copy", 1,
        {"copy": copied.digest, "clip": own.digest},
        {
            "metric": "vmaf",
            "size": list(display_size(film.picture)),
            "rate": as_text(film.plan.rate),
            "picture": picture_parameters(film.picture),
            "copied": picture_parameters(copy.info.picture),
        },
        bench.tool_ids("ffmpeg"),
    )  # fmt: skip


Missing = tuple[FrameSpan, ClipPlan, ClipPlan]


@dataclass(frozen=True, slots=True)
class _Measuring:
    """Scores the pieces of a copy that the ledger lacks."""

    bench: Bench
    studio: Studio
    film: Film
    copy: Copy
    reference: Signature
    line: str
    scored: dict[int, Derivation]

    async def run(self, source: Path, missing: Sequence[Missing]) -> None:
        if not missing:
            return
        folder = self.bench.scratch / f"copy-{self.copy.info.track(self.copy.info.video).packets}"
        folder.mkdir(exist_ok=True)
        by_start = {own.frames.start: (span, copied) for span, own, copied in missing}

        async def work(clip: Clip) -> None:
            await self._piece(clip, *by_start[clip.plan.frames.start], folder)

        await each_clip(
            self.bench, self.studio.indexer, source, self.film.info, self.film.timeline,
            [own for _, own, _ in missing], folder, work,
        )  # fmt: skip

    async def _piece(self, clip: Clip, span: FrameSpan, copied: ClipPlan, folder: Path) -> None:
        own = folder / f"{span.start:07d}"
        own.mkdir(exist_ok=True)
        bench, film, copy = self.bench, self.film, self.copy
        counter = Counter(bench.progress, self.line)

        async def measure() -> tuple[dict[str, Made], float]:
            piece = await one_clip(
                self.studio.indexer, copy.path, copy.info, copy.timeline, copied, own
            )
            measured, spent = await self.studio.meter.measure_copy(
                clip, film.picture, piece, copy.info.picture, film.plan.rate, own,
                lambda done: counter.reached(min(done, len(span))),
            )  # fmt: skip
            scores = checked_scores(copy.name, self.reference, measured, clip.plan.frames)
            return {"scores": Made(scores, "application/x-matinee-scores")}, spent.cpu_s

        step = _score_step(bench, film, copy, clip.plan, copied)
        try:
            self.scored[span.start] = await bench.derive("score", step, measure)
            counter.reached(len(span))
        finally:
            clip.path.unlink(missing_ok=True)
            shutil.rmtree(own, ignore_errors=True)


def checked_scores(name: str, reference: Signature, measured: Measured, span: FrameSpan) -> bytes:
    """The scores as bytes, after proof that both sides were the frames they should be.

    Raises:
        CopyUnlike: unequal counts of frames. CopyShifted: one side shows other frames.
    """
    source = reference[span.start : span.end]
    assert measured.scores is not None and measured.reference is not None  # noqa: PT018
    counts = {len(source), len(measured.signature), len(measured.reference), len(measured.scores)}
    place = f"{name}, frames {span.start} to {span.end}"
    if len(counts) != 1:
        raise CopyUnlike(f"{place}: unequal counts of frames: {sorted(counts)}")
    wrong = compare(source, measured.reference, span.start)
    wrong = wrong or compare(source, measured.signature, span.start)
    if wrong:
        raise CopyShifted(f"{place}: {describe(wrong)}")
    return np.asarray(measured.scores, dtype="<f4").tobytes()


def clip_of_one(timeline: Timeline, info: SourceInfo, frame: int) -> ClipPlan:
    """The clip that shows one frame."""
    return plan_clip(timeline, FrameSpan(frame, frame + 1), info.picture.configuration)
