"""A film on its way through the real tools, for the contracts of their ports."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

import av
from tests.films import FFMPEG, HEIGHT, WIDTH

from matinee.adapters.ffmpeg.program import Ffmpeg, FfmpegEncoder, FfmpegMeter, FfmpegScanner
from matinee.adapters.pyav import PyavIndexer
from matinee.media.clips import ClipPlan
from matinee.media.ladder import Rung
from matinee.media.plan import SegmentPlan, plan_film
from matinee.media.signature import Signature, read_signature
from matinee.media.source import SourceInfo
from matinee.media.source_timeline import timeline_of
from matinee.media.timeline import Timeline
from matinee.ports.tools import Clip, Measured, Scan, ThumbnailPlan
from matinee.stages.chunks import Film, film_of
from matinee.stages.split import on_timeline

INDEXER = PyavIndexer()
TOOL = Ffmpeg(FFMPEG)
ENCODER, SCANNER, METER = FfmpegEncoder(TOOL), FfmpegScanner(TOOL), FfmpegMeter(TOOL)
THUMBNAILS = ThumbnailPlan(every=25, width=80, height=46, columns=2, rows=2)


def rung(rate: Fraction, **changes: object) -> Rung:
    own = Rung(
        name="90p", width=WIDTH, height=HEIGHT, rate=rate, codec="h264", preset="veryfast",
        crf=18, maxrate=2_000_000, bufsize=4_000_000, level="3", reference_frames=2, threads=1,
    )  # fmt: skip
    return replace(own, **changes)  # type: ignore[arg-type]


@dataclass
class Work:
    """A film on its way: what each tool said of it so far."""

    path: Path
    folder: Path
    info: SourceInfo
    timeline: Timeline
    scan: Scan
    source: Signature
    """Of the timeline's frames."""
    plan: SegmentPlan
    film: Film
    clips: list[Clip]
    rungs: list[Rung]
    chunks: list[list[Path]]
    """Chunks by rung."""


def scanned(path: Path, info: SourceInfo, timeline: Timeline, folder: Path) -> Scan:
    folder.mkdir(parents=True, exist_ok=True)
    return asyncio.run(SCANNER.scan(path, info, timeline, THUMBNAILS, folder, lambda _: None))[0]


def cut(
    path: Path, info: SourceInfo, timeline: Timeline, plans: Sequence[ClipPlan], folder: Path
) -> list[Clip]:
    clips: list[Clip] = []

    def take(clip: Clip) -> bool:
        clips.append(clip)
        return True

    folder.mkdir(parents=True, exist_ok=True)
    INDEXER.cut(path, info, timeline, plans, folder, take)
    return clips


def encode(
    clip: Clip, info: SourceInfo, rungs: Sequence[Rung], starts: Sequence[int], folder: Path
) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    stem = f"{clip.plan.frames.start}-{clip.plan.frames.end}"
    outputs = [folder / f"{stem}-{n}-{one.crf:g}.mp4" for n, one in enumerate(rungs)]
    asyncio.run(ENCODER.encode(clip, info.picture, rungs, starts, outputs, lambda _: None))
    return outputs


def measured(work: Work, clip: Clip | None, chunks: Sequence[Path], folder: Path) -> list[Measured]:
    rungs = [rung(work.timeline.rate)] * len(chunks)
    return asyncio.run(
        METER.measure(clip, work.info.picture, rungs, chunks, folder, lambda _: None)
    )[0]


def worked(path: Path, folder: Path) -> Work:
    info, packets, time_base = INDEXER.inspect(path)
    timeline = timeline_of(info, packets, time_base)
    scan = scanned(path, info, timeline, folder / "scan")
    cuts, signature = on_timeline(scan, timeline)
    source = read_signature(signature if isinstance(signature, bytes) else signature.read_bytes())
    plan = plan_film(cuts, timeline.frames, timeline.rate)
    rungs = [rung(timeline.rate), rung(timeline.rate, name="54p", width=96, height=54, crf=30)]
    film = film_of(info, timeline, plan, rungs)
    clips = cut(path, info, timeline, film.clips, folder / "clips")
    table = [encode(clip, info, rungs, film.starts(clip.plan), folder / "chunks") for clip in clips]
    chunks = [list(column) for column in zip(*table, strict=True)]
    return Work(path, folder, info, timeline, scan, source, plan, film, clips, rungs, chunks)


def opened(path: Path, mode: Literal["r", "w"] = "r") -> Any:
    """The container, its values not narrowed: every packet of these films has its times."""
    return av.open(str(path), mode)


def packets_of(path: Path) -> list[tuple[int, bool, bytes]]:
    with opened(path) as container:
        return [
            (packet.pts, packet.is_keyframe, bytes(packet))
            for packet in container.demux(container.streams.video[0])
            if packet.size
        ]


def extradata(path: Path) -> bytes:
    with opened(path) as container:
        return bytes(container.streams.video[0].codec_context.extradata or b"")


def nal_types(payload: bytes) -> set[int]:
    """NAL unit types of an access unit with four-byte lengths (ITU-T H.264 table 7-1)."""
    types, place = set(), 0
    while place < len(payload):
        length = int.from_bytes(payload[place : place + 4], "big")
        types.add(payload[place + 4] & 31)
        place += 4 + length
    return types
