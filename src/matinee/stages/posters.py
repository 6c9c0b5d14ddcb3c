"""Posters: the best frames of a package as JPEG files, and the best of them beside the title."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from pathlib import Path
from typing import Any

from matinee.assets.asset import object_key
from matinee.assets.derivation import Derivation, Step
from matinee.core.ids import Digest, digest_of_value
from matinee.media.posters import Measures, Picture, choose, measure
from matinee.ports.catalog import Package
from matinee.ports.tools import Stills
from matinee.stages.bench import Bench, Made
from matinee.stages.publish import title_key
from matinee.stages.unlock import Unlock

POSTER = "poster.jpg"
"""Beside the title's entry manifests: the best one."""


@dataclass(frozen=True, slots=True)
class _Shown:
    """What of a package posters are made of: thumbnail sheets, and the largest video."""

    sheets: Sequence[str]
    thumbnails: Mapping[str, Any]
    folder: str
    starts: Sequence[int]
    frames: int
    rate: Fraction

    def frame_of(self, thumbnail: int) -> int:
        frame = round(thumbnail * Fraction(self.thumbnails["interval_s"]) * self.rate)
        return min(frame, self.frames - 1)

    def segment_of(self, frame: int) -> int:
        return max(n for n, start in enumerate(self.starts) if start <= frame)


async def make_posters(
    bench: Bench, stills: Stills, unlock: Unlock, package: Package, count: int
) -> list[str]:
    """Make posters of a package; gives their paths below the title, best first.

    They are in the clear, also of an encrypted one.
    """
    report = json.loads(await bench.store.read(object_key(package.report)))
    shown = _shown(package, report)
    step = poster_step(bench, package, shown, count)

    async def make() -> tuple[dict[str, Made], float]:
        folder = bench.scratch / f"posters-{step.key[:12]}"
        folder.mkdir(exist_ok=True)
        measured = await _measured(bench, stills, package, shown, folder)
        made, cpu_s = {}, 0.0
        for number, place in enumerate(choose(measured, count), 1):
            output = folder / f"{number}.jpg"
            frame = shown.frame_of(place)
            cpu_s += await _draw(bench, stills, unlock, package, shown, frame, output)
            made[f"posters/{step.key[:12]}/{number}.jpg"] = Made(output, "image/jpeg")
        return made, cpu_s

    derivation = await bench.derive("posters", step, make, f"titles/{package.title}")
    return await _project(bench, package.title, derivation)


def poster_step(bench: Bench, package: Package, shown: _Shown, count: int) -> Step:
    """The sheets decide which frames are taken, the video what they look like."""
    video = {p: d for p, d in package.files.items() if p.startswith(f"renditions/{shown.folder}/")}
    sheets: dict[str, Digest] = {path: package.files[path] for path in shown.sheets}
    return Step(
        "poster",
        1,
        {"thumbnails": digest_of_value(sheets), "video": digest_of_value(video)},
        {"count": count, "thumbnails": dict(shown.thumbnails), "starts": list(shown.starts)},
        bench.tool_ids("ffmpeg"),
    )


def files_of_posters(files: Mapping[str, Digest], step: Step) -> dict[str, Digest]:
    """The files of a package that posters were made of; none where it was another package.

    Args:
        files: The package's, by path.
        step: The step that made the posters.
    """
    folders: dict[str, dict[str, Digest]] = {}
    for path, digest in files.items():
        folders.setdefault(path.rpartition("/")[0], {})[path] = digest
    by_digest = {digest_of_value(own): own for own in folders.values()}
    found = [by_digest.get(step.inputs[role], {}) for role in ("thumbnails", "video")]
    return {path: digest for own in found for path, digest in own.items()} if all(found) else {}


def _shown(package: Package, report: Mapping[str, Any]) -> _Shown:
    thumbnails = report["thumbnails"]
    folder = thumbnails["uri"].rpartition("/")[0]
    video = max(
        filter(is_for_all, report["renditions"]),
        key=lambda each: (each["height"], each["width"]),
    )
    plan = report["plan"]
    return _Shown(
        sheets=sorted(path for path in package.files if path.startswith(f"{folder}/")),
        thumbnails=thumbnails,
        folder=video["folder"],
        starts=[segment["start"] for segment in plan["segments"]],
        frames=plan["frames"],
        rate=Fraction(plan["frame_rate"]),
    )


def is_for_all(rendition: Mapping[str, Any]) -> bool:
    """Whether a rendition of a report is pictures that every screen shows as they are."""
    return rendition["type"] == "video" and rendition.get("video_range") in (None, "SDR")


async def _measured(
    bench: Bench, stills: Stills, package: Package, shown: _Shown, folder: Path
) -> list[Measures]:
    """The measures of every thumbnail, in order; empty places of the last sheet left out."""
    layout = shown.thumbnails
    columns, rows = layout["columns"], layout["rows"]
    width, height = layout["width"], layout["height"]
    measured: list[Measures] = []
    for path in shown.sheets:
        key = title_key(package.title, path)
        sheet = await bench.store.as_file(key, folder)
        async with bench.slots:
            pixels = await stills.pixels(sheet, columns * width, rows * height, folder)
        measured += await asyncio.to_thread(_of_sheet, pixels, columns, rows)
    seconds = shown.frames / shown.rate
    return measured[: max(1, ceil(seconds / Fraction(layout["interval_s"])))]


def _of_sheet(pixels: Picture, columns: int, rows: int) -> list[Measures]:
    height, width = pixels.shape[0] // rows, pixels.shape[1] // columns
    return [
        measure(pixels[y * height : (y + 1) * height, x * width : (x + 1) * width])
        for y in range(rows)
        for x in range(columns)
    ]


async def _draw(
    bench: Bench, stills: Stills, unlock: Unlock, package: Package, shown: _Shown, frame: int,
    output: Path,
) -> float:  # fmt: skip
    """Draw a frame of the largest video, from the segment that it lies in."""
    segment = shown.segment_of(frame)
    part = output.with_suffix(".mp4")
    pieces = ("init.mp4", f"{segment + 1:05d}.m4s")
    keys = [title_key(package.title, f"renditions/{shown.folder}/{piece}") for piece in pieces]
    init, media = [await bench.store.read(key) for key in keys]
    part.write_bytes(await asyncio.to_thread(unlock.part, init, media))
    async with bench.slots:
        spent = await stills.still(part, frame - shown.starts[segment], output)
    return spent.cpu_s


async def _project(bench: Bench, title_id: str, derivation: Derivation) -> list[str]:
    """Put the best one beside the title."""
    paths = sorted(derivation.outputs, key=lambda path: int(Path(path).stem))
    best = await bench.read(derivation.outputs[paths[0]])
    key = title_key(title_id, POSTER)
    await bench.store.write(key, best, media_type="image/jpeg", changes=True)
    return paths
