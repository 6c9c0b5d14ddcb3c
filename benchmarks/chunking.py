"""The bits that chunking costs: BD-rate by VMAF of chunked encodes beside whole-film encodes.

Chunks are made by Matinee's own stages. The peer is the same ffmpeg command over the whole film,
with the same forced IDR frames; a second peer may place its IDR frames freely, 6 s apart at most.
Constant quality at several CRFs, caps so wide that they never bind.
"""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import av

from benchmarks.measure import run as run_measured
from benchmarks.ours import plan_of
from benchmarks.ratios import Ratio
from benchmarks.table import Bar, Figure
from benchmarks.workplace import Workplace, tell
from matinee.adapters.ffmpeg.commands import encode_command
from matinee.config import Settings
from matinee.core.progress import Silent
from matinee.core.time import FrameSpan
from matinee.flows.house import House
from matinee.media.clips import clip_plans
from matinee.media.curves import Point, bd_rate
from matinee.media.ladder import Rung
from matinee.media.plan import LONGEST
from matinee.media.source_timeline import timeline_of
from matinee.ports.tools import Clip
from matinee.stages.bench import Bench
from matinee.stages.chunks import Film, Proofs, film_of
from matinee.stages.encode import encode
from matinee.stages.split import read_source_signature, split
from matinee.wiring.publishing import open_house

NAME = "chunking"
CRFS = (18, 23, 28, 33)
WIDE = 60_000_000
BAR = Bar(2.0, "ours")


def run(workplace: Workplace) -> Iterator[Figure]:
    """BD-rate for each rung that was asked for."""
    planned = {rung.name: rung for rung in plan_of(workplace.film.cut, "standard").rungs}
    for name in workplace.rungs:
        if name not in planned:
            workplace.note(f"{NAME}: the film has no rung {name}; it has {', '.join(planned)}")
            continue
        with workplace.folder() as folder:
            curves = asyncio.run(_curves(workplace.film.cut, planned[name], folder))
        yield from _figures(workplace, name, *curves)


def _figures(
    workplace: Workplace, rung: str, ours: list[Point], forced: list[Point], free: list[Point]
) -> Iterator[Figure]:
    yield Figure(
        NAME, f"{rung}: BD-rate over whole, same IDR frames", "%", bd_rate(forced, ours), bar=BAR
    )
    yield Figure(NAME, f"{rung}: BD-rate over whole, free IDR frames", "%", bd_rate(free, ours))
    for crf, mine, other in zip(CRFS, ours, forced, strict=True):
        share = mine.size / other.size
        yield Figure(
            NAME, f"{rung}: size at CRF {crf}, same IDR frames", "kB",
            mine.size / 1e3, other.size / 1e3, Ratio(share, share, share),
        )  # fmt: skip
    for arm, points in (("chunked", ours), ("whole, same IDR", forced), ("whole, free IDR", free)):
        at = ", ".join(f"{p.size / 1e3:.1f} kB at {p.quality:.3f}" for p in points)
        workplace.note(f"{NAME} {rung}, {arm}: VMAF {at}")


def rungs_at(rung: Rung, crfs: Sequence[int]) -> list[Rung]:
    """The rung at each CRF, without caps that bind."""
    return [
        replace(
            rung, name=f"{rung.name}-crf{crf}", crf=crf, maxrate=WIDE, bufsize=2 * WIDE, level="5.1"
        )
        for crf in crfs
    ]


async def _curves(film: Path, rung: Rung, folder: Path) -> list[list[Point]]:
    """Size and quality at every CRF: in chunks, whole with the same IDR frames, whole and free."""
    rungs = rungs_at(rung, CRFS)
    settings = Settings(folder / "library", workers=2)
    with open_house(settings, Silent(), refresh=False) as (house, bench):
        tell(f"{NAME} {rung.name}: chunks at {len(CRFS)} CRFs")
        made, chunked = await _in_chunks(house, bench, film, rungs)
        whole = _whole_clip(house, film, made, folder)
        starts = [segment.start for segment in made.plan.segments]
        tell(f"{NAME} {rung.name}: whole film, same IDR frames")
        forced = [folder / f"forced-{one.name}.mp4" for one in rungs]
        await house.studio.encoder.encode(
            whole, made.picture, rungs, starts, forced, lambda _: None
        )
        tell(f"{NAME} {rung.name}: whole film, free IDR frames")
        free = [folder / f"free-{one.name}.mp4" for one in rungs]
        command = encode_command(
            bench.tools["ffmpeg"].path, whole, made.picture, rungs, starts, free
        )
        run_measured(freed(command, int(LONGEST * made.plan.rate)), folder)
        curves = []
        for files in (chunked, forced, free):
            tell(f"{NAME} {rung.name}: VMAF of all frames")
            curves.append(await _points(house, whole, made, rungs, files, folder))
        return curves


async def _in_chunks(
    house: House, bench: Bench, film: Path, rungs: Sequence[Rung]
) -> tuple[Film, list[Path]]:
    """The way of ``publish`` from split to join."""
    indexer = house.studio.indexer
    info, packets, time_base = indexer.inspect(film)
    timeline = timeline_of(info, packets, time_base)
    found = await split(bench, house.scanner, indexer, film, info, timeline, accept_damage=False)
    made = film_of(info, timeline, found.plan, rungs)
    reference = await read_source_signature(bench, found)
    proofs = Proofs(signed=False, scored=False)
    table = await encode(bench, house.studio, film, made, reference, proofs)
    frames = [len(clip.frames) for clip in made.clips]
    starts = [segment.start for segment in found.plan.segments]
    joined = []
    for column, rung in enumerate(rungs):
        chunks = [await bench.file(c) for row in table if (c := row[column].chunk) is not None]
        output = bench.scratch / f"{rung.name}.mp4"
        joined.append(indexer.join(chunks, frames, starts, found.plan.rate, output).path)
    return made, joined


def _whole_clip(house: House, film: Path, made: Film, folder: Path) -> Clip:
    """The whole film as one clip."""
    span = FrameSpan(0, made.plan.frames)
    plans = clip_plans(made.timeline, [span], made.picture.configuration)
    clips: list[Clip] = []

    def take(clip: Clip) -> bool:
        clips.append(clip)
        return True

    house.studio.indexer.cut(film, made.info, made.timeline, plans, folder, take)
    return clips[0]


def freed(command: Sequence[str], longest: int) -> list[str]:
    """The command without forced IDR frames: x264 places them, at most ``longest`` frames apart."""
    freed_command: list[str] = []
    words = iter(command)
    for word in words:
        if word in ("-force_key_frames", "-forced-idr"):
            next(words)
        else:
            freed_command.append(
                word.replace("stitchable=1:", "").replace(
                    "scenecut=0:keyint=infinite", f"scenecut=40:keyint={longest}"
                )
            )
    return freed_command


async def _points(
    house: House, whole: Clip, made: Film, rungs: Sequence[Rung], files: Sequence[Path],
    folder: Path,
) -> list[Point]:  # fmt: skip
    measured, _ = await house.studio.meter.measure(
        whole, made.picture, rungs, files, folder, lambda _: None
    )
    points = []
    for file, one in zip(files, measured, strict=True):
        assert one.scores is not None
        assert len(one.scores) == made.plan.frames
        points.append(Point(_stream_bytes(file), sum(one.scores) / len(one.scores)))
    return points


def _stream_bytes(file: Path) -> int:
    """The picture's bytes, without the container's."""
    with av.open(str(file)) as container:
        return sum(packet.size for packet in container.demux(container.streams.video[0]))
