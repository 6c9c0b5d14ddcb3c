"""Compare: what two sides of encodes give and cost on one film.

A side is a ladder, encoded here at several CRFs, or files that somebody encoded. All work is steps
of the ledger: nothing is encoded or scored twice, and a comparison that was interrupted goes on.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from math import ceil
from pathlib import Path

from matinee.assets.asset import Asset
from matinee.core.errors import SourceUnsupported, UsageError
from matinee.core.folded import Folded
from matinee.media.budget import budgeted
from matinee.media.choice import uncapped
from matinee.media.codecs import CODECS
from matinee.media.comparison import Comparison, Encode, Part, compare_sides, parts_of
from matinee.media.estimate import encode_cost, score_cost
from matinee.media.ladder import Ladder, Rung, fit
from matinee.media.plan import SHORTEST, shots
from matinee.media.sample import spread
from matinee.media.signature import Signature
from matinee.media.source import display_size
from matinee.ports.tools import Scanner, Stills
from matinee.stages.bench import Bench
from matinee.stages.chunks import Film, film_of
from matinee.stages.copies import Copy, look_at_copy, measure_copy
from matinee.stages.encode import Studio
from matinee.stages.frames import Chunks, Drawable, draw_frames
from matinee.stages.given import check_is_file
from matinee.stages.ingest import at_hand, check_unchanged, name_film
from matinee.stages.inspect import inspect
from matinee.stages.points import measure_rungs
from matinee.stages.split import read_source_signature, split

STEPS = (-5.0, 0.0, 5.0, 10.0)
"""From a ladder's own CRF to those of its curve."""


@dataclass(frozen=True, slots=True)
class LadderSide:
    """A ladder, at its own CRF and at those of ``crfs``. ``capped``: with its rungs' bit rates."""

    name: str
    ladder: Ladder
    crfs: tuple[float, ...]
    capped: bool = True


@dataclass(frozen=True, slots=True)
class FilesSide:
    """Files that are encodes of the film, each one point of a curve."""

    name: str
    files: tuple[Path, ...]


Side = LadderSide | FilesSide


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be compared. ``seconds`` of the film at most; 0: all of it.

    ``looked_at`` is how many shots are drawn. ``seed`` decides which pieces of the film are taken,
    and the resamples.
    """

    film: Path
    a: Side
    b: Side
    seconds: Fraction
    seed: int
    looked_at: int


@dataclass(frozen=True, slots=True)
class Stand:
    """The ports that the flow works with; ``exclusive`` and ``stop`` as a house has them."""

    studio: Studio
    scanner: Scanner
    stills: Stills
    exclusive: Callable[[str], AbstractAsyncContextManager[None]]
    stop: Callable[[], None]


@dataclass(frozen=True, slots=True)
class Measured:
    """A side as measured: its encodes, and what a frame of each is drawn from."""

    name: str
    side: Side
    encodes: tuple[Encode, ...]
    drawables: tuple[Drawable, ...]

    def drawable(self, encode: Encode) -> Drawable:
        """What that encode's frames are drawn from."""
        return self.drawables[self.encodes.index(encode)]


@dataclass(frozen=True, slots=True)
class Sides:
    """Sides, measured on the same frames of a film: those of ``parts``, the shots, in order."""

    film: Film
    parts: tuple[Part, ...]
    sides: tuple[Measured, ...]


@dataclass(frozen=True, slots=True)
class Pictures:
    """One frame as WebP: of the film, of A and of B."""

    source: Asset
    a: Asset
    b: Asset


@dataclass(frozen=True, slots=True)
class Compared:
    """How a comparison ended. ``pictures`` are those of ``comparison.worst``, in order."""

    film: Film
    frames: int
    a: Measured
    b: Measured
    comparison: Comparison
    pictures: tuple[Pictures, ...]


async def compare(stand: Stand, bench: Bench, asked: Asked) -> Compared:
    """Measure both sides on the same frames, and compare.

    Raises:
        CopyUnlike: a file is no copy of the film, or cannot be paired with it frame by frame.
        SourceRefused: the film, or a file, cannot be read. ToolError: a tool failed.
    """
    async with _work_on(stand, bench, asked.film, asked.seconds, asked.seed) as work:
        a, b = await work.measure_all({"A": asked.a, "B": asked.b})
        comparison = await asyncio.to_thread(
            compare_sides, a.encodes, b.encodes, work.parts, asked.seed, asked.looked_at
        )
        pictures = await work.draw(comparison, a, b)
    return Compared(work.film, work.frames, a, b, comparison, tuple(pictures))


async def measure_sides(
    stand: Stand, bench: Bench, film: Path, sides: Sequence[Side], seconds: Fraction, seed: int
) -> Sides:
    """Measure any number of sides on the same frames; raises what ``compare`` does.

    ``seconds`` and ``seed`` choose pieces of the film as in :class:`Asked`.
    """
    async with _work_on(stand, bench, film, seconds, seed) as work:
        measured = await work.measure_all({f"{n}": side for n, side in enumerate(sides, 1)})
    return Sides(work.film, tuple(work.parts), tuple(measured))


@asynccontextmanager
async def _work_on(
    stand: Stand, bench: Bench, path: Path, seconds: Fraction, seed: int
) -> AsyncIterator["_Work"]:
    """The film, read and split, and its pieces chosen; nobody else works on it meanwhile."""
    try:
        identity = check_is_file(path)
        source = await name_film(path)
        bench.check_source = partial(check_unchanged, path, identity)
        near = at_hand(path, bench.scratch, "film")
        async with stand.exclusive(source.digest):
            yield await _opened(stand, bench, near, path.name, source, seconds, seed)
    finally:
        stand.stop()


async def _opened(
    stand: Stand, bench: Bench, path: Path, name: str, source: Asset, seconds: Fraction, seed: int
) -> "_Work":
    info, timeline = await inspect(bench, stand.studio.indexer, path, source)
    if info.clock_jumps or info.needs_still:
        raise SourceUnsupported(
            f"{name} has no steady picture to compare with: "
            + ("its clock jumps" if info.clock_jumps else "it is sound alone"),
            "copy it first: ffmpeg -i FILM -c copy OUT.mkv",
        )
    found = await split(
        bench, stand.scanner, stand.studio.indexer, path, info, timeline, accept_damage=False
    )
    whole = film_of(info, found.timeline, found.plan, ())
    chosen = spread(found.plan.chunks, seconds, found.plan.rate, seed)
    film = replace(whole, clips=tuple(whole.clips[n] for n in chosen))
    reference = await read_source_signature(bench, found)
    rate, frames = found.plan.rate, found.plan.frames
    spans = [clip.frames for clip in film.clips]
    parts = parts_of(shots(found.cuts, frames, rate), spans, ceil(SHORTEST * rate / 2))
    return _Work(stand, bench, path, film, reference, parts)


def rungs_of(side: LadderSide, film: Film) -> list[list[Rung]]:
    """The rungs of a ladder's curves: a list for each CRF, the ladder's own CRF first."""
    fixed = side.ladder.with_settings("fixed")
    rungs = [*budgeted([fixed], fit(fixed, film.picture, film.plan.rate))]
    if not side.capped:
        rungs = [uncapped(rung) for rung in rungs]
    crfs = dict.fromkeys((side.ladder.crf, *side.crfs))
    return [[replace(rung, crf=crf) for rung in rungs] for crf in crfs]


def check_crfs(ladder: Ladder, crfs: Sequence[float]) -> None:
    """Whether the ladder's codec has such CRFs.

    Raises:
        UsageError: it has not.
    """
    low, high = CODECS[ladder.codec].crf
    for crf in crfs:
        if not low <= crf <= high:
            raise UsageError(f"CRF {crf:g} is not from {low} to {high}, as {ladder.codec} has it")


def crfs_around(ladder: Ladder) -> tuple[float, ...]:
    """Those of a curve: the ladder's own, one below, two above."""
    low, high = CODECS[ladder.codec].crf
    return tuple(sorted({min(float(high), max(float(low), ladder.crf + s)) for s in STEPS}))


@dataclass(frozen=True, slots=True)
class _Work:
    """The work on both sides."""

    stand: Stand
    bench: Bench
    path: Path
    film: Film
    reference: Signature
    parts: Sequence[Part]

    @property
    def frames(self) -> int:
        """How many frames are compared."""
        return sum(len(clip.frames) for clip in self.film.clips)

    async def measure_all(self, sides: Mapping[str, Side]) -> list[Measured]:
        """Every side by its name in lines of progress.

        Files are looked at first: one that does not fit is told before hours of encoding.
        """
        looked = [await self.look(letter, side) for letter, side in sides.items()]
        return [
            await self.measure(letter, side, copies)
            for (letter, side), copies in zip(sides.items(), looked, strict=True)
        ]

    async def look(self, letter: str, side: Side) -> list[Copy]:
        """The copies of a side, each proved to be one."""
        if isinstance(side, LadderSide):
            return []
        copies = []
        for number, file in enumerate(side.files):
            check_is_file(file)
            source = await name_film(file)
            path = at_hand(file, self.bench.scratch, f"copy-{letter}-{number}")
            copies.append(
                await look_at_copy(
                    self.bench, self.stand.studio, file.name, path, source, self.film,
                    self.reference,
                )
            )  # fmt: skip
        return copies

    async def measure(self, letter: str, side: Side, copies: Sequence[Copy]) -> Measured:
        """All encodes of a side. ``letter`` names its lines of progress."""
        if isinstance(side, LadderSide):
            return await self._ladder(letter, side)
        encodes = [
            await measure_copy(
                self.bench, self.stand.studio, self.path, self.film, copy, self.reference,
                f"score {letter}: {copy.name}",
            )
            for copy in copies
        ]  # fmt: skip
        return Measured(side.name, side, tuple(encodes), tuple(copies))

    async def _ladder(self, letter: str, side: LadderSide) -> Measured:
        """CRF by CRF, so that as many encoders run at once as in a publish."""
        settings = rungs_of(side, self.film)
        rungs = [rung for each in settings for rung in each]
        names = (f"encode {letter}: {side.name}", f"score {letter}: {side.name}")
        frames = len(rungs) * sum(len(clip.frames) for clip in self.film.clips)
        cost = sum(encode_cost(rung) for rung in rungs) / len(rungs)
        progress = Folded(self.bench.progress, *names)
        progress.open(frames, cost, score_cost(*display_size(self.film.picture)))
        bench = replace(self.bench, progress=progress)
        points = []
        for each in settings:
            points += await measure_rungs(
                bench, self.stand.studio, self.path, replace(self.film, rungs=tuple(each)),
                self.reference, settings[0],
            )  # fmt: skip
        progress.close()
        clips = tuple(clip.frames for clip in self.film.clips)
        return Measured(
            side.name, side, tuple(point.encode for point in points),
            tuple(Chunks(point.chunks, clips) for point in points),
        )  # fmt: skip

    async def draw(self, comparison: Comparison, a: Measured, b: Measured) -> list[Pictures]:
        """The frames of the worst shots, of the film and of both sides."""
        frames = [worst.frame for worst in comparison.worst]
        own = Copy("", self.path, self.film.info, self.film.timeline)
        things = (own, a.drawable(comparison.pair[0]), b.drawable(comparison.pair[1]))
        drawn = [
            await draw_frames(self.bench, self.stand.studio.indexer, self.stand.stills,
                              self.film, thing, frames)
            for thing in things
        ]  # fmt: skip
        return [Pictures(*each) for each in zip(*drawn, strict=True)]
