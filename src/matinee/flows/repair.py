"""Repair: what a scrub found is made good again, in the cheapest way, or called lost.

- Faults of rows are mended from what proves them: bytes, keys, seals, derivations.
- Bad objects come from another copy, or are made again by the path that made them; see
  ``assets.health`` for how the way is chosen. Each is replaced in one step: who watches goes on.
- A segment that shows wrong frames is followed back to the chunk and to the step that made it; what
  the same tools made on the same host about then is looked at too.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from matinee.assets.rows import BadRow
from matinee.core.ids import Digest
from matinee.flows.infirmary import Done, Mender
from matinee.flows.lineage import find_thing, title_of
from matinee.flows.mend_frames import mend_frames
from matinee.flows.mend_rows import key_of_row, mend_row, title_of_row
from matinee.flows.mend_title import Bad, act, is_sound, mend_title
from matinee.flows.rows import look_at_row
from matinee.flows.scrub import Wanted, prove, scrub
from matinee.ports.catalog import Title
from matinee.ports.upkeep import Finding

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
    others = [each for each in findings if each not in objects and each.fault.kind not in LAST]
    # Rows that prove themselves first: they say what made everything else.
    steps = [each for each in others if _is_step(each) and not await work.row(each)]
    rows = [(each, await _row_of(mender, each)) for each in steps]
    # Then what came from outside, then what the ledger says, then what is made by what it says.
    made = {digest for _, row in rows for digest in row.gives}
    roots = [
        each for each in objects if each.fault.digest not in made and not _is_made(mender, each)
    ]
    await work.titles(roots, [])
    left = [each for each in others if not _is_step(each) and not await work.row(each)]
    await work.titles([each for each in objects if each not in roots], rows)
    # What a row needed may be there by now.
    for finding in [*left, *(each for each in findings if each.fault.kind == "poster")]:
        await work.row(finding, is_last=True)
    frames = [each for each in findings if each.fault.kind == "frames"]
    if frames:
        await mend_frames(mender, frames, work.done, dry_run=dry_run)
    return work.done


def _is_step(finding: Finding) -> bool:
    """Whether what is wrong is a derivation's row itself, not where an output of it lies."""
    return finding.fault.kind == "row" and finding.fault.digest is None


async def _row_of(mender: Mender, finding: Finding) -> BadRow:
    ward = mender.ward
    return await asyncio.to_thread(look_at_row, ward.holdings, ward.records, key_of_row(finding))


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

    async def row(self, finding: Finding, *, is_last: bool = False) -> bool:
        """Mend a fault of something else than an object from what proves it; whether it is mended.

        ``is_last``: it is left if it is not.
        """
        how, reason = await mend_row(self.mender, finding, dry_run=self.dry_run)
        if how:
            self.done.acts.append(act("row", [finding.fault.thing], how, 0.0))
            await self._close(finding, how)
        elif is_last:
            self.done.left.append((finding, reason))
        return bool(how)

    async def titles(
        self, objects: Sequence[Finding], rows: Sequence[tuple[Finding, BadRow]]
    ) -> None:
        """Bad objects and rows of steps, title by title."""
        every: dict[str, _Group] = {}
        given: dict[Digest, Title | None] = {}
        for finding, row in rows:
            title = await title_of_row(self.mender, finding, row)
            group = every.setdefault(title.id if title else "", _Group(title))
            group.rows[row.key] = finding, row
            given |= dict.fromkeys(row.gives, title)
        for finding in objects:
            if await is_sound(self.mender, finding):
                await self._close(finding, "it was right again when it was looked at")
                continue
            # The way from what a damaged row gave to its title may lead over that row.
            title = await self._title_of(finding) or given.get(finding.fault.digest or Digest(""))
            every.setdefault(title.id if title else "", _Group(title)).objects.append(finding)
        for group in every.values():
            bad = Bad(group.title, group.objects, group.rows)
            await mend_title(self.mender, bad, self.done, dry_run=self.dry_run)

    async def _title_of(self, finding: Finding) -> Title | None:
        fault = finding.fault
        if fault.title is not None:
            return self.mender.ward.records.titles.get(fault.title)
        if fault.digest is None:
            return None
        return await asyncio.to_thread(title_of, self.mender.ward.records, fault.digest)

    async def _close(self, finding: Finding, how: str) -> None:
        self.done.mended.append(finding)
        if not self.dry_run:
            await asyncio.to_thread(self.mender.ward.findings.close, finding, "mended", how)


@dataclass
class _Group:
    """What is bad of one title."""

    title: Title | None
    objects: list[Finding] = field(default_factory=list)
    rows: dict[Digest, tuple[Finding, BadRow]] = field(default_factory=dict)
