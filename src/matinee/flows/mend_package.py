"""A package is made again where it is bad.

By other tools it becomes another one, which takes its place only when it is proved: every frame
decoded, and no rendition looks worse.
"""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from matinee.assets.asset import Asset, object_key
from matinee.core.errors import MatineeError, NotFound
from matinee.core.ids import Digest
from matinee.flows.frames import chunks_of
from matinee.flows.house import House
from matinee.flows.infirmary import Case, Mender
from matinee.flows.lineage import TitleGraph
from matinee.flows.remake import Remade, remake, swap
from matinee.media.ladder import Rung
from matinee.media.profile import Profile
from matinee.media.quality import Scores
from matinee.ports.catalog import Title
from matinee.ports.store import ObjectStore
from matinee.ports.tools import Clip
from matinee.stages.bench import Bench
from matinee.stages.chunks import Film
from matinee.stages.passing import each_clip
from matinee.stages.redo import Redo

SEEN = 0.5
"""VMAF that may be lost where other tools give other bytes."""

POOLED = ("mean", "p5")
"""What of a rendition's scores is compared."""


async def remake_package(
    mender: Mender, made: TitleGraph, redo: Redo, store: ObjectStore, *, report_too: bool
) -> str:
    """Make again what is bad of a package; says what was done instead where it became another one.

    Args:
        mender: What repairing works with.
        made: The title with the package.
        redo: The steps to run again.
        store: What is bad is not in it.
        report_too: Write the report again.

    Raises:
        NotFound: the other one failed a verdict or looks worse: it is held, and not shown.
        MatineeError: as ``remake``.
    """
    title, shown = made.title, made.shown
    assert shown is not None
    usual = usual_profile(mender, shown.settings)
    with mender.open_house(redo, store) as (house, bench):
        came = await remake(house, bench, title, shown, usual, report_too=report_too)
    if came.package == shown.id:
        return ""
    # What was ordered may prove less than it takes to put one thing in another's place.
    with mender.open_house(Redo(), store) as (house, bench):
        came = await remake(house, bench, title, shown, usual, prove=True)
    if not came.passed:
        raise NotFound("made again it is another package, and a verdict failed: it is held")
    with mender.open_house(Redo(), store) as (house, bench):
        try:
            return await _put_in_place(house, bench, made, came)
        finally:
            house.stop()


async def _put_in_place(house: House, bench: Bench, made: TitleGraph, came: Remade) -> str:
    """Let another package, which passed its verdicts, take the place of a bad one."""
    title, shown = made.title, made.shown
    assert shown is not None
    if worse := await _worse(house, bench, made, came):
        await asyncio.to_thread(_hold, house, title, came.package)
        raise NotFound(f"made again by other tools it looks worse, and is not shown: {worse}")
    if title.current not in (None, shown.id):  # nobody waits for another one of that kind
        for package in (came.package, shown.id):
            await asyncio.to_thread(_hold, house, title, package)
        return f"package {shown.id}, which other tools make otherwise, is held, and this let go"
    await swap(house, bench, title, shown, came.package)
    return f"package {came.package}, made by other tools and proved, took its place"


async def let_go(mender: Mender, case: Case, steps: Sequence[Digest]) -> None:
    """Forget what steps gave and is still bad: another package is in the place of theirs by now.

    Nothing that is installed makes it again, and nobody shows it; its good files go with it when it
    is collected.
    """
    for key in steps:
        lost = [digest for digest in case.ways[key].remaking.gives if digest in case.keys]
        if lost:
            places = sorted(place for digest in lost for place in case.keys[digest])
            await asyncio.to_thread(mender.ward.holdings.release, key, places)


def usual_profile(mender: Mender, settings: Mapping[str, Any]) -> Profile | None:
    """The profile of a package that did not keep what it was ordered with."""
    try:
        return mender.load_ladder(settings["ladder"])
    except (MatineeError, KeyError):
        return None


def _hold(house: House, title: Title, package: str) -> None:
    """Let nobody show a package: no rule, no person, no rollback."""
    held = replace(house.packages.get(title.id, package), state="held")
    house.packages.add(held)


async def _worse(house: House, bench: Bench, made: TitleGraph, came: Remade) -> str:
    """Which rendition has lost quality, in words; "" where none has."""
    before, now = await _scored_before(bench, made), _scored(came.report)
    names = [stream.name for stream in came.evidence.plan.streams if stream.kind == "video"]
    if not all(name in before and name in now for name in names):
        before, now = await _measured(house, bench, made, came)
    for name in names:
        if name not in before or name not in now:
            continue  # nothing of it is left to compare with
        was, is_now = before[name], now[name]
        for pooled in POOLED:
            if is_now[pooled] < was[pooled] - SEEN:
                return f"{name} has a VMAF of {is_now[pooled]:.1f} instead of {was[pooled]:.1f}"
    return ""


Pooled = Mapping[str, Mapping[str, float]]
"""Scores of renditions, by name."""


async def _scored_before(bench: Bench, made: TitleGraph) -> Pooled:
    """The scores that the package's report tells."""
    assert made.shown is not None
    try:
        return _scored(json.loads(await bench.store.read(object_key(made.shown.report))))
    except (MatineeError, ValueError):
        return {}  # it is damaged too


def _scored(report: Mapping[str, Any] | None) -> Pooled:
    every = report["renditions"] if report else ()
    return {each["name"]: each["vmaf"] for each in every if each.get("vmaf")}


@dataclass
class _Side:
    """The chunks of one package by rung and first frame, and the scores of those looked at."""

    chunks: Mapping[tuple[str, int], Asset]
    scores: dict[str, list[Scores]] = field(default_factory=dict)

    def pooled(self) -> Pooled:
        """By the names of renditions."""
        every = {name: np.concatenate(scores) for name, scores in self.scores.items()}
        return {
            f"video-{name}": {"mean": float(np.mean(one)), "p5": float(np.percentile(one, 5))}
            for name, one in every.items()
        }


async def _measured(
    house: House, bench: Bench, made: TitleGraph, came: Remade
) -> tuple[Pooled, Pooled]:
    """The scores of both packages over the chunks that the old one still has."""
    film = came.evidence.made.film
    old = _Side(await _whole_chunks(bench, made))
    new = _Side({
        (state.rung.name, state.clip.frames.start): state.chunk
        for row in came.evidence.made.chunks for state in row if state.chunk
    })  # fmt: skip
    both = old.chunks.keys() & new.chunks.keys()
    rungs = {rung.name: rung for rung in film.rungs}
    folder = bench.scratch / "compared"
    folder.mkdir(exist_ok=True)

    async def work(clip: Clip) -> None:
        start = clip.plan.frames.start
        names = [name for name in rungs if (name, start) in both]
        for side in (old, new):
            chunks = [side.chunks[name, start] for name in names]
            await _score(house, bench, film, clip, [rungs[n] for n in names], chunks, side)
        clip.path.unlink(missing_ok=True)

    clips = [clip for clip in film.clips if any(start == clip.frames.start for _, start in both)]
    await each_clip(
        bench, house.studio.indexer, came.film, film.info, film.timeline, clips, folder, work
    )
    return old.pooled(), new.pooled()


async def _score(
    house: House, bench: Bench, film: Film, clip: Clip, rungs: Sequence[Rung],
    chunks: Sequence[Asset], side: _Side,
) -> None:  # fmt: skip
    """Score chunks of one side against their clip."""
    folder = clip.path.with_suffix(".scores")
    folder.mkdir(exist_ok=True)
    async with bench.files(chunks) as files:
        measured, _ = await house.studio.meter.measure(
            clip, film.picture, rungs, files, folder, lambda _: None
        )
    for rung, one in zip(rungs, measured, strict=True):
        assert one.scores is not None
        side.scores.setdefault(rung.name, []).append(np.asarray(one.scores))


async def _whole_chunks(bench: Bench, made: TitleGraph) -> dict[tuple[str, int], Asset]:
    """The chunks of a package whose bytes are all right."""
    found: dict[tuple[str, int], Asset] = {}
    for part in chunks_of(made):
        asset = await asyncio.to_thread(bench.inventory.asset, Digest(part.key))
        if asset is None:
            continue
        try:
            await bench.read(asset)
        except MatineeError:
            continue
        found[part.rung.name, part.start] = asset
    return found
