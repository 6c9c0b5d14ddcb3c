"""What repairing works with, and what it finds out before it does anything: who is bad, why.

Inputs are proved before they are relied on, so that a fault is followed back to where it began.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

from matinee.assets.asset import Asset
from matinee.assets.health import Clinic, RepairPlan, plan_repair
from matinee.assets.rows import BadRow
from matinee.core.ids import Digest
from matinee.flows.house import House
from matinee.flows.lineage import TitleGraph, packages_with
from matinee.flows.rows import is_right
from matinee.flows.scrub import Ward, prove
from matinee.flows.ways import ALMOST_NOTHING_S, Way, ways_of
from matinee.media.profile import Profile
from matinee.ports.copies import Copies
from matinee.ports.store import ObjectStore
from matinee.ports.tools import Stills
from matinee.ports.upkeep import Finding
from matinee.stages.bench import Bench
from matinee.stages.redo import Redo

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
    """A title's bad things, or some that belong to none. ``keys`` are where bad bytes lie.

    ``mades`` has the title with each package that has to do with them, the one on screen first;
    ``rows`` are damaged rows by their keys; ``refused`` copies that turned out to be bad;
    ``useless`` steps that did not help.
    """

    mender: Mender
    mades: Sequence[TitleGraph]
    keys: dict[Digest, set[str]]
    rows: dict[Digest, BadRow]
    ways: dict[Digest, Way] = field(default_factory=dict)
    proved: set[Digest] = field(default_factory=set)
    refused: set[tuple[str, Digest]] = field(default_factory=set)
    useless: set[Digest] = field(default_factory=set)
    assets: dict[Digest, Asset] = field(default_factory=dict)
    _near: dict[Digest, list[str]] = field(default_factory=dict)

    @property
    def made(self) -> TitleGraph | None:
        """The title with the package that is preferred."""
        return self.mades[0] if self.mades else None

    async def plan(self) -> RepairPlan:
        """The cheapest way; every input that it needs has been read and is good.

        What turns out to be bad on the way is bad from then on.
        """
        while True:
            clinic = await self._clinic()
            plan = plan_repair(clinic, [*self.keys, *self.rows])
            needs = {
                need
                for each in plan.mendings
                if each.remake is not None
                for need in self.ways[each.remake].remaking.needs
                if need not in self.keys and need not in self.proved
            }
            if not await self._examine(sorted(needs)):
                return plan

    async def improved(self) -> bool:
        """Look again at what was bad; whether some of it is good now, and some is not."""
        was = self._bad()
        for digest, keys in list(self.keys.items()):
            asset = self.assets.get(digest)
            for key in sorted(keys):
                if asset is not None and await prove(self.mender.ward, key, asset) is None:
                    keys.discard(key)
            if not keys:
                del self.keys[digest]
                self.proved.add(digest)
        for key in list(self.rows):
            if await asyncio.to_thread(is_right, self.mender.ward.holdings, key):
                del self.rows[key]
        return 0 < self._bad() < was

    def _bad(self) -> int:
        return sum(len(keys) for keys in self.keys.values()) + len(self.rows)

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
        near = await self._nearest() if len(self.mades) > 1 else {}
        ways = ways_of(self.mades, self.keys, near, self.rows.values())
        self.ways = {key: way for key, way in ways.items() if key not in self.useless}
        copies = {}
        for digest in self.keys:
            offers = await self.offers(digest)
            if offers:
                copies[digest] = max(ALMOST_NOTHING_S, min(price for _, price in offers))
        bad = frozenset([*self.keys, *self.rows])
        return Clinic(bad, copies, [way.remaking for way in self.ways.values()])

    async def _nearest(self) -> dict[Digest, list[str]]:
        """Of each bad asset, the packages that have to do with it."""
        packages = [made.shown for made in self.mades if made.shown]
        for digest in self.keys.keys() - self._near.keys():
            found = await asyncio.to_thread(
                packages_with, self.mender.ward.records, packages, digest
            )
            self._near[digest] = [each.id for each in found]
        return self._near

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
