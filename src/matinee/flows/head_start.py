"""Head start: of a film whose bytes are still coming, the chunks that are settled are made.

- The plan of a film's begin is the begin of its plan, but for its last two segments; a chunk's key
  covers its own packets, not the file. So the publish of the whole film finds these chunks in the
  ledger, when they are what it wants, and does not make them again.
- Nothing of it is told or shown: a head start that fails, or whose upload is given up, leaves
  unused derivations behind and nothing else.
- What a ladder chooses for each shot, and rungs that come from the title, follow from the whole
  film: of those only what the search measures of each chunk is made.
- Only films whose index needs nothing from their end have one, that come evenly and progressive.
"""

import asyncio
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from matinee.core.time import FrameSpan
from matinee.flows.house import House
from matinee.flows.request import Request
from matinee.media.clips import plan_clip
from matinee.media.plan import plan_film, settled
from matinee.media.signature import Signature, read_signature
from matinee.media.source import SourceInfo
from matinee.media.source_timeline import timeline_of
from matinee.media.timeline import Timeline, whole_groups
from matinee.media.tracks import plan_tracks
from matinee.ports.tools import Clip
from matinee.stages.bench import Bench
from matinee.stages.chunks import film_of
from matinee.stages.encode import encode
from matinee.stages.search import Quest
from matinee.stages.settings import parts_in, search_ahead, searched, wanted_of
from matinee.stages.split import plan_thumbnails


async def head_start(house: House, bench: Bench, film: Path, request: Request) -> int:
    """Make the settled chunks of what there is of a film; gives how many there are.

    Args:
        house: What it works with.
        bench: The same; its slots are to let real work go first.
        film: What came so far, and perhaps more of it while it is read.
        request: What will be asked for when the film is whole.

    Raises:
        MatineeError: the film cannot be read before it is whole, or a tool failed.
    """
    try:
        return await _head_start(house, bench, film, request)
    finally:
        house.stop()


async def _head_start(house: House, bench: Bench, film: Path, request: Request) -> int:
    info, packets, time_base = await asyncio.to_thread(house.studio.indexer.inspect, film)
    count = whole_groups(packets)
    profile = request.of_film(None).profile
    if not count or info.clock_jumps or info.needs_still:
        return 0
    timeline = timeline_of(info, packets[:count], time_base)
    every = plan_tracks(info, timeline, profile, ()).rungs
    later = searched(profile.ladders, every)
    rungs = [rung for rung in every if rung.name not in later]
    has_proxies = any(wanted.proxies for wanted in wanted_of(profile.ladders, every))
    if not _comes_evenly(timeline, count) or not (rungs or has_proxies):
        return 0
    looked = await _looked_at(house, bench, film, info, timeline)
    if looked is None:
        return 0
    cuts, signature = looked
    longest_s = Fraction(profile.longest_segment_s)
    plan = settled(plan_film(cuts, timeline.frames, timeline.rate, longest_s))
    if plan is None:
        return 0
    planned = film_of(info, timeline, plan, rungs)
    seen = [cut for cut in cuts if cut < plan.frames]
    parts, proofs = parts_in(planned, seen), request.proofs
    quest = Quest(bench, house.studio, film, planned, parts, proofs)
    await search_ahead(quest, profile.ladders, every)
    if rungs:
        await encode(bench, house.studio, film, planned, signature, proofs)
    return len(planned.clips)


def _comes_evenly(timeline: Timeline, packets: int) -> bool:
    """Whether each packet is a frame of the timeline: then what is to come changes none of them."""
    is_plain = timeline.slots is None and timeline.fields == "progressive"
    return is_plain and timeline.frames == packets


async def _looked_at(
    house: House, bench: Bench, film: Path, info: SourceInfo, timeline: Timeline
) -> tuple[tuple[int, ...], Signature] | None:
    """Cuts and signature of what there is; None where it does not decode as it should."""
    folder = bench.scratch / "ahead"
    folder.mkdir()
    clips: list[Clip] = []

    def take(clip: Clip) -> bool:
        clips.append(clip)
        return False

    whole = plan_clip(timeline, FrameSpan(0, timeline.frames), info.picture.configuration)
    await asyncio.to_thread(house.studio.indexer.cut, film, info, timeline, [whole], folder, take)
    async with bench.slots:
        scan, _ = await house.scanner.scan(
            clips[0].path, replace(info, video=0), timeline, plan_thumbnails(info, timeline),
            folder, lambda _: None,
        )  # fmt: skip
    clips[0].path.unlink()
    if scan.frames != timeline.frames or scan.complaints:
        return None
    return scan.cuts, read_signature(scan.signature.read_bytes())
