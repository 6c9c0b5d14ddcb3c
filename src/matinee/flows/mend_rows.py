"""Faults of the database's rows, and of projections: mended from what proves them."""

import asyncio
from collections.abc import Collection, Sequence

from matinee.assets.asset import object_key
from matinee.assets.health import Fault
from matinee.core.errors import LibraryError, MatineeError
from matinee.core.ids import Digest
from matinee.flows.hidden import HiddenObjects
from matinee.flows.infirmary import Mender
from matinee.flows.lineage import TitleGraph, title_graph, title_of
from matinee.flows.mend_posters import put_beside
from matinee.flows.remake import remake
from matinee.flows.rows import check_row
from matinee.flows.scrub import made_files
from matinee.flows.seal_events import events_of, verify_seals
from matinee.media.media_types import MEDIA_TYPES
from matinee.ports.catalog import Title
from matinee.ports.upkeep import Finding
from matinee.stages.publish import project
from matinee.stages.redo import Redo

Outcome = tuple[str, str]
"""How it was mended, or "" and why it was not."""


async def mend_row(
    mender: Mender, finding: Finding, hidden: Collection[str], *, dry_run: bool
) -> Outcome:
    """Mend a fault that is not of an object's bytes; ``hidden`` are objects that are bad."""
    kind = finding.fault.kind
    mend = {
        "size": _size, "type": _type, "files": _files, "entry": _entry,
        "event": _events, "poster": _poster,
    }.get(kind)  # fmt: skip
    if mend is None and kind != "row":
        return "", _ADVICE.get(kind, "nothing is known that would mend it")
    try:
        if mend is None:
            return await _row(mender, finding, hidden, dry_run)
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


async def _row(mender: Mender, finding: Finding, hidden: Collection[str], dry_run: bool) -> Outcome:
    """A derivation's row: an output's place is found again, or the step runs again."""
    fault, ward = finding.fault, mender.ward
    key = Digest(fault.thing.removeprefix("derivation/"))
    if fault.digest is not None:
        return await _place(mender, fault.digest, dry_run)
    made = await asyncio.to_thread(ward.holdings.outputs, key)
    linked = await asyncio.to_thread(ward.holdings.inputs, key)
    title = await asyncio.to_thread(_title_of, mender, fault, [*made, *linked])
    graph = await title_graph(ward.records, title) if title else None
    if graph is None or graph.shown is None:
        return "", "it belongs to no title with a package that could be made again"
    if dry_run or await _is_right(mender, key):
        return "its step would be run again" if dry_run else "it was right again", ""
    # The row stays until its step has written it anew: without it nothing tells what made its
    # outputs, and who is killed then would leave them as lost.
    await _run_again(mender, graph, hidden, Redo(keys=frozenset({key})))
    if not await _is_right(mender, key):  # not what its step is called any more
        await asyncio.to_thread(ward.holdings.forget, key)
        await _run_again(mender, graph, hidden, Redo())
    if await _is_right(mender, key) or _are_made(mender, made):
        return "the row was written again by running its step", ""
    return "", "the step gave other outputs than before"


async def _is_right(mender: Mender, key: Digest) -> bool:
    row = await asyncio.to_thread(mender.ward.holdings.row, key)
    return row is not None and not check_row(row)


def _title_of(mender: Mender, fault: Fault, around: Sequence[Digest]) -> Title | None:
    records = mender.ward.records
    if fault.title is not None:
        return records.titles.get(fault.title)
    return next((t for digest in around if (t := title_of(records, digest)) is not None), None)


async def _run_again(
    mender: Mender, graph: TitleGraph, hidden: Collection[str], redo: Redo
) -> None:
    assert graph.shown is not None
    usual = None
    if "order" not in graph.shown.settings:
        usual = mender.load_ladder(graph.shown.settings["ladder"])
    store = HiddenObjects(mender.ward.store, set(hidden))
    with mender.open_house(redo, store) as (house, bench):
        await remake(house, bench, graph.title, graph.shown, usual)


def _are_made(mender: Mender, digests: Sequence[Digest]) -> bool:
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
