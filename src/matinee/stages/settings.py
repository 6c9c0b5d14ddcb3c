"""Settings: of each ladder that asks for it the film's grain, and the CRF of every chunk.

The largest rung of a ladder is searched; the others follow it, chunk by chunk, as they have one CRF
where nothing is searched. With a target, chunks are encoded as they ship, a few first, and those
that miss are encoded again; without one, the choice is made by proxies of a smaller picture. What
comes of it is one document, a step of the ledger.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, replace
from math import ceil
from pathlib import Path
from typing import Any

from matinee.assets.derivation import Step
from matinee.core.errors import UsageError
from matinee.core.ids import canonical_json
from matinee.core.progress import Stage
from matinee.media.choice import (
    MOST_WORSE,
    Range,
    choose_as_fixed,
    range_of,
    stepped,
    target_goal,
    uncapped,
)
from matinee.media.comparison import Part, parts_of
from matinee.media.estimate import encode_cost, score_cost
from matinee.media.explanation import choice_json
from matinee.media.ladder import Ladder, Rung
from matinee.media.plan import SHORTEST, shots
from matinee.media.shot_models import ShotModel, usual_model
from matinee.media.signature import Signature
from matinee.media.title_explanation import rungs_of
from matinee.media.title_ladder import Spot, telling
from matinee.media.waves import WAVES
from matinee.stages.approach import Approach
from matinee.stages.bench import Bench, Made
from matinee.stages.chunks import Film, Proofs
from matinee.stages.encode import Studio
from matinee.stages.grain import GrainTold, settle_grain
from matinee.stages.search import EVERY, STAGE, Quest, measure_proxies
from matinee.stages.split import Split, read_source_signature
from matinee.stages.title_ladder import Steps, fit_title
from matinee.stages.title_wish import TitleWish, title_wishes

PROXY_STEPS = (-4.0, 15.0)
"""From a ladder's own CRF to those of its proxies."""

LOWER = 12.0
"""No shot has a CRF so far below its ladder's: caps hold back what is asked for long before, and an
encoder that is told to spend more than its buffer allows starves the frames that follow."""

HIGHER = 6.0
"""No shot has a CRF so far above its rung's without a target: a choice by proxies of one size is
not believed any further."""

AGAIN = 0.4
"""The share of a film's chunks that a target is likely to have encoded twice."""

ABOVE = 0.1
"""What is aimed at above a target, in VMAF."""

Documents = tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Wanted:
    """A ladder's wish about one film: a CRF for each shot of ``rung``, its largest.

    ``followers`` take its CRFs; where rungs come from the title, its steps from their own CRF.
    ``sample`` is the rung whose shots are measured, where there is no target. ``likely`` is the CRF
    at which the rung is likely to have its target; None: nothing tells.
    """

    ladder: Ladder
    rung: Rung
    followers: tuple[str, ...]
    sample: Rung
    likely: float | None = None

    @property
    def bounds(self) -> Range:
        """The CRFs that may be taken."""
        every = range_of(self.rung, self.rung.crf - LOWER)
        if self.ladder.target_vmaf is not None:
            return every
        return replace(every, high=min(every.high, self.rung.crf + HIGHER))

    @property
    def proxies(self) -> list[Rung]:
        """The sample by a fast preset, at a few CRFs; none for a target.

        Without caps: they hold the larger picture back elsewhere, and what they do is no curve.
        """
        preset = self.rung.coding.proxy
        if self.ladder.target_vmaf is not None or preset is None:
            return []
        crfs = dict.fromkeys(stepped(self.rung.crf, PROXY_STEPS, range_of(self.rung)))
        return [replace(uncapped(self.sample), preset=preset, crf=crf) for crf in crfs]

    @property
    def first(self) -> tuple[float, float] | None:
        """Where its shots are likely to be before any is known: a CRF, and the VMAF there."""
        target = self.ladder.target_vmaf
        return None if self.likely is None or target is None else (self.likely, target)


def wanted_of(ladders: Sequence[Ladder], rungs: Sequence[Rung]) -> list[Wanted]:
    """The ladders that ask for settings per shot, each with the rung to search.

    Without a target those alone in whose codec proxies tell how shots differ. Where rungs come from
    the title, and there is a target, none follows the best one.
    """
    found = []
    for ladder in ladders:
        own = [one for one in rungs if one.family == ladder.family and one.hdr is None]
        is_told = own and (ladder.target_vmaf is not None or own[-1].coding.proxy)
        if is_told and ladder.is_searched:
            *others, best = own
            is_alone = ladder.is_per_title and ladder.target_vmaf is not None
            followers = () if is_alone else tuple(rung.name for rung in others)
            likely = best.crf if is_alone else None
            rung = replace(best, crf=ladder.crf)
            found.append(Wanted(ladder, rung, followers, telling(own), likely))
    return found


def searched(ladders: Sequence[Ladder], rungs: Sequence[Rung]) -> set[str]:
    """The names of the rungs whose settings follow from the whole film."""
    wishes = {rung.name for wish in title_wishes(ladders, rungs) for rung in wish.rungs}
    names = {n for one in wanted_of(ladders, rungs) for n in (one.rung.name, *one.followers)}
    return wishes | names


def check_wishes(ladders: Sequence[Ladder], proofs: Proofs) -> None:
    """Whether what is promised will be measured.

    Raises:
        UsageError: it will not.
    """
    if not proofs.scored and any(ladder.target_vmaf is not None for ladder in ladders):
        raise UsageError("a target of VMAF needs scores", "leave out --no-scores, or give --fixed")


def search_cost(wanted: Wanted, size: tuple[int, int]) -> float:
    """Processor seconds that a frame of the film is likely to cost beside what ships.

    ``size`` is that of the film as it is shown.
    """
    if wanted.ladder.target_vmaf is not None:
        return AGAIN * (encode_cost(wanted.rung) + score_cost(*size))
    proxies = wanted.proxies
    cost = sum(encode_cost(proxy) for proxy in proxies)
    return cost + len(proxies) * score_cost(*size) * 2 / EVERY  # every second frame that is kept


@dataclass(frozen=True, slots=True)
class Settled:
    """The film with its rungs and the CRF of every chunk; and why, a document for each ladder.

    ``choices`` are of settings per shot, ``hulls`` of rungs that come from the title. ``grain`` is
    of the film's grain; None: no ladder asked.
    """

    film: Film
    choices: Documents = ()
    hulls: Documents = ()
    grain: GrainTold | None = None


async def settle(
    bench: Bench, studio: Studio, source: Path, film: Film, found: Split,
    ladders: Sequence[Ladder], proofs: Proofs,
) -> Settled:  # fmt: skip
    """What ladders leave open until the film is known; as it is, where none does."""
    film, grain = await settle_grain(bench, studio, source, film, ladders)
    work = _Work(bench, studio, source, found, proofs)
    hulls: list[Mapping[str, Any]] = []
    choices: list[Mapping[str, Any]] = []
    crfs: dict[str, tuple[float, ...]] = {}
    for wish in title_wishes(ladders, film.rungs):
        steps, choice = await work.steps(film, wish)
        document = await work.fitted(film, wish, steps)
        hulls.append(document)
        own = rungs_of(document, wish.rungs)
        film = replace(film, rungs=_instead_of(film.rungs, wish, own))
        grain = grain and grain_of_own(grain, wish, own)
        if choice:
            choices.append(_of_own(choice, own))
            crfs |= {rung.name: stepped(rung.crf, steps.crfs, range_of(rung)) for rung in own}
    for wanted in wanted_of(ladders, film.rungs):
        if wanted.rung.name not in crfs:
            document = await work.chosen(film, wanted)
            choices.append(document)
            taken = tuple(float(shot["crf"]) for shot in document["shots"])
            crfs.update(dict.fromkeys((*wanted.followers, wanted.rung.name), taken))
    film = replace(film, crfs=crfs) if crfs else film
    return Settled(film, tuple(choices), tuple(hulls), grain)


def steps_of(choice: Mapping[str, Any]) -> tuple[float, ...]:
    """How far each shot's CRF is from the ladder's."""
    return tuple(float(shot["crf"]) - float(choice["fixed_crf"]) for shot in choice["shots"])


def _of_own(choice: Mapping[str, Any], own: Sequence[Rung]) -> dict[str, Any]:
    """A choice that was made before a ladder's own rungs were known, as one of them."""
    *followers, best = (f"video-{rung.name}" for rung in own)
    return {**choice, "rung": best, "followers": followers}


def _instead_of(every: Sequence[Rung], wish: TitleWish, own: Sequence[Rung]) -> tuple[Rung, ...]:
    """All rungs, with those of one ladder in the place of those that it could have."""
    first = every.index(wish.rungs[0])
    rest = [rung for rung in every if rung not in wish.rungs]
    return (*rest[:first], *own, *rest[first:])


def grain_of_own(grain: GrainTold, wish: TitleWish, own: Sequence[Rung]) -> GrainTold:
    """The grain's document with a ladder's ``own`` rungs, for those that it could have.

    It tells of them only where it told of their size, so not of a ladder that did not ask.
    """
    could_be = {(rung.width, rung.height): f"video-{rung.name}" for rung in wish.rungs}
    told = grain["rungs"]
    rungs = {name: told[name] for name in told if name not in could_be.values()}
    rungs |= {
        f"video-{rung.name}": rung.film_grain
        for rung in own
        if could_be[rung.width, rung.height] in told
    }
    return {**grain, "rungs": rungs}


@dataclass(frozen=True, slots=True)
class _Work:
    """What is left open until the film is known, found out: documents, from the ledger or now."""

    bench: Bench
    studio: Studio
    source: Path
    found: Split
    proofs: Proofs

    def quest(self, bench: Bench, film: Film) -> Quest:
        """A search of the film by a bench."""
        parts = parts_in(film, self.found.cuts)
        return Quest(bench, self.studio, self.source, film, parts, self.proofs)

    async def steps(self, film: Film, wish: TitleWish) -> tuple[Steps, Mapping[str, Any] | None]:
        """The steps that all rungs of a title's ladder take, and why; None: shots are alike."""
        wanted = wanted_of([wish.ladder], wish.rungs)
        if not wanted or wish.ladder.target_vmaf is not None:
            return Steps(), None
        choice = await self.chosen(film, wanted[0])
        return Steps(steps_of(choice), tuple(wanted[0].proxies)), choice

    async def fitted(self, film: Film, wish: TitleWish, steps: Steps) -> Mapping[str, Any]:
        """The rungs of one ladder; with a target, its best one is settled on the way."""
        inner, for_top = (replace(self.bench, tallies={}) for _ in range(2))

        async def top(rung: Rung) -> Spot:
            own = replace(rung, crf=wish.ladder.crf)
            wanted = Wanted(wish.ladder, own, (), own, likely=rung.crf)
            chosen = await replace(self, bench=for_top).chosen(film, wanted)
            rate = chosen["bits"] / film.plan.frames * float(rung.rate)
            return Spot(rung, rate, chosen["vmaf"])

        reference = await read_source_signature(self.bench, self.found)
        document = await fit_title(
            self.quest(inner, film), self.bench, wish, reference, self.found.cuts, top, steps
        )
        self.bench.tallies[STAGE].ran += sum(tally.ran for tally in for_top.tallies.values())
        return document

    async def chosen(self, film: Film, wanted: Wanted) -> Mapping[str, Any]:
        """What is chosen for the shots of one ladder."""
        bench = self.bench
        inner = replace(bench, tallies={})  # what ships is counted when it is encoded to be shipped

        async def look() -> tuple[dict[str, Made], float]:
            quest = self.quest(inner, film)
            document = await _search(quest, wanted, await read_source_signature(bench, self.found))
            made = {"choice": Made(canonical_json(document).encode(), "application/json")}
            return made, _spent(quest, document)

        if bench.redo.recipes:  # perhaps a point's: then the choice that is known would hide it
            await look()
        known = await bench.derive(STAGE, _step(bench, film, self.found, wanted), look)
        bench.tallies[STAGE].ran += sum(tally.ran for tally in inner.tallies.values())
        choice: Mapping[str, Any] = json.loads(await bench.read(known.outputs["choice"]))
        return choice


def _spent(quest: Quest, document: Mapping[str, Any]) -> float:
    """Processor seconds of a search: its proxies, and all that was encoded and does not ship."""
    shipped = {(number, shot["crf"]) for number, shot in enumerate(document["shots"])}
    given_up = sum(cpu_s for key, cpu_s in quest.tries.items() if key not in shipped)
    proxies = quest.bench.tallies.get(STAGE)
    return given_up + (proxies.cpu_s if proxies else 0.0)


def _step(bench: Bench, film: Film, found: Split, wanted: Wanted) -> Step:
    ladder = wanted.ladder
    parameters = {
        "rung": wanted.rung.as_parameters(),
        "proxies": [[proxy.preset, proxy.crf] for proxy in wanted.proxies],
        "every": EVERY,
        "target": ladder.target_vmaf,
        "margin": ladder.shot_margin,
        "name": [ladder.name, wanted.rung.name, *wanted.followers],
        "cuts": list(found.cuts),
    }
    if ladder.target_vmaf is None:
        bounds = {"worse": MOST_WORSE, "higher": HIGHER}
        parameters |= {"sample": wanted.sample.as_parameters(), **bounds}
    else:
        parameters |= {"waves": list(WAVES), "first": wanted.first and list(wanted.first)}
        parameters["usual"] = [list(astuple(one)) for one in wanted.rung.coding.usual]
    clips = {f"clip/{number:05d}": clip.digest for number, clip in enumerate(film.clips)}
    return Step("choose_settings", 1, clips, parameters, bench.tool_ids("ffmpeg"))


def parts_in(film: Film, cuts: Sequence[int]) -> tuple[tuple[Part, ...], ...]:
    """The shots in every clip, as cuts lie."""
    every = shots(cuts, film.plan.frames, film.plan.rate)
    shortest = ceil(SHORTEST * film.plan.rate / 2)
    return tuple(tuple(parts_of(every, [clip.frames], shortest)) for clip in film.clips)


async def search_ahead(quest: Quest, ladders: Sequence[Ladder], rungs: Sequence[Rung]) -> None:
    """Measure what is cheap of a part of the film: a search of the whole finds it in the ledger."""
    for wanted in wanted_of(ladders, rungs):
        if wanted.proxies:
            await _proxied(quest, wanted)


async def _search(quest: Quest, wanted: Wanted, reference: Signature) -> dict[str, Any]:
    clips, bounds, target = quest.film.clips, wanted.bounds, wanted.ladder.target_vmaf
    if target is None:
        models = await _proxied(quest, wanted)
        chosen, goal = choose_as_fixed(models, wanted.rung.crf, bounds)
        rounds = 0
    else:
        usual = wanted.rung.coding.usual
        models = [usual_model(usual, len(clip.frames), wanted.first) for clip in clips]
        goal = target_goal(target, wanted.ladder.shot_margin, len(models), ABOVE)
        approach = Approach(quest, wanted.rung, models, goal, bounds, reference)
        chosen = await approach.run()
        models, rounds = approach.models, approach.rounds
    spans = [clip.frames for clip in clips]
    return choice_json(wanted, spans, models, chosen, goal, bounds, rounds, EVERY)


async def _proxied(quest: Quest, wanted: Wanted) -> list[ShotModel]:
    """The curves of all shots by proxies alone."""
    progress, clips = quest.bench.progress, quest.film.clips
    frames = sum(len(clip.frames) for clip in clips)
    line = f"{STAGE} {wanted.rung.name}"
    progress.started(Stage(line, frames, sum(encode_cost(proxy) for proxy in wanted.proxies)))
    proxies = await measure_proxies(quest, wanted.proxies, line)
    progress.finished(line)
    return [
        ShotModel(len(clip.frames), tuple(points))
        for clip, points in zip(clips, proxies, strict=True)
    ]
