"""What repairing works with, and what it finds out before it does anything: who is bad, why.

Inputs are proved before they are relied on, so that a fault is followed back to where it began.
"""

import asyncio
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

from matinee.assets.asset import Asset
from matinee.assets.derivation import Derivation
from matinee.assets.health import Clinic, Remaking, RepairPlan, plan_repair
from matinee.core.ids import Digest
from matinee.flows.lineage import TitleGraph
from matinee.flows.publish_title import House
from matinee.flows.scrub import Ward, prove
from matinee.media.profile import Profile
from matinee.ports.copies import Copies
from matinee.ports.store import ObjectStore
from matinee.ports.tools import Stills
from matinee.ports.upkeep import Finding
from matinee.stages.bench import Bench
from matinee.stages.posters import files_of_posters
from matinee.stages.redo import Redo

ALMOST_NOTHING_S = 0.001
"""The least price of anything, so that of equal ways the one with fewer steps is taken."""

OpenHouse = Callable[[Redo, ObjectStore], AbstractContextManager[tuple[House, Bench]]]


@dataclass(frozen=True)
class Mender:
    """What repairing works with, beside what a scrub does.

    ``copies`` are places that may have the same bytes; ``open_house`` gives the tools, a ledger
    that makes some steps again, and a store to work on; ``load_ladder`` a ladder by its name, as a
    profile; ``stills`` draws posters.
    """

    ward: Ward
    copies: Sequence[Copies]
    open_house: OpenHouse
    load_ladder: Callable[[str], Profile]
    stills: Stills


@dataclass
class Done:
    """What was done, or would be: in order, with its price. ``lost``: what cannot be had.

    ``left`` are findings of which nothing could be done, each with the reason.
    """

    acts: list[dict[str, Any]] = field(default_factory=list)
    mended: list[Finding] = field(default_factory=list)
    lost: list[tuple[Finding, str]] = field(default_factory=list)
    left: list[tuple[Finding, str]] = field(default_factory=list)
    suspects: list[dict[str, Any]] = field(default_factory=list)

    @property
    def cost_s(self) -> float:
        """The price of it all, in seconds of work."""
        return sum(float(act["cost_s"]) for act in self.acts)


@dataclass
class Case:
    """A title's bad assets, or some that belong to none. ``keys`` are where bad bytes lie.

    ``refused`` are copies that turned out to be bad.
    """

    mender: Mender
    made: TitleGraph | None
    keys: dict[Digest, set[str]]
    proved: set[Digest] = field(default_factory=set)
    refused: set[tuple[str, Digest]] = field(default_factory=set)
    assets: dict[Digest, Asset] = field(default_factory=dict)

    @property
    def wanted(self) -> list[Digest]:
        """The assets that are bad somewhere."""
        return list(self.keys)

    async def plan(self) -> RepairPlan:
        """The cheapest way; every input that it needs has been read and is good.

        What turns out to be bad on the way is bad from then on.
        """
        while True:
            clinic = await self._clinic()
            plan = plan_repair(clinic, self.wanted)
            steps = {step.key: step for step in clinic.remakings}
            needs = {
                need
                for each in plan.mendings
                if each.remake is not None
                for need in steps[each.remake].needs
                if need not in self.keys and need not in self.proved
            }
            if not await self._examine(sorted(needs)):
                return plan

    async def improved(self) -> bool:
        """Look again at what was bad; whether some of it is good now, and more may be had by it."""
        was = sum(len(keys) for keys in self.keys.values())
        for digest, keys in list(self.keys.items()):
            asset = self.assets.get(digest)
            for key in sorted(keys):
                if asset is not None and await prove(self.mender.ward, key, asset) is None:
                    keys.discard(key)
            if not keys:
                del self.keys[digest]
                self.proved.add(digest)
        left = sum(len(keys) for keys in self.keys.values())
        return 0 < left < was

    async def _examine(self, digests: Sequence[Digest]) -> bool:
        """Prove some assets; gives whether one of them is bad."""
        self._know(digests)
        is_bad = False
        places = await asyncio.to_thread(self.mender.ward.records.ancestry.places, digests)
        for digest in digests:
            asset = self.assets.get(digest)
            bad: set[str] = set()
            for key in places.get(digest, ()):
                if asset is not None and await prove(self.mender.ward, key, asset) is None:
                    self.proved.add(digest)
                    break
                bad.add(key)
            else:
                is_bad = True
                self.keys[digest] = bad
        return is_bad

    def _know(self, digests: Iterable[Digest]) -> None:
        new = [digest for digest in digests if digest not in self.assets]
        self.assets |= self.mender.ward.records.ancestry.assets(new)

    async def _clinic(self) -> Clinic:
        self._know(self.keys)
        remakings = remakings_of(self.made, self.keys)
        copies = {}
        for digest in self.keys:
            offers = await self.offers(digest)
            if offers:
                copies[digest] = max(ALMOST_NOTHING_S, min(price for _, price in offers))
        return Clinic(frozenset(self.keys), copies, remakings)

    async def offers(self, digest: Digest) -> list[tuple[Copies, float]]:
        """Who may have a copy of an asset, with the seconds that it takes."""
        asset = self.assets.get(digest)
        if asset is None:
            return []
        offers = []
        for copies in self.mender.copies:
            if (copies.name, digest) not in self.refused:
                price = await copies.offer(asset)
                if price is not None:
                    offers.append((copies, price))
        return sorted(offers, key=lambda each: each[1])


def remakings_of(made: TitleGraph | None, keys: Collection[Digest]) -> list[Remaking]:
    """The steps by which bad assets, and bad ones that these need, can be made."""
    if made is None:
        return []
    found: dict[Digest, Remaking] = {}
    waiting, seen = list(keys), set(keys)
    while waiting:
        maker = made.graph.maker(waiting.pop())
        if maker is None or maker.step.key in found:
            continue
        needs = needs_of(made, maker)
        price = max(ALMOST_NOTHING_S, maker.cost.wall_s)
        gives = {asset.digest: None for asset in maker.outputs.values()}
        own = tuple(gives.keys() - set(needs))
        found[maker.step.key] = Remaking(maker.step.key, needs, own, price)
        fresh = [need for need in needs if need in keys and need not in seen]
        waiting += fresh
        seen.update(fresh)
    return list(found.values())


def needs_of(made: TitleGraph, maker: Derivation) -> tuple[Digest, ...]:
    """The assets that a step needs to run again, each once.

    Its inputs; of excerpts, the film that they are of, with its index. Judges need all that they
    look at.
    """
    graph, step = made.graph, maker.step
    if step.function == "judge" and made.shown is not None:
        return tuple(dict.fromkeys([*made.shown.files.values(), step.inputs["join"]]))
    if step.function == "poster" and made.shown is not None:
        own = files_of_posters(made.shown.files, step) or made.shown.files
        return tuple(dict.fromkeys(own.values()))
    # A digest of several things, as judges have them, is none of an asset; a subtitle file's is.
    needs = dict.fromkeys(
        graph.whole(digest)
        for digest in step.inputs.values()
        if digest in made.known or digest in graph.excerpts or step.function == "make_text"
    )
    films = {graph.excerpts[d].film for d in step.inputs.values() if d in graph.excerpts}
    for film in films:
        for user in graph.users(film):
            if user.step.function == "inspect":
                needs |= dict.fromkeys(asset.digest for asset in user.outputs.values())
    return tuple(needs)
