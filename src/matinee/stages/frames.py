"""Frames to be looked at: the same one of a film and of its encodes, drawn at the film's size."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from matinee.assets.asset import Asset
from matinee.assets.derivation import Step
from matinee.core.time import FrameSpan, as_text
from matinee.media.source import display_size, picture_parameters
from matinee.ports.tools import Indexer, Stills
from matinee.stages.bench import Bench, Made
from matinee.stages.chunks import Film
from matinee.stages.copies import Copy, clip_of_one
from matinee.stages.passing import one_clip
from matinee.stages.together import in_turn


@dataclass(frozen=True, slots=True)
class Chunks:
    """A rung's chunks and the frames of the film that each shows."""

    chunks: tuple[Asset, ...]
    spans: tuple[FrameSpan, ...]

    def chunk_of(self, frame: int) -> tuple[Asset, int]:
        """The chunk that shows a frame, and which of its frames that is."""
        pairs = zip(self.chunks, self.spans, strict=True)
        return next((c, frame - s.start) for c, s in pairs if s.start <= frame < s.end)


Drawable = Copy | Chunks

TOGETHER = 4
"""Frames that are drawn side by side, as far as there are slots."""

Draw = Callable[[Path], Awaitable[float]]
"""Draws into a file; gives the processor seconds that it took."""


async def draw_frames(
    bench: Bench, indexer: Indexer, stills: Stills, film: Film, thing: Drawable,
    frames: Sequence[int],
) -> list[Asset]:  # fmt: skip
    """Each frame as a WebP picture of the film's display size."""
    drawing = _Drawing(bench, indexer, stills, film)

    async def draw(frame: int) -> Asset:
        if isinstance(thing, Chunks):
            return await drawing.chunk(thing, frame)
        return await drawing.copy(thing, frame)

    return await in_turn(draw, frames, TOGETHER)


@dataclass(frozen=True, slots=True)
class _Drawing:
    bench: Bench
    indexer: Indexer
    stills: Stills
    film: Film

    async def chunk(self, thing: Chunks, frame: int) -> Asset:
        """A frame of a rung."""
        chunk, number = thing.chunk_of(frame)
        size, bench = display_size(self.film.picture), self.bench
        step = Step(
            "draw_frame", 1, {"chunk": chunk.digest}, {"frame": number, "size": list(size)},
            bench.tool_ids("ffmpeg"),
        )  # fmt: skip

        async def draw(output: Path) -> float:
            async with bench.files([chunk]) as (file,), bench.slots:
                return (await self.stills.draw_coded(file, number, size, output)).cpu_s

        return await self._drawn(step, draw)

    async def copy(self, thing: Copy, frame: int) -> Asset:
        """A frame of a file, as it is shown."""
        size, rate, bench = display_size(self.film.picture), self.film.plan.rate, self.bench
        picture = thing.info.picture
        plan = clip_of_one(thing.timeline, thing.info, frame)
        step = Step(
            "draw_frame", 1, {"clip": plan.digest},
            {"size": list(size), "rate": as_text(rate), "picture": picture_parameters(picture)},
            bench.tool_ids("ffmpeg"),
        )  # fmt: skip

        async def draw(output: Path) -> float:
            async with bench.slots:
                clip = await one_clip(
                    self.indexer, thing.path, thing.info, thing.timeline, plan, output.parent
                )
                return (await self.stills.draw(clip, picture, rate, size, output)).cpu_s

        return await self._drawn(step, draw)

    async def _drawn(self, step: Step, draw: Draw) -> Asset:
        async def make() -> tuple[dict[str, Made], float]:
            folder = self.bench.scratch / f"draw-{step.key[:16]}"
            folder.mkdir(exist_ok=True)
            output = folder / "frame.webp"
            cpu_s = await draw(output)
            return {"picture": Made(output, "image/webp")}, cpu_s

        derivation = await self.bench.derive("draw", step, make)
        return derivation.outputs["picture"]
