"""AV1 by SVT-AV1: the AV1 bitstream specification, and AV1 in ISO BMFF."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction

from matinee.media.boxes import BoxError, Fields
from matinee.media.codecs.bits import Bits
from matinee.media.codecs.codec import Codec, Coding, Demand, Told, Usual, lowest
from matinee.media.colour import (
    CHROMATICITY,
    LUMINANCE,
    Colours,
    Hdr,
    Light,
    Mastering,
    units,
)
from matinee.media.colour_boxes import light_of

# level: luma samples of a picture, its width and height, samples shown and decoded per second,
# Mbit/s (Main tier)
LEVELS = {
    "2": (147_456, 2_048, 1_152, 4_423_680, 5_529_600, 1.5),
    "2.1": (278_784, 2_816, 1_584, 8_363_520, 10_454_400, 3),
    "3": (665_856, 4_352, 2_448, 19_975_680, 24_969_600, 6),
    "3.1": (1_065_024, 5_504, 3_096, 31_950_720, 39_938_400, 10),
    "4": (2_359_296, 6_144, 3_456, 70_778_880, 77_856_768, 12),
    "4.1": (2_359_296, 6_144, 3_456, 141_557_760, 155_713_536, 20),
    "5": (8_912_896, 8_192, 4_352, 267_386_880, 273_715_200, 30),
    "5.1": (8_912_896, 8_192, 4_352, 534_773_760, 547_430_400, 40),
    "5.2": (8_912_896, 8_192, 4_352, 1_069_547_520, 1_094_860_800, 60),
    "6": (35_651_584, 16_384, 8_704, 1_069_547_520, 1_176_502_272, 60),
    "6.1": (35_651_584, 16_384, 8_704, 2_139_095_040, 2_189_721_600, 100),
    "6.2": (35_651_584, 16_384, 8_704, 4_278_190_080, 4_379_443_200, 160),
}

PRESETS = {
    "11": 0.025, "10": 0.026, "9": 0.036, "8": 0.044, "7": 0.053, "6": 0.074, "5": 0.102, "4": 0.13,
    "3": 0.45, "2": 0.9,
}  # fmt: skip

PRESET_BITS = {"8": 1.191, "7": 1.068, "6": 1.0, "5": 0.964, "4": 0.945}

HIDDEN = 32
"""One picture in so many is decoded and not shown: SVT-AV1's look-ahead reference."""

SEQUENCE_HEADER, FRAME_HEADER, METADATA, FRAME = 1, 3, 5, 6
"""Types of open bitstream units (section 6.2.2)."""

LIGHT, MASTERING = 1, 2
"""Types of metadata (section 6.7.1)."""

SELECT = 2
"""SELECT_SCREEN_CONTENT_TOOLS and SELECT_INTEGER_MV."""


def level(demand: Demand) -> str:
    """By the AV1 specification's annex A.3, Main tier."""
    samples = demand.width * demand.height
    shown = samples * demand.rate
    return lowest(
        {
            name: samples <= per_picture
            and demand.width <= width
            and demand.height <= height
            and shown <= displayed
            and shown * (HIDDEN + 1) / HIDDEN <= decoded
            and demand.bufsize <= 2 * mbps * 1_000_000
            for name, (per_picture, width, height, displayed, decoded, mbps) in LEVELS.items()
        },
        "6.2",
    )


def _options(rung: Coding, times: str) -> list[str]:
    major, _, minor = rung.level.partition(".")
    options = (
        f"keyint=-1:scd=0:irefresh-type=2:lp={rung.threads}:level={major}{minor or 0}:"
        f"mbr={rung.maxrate // 1000}{_metadata(rung.hdr)}{_grain(rung.film_grain)}"
    )
    return [
        "-c:v", "libsvtav1", "-preset", rung.preset, "-crf", f"{rung.crf:g}",
        "-force_key_frames", times, "-svtav1-params", options, "-flags:v", "+bitexact",
    ]  # fmt: skip


def _metadata(hdr: Hdr | None) -> str:
    """Static metadata, by SVT-AV1's options; it writes them before each key frame."""
    said = ""
    if hdr and (shown := hdr.mastering):
        points = zip("GBR", (shown.green, shown.blue, shown.red), strict=True)
        places = [*points, ("WP", shown.white)]
        told = "".join(
            f"{name}({x / CHROMATICITY:.5f},{y / CHROMATICITY:.5f})" for name, (x, y) in places
        )
        bounds = f"L({shown.brightest / LUMINANCE:.4f},{shown.darkest / LUMINANCE:.4f})"
        said += f":mastering-display={told}{bounds}"
    if hdr and hdr.light:
        said += f":content-light={hdr.light.most},{hdr.light.average}"
    return said


def _grain(strength: int) -> str:
    """Grain is taken out before coding; every frame tells how to make it anew (section 6.8.20)."""
    return f":film-grain={strength}:film-grain-denoise=1" if strength else ""


@dataclass(frozen=True, slots=True)
class _Sequence:
    """What the sequence header says (section 5.5.1)."""

    profile: int
    level: int
    tier: int
    depth: int
    colours: Colours | None = None


def _units(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Type and content of each open bitstream unit (section 5.3)."""
    at = 0
    while at < len(data):
        head = data[at]
        start = at + 2 if head & 4 else at + 1
        length, shift = len(data) - start, 0
        if head & 2:
            length = 0
            while True:
                if start >= len(data) or shift > 49:
                    raise BoxError("the length of an AV1 unit is cut short")
                byte = data[start]
                length |= (byte & 127) << shift
                start, shift = start + 1, shift + 7
                if byte < 128:
                    break
        if length < 0 or start + length > len(data):
            raise BoxError(f"an AV1 unit of {length} bytes does not fit its sample")
        yield head >> 3 & 15, data[start : start + length]
        at = start + length


def _sequence_unit(data: bytes) -> bytes:
    for kind, content in _units(data):
        if kind == SEQUENCE_HEADER:
            return content
    raise BoxError("a key frame has no AV1 sequence header before it")


def _sequence(content: bytes) -> _Sequence:
    return _begin(Bits(content))


def _begin(bits: Bits) -> _Sequence:
    """What the header says up to the range of its colours."""
    profile = bits.take(3)
    bits.take(1)
    if bits.flag():
        raise BoxError("an AV1 still picture is no film")
    number, tier = _operating_point(bits)
    across, down = bits.take(4) + 1, bits.take(4) + 1
    bits.take(across + down)
    depth = _depth(bits, profile)
    return _Sequence(profile, number, tier, depth, _colour_description(bits, profile))


def _operating_point(bits: Bits) -> tuple[int, int]:
    """Level and tier of the first one."""
    if bits.flag():
        raise BoxError("an AV1 sequence header with timing is not read")
    has_delay = bits.flag()
    number, tier = 0, 0
    for point in range(bits.take(5) + 1):
        bits.take(12)
        own = bits.take(5)
        own_tier = bits.take(1) if own > 7 else 0
        if has_delay and bits.flag():
            bits.take(4)
        if point == 0:
            number, tier = own, own_tier
    return number, tier


def _depth(bits: Bits, profile: int) -> int:
    """Past the tools to the colour configuration."""
    if bits.flag():
        bits.take(7)  # lengths of frame ids
    bits.take(7)  # superblocks, filters, compounds, warped motion, dual filter
    has_order = bits.flag()
    if has_order:
        bits.take(2)
    screen = SELECT if bits.flag() else bits.take(1)
    if screen and not bits.flag():
        bits.take(1)
    if has_order:
        bits.take(3)
    bits.take(3)  # super resolution, CDEF, restoration
    if not bits.flag():
        return 8
    return 12 if profile == 2 and bits.flag() else 10


def _colour_description(bits: Bits, profile: int) -> Colours:
    """What comes after the depth (section 5.5.2)."""
    if profile != 1:
        bits.take(1)  # grey
    codes = (bits.take(8), bits.take(8), bits.take(8)) if bits.flag() else (2, 2, 2)
    return Colours(*codes, full_range=codes == (1, 13, 0) or bits.flag())


def has_film_grain(sample: bytes) -> bool:
    """Whether frames behind a key frame's sample tell decoders to make grain (section 5.5.1).

    For 4:2:0 in three planes, as all that we make.
    """
    bits = Bits(_sequence_unit(sample))
    profile = _begin(bits).profile
    if profile != 0:
        raise BoxError(f"AV1 profile {profile} is none of ours")
    bits.take(3)  # place of chroma samples, quantizers of both planes
    return bits.flag()


def colours(configuration: bytes, sample: bytes) -> Colours:
    """By the sequence header, and the metadata before or in the sample (section 5.8)."""
    mastering: Mastering | None = None
    light: Light | None = None
    for kind, content in (*_units(configuration[4:]), *_units(sample)):
        if kind != METADATA or len(content) < 2:
            continue
        mastering = _mastering(content[1:]) if content[0] == MASTERING else mastering
        light = light_of(content[1:]) if content[0] == LIGHT else light
    told = _sequence(_sequence_unit(sample)).colours
    assert told is not None
    return replace(told, mastering=mastering, light=light)


def _mastering(content: bytes) -> Mastering:
    """Red, green, blue and white in 1/65536, luminances in 1/256 and 1/16384 (section 6.7.4)."""
    bits = Bits(content[:24])
    places = [units(Fraction(bits.take(16), 1 << 16), CHROMATICITY) for _ in range(8)]
    red, green, blue, white = zip(places[::2], places[1::2], strict=True)
    brightest = units(Fraction(bits.take(32), 1 << 8), LUMINANCE)
    darkest = units(Fraction(bits.take(32), 1 << 14), LUMINANCE)
    return Mastering(red, green, blue, white, brightest, darkest)


def _named(kind: str, sequence: _Sequence) -> str:
    """AV1 in ISO BMFF clause 5, the mandatory fields only."""
    tier = "H" if sequence.tier else "M"
    return f"{kind}.{sequence.profile}.{sequence.level:02d}{tier}.{sequence.depth:02d}"


def _string(kind: str, fields: Fields) -> str:
    fields.take(1)
    profile_level, bits = fields.unsigned(1), fields.unsigned(1)
    depth = (12 if bits & 0x20 else 10) if bits & 0x40 else 8
    return _named(kind, _Sequence(profile_level >> 5, profile_level & 31, bits >> 7, depth))


def _coded_string(kind: str, _configuration: bytes, sample: bytes) -> str:
    return _named(kind, _sequence(_sequence_unit(sample)))


def _told(string: str) -> Told:
    _, _, level_and_tier, depth, *_ = string.split(".")
    number = int(level_and_tier[:2])
    return Told(f"{2 + number // 4}" + (f".{number % 4}" if number % 4 else ""), int(depth))


def _is_key(sample: bytes, _length_size: int) -> bool | None:
    """By the first frame header (section 5.9.2): a key frame that is shown, and new."""
    for kind, content in _units(sample):
        if kind in (FRAME_HEADER, FRAME):
            bits = Bits(content)
            if bits.flag():  # shows a frame that was decoded before
                return False
            return bits.take(2) == 0 and bits.flag()
    return None


AV1 = Codec(
    name="av1",
    label="AV1",
    encoder="libsvtav1",
    profiles={8: ("main",), 10: ("main",)},
    presets=PRESETS,
    preset_bits=PRESET_BITS,
    crf=(1, 63),
    usual=(Usual(35, 94.3, 1), Usual(45, 92.3, 0.66), Usual(55, 86.9, 0.41)),
    level=level,
    options=_options,
    entries=("av01",),
    box="av1C",
    nal_length_at=None,
    string=_string,
    coded_string=_coded_string,
    told=_told,
    header=lambda _, sample: _sequence_unit(sample),
    is_key=_is_key,
    colours=colours,
    has_metadata_units=True,
    finer={"PQ": 12, "HLG": 4},
    film_grain=(1, 50),
    has_film_grain=has_film_grain,
)
