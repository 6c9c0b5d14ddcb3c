"""The workbench: runs steps through the ledger, so that nothing is made twice.

- A step whose recipe is in the ledger is not run: its outputs are used.
- What older tools made is used until it is refreshed; the steps of one rendition share their tools.
- A step's outputs are stored before its derivation is written.
"""

import asyncio
import platform
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from matinee.assets.asset import Asset, object_key
from matinee.assets.derivation import Cost, Derivation, Shared, Step
from matinee.assets.files import digest_of_file
from matinee.core.errors import MatineeError, ObjectDamaged, ObjectMissing
from matinee.core.ids import Digest, canonical_json, digest_of
from matinee.core.progress import Progress
from matinee.ports.ledger import Inventory, Ledger
from matinee.ports.store import ObjectStore
from matinee.ports.tools import Tool
from matinee.stages.redo import Redo
from matinee.stages.slots import Turn
from matinee.stages.together import in_turn

TRANSFERS = 8
"""Objects that one step writes, fetches or asks for at once: a bucket answers slowly, but many."""

TOGETHER = 32
"""Objects that are proved in a row: to begin each by itself takes longer than a small one does."""

PROVED_AT_ONCE = 4
"""Such rows that are read at once."""


@dataclass(frozen=True, slots=True)
class Made:
    """An output that is to be stored: its bytes or their file."""

    content: bytes | Path
    media_type: str


Outputs = Mapping[str, Made] | Mapping[str, Asset]
"""Outputs by role: to be stored, or stored already at the key of their digest."""


def key_of(role: str, asset: Asset, folder: str | None) -> str:
    """Where an output lies: a role that is a path, at that path in ``folder``; others by digest."""
    if folder is not None and "/" in role:
        return f"{folder}/{role}"
    return object_key(asset.digest)


@dataclass
class Tally:
    """What a stage's derivations took, now or when they were made, and how many were made now."""

    wall_s: float = 0.0
    cpu_s: float = 0.0
    ran: int = 0
    reused: int = 0


@dataclass
class Bench:
    """One run's access to ledger and store. ``slots`` bounds the tools that work at once.

    ``sandbox`` names what confines them, ``redo`` the steps that are to be made anew.
    ``check_source`` raises when the film that is worked on is no longer the one that was named:
    what was made of it is not recorded then. ``mends``: it makes again what was there, so what
    other titles teach since then does not count.
    """

    run: str
    ledger: Ledger
    inventory: Inventory
    store: ObjectStore
    tools: Mapping[str, Tool]
    scratch: Path
    slots: Turn
    progress: Progress
    refresh: bool = False
    redo: Redo = field(default_factory=Redo)
    sandbox: Sequence[str] = ()
    check_source: Callable[[], None] = lambda: None
    mends: bool = False
    tallies: dict[str, Tally] = field(default_factory=dict)
    _tool_ids: dict[tuple[str, ...], Shared] = field(default_factory=dict)

    def tool_ids(self, *names: str) -> Mapping[str, str]:
        """The identities of tools, for a step."""
        if names not in self._tool_ids:
            self._tool_ids[names] = Shared({name: self.tools[name].identity for name in names})
        return self._tool_ids[names]

    def find(self, step: Step) -> Derivation | None:
        """The derivation of this step, if the ledger has one that may be used."""
        return self.find_each([step])[0]

    def find_each(self, steps: Sequence[Step]) -> list[Derivation | None]:
        """What ``find`` gives for each of many steps."""
        return [
            by_key.get(step.key) or self._of_one_toolset([step], [by_key])[0]
            for step, by_key in zip(steps, self._found(steps), strict=True)
        ]

    def find_all(self, steps: Sequence[Step]) -> list[Derivation | None]:
        """The derivations of steps that must share their tools, as those of one rendition must.

        The tools that are installed now are preferred; older ones count only when they made every
        step, or else two tools' work would meet in one rendition.
        """
        return self._of_one_toolset(steps, self._found(steps))

    def _found(self, steps: Sequence[Step]) -> list[dict[Digest, Derivation]]:
        """All that the ledger has of each step's recipe, by key."""
        found = self.ledger.find_all([step.recipe for step in steps])
        return [
            {} if self.redo.wants(step) else {one.step.key: one for one in of_recipe}
            for step, of_recipe in zip(steps, found, strict=True)
        ]

    def _of_one_toolset(
        self, steps: Sequence[Step], found: Sequence[Mapping[Digest, Derivation]]
    ) -> list[Derivation | None]:
        """See ``find_all``."""
        current = [by_key.get(step.key) for step, by_key in zip(steps, found, strict=True)]
        if self.refresh or all(current):
            return current
        toolsets = [
            {canonical_json(dict(d.step.tools)): d for d in by_key.values()} for by_key in found
        ]
        shared = set.intersection(*(set(by_tools) for by_tools in toolsets)) if toolsets else set()
        for tools in toolsets[0] if toolsets else ():
            if tools in shared:
                return [by_tools[tools] for by_tools in toolsets]
        return current

    async def derive(
        self, stage: str, step: Step,
        make: Callable[[], Awaitable[tuple[Outputs, float]]],
        folder: str | None = None,
    ) -> Derivation:  # fmt: skip
        """The step's derivation: from the ledger, or by running ``make`` and storing its outputs.

        ``make`` gives outputs by role and the processor seconds that they took; see ``key_of`` for
        ``folder``.
        """
        known = self.find(step)
        if known is not None and await self.holds(known, folder):
            self.reused(stage, known)
            return known
        attempt = self.ledger.begin(self.run, step)
        started, clock = datetime.now(UTC), time.monotonic()
        try:
            outputs, cpu_s = await make()
            wall_s = time.monotonic() - clock
            cost = Cost(platform.node(), started, wall_s, cpu_s)
            return await self.record(stage, attempt, step, outputs, cost, folder)
        except MatineeError as error:
            self.ledger.fail(attempt, f"{error.code}: {error}")
            raise

    async def record(
        self, stage: str, attempt: int, step: Step, outputs: Outputs, cost: Cost,
        folder: str | None = None,
    ) -> Derivation:  # fmt: skip
        """Store outputs, then write the derivation."""

        async def keep(output: tuple[str, Made | Asset]) -> tuple[str, Asset, str]:
            role, made = output
            asset = made if isinstance(made, Asset) else await asset_of(made)
            key = key_of(role, asset, folder)
            if isinstance(made, Made) and not await self._lies_at(key, asset):
                await self.store.write(
                    key, made.content, media_type=made.media_type, digest=asset.digest
                )
            return role, asset, key

        self.check_source()
        every: list[tuple[str, Made | Asset]] = [*outputs.items()]
        kept = await in_turn(keep, every, TRANSFERS)
        assets = {role: asset for role, asset, _ in kept}
        locations = [(asset.digest, key) for _, asset, key in kept]
        derivation = Derivation(step, assets, cost)
        self.ledger.record(attempt, derivation, locations, anew=self.redo.wants(step))
        self.redo.made.add(step.key)
        self._tally(stage, derivation).ran += 1
        return derivation

    def reused(self, stage: str, derivation: Derivation) -> None:
        """Note that the ledger had the derivation already."""
        self._tally(stage, derivation).reused += 1

    def _tally(self, stage: str, derivation: Derivation) -> Tally:
        tally = self.tallies.setdefault(stage, Tally())
        tally.wall_s += derivation.cost.wall_s
        tally.cpu_s += derivation.cost.cpu_s
        return tally

    async def holds(self, derivation: Derivation, folder: str | None = None) -> bool:
        """Whether all outputs lie where they should, with their size."""
        if self.redo.exact:
            return True

        async def lies(output: tuple[str, Asset]) -> bool:
            role, asset = output
            return await self.store.size(key_of(role, asset, folder)) == asset.size_bytes

        return all(await in_turn(lies, derivation.outputs.items(), TRANSFERS))

    async def _lies_at(self, key: str, asset: Asset) -> bool:
        """Whether the ledger and the store agree that the asset is at ``key``."""
        known = key in self.inventory.locate(asset.digest)
        return known and await self.store.size(key) == asset.size_bytes

    async def lost(self, assets: Sequence[Asset]) -> set[Digest]:
        """Those of the assets whose bytes are not in the store; damaged ones are removed.

        What a bucket has is not fetched for this: it is proved when it is used.
        """
        if self.redo.exact:
            return set()
        places = self.inventory.locate_all([asset.digest for asset in assets])
        left = dict(zip(assets, places, strict=True))
        for turn in range(max(map(len, places), default=0)):
            asked = [(asset, keys[turn]) for asset, keys in left.items() if turn < len(keys)]
            for (asset, _), is_whole in zip(asked, await self.are_whole(asked), strict=True):
                if is_whole:
                    del left[asset]
        return {asset.digest for asset in left}

    async def are_whole(self, asked: Sequence[tuple[Asset, str]]) -> list[bool]:
        """Whether each asset lies at its key; what is damaged there is removed."""
        keys = [key for _, key in asked]
        if not self.store.is_local:
            sizes = await in_turn(self.store.size, keys, TRANSFERS)
            return [size == asset.size_bytes for (asset, _), size in zip(asked, sizes, strict=True)]
        batches = [keys[at : at + TOGETHER] for at in range(0, len(keys), TOGETHER)]
        found = await in_turn(self.store.prove_each, batches, PROVED_AT_ONCE)
        proofs = [proof for batch in found for proof in batch]
        for (asset, key), proof in zip(asked, proofs, strict=True):
            if proof and proof[0] != asset.digest and proof[1] == asset.size_bytes:
                await self.store.delete(key)
        return [
            proof is not None and proof[0] == asset.digest
            for (asset, _), proof in zip(asked, proofs, strict=True)
        ]

    async def place(self, asset: Asset) -> str | None:
        """A key under which the asset lies whole, or None."""
        for key in self.inventory.locate(asset.digest):
            if await self.store.size(key) == asset.size_bytes:
                return key
        return None

    async def read(self, asset: Asset) -> bytes:
        """An asset's bytes, proved.

        Raises:
            ObjectDamaged: they are others. ObjectMissing: they are gone.
        """
        key = await self._key(asset)
        data = await self.store.read(key)
        if digest_of(data) != asset.digest:
            raise ObjectDamaged(f"object {key} was damaged")
        return data

    async def file(self, asset: Asset) -> Path:
        """A local file with the asset's bytes, to be read only. A copy lasts as long as the run.

        Raises:
            ObjectDamaged: a bucket gave other bytes; they are removed.
        """
        return await self._file(asset, self.scratch / "copies")

    @asynccontextmanager
    async def files(self, assets: Sequence[Asset]) -> AsyncIterator[list[Path]]:
        """The same of several assets; copies are gone when the block ends."""
        with tempfile.TemporaryDirectory(dir=self.scratch) as folder:
            yield await in_turn(lambda one: self._file(one, Path(folder)), assets, TRANSFERS)

    async def _file(self, asset: Asset, folder: Path) -> Path:
        key = await self._key(asset)
        path = await self.store.as_file(key, folder)
        if not self.store.is_local:
            digest, _ = await asyncio.to_thread(digest_of_file, path)
            if digest != asset.digest:
                await self.store.delete(key)
                raise ObjectDamaged(f"object {key} was damaged, and is removed")
        return path

    async def _key(self, asset: Asset) -> str:
        key = await self.place(asset)
        if key is None:
            raise ObjectMissing(
                f"an object of the library is gone: {asset.digest}", "publish the film again"
            )
        return key


async def asset_of(made: Made) -> Asset:
    """Name the bytes."""
    if isinstance(made.content, bytes):
        return Asset(digest_of(made.content), len(made.content), made.media_type)
    digest, size = await asyncio.to_thread(digest_of_file, made.content)
    return Asset(digest, size, made.media_type)
