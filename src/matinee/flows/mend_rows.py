"""Faults of the database's rows, and of projections: mended from what proves them."""

import asyncio
from collections.abc import Collection

from matinee.assets.asset import object_key
from matinee.core.errors import LibraryError, MatineeError
from matinee.core.ids import Digest
from matinee.flows.hidden import HiddenObjects
from matinee.flows.infirmary import Mender
from matinee.flows.lineage import title_graph, title_of
from matinee.flows.mend_posters import put_beside
from matinee.flows.remake import remake
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
    if fault.title is not None:
        title: Title | None = ward.records.titles.get(fault.title)
    else:
        title = next((t for d in made if (t := title_of(ward.records, d)) is not None), None)
    if title is None:
        return "", "it is not known to which title it belongs"
    graph = await title_graph(ward.records, title)
    if graph.shown is None:
        return "", f"{title.id} has no package that could be made again"
    if dry_run:
        return "its step would be run again", ""
    await asyncio.to_thread(ward.holdings.forget, key)
    usual = None
    if "order" not in graph.shown.settings:
        usual = mender.load_ladder(graph.shown.settings["ladder"])
    store = HiddenObjects(ward.store, set(hidden))
    with mender.open_house(Redo(), store) as (house, bench):
        await remake(house, bench, title, graph.shown, usual)
    if not made:  # an attempt was killed when it had taken the row out
        made = await asyncio.to_thread(ward.holdings.outputs, key)
    lying = ward.records.ancestry.made_any(list(made))
    if made and {d for each in lying for d in (a.digest for a in each.outputs.values())} >= set(
        made
    ):
        return "the row was written again by running its step", ""
    return "", "the step gave other outputs than before"


async def _place(mender: Mender, digest: Digest, dry_run: bool) -> Outcome:
    key = object_key(digest)
    found, _ = await mender.ward.store.prove(key, lambda _: None)
    if found != digest:
        return "", "the object does not lie where it should"
    if not dry_run:
        await asyncio.to_thread(mender.ward.holdings.place, digest, key)
    return "the place was written at which its proved bytes lie", ""
