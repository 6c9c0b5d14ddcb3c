"""What is bad of a title is mended by one plan: its objects, and the rows of its steps.

The plan looks at all packages of the title at once, so that what two of them share comes by the
cheaper one. It is followed until nothing more comes of it: where a copy turns out to be bad, or a
step does not help, another way is looked for.
"""

import asyncio
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from matinee.assets.asset import Asset
from matinee.assets.batches import Batch, batched
from matinee.assets.health import Mending, RepairPlan
from matinee.assets.rows import BadRow
from matinee.core.errors import MatineeError, NotFound, ObjectDamaged, ObjectMissing
from matinee.core.ids import Digest
from matinee.flows.hidden import HiddenObjects
from matinee.flows.infirmary import Case, Done, Mender
from matinee.flows.lineage import TitleGraph, packages_with, title_graph
from matinee.flows.lost import told_lost
from matinee.flows.mend_package import let_go, remake_package
from matinee.flows.mend_posters import remake_posters
from matinee.flows.mend_rows import are_made, is_mended, row_again
from matinee.flows.scrub import prove
from matinee.flows.ways import package_of
from matinee.ports.catalog import Package, Title
from matinee.ports.upkeep import Finding
from matinee.stages.redo import Redo

WEIGHED = 8
"""Packages that are weighed against one another, where that many of a title have the same."""


@dataclass(frozen=True)
class Bad:
    """What is bad of a title, or of none: findings of objects, and of rows by their keys."""

    title: Title | None
    objects: Sequence[Finding]
    rows: Mapping[Digest, tuple[Finding, BadRow]]


async def mend_title(mender: Mender, bad: Bad, done: Done, *, dry_run: bool) -> None:
    """Have what is bad right again, by the cheapest way."""
    objects = [each for each in bad.objects if "report_of" not in each.fault.detail]
    reports = [each for each in bad.objects if each not in objects]
    keys: dict[Digest, set[str]] = {}
    for finding in objects:
        assert finding.fault.digest is not None
        keys.setdefault(finding.fault.digest, set()).add(finding.fault.thing)
    rows = {key: row for key, (_, row) in bad.rows.items()}
    named = {each.fault.detail["report_of"] for each in reports}
    mades = await _graphs(mender, bad.title, [*keys], [*rows.values()], named)
    case = Case(mender, mades, keys, dict(rows))
    await _Treatment(mender, bad, done, case, reports, dry_run).run()


async def _graphs(
    mender: Mender, title: Title | None, bad: Sequence[Digest], rows: Sequence[BadRow],
    named: set[str],
) -> list[TitleGraph]:  # fmt: skip
    """The title with each package that has to do with bad things; the one on screen first."""
    if title is None:
        return []
    records = mender.ward.records
    found: Sequence[Package] = await asyncio.to_thread(records.packages.of_title, title.id)
    packages = [*reversed(found)]
    packages.sort(key=lambda each: each.id != title.current)
    needed, more = {each.id for each in packages[:1] if len(packages) == 1} | named, set[str]()
    things = dict.fromkeys([*bad, *(d for row in rows for d in (*row.gives, *row.inputs)[:1])])
    for digest in things if len(packages) > 1 else ():
        found = await asyncio.to_thread(packages_with, records, packages, digest)
        needed.add(found[0].id)
        more |= {each.id for each in found}
    others = [each.id for each in packages if each.id in more - needed]
    needed |= {*others[: max(0, WEIGHED - len(needed))]}
    chosen = [each for each in packages if each.id in needed]
    makers = [*bad, *(digest for row in rows for digest in row.gives[:1])]
    if not chosen:
        return [await title_graph(records, title, makers_of=makers)]
    return [await title_graph(records, title, package=each.id, makers_of=makers) for each in chosen]


@dataclass
class _Treatment:
    """Follows plans; ``lost`` is what had no way before any was found to be useless."""

    mender: Mender
    bad: Bad
    done: Done
    case: Case
    reports: Sequence[Finding]
    dry_run: bool
    lost: frozenset[Digest] = frozenset()
    failed: str = ""
    instead: dict[Digest, str] = field(default_factory=dict)

    async def run(self) -> None:
        """Until all is right, or nothing more comes of it."""
        is_whole = False
        while not is_whole:
            plan = await self.case.plan()
            self.lost = self.lost if self.case.useless else plan.lost
            if self.dry_run:
                self._tell_plan(plan)
                break
            is_whole = await self._followed(plan)
        await self._finish()

    def _tell_plan(self, plan: RepairPlan) -> None:
        self.done.acts += [self._told(each) for each in plan.mendings]
        if self.reports:
            self.done.acts.append(act("remake", ["report"], "its report is written again", 0))

    async def _followed(self, plan: RepairPlan) -> bool:
        """Do what is planned; False where another plan may come to more."""
        for mending in plan.mendings:
            if mending.remake is not None:
                continue
            (digest,), keys = mending.assets, sorted(self.case.keys[mending.assets[0]])
            came_from = await self._fetch(digest)
            if came_from is None:
                return False
            self.done.acts.append(act("copy", keys, f"copied from {came_from}", mending.cost_s))
        tried, acts = await self._remake(plan)
        if self.instead:
            self.done.acts += [acts[key] for key in tried]
            await self.case.improved()
            return True
        is_better = await self.case.improved()
        useless = {key for key in tried if not self._helped(key)}
        self.done.acts += [told for key in tried if (told := self._as_done(acts[key]))["things"]]
        self.case.useless |= useless
        return not is_better and not (useless and self._is_left())

    def _helped(self, step: Digest) -> bool:
        """Whether nothing that a step was to give is bad any more."""
        gives = self.case.ways[step].remaking.gives
        return not any(digest in self.case.keys or digest in self.case.rows for digest in gives)

    def _as_done(self, told: dict[str, Any]) -> dict[str, Any]:
        """What was planned, with those things alone that are right now."""
        left = {key for keys in self.case.keys.values() for key in keys}
        left |= {row.thing for row in self.case.rows.values()}
        return told | {"things": [thing for thing in told["things"] if thing not in left]}

    def _is_left(self) -> bool:
        return bool(self.case.keys or self.case.rows)

    async def _fetch(self, digest: Digest) -> str | None:
        """Put a copy of an asset where it is bad; gives from where it came."""
        case, ward = self.case, self.mender.ward
        asset = case.assets[digest]
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

    async def _remake(self, plan: RepairPlan) -> tuple[list[Digest], dict[Digest, dict[str, Any]]]:
        """Run the plan's steps, walk by walk; gives those that were tried, and what is told."""
        ways = self.case.ways
        remakings = {key: way.remaking for key, way in ways.items()}
        batches = batched(plan.mendings, remakings, {k: way.packages for k, way in ways.items()})
        acts = {each.remake: self._told(each) for each in plan.mendings if each.remake is not None}
        reports = {each.fault.detail["report_of"] for each in self.reports}
        walked = {each.package for each in batches}
        known = {package_of(each) for each in self.case.mades}
        batches += [Batch(package, ()) for package in sorted(reports & known - walked)]
        hidden = {key for keys in self.case.keys.values() for key in keys}
        tried: list[Digest] = []
        for batch in batches:
            tried += batch.steps
            try:
                await self._walk(batch, hidden, report_too=batch.package in reports)
            except MatineeError as error:
                self.failed = str(error)
            reports.discard(batch.package)
        self.reports = []  # once is enough
        return tried, acts

    async def _walk(self, batch: Batch, hidden: set[str], *, report_too: bool) -> None:
        """The steps of one batch: the path of the package is walked once more."""
        made = next(each for each in self.case.mades if package_of(each) == batch.package)
        if made.shown is None:
            raise NotFound("it belongs to no package that could be made again")
        steps = [step for key in batch.steps if (step := self.case.ways[key].step) is not None]
        posters = [step for step in steps if step.function == "poster"]
        store = HiddenObjects(self.mender.ward.store, hidden)
        redo = Redo(
            recipes=frozenset(step.recipe for step in steps),
            keys=frozenset(self.case.rows),
            exact=True,
        )
        if report_too or len(posters) < len(batch.steps):
            instead = await self._made_again(made, redo, store, report_too=report_too)
            if instead:
                gives = {d for key in batch.steps for d in self.case.ways[key].remaking.gives}
                self.instead |= dict.fromkeys(gives, instead)
                await self.case.improved()
                await let_go(self.mender, self.case, batch.steps)
        await self._rows_again(batch, hidden)
        ward = self.mender.ward
        if posters:
            with self.mender.open_house(redo, store) as (_, bench):
                for step in posters:
                    await remake_posters(
                        bench, self.mender.stills, ward.locksmith, ward.records, ward.holdings,
                        made.title, step,
                    )  # fmt: skip

    async def _made_again(
        self, made: TitleGraph, redo: Redo, store: HiddenObjects, *, report_too: bool
    ) -> str:
        """As ``remake_package``; where more is bad than was known, that is made again as well."""
        try:
            return await remake_package(self.mender, made, redo, store, report_too=report_too)
        except (ObjectMissing, ObjectDamaged):
            redo.exact = False
            return await remake_package(self.mender, made, redo, store, report_too=report_too)

    async def _rows_again(self, batch: Batch, hidden: set[str]) -> None:
        """Rows that the walk did not write."""
        for key in batch.steps:
            if key in self.case.rows and not await is_mended(self.mender, key):
                packages = self.case.ways[key].packages
                mades = [each for each in self.case.mades if package_of(each) in packages]
                mades.sort(key=lambda each: package_of(each) == batch.package)
                await row_again(self.mender, mades, self.case.rows[key], hidden)

    async def _finish(self) -> None:
        """Close the findings of what is right, and say why others are not."""
        for finding in self.bad.objects:
            digest = finding.fault.digest
            assert digest is not None
            if digest in self.lost:
                said = await told_lost(self.mender, self.case.made, finding)
                self.done.lost.append((finding, said))
                if not self.dry_run:
                    await self._tell(finding, "lost", said)
            elif self.dry_run:
                continue
            elif await is_sound(self.mender, finding) or self._is_let_go(finding):
                await self._close(finding, "mended")
            elif digest in self.instead:
                await self._close(finding, self.instead[digest])
            else:
                self.done.left.append((finding, self.failed or "it is as bad as before"))
        await self._finish_rows()

    async def _finish_rows(self) -> None:
        for key, (finding, row) in self.bad.rows.items():
            if self.dry_run and key not in self.lost:
                continue
            if await is_mended(self.mender, key) or are_made(self.mender, row.gives):
                await self._close(finding, "the row was written again by running its step")
            else:
                said = self.failed or "the step gave other outputs than before"
                if not self.case.mades:
                    said = "it belongs to no title with a package that could be made again"
                self.done.left.append((finding, said))

    def _is_let_go(self, finding: Finding) -> bool:
        """Whether a report that is bad is no package's report any more."""
        package, title = finding.fault.detail.get("report_of"), finding.fault.title
        if package is None or title is None:
            return False
        known = self.mender.ward.records.packages.get(title, package)
        return known.report != finding.fault.digest

    async def _close(self, finding: Finding, how: str) -> None:
        self.done.mended.append(finding)
        await self._tell(finding, "mended", how)

    async def _tell(self, finding: Finding, state: str, how: str) -> None:
        await asyncio.to_thread(self.mender.ward.findings.close, finding, state, how)

    def _told(self, mending: Mending) -> dict[str, Any]:
        """One thing that is done, as JSON."""
        rows = self.case.rows
        things = [
            thing
            for digest in mending.assets
            for thing in (
                [rows[digest].thing]
                if digest in rows
                else sorted(self.case.keys.get(digest, {digest}))
            )
        ]
        if mending.remake is None:
            return act("copy", things, "copied from another place", mending.cost_s)
        how = f"made again by {self.case.ways[mending.remake].called}"
        return act("remake", things, how, mending.cost_s)


async def is_sound(mender: Mender, finding: Finding) -> bool:
    """Whether the object that a finding is about is right."""
    fault, ward = finding.fault, mender.ward
    assert fault.digest is not None
    known = ward.records.ancestry.assets([fault.digest]).get(fault.digest)
    asset = known or Asset(fault.digest, 0, "")
    found = await prove(ward, fault.thing, asset)
    return found is None or (known is None and found.kind == "size")


def act(way: str, things: Sequence[str], how: str, cost_s: float) -> dict[str, Any]:
    """What is done, as JSON."""
    return {"way": way, "things": list(things), "how": how, "cost_s": round(cost_s, 3)}
