"""The title's own ladder: its rungs from cheap points of a few chunks, proved as they ship.

Some chunks are encoded fast at a few sizes and CRFs, and few of their frames scored; fewer still
are encoded as they ship, to place those curves. What is chosen of them is encoded whole, and rungs
that are far from their place are encoded once more. What comes of it is one document, a step of the
ledger.
"""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from matinee.assets.derivation import Step
from matinee.core.ids import canonical_json
from matinee.core.progress import Stage
from matinee.media.choice import range_of, stepped
from matinee.media.estimate import encode_cost, score_cost
from matinee.media.hull import STEP
from matinee.media.ladder import Ladder, Rung
from matinee.media.shot_models import Measured, ShotModel
from matinee.media.signature import Signature
from matinee.media.title_explanation import Fitted, hull_json
from matinee.media.title_ladder import (
    SizeCurve,
    Spot,
    below,
    corrections,
    ends,
    growing,
    named,
    near,
    place,
    sampled,
    spots_of,
    together,
    unsure,
)
from matinee.stages.bench import Bench, Made
from matinee.stages.chunks import Film
from matinee.stages.search import (
    EVERY,
    STAGE,
    Quest,
    measure_anchors,
    measure_proxies,
    measure_whole,
)

NEAR, FAR = (0.0, 10.0), 20.0
"""From a ladder's own CRF to those of its proxies; the last one where the hull may go so far."""

SHARE, LEAST, MOST = 3, 3, 16
"""One chunk in so many is measured, so many at least and at most."""

ANCHORS = 4
"""One of the chunks that are measured in so many is encoded as it ships as well."""

Top = Callable[[Rung], Awaitable[Spot]]
"""Settles the best rung for a target; gives what comes of it."""


@dataclass(frozen=True, slots=True)
class TitleWish:
    """A ladder's wish about one film. ``rungs`` are those that it could have, smallest first."""

    ladder: Ladder
    rungs: tuple[Rung, ...]

    @property
    def preset(self) -> str:
        """That of the proxies: the encoder's fastest."""
        return next(iter(self.rungs[0].coding.presets))

    def proxies(self, step: float) -> list[Rung]:
        """Every rung as a proxy, so far above the ladder's CRF."""
        high = float(self.rungs[0].coding.crf[1])
        first = min(self.rungs[0].crf, high - NEAR[-1])
        return [
            replace(rung, preset=self.preset, crf=min(high, first + step)) for rung in self.rungs
        ]


def title_wishes(ladders: Sequence[Ladder], rungs: Sequence[Rung]) -> list[TitleWish]:
    """The ladders whose rungs come from the title, each with those that it could have."""
    found = []
    for ladder in ladders:
        if ladder.is_per_title:
            own = [one for one in rungs if one.family == ladder.family and one.hdr is None]
            found += [TitleWish(ladder, tuple(own))] if own else []
    return found


def title_cost(wish: TitleWish, size: tuple[int, int], frames: int, chunks: int) -> float:
    """Processor seconds that it is likely to take until all is encoded as it ships.

    ``size`` is that of the film as it is shown.
    """
    sample = _count(chunks)
    proxies = [proxy for step in NEAR for proxy in wish.proxies(step)]
    score = score_cost(*size) * 2 / EVERY
    cost = sample * (sum(map(encode_cost, proxies)) + len(proxies) * score)
    anchors = -(-sample // ANCHORS)
    cost += anchors * (sum(map(encode_cost, wish.rungs)) + len(wish.rungs) * score)
    return cost * frames / chunks


def _count(chunks: int) -> int:
    return len(sampled([""] * chunks, SHARE, LEAST, MOST))


async def fit_title(
    quest: Quest, bench: Bench, wish: TitleWish, reference: Signature, cuts: Sequence[int],
    top: Top, steps: Sequence[float],
) -> Mapping[str, Any]:  # fmt: skip
    """The rungs of one ladder and why, from the ledger or found now.

    Args:
        quest: What is searched with; its bench has tallies of its own, as what ships is counted
            when it is encoded to be shipped.
        bench: The run's.
        wish: The ladder.
        reference: The signature of the film.
        cuts: Of the film.
        top: For a ladder with a target.
        steps: How far each chunk's CRF is from its rung's; empty: all have that.
    """

    async def look() -> tuple[dict[str, Made], float]:
        is_aimed = wish.ladder.target_vmaf is not None
        fitting = _Fitting(quest, wish, reference, top if is_aimed else None, steps)
        fitted = await fitting.run()
        document = canonical_json(hull_json(wish.ladder, fitted, wish.preset, EVERY))
        proxies = quest.bench.tallies.get(STAGE)
        cpu_s = fitting.given_up + (proxies.cpu_s if proxies else 0.0)
        return {"hull": Made(document.encode(), "application/json")}, cpu_s

    if bench.redo.recipes:  # perhaps a point's: then the choice that is known would hide it
        await look()
    known = await bench.derive(STAGE, _step(quest, wish, cuts, steps), look)
    bench.tallies[STAGE].ran += sum(tally.ran for tally in quest.bench.tallies.values())
    document: Mapping[str, Any] = json.loads(await bench.read(known.outputs["hull"]))
    return document


def _step(quest: Quest, wish: TitleWish, cuts: Sequence[int], steps: Sequence[float]) -> Step:
    ladder = wish.ladder
    parameters = {
        "rungs": [rung.as_parameters() for rung in wish.rungs],
        "proxies": [wish.preset, *NEAR, FAR],
        "every": EVERY,
        "target": ladder.target_vmaf,
        "margin": ladder.shot_margin,
        "slowest": ladder.slowest,
        "step": list(STEP),
        "scored": quest.proofs.scored,
        "name": [ladder.name, *(rung.name for rung in wish.rungs)],
        "cuts": list(cuts),
        **({"steps": list(steps)} if steps else {}),
    }
    clips = {f"clip/{number:05d}": clip.digest for number, clip in enumerate(quest.film.clips)}
    return Step("choose_rungs", 1, clips, parameters, quest.bench.tool_ids("ffmpeg"))


@dataclass(frozen=True, slots=True)
class _Whole:
    """A rung as it ships, and the processor seconds that it took."""

    spot: Spot
    point: Measured
    cpu_s: float


@dataclass
class _Fitting:
    """The search of one ladder; ``steps`` as in ``fit_title``.

    ``given_up`` is what encodes took that do not ship, in seconds.
    """

    quest: Quest
    wish: TitleWish
    reference: Signature
    top: Top | None
    steps: Sequence[float]
    given_up: float = 0.0

    async def run(self) -> Fitted:
        film = self.quest.film
        sample = sampled([clip.digest for clip in film.clips], SHARE, LEAST, MOST)
        curves = await self._curves(_some(self.quest, sample))
        places = sampled([film.clips[n].digest for n in sample], ANCHORS, 1, len(sample))
        curves, taken = await self._anchored(curves, sample, places)
        rounds = 0
        if self.quest.proofs.scored:
            curves, taken, rounds = await self._proved(curves, taken)
        per_shot = taken if any(self.steps) else taken[-1:] if self.top else []
        names = frozenset(spot.rung.name for spot in per_shot)
        return Fitted(tuple(curves), tuple(taken), len(sample), len(places), rounds, names)

    async def _curves(self, some: Quest) -> list[SizeCurve]:
        """By proxies: two of every size, a third where the hull may go there."""
        tables = [
            await self._points(some, self.wish.proxies(step), f"{STAGE} {number}")
            for number, step in enumerate(NEAR, 1)
        ]
        columns = [
            [tuple(table[n][size] for table in tables) for n in range(len(some.film.clips))]
            for size in range(len(self.wish.rungs))
        ]
        curves = [
            _curve(rung, some.film, points)
            for rung, points in zip(self.wish.rungs, columns, strict=True)
        ]
        far = unsure(curves, FAR, self.wish.ladder.slowest)
        if far:
            proxies = self.wish.proxies(FAR)
            table = await self._points(some, [proxies[n] for n in far], f"{STAGE} 3")
            for column, size in enumerate(far):
                points = [
                    _with_another(columns[size][n], row[column]) for n, row in enumerate(table)
                ]
                curves[size] = _curve(self.wish.rungs[size], some.film, points)
        return curves

    async def _points(self, some: Quest, rungs: Sequence[Rung], line: str) -> list[list[Measured]]:
        """Points of every clip (outer) at every rung (inner), under a line of progress."""
        progress = some.bench.progress
        line = f"{line} {self.wish.ladder.name}"
        frames = sum(len(clip.frames) for clip in some.film.clips)
        progress.started(Stage(line, frames, sum(map(encode_cost, rungs))))
        points = await measure_proxies(some, rungs, line)
        progress.finished(line)
        return points

    async def _anchored(
        self, curves: list[SizeCurve], sample: Sequence[int], places: Sequence[int]
    ) -> tuple[list[SizeCurve], list[Spot]]:
        """The curves as chunks have them that are encoded as they ship; and the rungs by them.

        Where a rung is near one of those chunks' settings it takes that: a part of it is made.
        """
        spots = self._named(ends(self._place(curves)))
        chunks = [sample[n] for n in places]
        some = _some(self.quest, chunks)
        line = f"anchor {self.wish.ladder.name}"
        rungs = [spot.rung for spot in spots]
        table, costs = await measure_anchors(some, rungs, self.reference, line)
        rows = dict(zip(places, table, strict=True))
        anchored = []
        for curve in curves:
            own = [n for n, spot in enumerate(spots) if spot.size == curve.size]
            known = [
                [rows[chunk][n] for n in own] if chunk in rows else []
                for chunk in range(len(curve.models))
            ]
            anchored.append(curve.with_anchors(known))
        anchored = together(anchored)
        by_size = {curve.size: curve for curve in anchored}
        likely = [by_size[spot.size].at(spot.rung.crf) for spot in spots]
        placed = self._place(anchored)
        if not any(self.steps):  # else hardly a chunk of them would ship
            placed = [*(near(spot, likely) for spot in placed[:-1]), placed[-1]]
        taken = growing(placed)
        shipped = {
            (spot.size, chunk, self._crfs(spot.rung)[chunk])
            for spot in taken[: -1 if self.top else None]
            for chunk in chunks
        }
        self.given_up += sum(
            cost
            for chunk, row in zip(chunks, costs, strict=True)
            for cost, spot in zip(row, likely, strict=True)
            if (spot.size, chunk, spot.rung.crf) not in shipped
        )
        return anchored, self._named(taken)

    def _crfs(self, rung: Rung) -> tuple[float, ...]:
        """Of every chunk, in a rung that is not aimed at a target."""
        steps = self.steps or [0.0] * len(self.quest.film.clips)
        return stepped(rung.crf, steps, range_of(rung))

    def _place(self, curves: Sequence[SizeCurve]) -> list[Spot]:
        """From the target down; or from the largest size at the ladder's CRF, which is kept."""
        ladder, own = self.wish.ladder, curves[-1].at(curves[-1].rung.crf)
        top = own.quality if ladder.target_vmaf is None else ladder.target_vmaf
        spots = place(spots_of(curves), top, ladder.slowest)
        return below(spots, own) if ladder.target_vmaf is None else spots

    def _named(self, spots: Sequence[Spot]) -> list[Spot]:
        return named(spots, self.wish.rungs)

    async def _proved(
        self, curves: Sequence[SizeCurve], taken: list[Spot]
    ) -> tuple[list[SizeCurve], list[Spot], int]:
        """The rungs as they ship; what is far from its place is replaced, once."""
        best = [] if self.top is None else [await self.top(taken[-1].rung)]
        lower = taken[: len(taken) - len(best)]
        found = await self._whole(lower, "round 1")
        known = self._known(curves, found)
        ladder = [*(one.spot for one in found), *best]
        again = corrections(spots_of(known), ladder, self.wish.ladder.slowest)
        if not again:
            return known, self._named(growing(ladder)), 1
        self.given_up += sum(found[n].cpu_s for n in again)
        spots = self._named([again.get(n, spot) for n, spot in enumerate(ladder)])
        second = await self._whole([spots[n] for n in again], "round 2")
        for n, one in zip(again, second, strict=True):
            spots[n] = one.spot
        return self._known(curves, [*found, *second]), self._named(growing(spots)), 2

    async def _whole(self, spots: Sequence[Spot], line: str) -> list[_Whole]:
        """Rungs as they ship, over the whole film."""
        if not spots:
            return []
        rungs = [spot.rung for spot in spots]
        name = f"{line} {self.wish.ladder.name}"
        crfs = {rung.name: self._crfs(rung) for rung in rungs if self.steps}
        found = await measure_whole(self.quest, rungs, crfs, self.reference, name)
        frames = self.quest.film.plan.frames
        return [
            _Whole(Spot(rung, one.bits / frames * float(rung.rate), one.quality), one, cpu_s)
            for rung, (one, cpu_s) in zip(rungs, found, strict=True)
        ]

    def _known(self, curves: Sequence[SizeCurve], found: Sequence[_Whole]) -> list[SizeCurve]:
        """The curves of the whole title."""
        frames = self.quest.film.plan.frames
        return together([
            curve.with_whole(frames, [one.point for one in found if one.spot.size == curve.size])
            for curve in curves
        ])  # fmt: skip


def _some(quest: Quest, numbers: Sequence[int]) -> Quest:
    """The same over some of the film's chunks."""
    film = quest.film
    return replace(
        quest,
        film=replace(film, clips=tuple(film.clips[n] for n in numbers)),
        parts=tuple(quest.parts[n] for n in numbers),
    )


def _curve(rung: Rung, film: Film, points: Sequence[tuple[Measured, ...]]) -> SizeCurve:
    models = [
        ShotModel(len(clip.frames), own) for clip, own in zip(film.clips, points, strict=True)
    ]
    return SizeCurve(rung, tuple(models))


def _with_another(points: tuple[Measured, ...], one: Measured) -> tuple[Measured, ...]:
    """In order of CRF; where a codec's bound made two of one CRF, once."""
    return points if one.crf == points[-1].crf else (*points, one)
