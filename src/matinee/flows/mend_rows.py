"""Faults of the database's rows, and of projections: mended from what proves them."""

import asyncio
import contextlib
from collections.abc import Collection, Sequence

from matinee.assets.asset import object_key
from matinee.assets.rows import BadRow, restored
from matinee.core.errors import LibraryError, MatineeError, NotFound
from matinee.core.ids import Digest
from matinee.flows.hidden import HiddenObjects
from matinee.flows.infirmary import Mender
from matinee.flows.lineage import TitleGraph, title_of
from matinee.flows.mend_posters import put_beside
from matinee.flows.remake import remake
from matinee.flows.rows import is_right
from matinee.flows.scrub import made_files
from matinee.flows.seal_events import events_of, verify_seals
from matinee.media.media_types import MEDIA_TYPES
from matinee.ports.catalog import Title
from matinee.ports.upkeep import Finding
from matinee.stages.publish import project
from matinee.stages.redo import Redo

Outcome = tuple[str, str]
"""How it was mended, or "" and why it was not."""


async def mend_row(mender: Mender, finding: Finding, *, dry_run: bool) -> Outcome:
    """Mend a fault that is not of an object's bytes, from what proves it: no step runs."""
    kind = finding.fault.kind
    mend = {
        "size": _size, "type": _type, "files": _files, "entry": _entry,
        "event": _events, "poster": _poster, "row": _row,
    }.get(kind)  # fmt: skip
    if mend is None:
        return "", _ADVICE.get(kind, "nothing is known that would mend it")
    try:
        return await mend(mender, finding, dry_run)
    except MatineeError as error:
        return "", str(error)


_ADVICE = {
    "database": "restore the database from a backup",
    "unfit": "its files are as they were made, so making them again gives the same: publish the "
    "film again with the tools of today by: matinee publish FILM --refresh",
}


async def _size(mender: Mender, finding: Finding, dry_run: bool) -> Outcome:
    fault, ward = finding.fault, mender.ward
    digest, size = await ward.store.prove(fault.thing, lambda _: None)
    if digest != fault.digest:
        return "", "the object has other bytes by now"
    if not dry_run:
        await asyncio.to_thread(ward.holdings.set_size, digest, size)
    return "the size was written that its proved bytes have", ""


async def _type(mender: Mender, finding: Finding, dry_run: bool) -> Outcome:
    fault = finding.fault
    assert fault.digest is not None
    kind = MEDIA_TYPES["." + fault.thing.rpartition(".")[2]]
    if not dry_run:
        await asyncio.to_thread(mender.ward.holdings.set_type, fault.digest, kind)
    return "the kind was written that its name says", ""


async def _files(mender: Mender, finding: Finding, dry_run: bool) -> Outcome:
    fault, records = finding.fault, mender.ward.records
    assert fault.title is not None
    title = records.titles.get(fault.title)
    package = records.packages.get(title.id, fault.detail["package"])
    files = made_files(records, title, package)
    if files is None:
        return "", "the ledger does not know how the package was made"
    if not dry_run:
        await asyncio.to_thread(mender.ward.holdings.set_files, title.id, package.id, files)
    return "the list was written that its derivation has", ""


async def _entry(mender: Mender, finding: Finding, dry_run: bool) -> Outcome:
    fault = finding.fault
    assert fault.title is not None
    if not dry_run:
        await project(mender.ward.store, mender.ward.records.titles.get(fault.title))
    return "written again from the title's row", ""


async def _poster(mender: Mender, finding: Finding, dry_run: bool) -> Outcome:
    fault, ward = finding.fault, mender.ward
    assert fault.digest is not None
    if not dry_run:
        await put_beside(ward.store, ward.records, fault.thing, fault.digest)
    return "written again from the posters that were made", ""


async def _events(mender: Mender, finding: Finding, dry_run: bool) -> Outcome:
    ward = mender.ward
    said = finding.fault.detail["said"]
    if dry_run:
        return "the index would be written again from its seals", ""
    for seal in await asyncio.to_thread(ward.log.all):
        try:
            sealed = await events_of(ward.store, seal)
        except LibraryError:
            continue
        await asyncio.to_thread(ward.log.rewrite, seal, sealed)
    verdict = await verify_seals(ward.log, ward.store)
    if said in verdict.reasons:
        return "", "no seal has what is missing: restore the event log from a backup"
    return "the index was written again from its seals", ""


def key_of_row(finding: Finding) -> Digest:
    """The key that a row calls itself."""
    return Digest(finding.fault.thing.removeprefix("derivation/"))


async def _row(mender: Mender, finding: Finding, dry_run: bool) -> Outcome:
    """A derivation's row: an output's place is found again, or what its key proves is written."""
    holdings, key = mender.ward.holdings, key_of_row(finding)
    if finding.fault.digest is not None:
        return await _place(mender, finding.fault.digest, dry_run)
    if await is_mended(mender, key):
        return "it was right again when it was looked at", ""
    row = await asyncio.to_thread(holdings.row, key)
    links = await asyncio.to_thread(holdings.inputs, key)
    step = restored(key, row.derivation.step, links) if row and row.derivation else None
    if step is None:
        return "", "its step has to run again"
    if not dry_run:
        await asyncio.to_thread(holdings.rewrite, key, step)
    return "the row was written again as its key and links prove it", ""


async def is_mended(mender: Mender, key: Digest) -> bool:
    """Whether the row of that key is right."""
    return await asyncio.to_thread(is_right, mender.ward.holdings, key)


async def title_of_row(mender: Mender, finding: Finding, row: BadRow) -> Title | None:
    """The title that a damaged row belongs to, by its links."""
    records = mender.ward.records
    with contextlib.suppress(NotFound):
        if finding.fault.title is not None:
            return records.titles.get(finding.fault.title)
    for digest in (*row.gives, *row.inputs):
        title = await asyncio.to_thread(title_of, records, digest)
        if title is not None:
            return title
    return None


async def row_again(
    mender: Mender, mades: Sequence[TitleGraph], row: BadRow, hidden: Collection[str]
) -> None:
    """Have a row written that the walk along one package did not write.

    Its step may be of another package, or be called otherwise by now. The row stays until then:
    without it nothing tells what made its outputs, and who is killed meanwhile would leave them as
    lost.
    """
    for made in mades:
        await _walk(mender, made, hidden, Redo(keys=frozenset({row.key}), exact=True))
        if await is_mended(mender, row.key):
            return
    if row.function == "poster":  # on no path of a package
        return
    await asyncio.to_thread(mender.ward.holdings.forget, row.key)
    for made in mades:
        await _walk(mender, made, hidden, Redo())
        if are_made(mender, row.gives):
            return


async def _walk(mender: Mender, made: TitleGraph, hidden: Collection[str], redo: Redo) -> None:
    assert made.shown is not None
    usual = None
    if "order" not in made.shown.settings:
        usual = mender.load_ladder(made.shown.settings["ladder"])
    store = HiddenObjects(mender.ward.store, set(hidden))
    with mender.open_house(redo, store) as (house, bench):
        await remake(house, bench, made.title, made.shown, usual)


def are_made(mender: Mender, digests: Sequence[Digest]) -> bool:
    """Whether the ledger tells of each of them what made it."""
    found = mender.ward.records.ancestry.made_any(list(digests))
    return {a.digest for each in found for a in each.outputs.values()} >= set(digests)


async def _place(mender: Mender, digest: Digest, dry_run: bool) -> Outcome:
    key = object_key(digest)
    found, _ = await mender.ward.store.prove(key, lambda _: None)
    if found != digest:
        return "", "the object does not lie where it should"
    if not dry_run:
        await asyncio.to_thread(mender.ward.holdings.place, digest, key)
    return "the place was written at which its proved bytes lie", ""
