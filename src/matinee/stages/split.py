"""Split: look at the whole film once, then decide where segments and chunks begin."""

import json
from dataclasses import asdict, dataclass
from fractions import Fraction
from math import ceil
from pathlib import Path

from matinee.assets.asset import Asset
from matinee.assets.derivation import Step
from matinee.core.errors import SourceDamaged
from matinee.core.ids import canonical_json
from matinee.core.progress import Stage
from matinee.media.estimate import scan_cost
from matinee.media.ladder import display_size
from matinee.media.plan import SegmentPlan, plan_film
from matinee.media.signature import Signature, read_signature
from matinee.media.source import SourceInfo
from matinee.media.timeline import Timeline
from matinee.ports.tools import Scan, Scanner, ThumbnailPlan
from matinee.stages.bench import Bench, Made
from matinee.stages.counting import Counter

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
    """The plan of the film, with what the scan found."""

    plan: SegmentPlan
    cuts: tuple[int, ...]
    signature: Asset
    thumbnails: Thumbnails


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
    bench: Bench, scanner: Scanner, film: Path, info: SourceInfo, timeline: Timeline
) -> Split:
    """Scan the film, prove that it decodes to the frames of its index, and plan.

    Raises:
        SourceDamaged: another count of frames than the index has.
    """
    thumbnails = plan_thumbnails(info, timeline)
    picture = info.picture
    cost = scan_cost(picture.width, picture.height)
    bench.progress.started(Stage("scan", timeline.frames, cost))

    async def look() -> tuple[dict[str, Made], float]:
        folder = bench.scratch / "scan"
        folder.mkdir()
        counter = Counter(bench.progress, "scan")
        async with bench.slots:
            scan, spent = await scanner.scan(film, info, thumbnails, folder, counter.reached)
        _check_count(scan, timeline)
        return _outputs(scan), spent.cpu_s

    derivation = await bench.derive("scan", scan_step(bench, info, timeline, thumbnails), look)
    bench.progress.finished("scan")
    cuts = tuple(json.loads(await bench.read(derivation.outputs["cuts"])))
    sheets = sorted(role for role in derivation.outputs if role.startswith("thumbnails-"))
    return Split(
        plan=plan_film(cuts, timeline.frames, timeline.rate),
        cuts=cuts,
        signature=derivation.outputs["signature"],
        thumbnails=Thumbnails(
            thumbnails, tuple(derivation.outputs[role] for role in sheets), timeline.rate
        ),
    )


def scan_step(
    bench: Bench, info: SourceInfo, timeline: Timeline, thumbnails: ThumbnailPlan
) -> Step:
    """The packets of the main video track decide what a scan finds."""
    picture = info.picture
    return Step(
        "scan",
        1,
        {"video": info.track(info.video).packets, "configuration": picture.configuration},
        {
            "thumbnails": asdict(thumbnails),
            "rotation": picture.rotation,
            "full_range": picture.colour.full_range,
            "shown_packets": timeline.frames,
        },
        bench.tool_ids("ffmpeg"),
    )


def _check_count(scan: Scan, timeline: Timeline) -> None:
    if scan.frames != timeline.frames:
        raise SourceDamaged(
            f"the film has {timeline.frames} frames by its index, but {scan.frames} of them "
            "can be decoded",
            "try another copy of the film",
        )


def _outputs(scan: Scan) -> dict[str, Made]:
    outputs = {
        "cuts": Made(canonical_json(scan.cuts).encode(), "application/json"),
        "signature": Made(scan.signature, "application/x-matinee-signature"),
    }
    for number, sheet in enumerate(scan.thumbnails, 1):
        outputs[f"thumbnails-{number:05d}"] = Made(sheet, "image/jpeg")
    return outputs


async def read_source_signature(bench: Bench, split: Split) -> Signature:
    """The signature of the source, frame by frame."""
    return read_signature(await bench.read(split.signature))
