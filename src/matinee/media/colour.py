"""Colours as streams tell them: code points of ITU-T H.273, and what HDR adds to them.

Static metadata are those of SMPTE ST 2086 (the display on which a film was mastered) and of
CTA-861.3 (its light levels), in the units of ITU-T H.265 annexes D.3.28 and D.3.35.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

PRIMARIES = {
    1: "bt709", 4: "bt470m", 5: "bt470bg", 6: "smpte170m", 7: "smpte240m", 9: "bt2020",
}  # fmt: skip
TRANSFERS = {
    1: "bt709", 4: "bt470m", 5: "bt470bg", 6: "smpte170m", 7: "smpte240m", 13: "iec61966-2-1",
    14: "bt2020-10", 15: "bt2020-12", 16: "smpte2084", 18: "arib-std-b67",
}  # fmt: skip
MATRICES = {1: "bt709", 5: "bt470bg", 6: "smpte170m", 7: "smpte240m", 9: "bt2020nc"}
"""Code points that ffmpeg has a name for, and that name."""

PQ, HLG = "smpte2084", "arib-std-b67"
"""Transfer functions of a high dynamic range (ITU-R BT.2100)."""

CHROMATICITY = 50_000
"""Units of a chromaticity coordinate in 1."""

LUMINANCE = 10_000
"""Units of a luminance in 1 cd/m2."""

ROUNDING = 1
"""Units by which codecs that count in binary fractions (AV1) may differ."""

Point = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Mastering:
    """The display on which a film was mastered: chromaticities and luminances, in their units."""

    red: Point
    green: Point
    blue: Point
    white: Point
    brightest: int
    darkest: int

    def __iter__(self) -> Iterator[int]:
        for point in (self.red, self.green, self.blue, self.white):
            yield from point
        yield from (self.brightest, self.darkest)


@dataclass(frozen=True, slots=True)
class Light:
    """The brightest pixel and the brightest picture's mean (MaxCLL, MaxFALL), in cd/m2."""

    most: int
    average: int


@dataclass(frozen=True, slots=True)
class Hdr:
    """How a rendition of high dynamic range is coded; colours by ffmpeg's names for H.273."""

    primaries: str
    transfer: str
    matrix: str
    mastering: Mastering | None = None
    light: Light | None = None

    @property
    def video_range(self) -> str:
        """Its name in HLS (VIDEO-RANGE)."""
        return "PQ" if self.transfer == PQ else "HLG"

    @property
    def label(self) -> str:
        """Its name for people: HDR10 is PQ with static metadata."""
        is_hdr10 = self.transfer == PQ and (self.mastering or self.light)
        return "HDR10" if is_hdr10 else self.video_range

    @property
    def colours(self) -> "Colours":
        """What its streams must tell."""
        return Colours(
            _code(PRIMARIES, self.primaries), _code(TRANSFERS, self.transfer),
            _code(MATRICES, self.matrix), full_range=False, mastering=self.mastering,
            light=self.light,
        )  # fmt: skip


def _code(names: dict[int, str], name: str) -> int:
    return next(code for code, known in names.items() if known == name)


@dataclass(frozen=True, slots=True)
class Colours:
    """What a stream tells of its colours, by the code points of ITU-T H.273; 2: nothing."""

    primaries: int
    transfer: int
    matrix: int
    full_range: bool
    mastering: Mastering | None = None
    light: Light | None = None

    def as_json(self) -> dict[str, Any]:
        """The form in which evidence has it: chromaticities, and luminances in cd/m2."""
        told: dict[str, Any] = {
            "primaries": self.primaries,
            "transfer": self.transfer,
            "matrix": self.matrix,
            "full_range": self.full_range,
            "mastering": None,
            "max_cll": self.light.most if self.light else None,
            "max_fall": self.light.average if self.light else None,
        }
        if (shown := self.mastering) is not None:
            points = {"red": shown.red, "green": shown.green, "blue": shown.blue}
            told["mastering"] = {
                name: [value / CHROMATICITY for value in point]
                for name, point in {**points, "white": shown.white}.items()
            } | {
                "brightest": shown.brightest / LUMINANCE, "darkest": shown.darkest / LUMINANCE
            }  # fmt: skip
        return told


def differences(found: Colours, wanted: Colours) -> list[str]:
    """In what a stream's colours are not as they should be, a sentence each."""
    said = []
    for what in ("primaries", "transfer", "matrix", "full_range"):
        one, other = getattr(found, what), getattr(wanted, what)
        if one != other:
            said.append(f"{what.replace('_', ' ')} {one}, not {other}")
    if not _is_alike(found.mastering, wanted.mastering):
        said.append(f"a mastering display {_told(found.mastering)}, not {_told(wanted.mastering)}")
    if found.light != wanted.light:
        said.append(f"light levels {_told(found.light)}, not {_told(wanted.light)}")
    return said


def _is_alike(found: Mastering | None, wanted: Mastering | None) -> bool:
    if found is None or wanted is None:
        return found is wanted
    return all(
        abs(one - other) <= ROUNDING for one, other in zip(found, wanted, strict=True)
    )  # fmt: skip


def _told(thing: Mastering | Light | None) -> str:
    if thing is None:
        return "of none"
    if isinstance(thing, Light):
        return f"of {thing.most} and {thing.average} cd/m2"
    return "of " + " ".join(map(str, thing))


def told_hdr(hdr: Hdr) -> str:
    """What a film's range is, in words."""
    words = [hdr.label]
    if hdr.mastering:
        words.append(f"mastered for {hdr.mastering.brightest / LUMINANCE:g} cd/m2")
    if hdr.light:
        words.append(f"MaxCLL {hdr.light.most}, MaxFALL {hdr.light.average}")
    return ", ".join(words)


def units(value: Fraction, scale: int) -> int:
    """A measure in whole units."""
    return round(value * scale)


def hdr_from_json(kept: dict[str, Any] | None) -> Hdr | None:
    """Read what ``dataclasses.asdict`` gives of one back, through JSON as well."""
    if kept is None:
        return None
    return Hdr(
        **{
            **kept,
            "mastering": mastering_from_json(kept["mastering"]),
            "light": light_from_json(kept["light"]),
        }
    )


def mastering_from_json(kept: dict[str, Any] | None) -> Mastering | None:
    """The same of a mastering display."""
    if kept is None:
        return None
    red, green, blue, white = (tuple(kept[name]) for name in ("red", "green", "blue", "white"))
    return Mastering(red, green, blue, white, kept["brightest"], kept["darkest"])


def light_from_json(kept: dict[str, Any] | None) -> Light | None:
    """The same of light levels."""
    return None if kept is None else Light(**kept)
