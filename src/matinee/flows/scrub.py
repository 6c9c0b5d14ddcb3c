"""Scrub: read what is stored and prove it, at a limited rate; note what is wrong.

- *objects*: everything that the ledger says is there is there, with its digest, size and kind.
- *titles*: entry manifests, posters, reports, lists of files; playlists, manifests, segments fit.
- *frames*: a random share of video segments is decoded and shows its frames of the film.
- *ledger*: rows are what their keys say; the event log is as it was written.
- *unclaimed*: objects that nothing names are counted; removing them is for others.

A pass that is broken off goes on where it was: what was proved is not read again.
"""

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import PurePath
from typing import Any

from matinee.assets.asset import Asset, object_key
from matinee.assets.health import Fault, judge_object
from matinee.core.errors import LibraryError, LibraryUnreachable, MatineeError, ObjectMissing
from matinee.core.ids import Digest, digest_of
from matinee.flows.frames import Eye, check_frames_of
from matinee.flows.lineage import Records, title_graph
from matinee.flows.mend_posters import poster_fault
from matinee.flows.rows import check_row, with_title
from matinee.flows.seal_events import verify_seals
from matinee.flows.throttle import Throttle
from matinee.flows.verify_title import expected_of
from matinee.media.conformance import check_package
from matinee.media.media_types import MEDIA_TYPES
from matinee.media.packaging import DASH, HLS, entry_manifests
from matinee.ports.catalog import Package, Title
from matinee.ports.events import SealedLog
from matinee.ports.store import ListedStore
from matinee.ports.upkeep import Findings, Held, Holdings, Scrub, Scrubs
from matinee.stages.ahead import Ahead
from matinee.stages.posters import POSTER
from matinee.stages.publish import ENTRY_DASH, ENTRY_HLS, title_key
from matinee.stages.unlock import KEYS_FAILED, Locksmith, Unlock

PHASES = ("objects", "titles", "frames", "ledger", "unclaimed")

BATCH = 64
"""Objects that are read before it is noted how far the pass came."""

AT_ONCE = 2
"""Objects that are read at once: one is hashed while the disk gives the next."""

SAMPLE = 0.02
"""The share of segments that is decoded in a pass."""

PROJECTIONS = (ENTRY_HLS, ENTRY_DASH, POSTER)
"""Files of a title that are written again at any time."""

OF_A_SEAL = ("the object of seal", "does not have the bytes that were sealed")
"""Words of faults of a seal's object, which is looked at as all objects are."""

LISTED = 1000
"""Objects whose names are looked up at a time."""

Tell = Callable[[Scrub], None]
"""Called as the pass goes on."""


@dataclass(frozen=True)
class Wanted:
    """What is to be looked at. ``rate`` is in bytes a second, ``sample`` a share.

    ``since``: only what was made since then. ``title``: only what belongs to it.
    """

    rate: float | None = None
    sample: float = SAMPLE
    since: datetime | None = None
    title: str | None = None

    def as_json(self) -> dict[str, Any]:
        """The settings by which a pass is known again: how fast it reads is none of them."""
        return {
            "sample": self.sample,
            "since": self.since.isoformat() if self.since else None,
            "title": self.title,
        }


@dataclass(frozen=True)
class Ward:
    """What a scrub works with. ``eye`` is what decodes; None: nothing is decoded.

    ``locksmith`` has the keys of what is encrypted.
    """

    store: ListedStore
    records: Records
    holdings: Holdings
    findings: Findings
    scrubs: Scrubs
    log: SealedLog
    eye: Eye | None
    locksmith: Locksmith


async def scrub(ward: Ward, wanted: Wanted, tell: Tell = lambda _: None) -> Scrub:
    """One pass, or the rest of one that was broken off; gives what it looked at.

    Raises:
        LibraryError: the database or the bucket cannot be used.
    """
    begun = await asyncio.to_thread(ward.scrubs.begin, wanted.as_json())
    work = _Pass(ward, wanted, begun, tell)
    for phase in PHASES[PHASES.index(begun.phase) if begun.phase else 0 :]:
        if wanted.title is not None and phase in ("ledger", "unclaimed"):
            continue
        await work.begin(phase)
        await getattr(work, phase)()
    return await asyncio.to_thread(ward.scrubs.end, work.state)


@dataclass
class _Pass:
    ward: Ward
    wanted: Wanted
    state: Scrub
    tell: Tell
    counts: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.throttle = Throttle(self.wanted.rate)
        self.counts = dict(self.state.counts)

    async def begin(self, phase: str) -> None:
        """Go on with a phase where it was, or begin the next."""
        if self.state.phase != phase:
            await self._reached(phase, "")

    async def _reached(self, phase: str, place: str, faults: Sequence[Fault] = ()) -> None:
        """Note what was found, then how far the pass came."""
        new = await asyncio.to_thread(self.ward.findings.open, faults)
        self._count(findings=len(new))
        self.state = replace(self.state, phase=phase, place=place, counts=dict(self.counts))
        await asyncio.to_thread(self.ward.scrubs.tell, self.state)
        self.tell(self.state)

    def _count(self, **more: int) -> None:
        for name, count in more.items():
            self.counts[name] = self.counts.get(name, 0) + count

    async def objects(self) -> None:
        """Every object that the ledger says is there."""
        holdings, place = self.ward.holdings, int(self.state.place or 0)
        slots = asyncio.Semaphore(AT_ONCE)
        while held := await asyncio.to_thread(
            holdings.objects, place, BATCH, self.wanted.since, self.wanted.title
        ):
            found = await asyncio.gather(*(self._object(each, slots) for each in held))
            place = held[-1].number
            await self._reached("objects", str(place), [fault for fault in found if fault])

    async def _object(self, held: Held, slots: asyncio.Semaphore) -> Fault | None:
        async with slots:
            fault = await prove(self.ward, held.key, held.asset, self.throttle.take)
        self._count(objects=1, bytes=held.asset.size_bytes)
        return fault or wrong_type(held)

    async def titles(self) -> None:
        """What a title shows fits together, and is what the catalog says."""
        for title in self._titles():
            faults = [
                fault
                for package in await asyncio.to_thread(
                    self.ward.records.packages.of_title, title.id
                )
                for fault in await check_package_row(self.ward, title, package)
            ]
            if title.current is not None:
                shown, is_locked = await check_shown(self.ward, title)
                faults += shown
                if is_locked:
                    self._count(locked=1)
            poster = await poster_fault(self.ward.store, self.ward.records, title)
            faults += [poster] if poster else []
            self._count(titles=1)
            await self._reached("titles", title.id, faults)

    async def frames(self) -> None:
        """A random share of the segments on screen shows its frames."""
        if self.ward.eye is None or self.wanted.sample <= 0:
            return
        for title in self._titles():
            if title.current is not None:
                made = await title_graph(self.ward.records, title, package=title.current)
                seed = f"{self.state.id} {title.id}"
                try:
                    looked, faults = await check_frames_of(
                        self.ward.eye, self.ward.records, made, self.wanted.sample, seed
                    )
                except KEYS_FAILED:
                    looked, faults = 0, []
                    self._count(locked=1)
                self._count(segments=looked)
                await self._reached("frames", title.id, faults)

    def _titles(self) -> list[Title]:
        """Those that are still to be looked at, by id."""
        titles = sorted(self.ward.records.titles.all(), key=lambda each: each.id)
        wanted = self.wanted.title
        return [
            each
            for each in titles
            if each.id > self.state.place and (wanted is None or each.id == wanted)
        ]

    async def ledger(self) -> None:
        """Rows are what their keys say, and so is the event log."""
        holdings, place = self.ward.holdings, int(self.state.place or 0)
        if not place:
            broken = await asyncio.to_thread(holdings.faults)
            faults = [Fault("database", "database", detail={"said": said}) for said in broken]
            seals = await verify_seals(self.ward.log, self.ward.store)
            faults += [
                Fault("event", f"event log: {said}", detail={"said": said})
                for said in seals.reasons
                if not any(words in said for words in OF_A_SEAL)
            ]
            self._count(events=int(seals.evidence.get("events", 0)))
            await self._reached("ledger", "0", faults)
        while rows := await asyncio.to_thread(holdings.rows, place, 500):
            wrong = [fault for row in rows for fault in check_row(row)]
            faults = [
                await asyncio.to_thread(with_title, holdings, self.ward.records, fault)
                for fault in wrong
            ]
            place = rows[-1].number
            self._count(rows=len(rows))
            await self._reached("ledger", str(place), faults)

    async def unclaimed(self) -> None:
        """Count objects that nothing names."""
        for prefix in ("objects", "titles"):
            sizes: dict[str, int] = {}
            async for one in self.ward.store.listed(prefix):
                if PurePath(one.key).name not in PROJECTIONS:
                    sizes[one.key] = one.size_bytes
                if len(sizes) == LISTED:
                    await self._count_unclaimed(sizes)
                    sizes = {}
            await self._count_unclaimed(sizes)
        await self._reached("unclaimed", "")

    async def _count_unclaimed(self, sizes: Mapping[str, int]) -> None:
        known = await asyncio.to_thread(self.ward.holdings.known, list(sizes))
        left = [size for key, size in sizes.items() if key not in known]
        self._count(unclaimed=len(left), unclaimed_bytes=sum(left))


async def prove(
    ward: Ward, key: str, asset: Asset, pace: Callable[[int], None] = lambda _: None
) -> Fault | None:
    """Read an object and say what is wrong with it; None when it is as it should be.

    Raises:
        LibraryUnreachable: the bucket does not answer: nothing is said of the object then.
    """
    title = key.split("/")[1] if key.startswith("titles/") else None
    try:
        found = await ward.store.prove(key, pace)
    except ObjectMissing:
        found = None
    except LibraryUnreachable:
        raise
    except LibraryError as error:
        return Fault("unreadable", key, asset.digest, title, {"said": str(error)})
    is_known = (
        found is not None
        and found[0] != asset.digest
        and bool(await asyncio.to_thread(ward.records.ancestry.assets, [found[0]]))
    )
    return judge_object(asset, key, found, is_known)


def wrong_type(held: Held) -> Fault | None:
    """Whether a title's file is recorded as another kind than its name says."""
    expected = MEDIA_TYPES.get(PurePath(held.key).suffix)
    if not held.key.startswith("titles/") or expected in (None, held.asset.media_type):
        return None
    detail = {"said": f"{held.asset.media_type} instead of {expected}"}
    return Fault("type", held.key, held.asset.digest, held.key.split("/")[1], detail)


async def check_package_row(ward: Ward, title: Title, package: Package) -> list[Fault]:
    """A package's report is whole, and its list of files is what was made."""
    faults: list[Fault] = []
    key = object_key(package.report)
    try:
        digest, size = await ward.store.prove(key, lambda _: None)
        found: tuple[Digest, int] | None = (digest, size)
    except ObjectMissing:
        found = None
    if found is None or found[0] != package.report:
        size = found[1] if found else 0
        fault = judge_object(Asset(package.report, size, ""), key, found, is_known=False)
        if fault is not None:
            detail = {**fault.detail, "report_of": package.id}
            faults.append(replace(fault, title=title.id, detail=detail))
    files = await asyncio.to_thread(made_files, ward.records, title, package)
    if files is not None and files != dict(package.files):
        thing = f"package/{title.id}/{package.id}"
        faults.append(Fault("files", thing, None, title.id, {"package": package.id}))
    return faults


def made_files(records: Records, title: Title, package: Package) -> dict[str, Digest] | None:
    """The files that a package's derivation gave; None where it is not known."""
    lying = records.ancestry.under(title_key(title.id, f"packages/{package.id}/"))
    for made in records.ancestry.made_any(list(lying.values())[:1]):
        files = {path: asset.digest for path, asset in made.outputs.items() if "/" in path}
        if made.step.function == "package" and f"packages/{package.id}/{HLS}" in files:
            return files
    return None


async def check_shown(ward: Ward, title: Title) -> tuple[list[Fault], bool]:
    """The entry manifests show the package on screen, and its parts fit.

    Of a package whose files or report are damaged, that alone is told. Gives also whether it is
    encrypted and its keys cannot be had: what is in its segments is not looked at then.
    """
    assert title.current is not None
    package = await asyncio.to_thread(ward.records.packages.get, title.id, title.current)
    open_ones = await asyncio.to_thread(ward.findings.all_open)
    bad = {each.fault.thing for each in open_ones}
    manifests = {title_key(title.id, f"packages/{package.id}/{name}") for name in (HLS, DASH)}
    own = {title_key(title.id, path) for path in package.files} | {object_key(package.report)}
    try:
        faults = [] if bad & manifests else await _check_entry(ward, title, package)
        if bad & own:
            return faults, False
        try:
            unlock = await asyncio.to_thread(ward.locksmith.unlock, package)
        except KEYS_FAILED:
            return faults, True
        return [*faults, *await _check_fit(ward, title, package, unlock)], False
    except MatineeError as error:
        said = {"said": str(error)}
        return [Fault("unfit", f"package/{title.id}/{package.id}", None, title.id, said)], False


async def _check_entry(ward: Ward, title: Title, package: Package) -> list[Fault]:
    texts = [
        (await ward.store.read(title_key(title.id, f"packages/{package.id}/{name}"))).decode()
        for name in (HLS, DASH)
    ]
    faults = []
    projected = entry_manifests(package.id, *texts)
    for name, text in zip((ENTRY_HLS, ENTRY_DASH), projected, strict=True):
        key = title_key(title.id, name)
        try:
            is_so = await ward.store.read(key) == text.encode()
        except LibraryUnreachable:
            raise
        except LibraryError:
            is_so = False
        if not is_so:
            faults.append(Fault("entry", key, digest_of(text.encode()), title.id))
    return faults


async def _check_fit(ward: Ward, title: Title, package: Package, unlock: Unlock) -> list[Fault]:
    report = json.loads(await ward.store.read(object_key(package.report)))
    files = Ahead(lambda path: ward.store.read(title_key(title.id, path)), package.files)
    try:
        findings = await asyncio.to_thread(
            check_package, unlock.over(files), f"packages/{package.id}/{HLS}",
            f"packages/{package.id}/{DASH}", expected_of(report),
        )  # fmt: skip
    finally:
        files.close()
    if not findings:
        return []
    said = "; ".join(f"{f.where}: {f.message} [{f.code}]" for f in findings[:5])
    thing = f"package/{title.id}/{package.id}"
    return [Fault("unfit", thing, None, title.id, {"said": said})]
