"""Settings: of each ladder that asks for it the film's grain, and the CRF of every chunk.

The largest rung of a ladder is searched; the others follow it, chunk by chunk, as they have one CRF
where nothing is searched. With a target, some chunks are encoded as they ship, to place the curves
of the proxies; then all are, and those that miss are encoded again, a few times at most. What comes
of it is one document, a step of the ledger.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil, inf
from pathlib import Path
from typing import Any

from matinee.assets.derivation import Step
from matinee.core.errors import UsageError
from matinee.core.ids import canonical_json
from matinee.core.progress import Stage
from matinee.media.choice import (
    CLOSE,
    Chosen,
    Goal,
    Range,
    as_found,
    choose,
    choose_as_fixed,
    chosen_again,
    lack_of,
    target_goal,
)
from matinee.media.comparison import parts_of
from matinee.media.estimate import encode_cost, score_cost
from matinee.media.explanation import choice_json
from matinee.media.ladder import Ladder, Rung
from matinee.media.plan import SHORTEST, shots
from matinee.media.shot_models import Measured, ShotModel, usual_shift
from matinee.media.signature import Signature
from matinee.media.title_explanation import rungs_of
from matinee.media.title_ladder import Spot
from matinee.stages.bench import Bench, Made
from matinee.stages.chunks import Film, Proofs
from matinee.stages.encode import Studio
from matinee.stages.grain import GrainTold, settle_grain
from matinee.stages.search import EVERY, STAGE, Quest, measure_finals, measure_proxies
from matinee.stages.split import Split, read_source_signature
from matinee.stages.title_ladder import TitleWish, fit_title, title_wishes

PROXY_STEPS = (0.0, 10.0)
"""From a ladder's own CRF to those of its proxies."""

LOWER = 12.0
"""No shot has a CRF so far below its ladder's: caps hold back what is asked for long before, and an
encoder that is told to spend more than its buffer allows starves the frames that follow."""

ANCHORS = 8
"""One chunk in so many is encoded as it ships before all are."""

ROUNDS = 4
"""How often chunks are encoded as they ship before a target is given up."""

GAIN = 0.8
"""What a round may leave of what was lacking, for another one to be made."""

ABOVE = 0.1
"""What is aimed at above a target, in VMAF."""

Documents = tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Wanted:
    """A ladder's wish about one film. ``rung`` is searched; ``followers`` take its CRFs."""

    ladder: Ladder
    rung: Rung
    followers: tuple[str, ...]

    @property
    def bounds(self) -> Range:
        """The CRFs that may be taken."""
        low, high = self.rung.coding.crf
        return Range(max(low, self.rung.crf - LOWER), high, self.rung.coding.crf_step)

    @property
    def proxies(self) -> list[Rung]:
        """The rung as its encoder's fastest preset makes it, at a few CRFs."""
        low, high = self.rung.coding.crf
        crfs = {min(float(high), max(float(low), self.rung.crf + s)) for s in PROXY_STEPS}
        preset = next(iter(self.rung.coding.presets))
        return [replace(self.rung, preset=preset, crf=crf) for crf in sorted(crfs)]


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
        found.append(Wanted(ladder, replace(best, crf=ladder.crf), followers))
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
    """Processor seconds that a frame of the film costs before all chunks are encoded as they ship.

    ``size`` is that of the film as it is shown.
    """
    proxies = wanted.proxies
    cost = sum(encode_cost(proxy) for proxy in proxies)
    cost += len(proxies) * score_cost(*size) * 2 / EVERY  # every second frame that is kept
    if wanted.ladder.target_vmaf is not None:
        cost += (encode_cost(wanted.rung) + score_cost(*size)) / ANCHORS
    return cost


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
        wanted = Wanted(wish.ladder, replace(rung, crf=wish.ladder.crf), ())
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
    """Processor seconds of a search: its proxies, and the encodes that do not ship."""
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
    clips = {f"clip/{number:05d}": clip.digest for number, clip in enumerate(film.clips)}
    return Step("choose_settings", 1, clips, parameters, bench.tool_ids("ffmpeg"))


def _parts(film: Film, found: Split) -> tuple[Any, ...]:
    """The shots in every clip."""
    every = shots(found.cuts, film.plan.frames, film.plan.rate)
    shortest = ceil(SHORTEST * film.plan.rate / 2)
    return tuple(tuple(parts_of(every, [clip.frames], shortest)) for clip in film.clips)


async def _search(quest: Quest, wanted: Wanted, reference: Signature) -> dict[str, Any]:
    progress, film = quest.bench.progress, quest.film
    frames = sum(len(clip.frames) for clip in film.clips)
    line = f"{STAGE} {wanted.rung.name}"
    progress.started(Stage(line, frames, sum(encode_cost(proxy) for proxy in wanted.proxies)))
    proxies = await measure_proxies(quest, wanted.proxies, line)
    progress.finished(line)
    models = [
        ShotModel(len(clip.frames), tuple(points))
        for clip, points in zip(film.clips, proxies, strict=True)
    ]
    if wanted.ladder.target_vmaf is None:
        chosen, goal = choose_as_fixed(models, wanted.rung.crf, wanted.bounds)
        rounds = 0
    else:
        goal = target_goal(wanted.ladder.target_vmaf, wanted.ladder.shot_margin, len(models), ABOVE)
        models, chosen, rounds = await _approach(quest, wanted, models, goal, reference)
    spans = [clip.frames for clip in film.clips]
    return choice_json(wanted, spans, models, chosen, goal, wanted.bounds, rounds, EVERY)


async def _approach(
    quest: Quest, wanted: Wanted, models: list[ShotModel], goal: Goal, reference: Signature
) -> tuple[list[ShotModel], Chosen, int]:
    """Encode as it ships, and choose again, until the goal is reached or no round is left."""
    bounds, rung = wanted.bounds, wanted.rung
    seen: list[list[Measured]] = [[] for _ in models]

    async def look(crfs: Mapping[int, float], line: str) -> list[ShotModel]:
        finals = await measure_finals(quest, rung, crfs, reference, f"{line} {rung.name}")
        for number, point in finals.items():
            if point not in seen[number]:
                seen[number].append(point)
        known = [m.with_finals(own) for m, own in zip(models, seen, strict=True)]
        usual = usual_shift(known)
        return [replace(model, shift=usual) for model in known]

    chosen = choose(models, goal, bounds)
    models = await look({n: chosen.crfs[n] for n in anchors_of(len(models))}, "anchor")
    chosen, kept, number, before = choose(models, goal, bounds), None, 0, inf
    while True:
        number += 1
        models = await look(dict(enumerate(chosen.crfs)), f"round {number}")
        points = [model.at(crf) for model, crf in zip(models, chosen.crfs, strict=True)]
        found = as_found(models, points, chosen)
        lack = lack_of(models, points, goal)
        if lack == 0 and (kept is None or found.bits < kept.bits):
            kept = found
        is_near = lack == 0 and found.quality <= goal.quality + CLOSE
        is_stuck = kept is None and lack > GAIN * before  # as where a cap forbids it
        again = chosen_again(models, points, goal, bounds)
        if is_near or is_stuck or again.crfs == chosen.crfs or number == ROUNDS:
            return models, kept or found, number
        chosen, before = again, lack


def anchors_of(shots: int) -> list[int]:
    """The numbers of the shots that place the curves of all, spread evenly."""
    count = ceil(shots / ANCHORS)
    return [(2 * n + 1) * shots // (2 * count) for n in range(count)]
