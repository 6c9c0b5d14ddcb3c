"""Ladders: which renditions a film gets.

- No rung is larger than the source; the source's own size is always the top rung.
- Coded sizes are even, pixels are square, the source's display aspect is kept.
- A rung's box bounds the picture; for a vertical film the box is turned.
- The level follows from size, rate, reference frames and caps (ITU-T H.264 table A-1).
"""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from math import ceil
from typing import Any

from matinee.core.errors import LadderInvalid
from matinee.core.time import as_text
from matinee.media.source import Picture, display_size

REORDERED_FRAMES = 2
"""Frames that B-frames hold back: x264's pyramid of up to three B-frames needs two."""

PRESETS = frozenset(
    {"ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow"}
)

NEARLY_THE_SOURCE = 0.9
"""A rung whose width is this share of the source's, or more, gives way to the source's own size."""

# level: macroblocks per second, per frame, in the DPB; kbit/s and kbit of buffer (High profile)
H264_LEVELS = {
    "1.1": (3_000, 396, 900, 240, 625),
    "1.2": (6_000, 396, 2_376, 480, 1_250),
    "1.3": (11_880, 396, 2_376, 960, 2_500),
    "2": (11_880, 396, 2_376, 2_500, 2_500),
    "2.1": (19_800, 792, 4_752, 5_000, 5_000),
    "2.2": (20_250, 1_620, 8_100, 5_000, 5_000),
    "3": (40_500, 1_620, 8_100, 12_500, 12_500),
    "3.1": (108_000, 3_600, 18_000, 17_500, 17_500),
    "3.2": (216_000, 5_120, 20_480, 25_000, 25_000),
    "4": (245_760, 8_192, 32_768, 25_000, 31_250),
    "4.1": (245_760, 8_192, 32_768, 62_500, 78_125),
    "4.2": (522_240, 8_704, 34_816, 62_500, 78_125),
    "5": (589_824, 22_080, 110_400, 168_750, 168_750),
    "5.1": (983_040, 36_864, 184_320, 300_000, 300_000),
    "5.2": (2_073_600, 36_864, 184_320, 300_000, 300_000),
    "6": (4_177_920, 139_264, 696_320, 300_000, 300_000),
}


@dataclass(frozen=True, slots=True)
class Box:
    """A rung as a ladder file gives it: what the picture must fit in, and its cap."""

    name: str
    width: int
    height: int
    maxrate_kbps: int


@dataclass(frozen=True, slots=True)
class SoundRates:
    """Bit rates of AAC-LC in kbit/s."""

    mono_kbps: int
    stereo_kbps: int
    per_channel_kbps: int


@dataclass(frozen=True, slots=True)
class Ladder:
    """A ladder before it meets a film. ``boxes`` grow."""

    name: str
    codec: str
    preset: str
    crf: float
    reference_frames: int
    threads: int
    boxes: tuple[Box, ...]
    sound: SoundRates


@dataclass(frozen=True, slots=True)
class Rung:
    """One video rendition as planned: everything that its encoder is told.

    ``maxrate`` and ``bufsize`` are bits per second and bits.
    """

    name: str
    width: int
    height: int
    rate: Fraction
    codec: str
    preset: str
    crf: float
    maxrate: int
    bufsize: int
    level: str
    reference_frames: int
    threads: int

    def as_parameters(self) -> dict[str, Any]:
        """The JSON that goes into keys; the name decides nothing and stays out."""
        parameters = asdict(self)
        del parameters["name"]
        return {**parameters, "rate": as_text(self.rate)}


def parse_ladder(name: str, text: str) -> Ladder:
    """Read a ladder file (TOML; see docs/reference/ladders.md).

    Raises:
        LadderInvalid: not TOML, a field missing, unknown or out of range; names the field.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise LadderInvalid(f"ladder {name}: {error}", "see `matinee publish --help`") from error
    video = _fields(
        name, "video", document.get("video"),
        {"codec": str, "preset": str, "crf": (int, float), "reference_frames": int, "threads": int},
    )  # fmt: skip
    sound = _fields(
        name, "audio", document.get("audio"),
        {"mono_kbps": int, "stereo_kbps": int, "per_channel_kbps": int},
    )  # fmt: skip
    rungs = document.get("rung")
    if not isinstance(rungs, list) or not rungs:
        raise LadderInvalid(f"ladder {name}: no [[rung]]", "a ladder needs at least one rung")
    unknown = document.keys() - {"description", "video", "rung", "audio"}
    if unknown:
        raise LadderInvalid(f"ladder {name}: unknown table {min(unknown)!r}")
    kinds = {"name": str, "width": int, "height": int, "maxrate_kbps": int}
    boxes = [Box(**_fields(name, f"rung {n}", rung, kinds)) for n, rung in enumerate(rungs, 1)]
    video["crf"] = float(video["crf"])  # 23 and 23.0 are one setting
    ladder = Ladder(name=name, boxes=tuple(boxes), sound=SoundRates(**sound), **video)
    _check(ladder)
    return ladder


def _fields(ladder: str, where: str, table: Any, kinds: Mapping[str, Any]) -> dict[str, Any]:
    if not isinstance(table, dict):
        raise LadderInvalid(f"ladder {ladder}: [{where}] is missing")
    for key in table.keys() - kinds.keys():
        raise LadderInvalid(f"ladder {ladder}: [{where}] has an unknown field {key!r}")
    for key, kind in kinds.items():
        if key not in table:
            raise LadderInvalid(f"ladder {ladder}: [{where}] lacks {key!r}")
        value = table[key]
        if isinstance(value, bool) or not isinstance(value, kind):
            raise LadderInvalid(f"ladder {ladder}: [{where}] {key} = {value!r} is of a wrong type")
    return dict(table)


def _check(ladder: Ladder) -> None:
    def require(holds: bool, fault: str) -> None:
        if not holds:
            raise LadderInvalid(f"ladder {ladder.name}: {fault}")

    require(ladder.codec == "h264", f"codec {ladder.codec!r} is not known; h264 is")
    require(ladder.preset in PRESETS, f"preset {ladder.preset!r} is not one of x264's")
    require(1 <= ladder.crf <= 51, f"crf {ladder.crf:g} is not from 1 to 51")
    require(1 <= ladder.reference_frames <= 16, "reference_frames is not from 1 to 16")
    require(1 <= ladder.threads <= 16, "threads is not from 1 to 16")
    for kbps in asdict(ladder.sound).values():
        require(8 <= kbps <= 512, f"a sound of {kbps} kbit/s is not from 8 to 512")
    names = [box.name for box in ladder.boxes]
    require(len(set(names)) == len(names), "two rungs have one name")
    for box in ladder.boxes:
        safe = box.name.isascii() and box.name.replace("-", "").isalnum()
        require(safe, f"rung name {box.name!r} is not letters, digits and hyphens")
        require(box.width >= 16 and box.height >= 16, f"rung {box.name} is smaller than 16x16")
        require(box.width <= 8192 and box.height <= 8192, f"rung {box.name} is over 8192 wide")
        require(box.maxrate_kbps >= 10, f"rung {box.name} has a maxrate under 10 kbit/s")
    areas = [box.width * box.height for box in ladder.boxes]
    require(areas == sorted(areas), "rungs are not in growing order")


def _even(length: Fraction | int) -> int:
    return max(2, 2 * round(Fraction(length) / 2))


def fit(ladder: Ladder, picture: Picture, rate: Fraction) -> list[Rung]:
    """The rungs for one film, smallest first."""
    width, height = display_size(picture)
    sizes: dict[tuple[int, int], Box] = {}
    own_box = ladder.boxes[-1]
    for box in reversed(ladder.boxes):
        within = _turned(box, width < height)
        scale = min(Fraction(within[0], width), Fraction(within[1], height))
        if scale >= 1:
            own_box = box
        elif scale < NEARLY_THE_SOURCE:
            sizes[_even(width * scale), _even(height * scale)] = box
    if own_box in sizes.values():  # the film is larger than the largest box
        own_box = replace(own_box, name=_free_name(f"{min(width, height)}p", sizes.values()))
    sizes[width, height] = own_box
    return [_rung(ladder, box, size, rate) for size, box in sorted(sizes.items())]


def _free_name(name: str, boxes: Iterable[Box]) -> str:
    """``name``, or with ``-source`` where a rung has it."""
    return f"{name}-source" if name in {box.name for box in boxes} else name


def _turned(box: Box, vertical: bool) -> tuple[int, int]:
    return (box.height, box.width) if vertical else (box.width, box.height)


def _rung(ladder: Ladder, box: Box, size: tuple[int, int], rate: Fraction) -> Rung:
    width, height = size
    maxrate = box.maxrate_kbps * 1000
    return Rung(
        name=box.name,
        width=width,
        height=height,
        rate=rate,
        codec=ladder.codec,
        preset=ladder.preset,
        crf=ladder.crf,
        maxrate=maxrate,
        bufsize=2 * maxrate,
        level=h264_level(width, height, rate, 2 * maxrate, ladder.reference_frames),
        reference_frames=ladder.reference_frames,
        threads=ladder.threads,
    )


def h264_level(width: int, height: int, rate: Fraction, bufsize: int, references: int) -> str:
    """The lowest level that allows the stream; 6 where none of the lower ones does.

    Bounds are those of ITU-T H.264 A.3.1 and table A-1. ``bufsize`` is twice the peak bit rate.
    """
    blocks = ceil(width / 16) * ceil(height / 16)
    for level, (per_second, per_frame, buffered, kbps, kbits) in H264_LEVELS.items():
        if (
            blocks <= per_frame
            and blocks * rate <= per_second
            and blocks * max(references, REORDERED_FRAMES + 1) <= buffered
            and bufsize <= 2 * kbps * 1000
            and bufsize <= kbits * 1000
            and max(ceil(width / 16), ceil(height / 16)) ** 2 <= 8 * per_frame
        ):
            return level
    return "6"
