"""Repair: what a scrub found is made good again, in the cheapest way, or called lost.

- Faults of rows are mended from what proves them: bytes, keys, seals, derivations.
- Bad objects come from another copy, or are made again by the path that made them; see
  ``assets.health`` for how the way is chosen. Each is replaced in one step: who watches goes on.
- A segment that shows wrong frames is followed back to the chunk and to the step that made it; what
  the same tools made on the same host about then is looked at too.
"""

import asyncio
import tempfile
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from matinee.assets.asset import Asset
from matinee.assets.health import Mending, RepairPlan
from matinee.core.errors import MatineeError, NotFound
from matinee.core.ids import Digest
from matinee.flows.hidden import HiddenObjects
from matinee.flows.infirmary import Case, Done, Mender
from matinee.flows.lineage import find_thing, package_with, title_graph, title_of
from matinee.flows.lost import told_lost
from matinee.flows.mend_frames import mend_frames
from matinee.flows.mend_package import let_go, remake_package
from matinee.flows.mend_posters import package_of_posters, remake_posters
from matinee.flows.mend_rows import mend_row
from matinee.flows.scrub import Wanted, prove, scrub
from matinee.ports.catalog import Package, Title
from matinee.ports.upkeep import Finding
from matinee.stages.redo import Redo

OBJECTS = ("missing", "short", "long", "changed", "exchanged", "unreadable")
"""Kinds of faults of an object."""

LAST = ("poster", "frames")
"""Kinds that are mended when all objects are right."""


async def repair(mender: Mender, thing: str | None, *, dry_run: bool) -> Done:
    """Mend all that is open, or what belongs to ``thing``, which is proved first.

    Raises:
        NotFound: there is no such thing. LibraryError: the library cannot be used.
    """
    findings = await _findings(mender, thing)
    work = _Repair(mender, Done(), dry_run)
    objects = [each for each in findings if each.fault.kind in OBJECTS]
    roots = [each for each in objects if not _is_made(mender, each)]
    # What came from outside first, then what the ledger says, then what is made by what it says.
    await work.objects(roots)
    hidden = {each.fault.thing for each in objects if each not in roots}
    for finding in findings:
        if finding not in objects and finding.fault.kind not in LAST:
            await work.row(finding, hidden)
    await work.objects([each for each in objects if each not in roots])
    # What a row needed may be there by now.
    again = [finding for finding, _ in work.done.left if finding.fault.kind == "row"]
    work.done.left = [one for one in work.done.left if one[0] not in again]
    for finding in [*again, *(each for each in findings if each.fault.kind == "poster")]:
        await work.row(finding, ())
    frames = [each for each in findings if each.fault.kind == "frames"]
    if frames:
        await mend_frames(mender, frames, work.done, dry_run=dry_run)
    return work.done


def _is_made(mender: Mender, finding: Finding) -> bool:
    """Whether a step gave the asset, or a flow its report; else it came from outside."""
    digest = finding.fault.digest
    if digest is None or "report_of" in finding.fault.detail:
        return True
    made = mender.ward.records.ancestry.made_any([digest])
    return any(digest not in each.step.inputs.values() for each in made)


async def _findings(mender: Mender, thing: str | None) -> list[Finding]:
    ward = mender.ward
    if thing is None:
        return list(await asyncio.to_thread(ward.findings.all_open))
    found = await find_thing(ward.records, thing)
    if found.kind == "title":
        assert found.title is not None
        await scrub(ward, Wanted(sample=0, title=found.title.title.id))
    else:
        assets = ward.records.ancestry.assets(found.digests)
        places = ward.records.ancestry.places(found.digests)
        faults = [
            fault
            for digest in found.digests
            for key in places.get(digest, ())
            if (fault := await prove(ward, key, assets[digest]))
        ]
        await asyncio.to_thread(ward.findings.open, faults)
    every = await asyncio.to_thread(ward.findings.all_open)
    if found.kind != "title":
        return [each for each in every if each.fault.digest in found.digests]
    assert found.title is not None
    own = found.title.title.id
    return [
        each
        for each in every
        if each.fault.title == own
        or (
            each.fault.title is None
            and each.fault.digest is not None
            and _is_of(mender, each.fault.digest, own)
        )
    ]


def _is_of(mender: Mender, digest: Digest, title: str) -> bool:
    found = title_of(mender.ward.records, digest)
    return found is not None and found.id == title


@dataclass
class _Repair:
    mender: Mender
    done: Done
    dry_run: bool
    _failed: str = ""
    _instead: str = ""
    _packages: dict[str, list[Package]] = field(default_factory=dict)

    async def row(self, finding: Finding, hidden: Collection[str]) -> None:
        """A fault of something else than an object; ``hidden`` are objects that are bad."""
        how, reason = await mend_row(self.mender, finding, hidden, dry_run=self.dry_run)
        if how:
            self.done.acts.append(_act("row", [finding.fault.thing], how, 0.0))
            await self._close(finding, how)
        else:
            self.done.left.append((finding, reason))

    async def objects(self, findings: Sequence[Finding]) -> None:
        """Bad objects, package by package of each title."""
        cases: dict[tuple[str, str | None] | None, list[Finding]] = {}
        titles: dict[str, Title] = {}
        for finding in findings:
            title = await self._title_of(finding)
            if title is None:
                cases.setdefault(None, []).append(finding)
                continue
            titles[title.id] = title
            package = await self._package_of(title, finding)
            cases.setdefault((title.id, package), []).append(finding)
        for name, own in cases.items():
            if name is None:
                bad = await self._case(None, None, own)
            else:
                bad = await self._cases(titles[name[0]], name[1], own)
            self.done.left += [(each, "it is as bad as before") for each in bad]

    async def _cases(
        self, title: Title, package: str | None, findings: Sequence[Finding]
    ) -> Sequence[Finding]:
        """By that package, then by the others: two may share what a proof is about.

        Gives what is as bad as before.
        """
        bad = findings
        others = [each.id for each in reversed(self._packages[title.id]) if each.id != package]
        for name in (package, *others):
            before, was = len(self.done.acts), len(bad)
            bad = await self._case(title, name, bad) if bad else ()
            if len(bad) == was:  # nothing came of it
                del self.done.acts[before:]
        return bad

    async def _package_of(self, title: Title, finding: Finding) -> str | None:
        """The package by which an asset is made again: the one that has it, or rests on it."""
        records, digest = self.mender.ward.records, finding.fault.digest
        if title.id not in self._packages:
            found = await asyncio.to_thread(records.packages.of_title, title.id)
            self._packages[title.id] = sorted(found, key=lambda each: each.id == title.current)
        packages = self._packages[title.id]
        of_report: str | None = finding.fault.detail.get("report_of")
        if of_report is not None or digest is None:
            return of_report
        if len(packages) < 2:
            return packages[0].id if packages else None
        made = await asyncio.to_thread(records.ancestry.made_any, [digest])
        posters = next((each.step for each in made if each.step.function == "poster"), None)
        if posters is not None:
            package = package_of_posters(packages, posters)
        else:
            package = await asyncio.to_thread(package_with, records, packages, digest)
        return package.id if package else None

    async def _title_of(self, finding: Finding) -> Title | None:
        fault = finding.fault
        if fault.title is not None:
            return self.mender.ward.records.titles.get(fault.title)
        if fault.digest is None:
            return None
        return await asyncio.to_thread(title_of, self.mender.ward.records, fault.digest)

    async def _is_right_by_now(self, finding: Finding) -> bool:
        if await self._prove(finding):
            self.done.mended.append(finding)
            if not self.dry_run:
                await self._tell(finding, "mended", "it was right again when it was looked at")
            return True
        return False

    async def _prove(self, finding: Finding) -> bool:
        """Whether what a finding is about is right."""
        fault, ward = finding.fault, self.mender.ward
        assert fault.digest is not None
        known = ward.records.ancestry.assets([fault.digest]).get(fault.digest)
        asset = known or Asset(fault.digest, 0, "")
        found = await prove(ward, fault.thing, asset)
        return found is None or (known is None and found.kind == "size")

    async def _case(
        self, title: Title | None, package: str | None, findings: Sequence[Finding]
    ) -> Sequence[Finding]:
        """The bad objects of one package of a title; gives those that are as bad as before."""
        findings = [each for each in findings if not await self._is_right_by_now(each)]
        if not findings:
            return []
        self._failed = self._instead = ""
        records = self.mender.ward.records
        reports = [each for each in findings if "report_of" in each.fault.detail]
        others = [each for each in findings if each not in reports]
        bad = [each.fault.digest for each in others if each.fault.digest]
        first = bad[0] if bad else None
        made = await title_graph(records, title, first, package, bad) if title else None
        keys: dict[Digest, set[str]] = {}
        for finding in others:
            assert finding.fault.digest is not None
            keys.setdefault(finding.fault.digest, set()).add(finding.fault.thing)
        case = Case(self.mender, made, keys)
        plan, is_whole = await case.plan(), self.dry_run
        while not is_whole:
            is_done = await self._follow(case, plan, bool(reports))
            is_whole = is_done and (bool(self._instead) or not await case.improved())
            plan = plan if is_whole else await case.plan()
        if self.dry_run:
            self.done.acts += [_told(case, each) for each in plan.mendings]
            if reports:
                self.done.acts.append(_act("remake", ["report"], "its report is written again", 0))
        return await self._finish(case, plan, [*others, *reports])

    async def _follow(self, case: Case, plan: RepairPlan, report_too: bool) -> bool:
        """Do what is planned; False where a copy was bad, and another way has to be found."""
        copies = [each for each in plan.mendings if each.remake is None]
        remakes = [each for each in plan.mendings if each.remake is not None]
        for mending in copies:
            keys = sorted(case.keys[mending.assets[0]])
            came_from = await self._fetch(case, mending.assets[0])
            if came_from is None:
                return False
            how = f"copied from {came_from}"
            self.done.acts.append(_act("copy", keys, how, mending.cost_s))
        acts = [_told(case, each) for each in remakes]
        if remakes or report_too:
            try:
                await self._remake(case, remakes, report_too=report_too)
            except MatineeError as error:
                self._failed = str(error)
                return True
            self.done.acts += acts
        return True

    async def _fetch(self, case: Case, digest: Digest) -> str | None:
        """Put a copy of an asset where it is bad; gives from where it came."""
        asset, ward = case.assets[digest], self.mender.ward
        for copies, _ in await case.offers(digest):
            scratch = ward.eye.folder if ward.eye else None
            with tempfile.TemporaryDirectory(dir=scratch) as name:
                file = await copies.fetch(asset, Path(name))
                try:
                    if file is None:
                        raise NotFound("it is not there")
                    for key in sorted(case.keys[digest]):
                        await ward.store.write(
                            key, file, media_type=asset.media_type, digest=digest
                        )
                except MatineeError:
                    case.refused.add((copies.name, digest))
                    continue
            case.proved.add(digest)
            del case.keys[digest]
            return copies.name
        return None

    async def _remake(self, case: Case, remakes: Sequence[Mending], *, report_too: bool) -> None:
        made = case.made
        if made is None or made.shown is None:
            raise NotFound("it belongs to no package that could be made again")
        makers = {each.step.key: each for each in made.graph.derivations}
        steps = [makers[each.remake].step for each in remakes if each.remake]
        posters = [step for step in steps if step.function == "poster"]
        hidden = {key for keys in case.keys.values() for key in keys}
        store = HiddenObjects(self.mender.ward.store, hidden)
        redo = Redo(recipes=frozenset(step.recipe for step in steps))
        if report_too or len(posters) < len(steps):
            self._instead = await remake_package(
                self.mender, made, redo, store, report_too=report_too
            )
        if posters:
            ward = self.mender.ward
            with self.mender.open_house(redo, store) as (_, bench):
                for step in posters:
                    await remake_posters(
                        bench, self.mender.stills, ward.locksmith, ward.records, ward.holdings,
                        made.title, step,
                    )  # fmt: skip

    async def _finish(
        self, case: Case, plan: RepairPlan, findings: Sequence[Finding]
    ) -> Sequence[Finding]:
        """Prove what was bad once more and close the findings; gives those that are still bad."""
        bad: list[Finding] = []
        if self._instead:
            await case.improved()
            await let_go(self.mender, case)
        for finding in findings:
            digest = finding.fault.digest
            assert digest is not None
            if digest in plan.lost:
                said = await told_lost(self.mender, case.made, finding)
                self.done.lost.append((finding, said))
                if not self.dry_run:
                    await self._tell(finding, "lost", said)
            elif self.dry_run:
                continue
            elif await self._prove(finding) or await self._is_let_go(finding):
                await self._close(finding, "mended")
            elif self._instead:
                await self._close(finding, self._instead)
            elif self._failed:
                self.done.left.append((finding, self._failed))
            else:
                bad.append(finding)
        return bad

    async def _is_let_go(self, finding: Finding) -> bool:
        """Whether a report that is bad is no package's report any more."""
        package, title = finding.fault.detail.get("report_of"), finding.fault.title
        if package is None or title is None:
            return False
        known = self.mender.ward.records.packages.get(title, package)
        return known.report != finding.fault.digest

    async def _close(self, finding: Finding, how: str) -> None:
        self.done.mended.append(finding)
        if not self.dry_run:
            await self._tell(finding, "mended", how)

    async def _tell(self, finding: Finding, state: str, how: str) -> None:
        await asyncio.to_thread(self.mender.ward.findings.close, finding, state, how)


def _act(way: str, things: Sequence[str], how: str, cost_s: float) -> dict[str, Any]:
    return {"way": way, "things": list(things), "how": how, "cost_s": round(cost_s, 3)}


def _told(case: Case, mending: Mending) -> dict[str, Any]:
    """One thing that is done, as JSON."""
    keys = [key for digest in mending.assets for key in sorted(case.keys.get(digest, {digest}))]
    if mending.remake is None:
        return _act("copy", keys, "copied from another place", mending.cost_s)
    assert case.made is not None
    maker = next(d for d in case.made.graph.derivations if d.step.key == mending.remake)
    how = f"made again by {maker.step.function}@{maker.step.version}"
    return _act("remake", keys, how, mending.cost_s)
