"""What is lost when a source has no other copy: which of its pictures, from when to when.

The frame index has the digest of every packet. So what can still be read of a damaged source is
compared with it, packet by packet.
"""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from matinee.core.errors import LibraryError, MatineeError, SourceRefused
from matinee.flows.infirmary import Mender
from matinee.flows.lineage import TitleGraph
from matinee.media.damage import damage_of, tell_damage
from matinee.media.source import SourceInfo
from matinee.media.timeline import Packets, Timeline
from matinee.ports.tools import Indexer
from matinee.ports.upkeep import Finding
from matinee.stages.inspect import inspect
from matinee.stages.redo import Redo


async def told_lost(mender: Mender, made: TitleGraph | None, finding: Finding) -> str:
    """What is lost, in words: of a source from when to when."""
    fault = finding.fault
    if made is None or fault.digest != made.title.source:
        return "no other copy is known, and nothing is known that would make it again"
    begin = "the source has no other copy"
    try:
        with mender.open_house(Redo(), mender.ward.store) as (house, bench):
            asset = await asyncio.to_thread(bench.inventory.asset, made.title.source)
            assert asset is not None
            try:
                info, timeline = await inspect(bench, house.studio.indexer, Path("lost"), asset)
                said = await _parts(
                    house.studio.indexer, mender, fault.thing, bench.scratch, info, timeline
                )
            finally:
                house.stop()
    except MatineeError as error:
        return f"{begin}, and its index cannot be read: {error}"
    return f"{begin}: {said}"


async def _parts(
    indexer: Indexer, mender: Mender, key: str, scratch: Path, info: SourceInfo,
    timeline: Timeline,
) -> str:  # fmt: skip
    whole = f"all of it, from 0.00 s to {float(timeline.duration):.2f} s"
    try:
        file = await mender.ward.store.as_file(key, scratch)
        found, packets, _ = await asyncio.to_thread(indexer.inspect, file)
    except (LibraryError, SourceRefused):
        return f"lost is {whole}"
    return told_parts(info, timeline, found, packets)


def told_parts(info: SourceInfo, timeline: Timeline, found: SourceInfo, packets: Packets) -> str:
    """What of a damaged film differs from the index that was made of it when it was whole.

    Args:
        info: What was in the film.
        timeline: Its reference timeline, with the index.
        found: What is found in it now.
        packets: The packets of its pictures now.
    """
    good = same_packets(timeline.packets, packets)
    said = []
    damage = damage_of(timeline, good, ())
    if damage is not None:
        said.append(f"pictures are lost {tell_damage(timeline, damage)}")
    for track in info.tracks:
        now = next((each for each in found.tracks if each.index == track.index), None)
        if track.index != info.video and (now is None or now.packets != track.packets):
            what = "missing" if now is None else "damaged in a place that is not known"
            said.append(f"track {track.index} ({track.type}) is {what}")
    if not said:
        return "all pictures and tracks can still be read; the damage lies beside them"
    return "; ".join(said)


def same_packets(before: Packets, now: Packets) -> Sequence[int]:
    """The packets of an index whose payload is still there, by their places.

    Packets that went missing shift those after them, so a payload counts wherever it is.
    """
    there: set[Any] = {bytes(each) for each in now["digest"]}
    return np.flatnonzero([bytes(each) in there for each in before["digest"]]).tolist()
