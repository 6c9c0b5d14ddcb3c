"""The title's own ladder: its rungs from cheap points of a few chunks, proved as they ship.

Some chunks are encoded fast at a few sizes and CRFs, and few of their frames scored; or at one size
alone, where earlier titles foretell the others. Fewer still are encoded as they ship, to place
those curves. What is chosen of them is encoded whole, and rungs that are far from their place are
encoded once more. What comes of it is one document, a step of the ledger.
"""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from matinee.assets.derivation import Step
from matinee.core.ids import canonical_json
from matinee.media.budget import within_budget
from matinee.media.choice import range_of, stepped
from matinee.media.foretold import (
    ENOUGH,
    Start,
    curves_from,
    foretold,
    holds,
    lesson_json,
    lesson_of,
)
from matinee.media.hull import STEP
from matinee.media.ladder import Rung
from matinee.media.shot_models import Measured
from matinee.media.signature import Signature
from matinee.media.source import display_size
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
from matinee.stages.earlier import known_search, lessons_for, start_in
from matinee.stages.search import (
    EVERY,
    STAGE,
    Quest,
    measure_anchors,
    measure_whole,
)
from matinee.stages.title_points import Base, curve_of, points_of, some_of
from matinee.stages.title_wish import ANCHORS, FAR, NEAR, TitleWish, sample_of

Top = Callable[[Rung], Awaitable[Spot]]
"""Settles the best rung for a target; gives what comes of it."""


@dataclass(frozen=True, slots=True)
class Steps:
    """How far each chunk's CRF is from its rung's, and the proxies that told it.

    Empty: all chunks have the rung's.
    """

    crfs: tuple[float, ...] = ()
    proxies: tuple[Rung, ...] = ()


async def fit_title(
    quest: Quest, bench: Bench, wish: TitleWish, reference: Signature, cuts: Sequence[int],
    top: Top, steps: Steps,
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
        steps: Of the chunks.
    """
    base = Base(quest, wish, steps.proxies)
    step = _step(quest, wish, cuts, base, steps.crfs)
    known_one = known_search(bench, step)
    if known_one is not None:
        step = known_one
    elif not bench.mends and len(lessons := await lessons_for(bench, step)) >= ENOUGH:
        told = foretold(lessons, await base.curve()).as_json()
        step = replace(step, parameters={**step.parameters, "start": told})
    start = start_in(step)

    async def look() -> tuple[dict[str, Made], float]:
        is_aimed = wish.ladder.target_vmaf is not None
        own = top if is_aimed else None
        fitting = _Fitting(quest, wish, reference, own, steps.crfs, base, start)
        fitted = await fitting.run()
        made = {"hull": _document(hull_json(wish.ladder, fitted, wish.preset, EVERY))}
        if fitted.lesson:
            made["lesson"] = _document(lesson_json(fitted.lesson))
        proxies = quest.bench.tallies.get(STAGE)
        return made, fitting.given_up + (proxies.cpu_s if proxies else 0.0)

    if bench.redo.recipes:  # perhaps a point's: then the choice that is known would hide it
        await look()
    known = await bench.derive(STAGE, step, look)
    bench.tallies[STAGE].ran += sum(tally.ran for tally in quest.bench.tallies.values())
    document: Mapping[str, Any] = json.loads(await bench.read(known.outputs["hull"]))
    return document


def _document(told: Mapping[str, Any]) -> Made:
    return Made(canonical_json(told).encode(), "application/json")


def _step(
    quest: Quest, wish: TitleWish, cuts: Sequence[int], base: Base, steps: Sequence[float]
) -> Step:
    ladder = wish.ladder
    parameters = {
        "rungs": [rung.as_parameters() for rung in wish.rungs],
        "proxies": [wish.preset, *NEAR, FAR],
        "base": [proxy.as_parameters() for proxy in base.rungs],
        "shown": list(display_size(quest.film.picture)),
        "every": EVERY,
        "target": ladder.target_vmaf,
        "margin": ladder.shot_margin,
        "slowest": ladder.slowest,
        "step": list(STEP),
        "scored": quest.proofs.scored,
        "name": [ladder.name, *(rung.name for rung in wish.rungs)],
        "cuts": list(cuts),
        **({"steps": list(steps)} if steps else {}),
        **({"budget": ladder.cpu_budget} if ladder.cpu_budget else {}),
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
    """The search of one ladder; ``steps`` are those of chunks, ``start`` what it begins with.

    ``given_up`` is what encodes took that do not ship, in seconds.
    """

    quest: Quest
    wish: TitleWish
    reference: Signature
    top: Top | None
    steps: Sequence[float]
    base: Base
    start: Start | None
    given_up: float = 0.0

    async def run(self) -> Fitted:
        film = self.quest.film
        sample = sample_of(film)
        places = sampled([film.clips[n].digest for n in sample], ANCHORS, 1, len(sample))
        found = await self._foretold(self.start, sample, places) if self.start else None
        held = found is not None
        if found is None:
            likely = await self._curves(some_of(self.quest, sample))
            found = await self._anchored(likely, sample, places)
        curves, taken = found
        rounds, lesson = 0, None
        if self.quest.proofs.scored:
            curves, taken, rounds = await self._proved(curves, taken)
            if not held:
                lesson = lesson_of(await self.base.curve_of_all(), curves, self.told)
        per_shot = taken if any(self.steps) else taken[-1:] if self.top else []
        names = frozenset(spot.rung.name for spot in per_shot)
        return Fitted(
            tuple(curves), tuple(taken), len(sample), len(places), rounds, names,
            self.start, held, lesson,
        )  # fmt: skip

    async def _foretold(
        self, start: Start, sample: Sequence[int], places: Sequence[int]
    ) -> tuple[list[SizeCurve], list[Spot]] | None:
        """As ``_anchored``, by what earlier titles tell; None: what ships belies it."""
        base = await self.base.curve()
        likely = curves_from(start, self.wish.rungs, base.models)
        found = await self._anchored(likely, sample, places)
        return found if holds(likely, found[0]) else None

    async def _curves(self, some: Quest) -> list[SizeCurve]:
        """By proxies: two of every size, a third where the hull may go there."""
        name = self.wish.ladder.name
        tables = [
            await points_of(some, self.wish.proxies(step), f"{STAGE} {number} {name}")
            for number, step in enumerate(NEAR, 1)
        ]
        columns = [
            [tuple(table[n][size] for table in tables) for n in range(len(some.film.clips))]
            for size in range(len(self.wish.rungs))
        ]
        curves = [
            curve_of(rung, some.film, points)
            for rung, points in zip(self.wish.rungs, columns, strict=True)
        ]
        far = unsure(curves, FAR, self.wish.ladder.slowest)
        if far:
            proxies = self.wish.proxies(FAR)
            table = await points_of(some, [proxies[n] for n in far], f"{STAGE} 3 {name}")
            for column, size in enumerate(far):
                points = [
                    _with_another(columns[size][n], row[column]) for n, row in enumerate(table)
                ]
                curves[size] = curve_of(self.wish.rungs[size], some.film, points)
        return curves

    @property
    def told(self) -> list[float]:
        """The CRFs at which later titles are told of this one."""
        crfs = [self.wish.proxies(step)[0].crf for step in (*NEAR, FAR)]
        return list(dict.fromkeys(crfs))  # a codec's bound may make two of them one

    async def _anchored(
        self, curves: list[SizeCurve], sample: Sequence[int], places: Sequence[int]
    ) -> tuple[list[SizeCurve], list[Spot]]:
        """The curves as chunks have them that are encoded as they ship; and the rungs by them.

        Where a rung is near one of those chunks' settings it takes that: a part of it is made.
        """
        spots = self._named(ends(self._place(curves)))
        chunks = [sample[n] for n in places]
        some = some_of(self.quest, chunks)
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
        if not (any(self.steps) or self.wish.ladder.cpu_budget):  # else hardly one would ship
            placed = [*(near(spot, likely) for spot in placed[:-1]), placed[-1]]
        taken = self._budgeted(growing(placed))
        shipped = {
            (spot.size, spot.rung.preset, chunk, self._crfs(spot.rung)[chunk])
            for spot in taken[: -1 if self.top else None]
            for chunk in chunks
        }
        self.given_up += sum(
            cost
            for chunk, row in zip(chunks, costs, strict=True)
            for cost, spot in zip(row, likely, strict=True)
            if (spot.size, spot.rung.preset, chunk, spot.rung.crf) not in shipped
        )
        return anchored, self._named(taken)

    def _budgeted(self, spots: Sequence[Spot]) -> list[Spot]:
        """With presets by the ladder's processor budget, where it has one."""
        budget = self.wish.ladder.cpu_budget
        if budget is None:
            return list(spots)
        rungs = within_budget([spot.rung for spot in spots], budget)
        return [replace(spot, rung=rung) for spot, rung in zip(spots, rungs, strict=True)]

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
        for n, spot in again.items():
            again[n] = replace(spot, rung=replace(spot.rung, preset=ladder[n].rung.preset))
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


def _with_another(points: tuple[Measured, ...], one: Measured) -> tuple[Measured, ...]:
    """In order of CRF; where a codec's bound made two of one CRF, once."""
    return points if one.crf == points[-1].crf else (*points, one)
