"""Split: look at the whole film once, then decide where segments and chunks begin."""

import asyncio
import json
from dataclasses import asdict, dataclass
from fractions import Fraction
from math import ceil
from pathlib import Path

import numpy as np

from matinee.assets.asset import Asset
from matinee.assets.derivation import Step
from matinee.core.errors import SourceDamaged
from matinee.core.ids import canonical_json, digest_of
from matinee.core.progress import Stage
from matinee.media.damage import mended
from matinee.media.estimate import scan_cost
from matinee.media.plan import LONGEST, SegmentPlan, plan_film
from matinee.media.signature import Signature, read_signature
from matinee.media.source import SourceInfo, display_size, picture_parameters
from matinee.media.timeline import Timeline
from matinee.ports.tools import Indexer, Scan, Scanner, ThumbnailPlan
from matinee.stages.bench import Bench, Made
from matinee.stages.counting import Counter
from matinee.stages.damage import find_damage, recorded_damage, refuse

THUMBNAIL_WIDTH = 240
THUMBNAILS = 300
"""About how many thumbnails a long film gets."""


@dataclass(frozen=True, slots=True)
class Thumbnails:
    """Sheets of thumbnails in order, and how they are laid out."""

    plan: ThumbnailPlan
    sheets: tuple[Asset, ...]
    rate: Fraction

    @property
    def interval(self) -> Fraction:
        """Seconds from one thumbnail to the next."""
        return self.plan.every / self.rate


@dataclass(frozen=True, slots=True)
class Split:
    """The plan of the film, with what the scan found. ``timeline`` passes over what is damaged."""

    plan: SegmentPlan
    cuts: tuple[int, ...]
    signature: Asset
    thumbnails: Thumbnails
    timeline: Timeline


def plan_thumbnails(info: SourceInfo, timeline: Timeline) -> ThumbnailPlan:
    """One thumbnail a second, fewer in a long film; sheets of 5x5."""
    width, height = display_size(info.picture)
    seconds = max(1, ceil(timeline.duration / THUMBNAILS))
    return ThumbnailPlan(
        every=max(1, round(seconds * timeline.rate)),
        width=THUMBNAIL_WIDTH,
        height=max(2, 2 * round(THUMBNAIL_WIDTH * height / width / 2)),
        columns=5,
        rows=5,
    )


async def split(
    bench: Bench, scanner: Scanner, indexer: Indexer, film: Path, info: SourceInfo,
    timeline: Timeline, *, accept_damage: bool, longest_segment_s: int = int(LONGEST),
) -> Split:  # fmt: skip
    """Scan the film, prove that it decodes to the frames of its index, and plan.

    Raises:
        SourceDamaged: it does not; with ``accept_damage``, not a picture of it does.
    """
    picture = info.picture
    cost = scan_cost(picture.width, picture.height)
    bench.progress.started(Stage("scan", timeline.frames, cost))
    look = _Look(
        bench, scanner, indexer, film, info, plan_thumbnails(info, timeline),
        Fraction(longest_segment_s),
    )  # fmt: skip
    damage = await recorded_damage(bench, info)
    if damage is None:
        try:
            return await look.scanned(timeline, lenient=False)
        except SourceDamaged:
            damage = await recorded_damage(bench, info)
            if damage is None:
                raise
    if not accept_damage:
        raise refuse(timeline, damage)
    return await look.scanned(mended(timeline, damage), lenient=True)


@dataclass(frozen=True, slots=True)
class _Look:
    """One look at the whole film."""

    bench: Bench
    scanner: Scanner
    indexer: Indexer
    film: Path
    info: SourceInfo
    thumbnails: ThumbnailPlan
    longest_s: Fraction

    async def scanned(self, timeline: Timeline, *, lenient: bool) -> Split:
        """The plan by a scan; ``lenient`` where the damage is known.

        Raises:
            SourceDamaged: pictures do not decode.
        """
        bench, thumbnails = self.bench, self.thumbnails

        async def look() -> tuple[dict[str, Made], float]:
            folder = bench.scratch / ("scan-mended" if lenient else "scan")
            folder.mkdir()
            counter = Counter(bench.progress, "scan")
            async with bench.slots:
                scan, spent = await self.scanner.scan(
                    self.film, self.info, timeline, thumbnails, folder, counter.reached,
                    lenient=lenient,
                )  # fmt: skip
            await self._check(scan, timeline, lenient=lenient)
            return await asyncio.to_thread(_outputs, scan, timeline), spent.cpu_s

        step = scan_step(bench, self.info, timeline, thumbnails)
        derivation = await bench.derive("scan", step, look)
        bench.progress.finished("scan")
        cuts = tuple(json.loads(await bench.read(derivation.outputs["cuts"])))
        sheets = sorted(role for role in derivation.outputs if role.startswith("thumbnails-"))
        return Split(
            plan=plan_film(cuts, timeline.frames, timeline.rate, self.longest_s),
            cuts=cuts,
            signature=derivation.outputs["signature"],
            thumbnails=Thumbnails(
                thumbnails, tuple(derivation.outputs[role] for role in sheets), timeline.rate
            ),
            timeline=timeline,
        )

    async def _check(self, scan: Scan, timeline: Timeline, *, lenient: bool) -> None:
        agrees = scan.frames == timeline.field_frames
        if agrees and (lenient or not scan.complaints):
            return
        if not lenient:
            damage = await find_damage(self.bench, self.indexer, self.film, self.info, timeline)
            if damage is not None:
                raise refuse(timeline, damage)
        if not agrees:
            raise SourceDamaged(
                f"the film has {timeline.field_frames} frames by its index, but {scan.frames} of "
                "them can be decoded",
                "try another copy of the film",
            )


def scan_step(
    bench: Bench, info: SourceInfo, timeline: Timeline, thumbnails: ThumbnailPlan
) -> Step:
    """The packets of the main video track decide what a scan finds."""
    picture = info.picture
    return Step(
        "scan",
        2,
        {"video": info.track(info.video).packets, "configuration": picture.configuration},
        {
            "thumbnails": asdict(thumbnails),
            "picture": picture_parameters(picture),
            "fields": timeline.fields,
            "slots": _slots_digest(timeline),
            "shown_packets": timeline.frames,
        },
        bench.tool_ids("ffmpeg"),
    )


def _slots_digest(timeline: Timeline) -> str | None:
    return None if timeline.slots is None else digest_of(timeline.slots.astype("<i8").tobytes())


def _outputs(scan: Scan, timeline: Timeline) -> dict[str, Made]:
    cuts, signature = on_timeline(scan, timeline)
    outputs = {
        "cuts": Made(canonical_json(cuts).encode(), "application/json"),
        "signature": Made(signature, "application/x-matinee-signature"),
    }
    for number, sheet in enumerate(scan.thumbnails, 1):
        outputs[f"thumbnails-{number:05d}"] = Made(sheet, "image/jpeg")
    return outputs


def on_timeline(scan: Scan, timeline: Timeline) -> tuple[list[int], bytes | Path]:
    """Cuts and signature by the frames of the timeline, from those by field frames."""
    if timeline.slots is None:
        return list(scan.cuts), scan.signature
    shown = timeline.shown(0, timeline.frames)
    first_shown = np.searchsorted(shown, np.asarray(scan.cuts, dtype=np.int64))
    cuts = sorted({int(frame) for frame in first_shown if frame < timeline.frames})
    signature = read_signature(scan.signature.read_bytes())[shown]
    return cuts, signature.tobytes()


async def read_source_signature(bench: Bench, split: Split) -> Signature:
    """The signature of the source, frame by frame."""
    return read_signature(await bench.read(split.signature))
