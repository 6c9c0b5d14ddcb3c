"""Crop: black bars are measured and cut off, when that is asked for."""

import json
from dataclasses import asdict, replace
from pathlib import Path

from matinee.assets.derivation import Step
from matinee.core.ids import canonical_json
from matinee.media.source import Crop, Picture, SourceInfo
from matinee.ports.tools import Scanner
from matinee.stages.bench import Bench, Made

LEAST = 0.25
"""The share of the picture that must be left: less is a dark film, not a film in bars."""


async def crop_bars(bench: Bench, scanner: Scanner, film: Path, info: SourceInfo) -> SourceInfo:
    """The film without its black bars; as it is where it has none."""

    async def measure() -> tuple[dict[str, Made], float]:
        async with bench.slots:
            crop, spent = await scanner.black_bars(film, info, bench.scratch)
        document = canonical_json(asdict(crop) if crop else None).encode()
        return {"crop": Made(document, "application/json")}, spent.cpu_s

    inputs = {"video": info.track(info.video).packets, "configuration": info.picture.configuration}
    step = Step("measure_crop", 1, inputs, {}, bench.tool_ids("ffmpeg"))
    measured = await bench.derive("crop", step, measure)
    found = json.loads(await bench.read(measured.outputs["crop"]))
    return cropped(info, Crop(**found) if found else None)


def cropped(info: SourceInfo, crop: Crop | None) -> SourceInfo:
    """The film shown by ``crop``, on whole chroma samples, of both fields where there are two."""
    picture = info.picture
    crop = _on_samples(crop, 4 if picture.fields != "progressive" else 2) if crop else None
    if crop is None or not _is_sound(crop, picture):
        return info
    return replace(info, picture=replace(picture, crop=crop))


def _on_samples(crop: Crop, lines: int) -> Crop:
    left, top = -(-crop.left // 2) * 2, -(-crop.top // lines) * lines
    right, bottom = crop.left + crop.width, crop.top + crop.height
    return Crop(left, top, (right - left) // 2 * 2, (bottom - top) // lines * lines)


def _is_sound(crop: Crop, picture: Picture) -> bool:
    area, whole = crop.width * crop.height, picture.width * picture.height
    return min(crop.width, crop.height) >= 16 and LEAST * whole <= area < whole


def told_crop(picture: Picture) -> tuple[str, ...]:
    """What is said of it."""
    if picture.crop is None:
        return ()
    whole, left = f"{picture.width}x{picture.height}", f"{picture.crop.width}x{picture.crop.height}"
    return (f"black bars are cut off: of {whole} pixels {left} are shown",)
