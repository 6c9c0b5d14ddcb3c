"""Settings: of each ladder that asks for it the film's grain, and the CRF of every chunk.

The largest rung of a ladder is searched; the others follow it, chunk by chunk, as they have one CRF
where nothing is searched. With a target, chunks are encoded as they ship, a few first, and those
that miss are encoded again; without one, the choice is made by proxies. What comes of it is one
document, a step of the ledger.
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
from matinee.media.choice import Range, choose_as_fixed, target_goal
from matinee.media.comparison import parts_of
from matinee.media.estimate import encode_cost, score_cost
from matinee.media.explanation import choice_json
from matinee.media.ladder import Ladder, Rung
from matinee.media.plan import SHORTEST, shots
from matinee.media.shot_models import ShotModel, usual_model
from matinee.media.signature import Signature
from matinee.media.title_explanation import rungs_of
from matinee.media.title_ladder import Spot
from matinee.media.waves import WAVES
from matinee.stages.approach import Approach
from matinee.stages.bench import Bench, Made
from matinee.stages.chunks import Film, Proofs
from matinee.stages.encode import Studio
from matinee.stages.grain import GrainTold, settle_grain
from matinee.stages.search import EVERY, STAGE, Quest, measure_proxies
from matinee.stages.split import Split, read_source_signature
from matinee.stages.title_ladder import TitleWish, fit_title, title_wishes

PROXY_STEPS = (0.0, 10.0)
"""From a ladder's own CRF to those of its proxies."""

LOWER = 12.0
"""No shot has a CRF so far below its ladder's: caps hold back what is asked for long before, and an
encoder that is told to spend more than its buffer allows starves the frames that follow."""

AGAIN = 0.4
"""The share of a film's chunks that a target is likely to have encoded twice."""

ABOVE = 0.1
"""What is aimed at above a target, in VMAF."""

Documents = tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Wanted:
    """A ladder's wish about one film. ``rung`` is searched; ``followers`` take its CRFs.

    ``likely`` is the CRF at which it is likely to have its target; None: nothing tells.
    """

    ladder: Ladder
    rung: Rung
    followers: tuple[str, ...]
    likely: float | None = None

    @property
    def bounds(self) -> Range:
        """The CRFs that may be taken."""
        low, high = self.rung.coding.crf
        return Range(max(low, self.rung.crf - LOWER), high, self.rung.coding.crf_step)

    @property
    def proxies(self) -> list[Rung]:
        """The rung as its encoder's fastest preset makes it, at a few CRFs; none for a target."""
        if self.ladder.target_vmaf is not None:
            return []
        low, high = self.rung.coding.crf
        crfs = {min(float(high), max(float(low), self.rung.crf + s)) for s in PROXY_STEPS}
        preset = next(iter(self.rung.coding.presets))
        return [replace(self.rung, preset=preset, crf=crf) for crf in sorted(crfs)]

    @property
    def first(self) -> tuple[float, float] | None:
        """Where its shots are likely to be before any is known: a CRF, and the VMAF there."""
        target = self.ladder.target_vmaf
        return None if self.likely is None or target is None else (self.likely, target)


def wanted_of(ladders: Sequence[Ladder], rungs: Sequence[Rung]) -> list[Wanted]:
    """The ladders that ask for settings per shot, each with the rung to search.

    A ladder whose rungs come from the title asks for them where it has a target: for its best rung,
    which none follows.
    """
    found = []
    for ladder in ladders:
        own = [one for one in rungs if one.family == ladder.family and one.hdr is None]
        is_asked = not ladder.is_per_title or ladder.target_vmaf is not None
        if not (own and ladder.is_searched and is_asked):
            continue
        *others, best = own
        followers = () if ladder.is_per_title else tuple(rung.name for rung in others)
        likely = best.crf if ladder.is_per_title else None
        found.append(Wanted(ladder, replace(best, crf=ladder.crf), followers, likely))
    return found


def searched(ladders: Sequence[Ladder], rungs: Sequence[Rung]) -> set[str]:
    """The names of the rungs whose settings follow from the whole film."""
    wishes = {
        rung.name
        for wish in title_wishes(ladders, rungs)
        for rung in (wish.rungs[:-1] if wish.ladder.keeps_best else wish.rungs)
    }
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
    hulls = []
    for wish in title_wishes(ladders, film.rungs):
        document = await _fitted(bench, studio, source, film, found, wish, proofs)
        hulls.append(document)
        own = rungs_of(document, wish.rungs)
        film = replace(film, rungs=_instead_of(film.rungs, wish, own))
        grain = grain and grain_of_own(grain, wish, own)
    crfs: dict[str, tuple[float, ...]] = {}
    choices = []
    for wanted in wanted_of(ladders, film.rungs):
        document = await _chosen(bench, studio, source, film, found, wanted, proofs)
        choices.append(document)
        taken = tuple(float(shot["crf"]) for shot in document["shots"])
        crfs.update(dict.fromkeys((*wanted.followers, wanted.rung.name), taken))
    film = replace(film, crfs=crfs) if crfs else film
    return Settled(film, tuple(choices), tuple(hulls), grain)


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


async def _fitted(
    bench: Bench, studio: Studio, source: Path, film: Film, found: Split, wish: TitleWish,
    proofs: Proofs,
) -> Mapping[str, Any]:  # fmt: skip
    """The rungs of one ladder; with a target, its best one is settled on the way."""
    inner, for_top = replace(bench, tallies={}), replace(bench, tallies={})

    async def top(rung: Rung) -> Spot:
        wanted = Wanted(wish.ladder, replace(rung, crf=wish.ladder.crf), (), rung.crf)
        chosen = await _chosen(for_top, studio, source, film, found, wanted, proofs)
        rate = chosen["bits"] / film.plan.frames * float(rung.rate)
        return Spot(rung, rate, chosen["vmaf"])

    quest = Quest(inner, studio, source, film, _parts(film, found), proofs)
    reference = await read_source_signature(bench, found)
    document = await fit_title(quest, bench, wish, reference, found.cuts, top)
    bench.tallies[STAGE].ran += sum(tally.ran for tally in for_top.tallies.values())
    return document


async def _chosen(
    bench: Bench, studio: Studio, source: Path, film: Film, found: Split, wanted: Wanted,
    proofs: Proofs,
) -> Mapping[str, Any]:  # fmt: skip
    """What is chosen for one ladder, from the ledger or found now."""
    inner = replace(bench, tallies={})  # what ships is counted when it is encoded to be shipped

    async def look() -> tuple[dict[str, Made], float]:
        quest = Quest(inner, studio, source, film, _parts(film, found), proofs)
        document = await _search(quest, wanted, await read_source_signature(bench, found))
        made = {"choice": Made(canonical_json(document).encode(), "application/json")}
        return made, _spent(quest, document)

    if bench.redo.recipes:  # perhaps a point's: then the choice that is known would hide it
        await look()
    known = await bench.derive(STAGE, _step(bench, film, found, wanted), look)
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
    if ladder.target_vmaf is not None:
        parameters |= {"waves": list(WAVES), "first": wanted.first and list(wanted.first)}
        parameters["usual"] = [list(astuple(one)) for one in wanted.rung.coding.usual]
    clips = {f"clip/{number:05d}": clip.digest for number, clip in enumerate(film.clips)}
    return Step("choose_settings", 1, clips, parameters, bench.tool_ids("ffmpeg"))


def _parts(film: Film, found: Split) -> tuple[Any, ...]:
    """The shots in every clip."""
    every = shots(found.cuts, film.plan.frames, film.plan.rate)
    shortest = ceil(SHORTEST * film.plan.rate / 2)
    return tuple(tuple(parts_of(every, [clip.frames], shortest)) for clip in film.clips)


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
