"""Cheap points of those chunks of a title by which its curves are known."""

from collections.abc import Sequence
from dataclasses import replace

from matinee.core.progress import Silent, Stage
from matinee.media.estimate import encode_cost
from matinee.media.ladder import Rung
from matinee.media.shot_models import Measured, ShotModel
from matinee.media.title_ladder import SizeCurve, telling
from matinee.stages.chunks import Film
from matinee.stages.search import STAGE, Quest, measure_proxies
from matinee.stages.title_wish import NEAR, TitleWish, sample_of


class Base:
    """Proxies of one size, of those chunks that are sampled: what other sizes are told by.

    They are those that told how far each chunk is from its rung's CRF, or else the search's own.
    """

    def __init__(self, quest: Quest, wish: TitleWish, told: Sequence[Rung]) -> None:
        own = wish.rungs.index(telling(wish.rungs))
        self.rungs = list(told) or [wish.proxies(step)[own] for step in NEAR]
        self._quest, self._wish, self._is_told = quest, wish, bool(told)
        self._found: SizeCurve | None = None

    async def curve(self) -> SizeCurve:
        """Of the sample, measured if need be."""
        if self._found is None:
            some = some_of(self._quest, sample_of(self._quest.film))
            self._found = await self._measured(some, is_counted=not self._is_told)
        return self._found

    async def curve_of_all(self) -> SizeCurve:
        """Of the whole film where that is known, else of the sample: all of it is measured."""
        film = self._quest.film
        numbers = range(len(film.clips)) if self._is_told else sample_of(film)
        return await self._measured(some_of(self._quest, numbers), is_counted=False)

    async def _measured(self, some: Quest, *, is_counted: bool) -> SizeCurve:
        """``is_counted``: nothing else counts what it took."""
        if not is_counted:
            some = replace(some, bench=replace(some.bench, tallies={}, progress=Silent()))
        rows = await points_of(some, self.rungs, f"{STAGE} 1 {self._wish.ladder.name}")
        return curve_of(self.rungs[0], some.film, [tuple(row) for row in rows])


def some_of(quest: Quest, numbers: Sequence[int]) -> Quest:
    """The same over some of the film's chunks."""
    film = quest.film
    return replace(
        quest,
        film=replace(film, clips=tuple(film.clips[n] for n in numbers)),
        parts=tuple(quest.parts[n] for n in numbers),
    )


async def points_of(some: Quest, rungs: Sequence[Rung], line: str) -> list[list[Measured]]:
    """Points of every clip (outer) at every rung (inner), under a line of progress."""
    progress = some.bench.progress
    frames = sum(len(clip.frames) for clip in some.film.clips)
    progress.started(Stage(line, frames, sum(map(encode_cost, rungs))))
    points = await measure_proxies(some, rungs, line)
    progress.finished(line)
    return points


def curve_of(rung: Rung, film: Film, points: Sequence[tuple[Measured, ...]]) -> SizeCurve:
    """The curve of a size by the points of every clip."""
    models = [
        ShotModel(len(clip.frames), own) for clip, own in zip(film.clips, points, strict=True)
    ]
    return SizeCurve(rung, tuple(models))
