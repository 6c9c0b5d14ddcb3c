"""Passing over a film: its clips come in order, and as many are worked on as there are slots."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any

from matinee.media.clips import ClipPlan
from matinee.media.source import SourceInfo
from matinee.media.timeline import Timeline
from matinee.ports.tools import Clip, Indexer
from matinee.stages.bench import Bench


async def each_clip(
    bench: Bench, indexer: Indexer, source: Path, info: SourceInfo, timeline: Timeline,
    clips: Sequence[ClipPlan], folder: Path,
    work: Callable[[Clip], Coroutine[Any, Any, None]],
) -> None:  # fmt: skip
    """Cut clips in one pass and work on each, holding a slot; the first failure ends all.

    ``work`` removes the clip's file when it is done.
    """
    loop = asyncio.get_running_loop()
    tasks: set[asyncio.Task[None]] = set()
    failed = asyncio.Event()

    async def begin(clip: Clip) -> bool:
        """Wait for a free slot, then work on the clip; the pass over the film waits with us."""
        await bench.slots.acquire()
        if failed.is_set():
            bench.slots.release()
            return False
        task = asyncio.create_task(work(clip))
        tasks.add(task)
        task.add_done_callback(ended)
        return True

    def ended(task: asyncio.Task[None]) -> None:
        bench.slots.release()
        if task.cancelled() or task.exception():
            failed.set()

    def take(clip: Clip) -> bool:
        try:
            return asyncio.run_coroutine_threadsafe(begin(clip), loop).result()
        except RuntimeError:  # the loop is closed: we are interrupted
            return False

    try:
        await asyncio.to_thread(indexer.cut, source, info, timeline, clips, folder, take)
        if tasks:
            await asyncio.gather(*tasks)
    finally:
        failed.set()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def one_clip(
    indexer: Indexer, source: Path, info: SourceInfo, timeline: Timeline, plan: ClipPlan,
    folder: Path,
) -> Clip:  # fmt: skip
    """One clip alone."""
    taken: list[Clip] = []

    def take(clip: Clip) -> bool:
        taken.append(clip)
        return False

    await asyncio.to_thread(indexer.cut, source, info, timeline, [plan], folder, take)
    return taken[0]
