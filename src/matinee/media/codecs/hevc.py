"""HEVC by x265: ITU-T H.265, ISO/IEC 14496-15 clause 8 and annex E."""

from collections.abc import Iterator
from math import ceil

from matinee.media.boxes import Box, BoxError, Fields
from matinee.media.codecs.bits import Bits, nal_units
from matinee.media.codecs.codec import REORDERED_FRAMES, Codec, Coding, Demand, Told, Usual, lowest
from matinee.media.colour import Colours, Hdr, Light, Mastering
from matinee.media.colour_boxes import light_of, mastering_of

# level: luma samples of a picture, luma samples per second, kbit/s and kbit of buffer (Main tier)
LEVELS = {
    "1": (36_864, 552_960, 128, 350),
    "2": (122_880, 3_686_400, 1_500, 1_500),
    "2.1": (245_760, 7_372_800, 3_000, 3_000),
    "3": (552_960, 16_588_800, 6_000, 6_000),
    "3.1": (983_040, 33_177_600, 10_000, 10_000),
    "4": (2_228_224, 66_846_720, 12_000, 12_000),
    "4.1": (2_228_224, 133_693_440, 20_000, 20_000),
    "5": (8_912_896, 267_386_880, 25_000, 25_000),
    "5.1": (8_912_896, 534_773_760, 40_000, 40_000),
    "5.2": (8_912_896, 1_069_547_520, 60_000, 60_000),
    "6": (35_651_584, 1_069_547_520, 60_000, 60_000),
    "6.1": (35_651_584, 2_139_095_040, 120_000, 120_000),
    "6.2": (35_651_584, 4_278_190_080, 240_000, 240_000),
}

PRESETS = {
    "ultrafast": 0.035, "superfast": 0.045, "veryfast": 0.085, "faster": 0.095, "fast": 0.11,
    "medium": 0.12, "slow": 0.26, "slower": 0.8, "veryslow": 1.4,
}  # fmt: skip

PRESET_BITS = {"veryfast": 1.014, "fast": 1.0, "medium": 0.955, "slow": 0.83}

SEQUENCE_PARAMETERS, PREFIX_SEI = 33, 39
"""Types of NAL units (table 7-1)."""

LENGTH_AT = 21
"""Where the configuration tells the bytes before each NAL unit."""

MASTERING, LIGHT = 137, 144
"""Types of SEI messages (table D.1)."""

EXTENDED_SAR = 255
UNSPECIFIED = 2

CODING_UNIT = 8
"""Sides of coded pictures are whole multiples of x265's smallest coding unit."""


def level(demand: Demand) -> str:
    """By ITU-T H.265 A.4.1, A.4.2 and tables A.8 to A.10, Main tier."""
    sides = [CODING_UNIT * ceil(side / CODING_UNIT) for side in (demand.width, demand.height)]
    samples = sides[0] * sides[1]
    held = max(demand.references, REORDERED_FRAMES + 1) + 1
    return lowest(
        {
            name: samples <= per_picture
            and samples * demand.rate <= per_second
            and held <= _most_pictures(samples, per_picture)
            and demand.bufsize <= 2 * kbps * 1000
            and demand.bufsize <= kbits * 1000
            and max(sides) ** 2 <= 8 * per_picture
            for name, (per_picture, per_second, kbps, kbits) in LEVELS.items()
        },
        "6.2",
    )


def _most_pictures(samples: int, per_picture: int) -> int:
    """Pictures that the decoded picture buffer holds (equation A-2)."""
    quarters = 4 * samples / per_picture
    return 16 if quarters <= 1 else 12 if quarters <= 2 else 8 if quarters <= 3 else 6


def _options(rung: Coding, times: str) -> list[str]:
    # Without pools and wavefronts no thread count of the machine is in the parameter sets.
    options = (
        f"keyint=-1:scenecut=0:open-gop=0:ref={rung.reference_frames}:bframes=3:b-pyramid=1:"
        f"level-idc={rung.level}:high-tier=0:hrd=0:info=0:opt-qp-pps=0:"
        f"opt-ref-list-length-pps=0:frame-threads={rung.threads}:pools=none:wpp=0:log-level=error"
        f"{_metadata(rung.hdr)}"
    )
    return [
        "-c:v", "libx265", "-preset", rung.preset, "-crf", f"{rung.crf:g}",
        "-maxrate", str(rung.maxrate), "-bufsize", str(rung.bufsize),
        "-profile:v", rung.profile, "-tag:v", "hvc1",
        "-force_key_frames", times, "-forced-idr", "1", "-x265-params", options,
        "-flags:v", "+bitexact",
    ]  # fmt: skip


def _metadata(hdr: Hdr | None) -> str:
    """Static metadata, by x265's options; it writes them beside the parameter sets."""
    said = ""
    if hdr and (shown := hdr.mastering):
        points = zip("GBR", (shown.green, shown.blue, shown.red), strict=True)
        places = "".join(f"{name}({x},{y})" for name, (x, y) in points)
        white = f"WP({shown.white[0]},{shown.white[1]})"
        said += f":master-display={places}{white}L({shown.brightest},{shown.darkest})"
    if hdr and hdr.light:
        said += f":max-cll={hdr.light.most},{hdr.light.average}"
    return said


def _string(kind: str, fields: Fields) -> str:
    """ISO/IEC 14496-15 annex E.3."""
    fields.take(1)
    return _named(kind, fields.take(12))


def _named(kind: str, general: bytes) -> str:
    """From profile, tier and level as parameter sets and configurations have them alike."""
    space = ("", "A", "B", "C")[general[0] >> 6]
    mirrored = int(f"{int.from_bytes(general[1:5], 'big'):032b}"[::-1], 2)
    tier = "H" if general[0] & 0x20 else "L"
    parts = [kind, f"{space}{general[0] & 31}", f"{mirrored:X}", f"{tier}{general[11]}"]
    return ".".join(parts + [f"{byte:X}" for byte in general[5:11].rstrip(b"\0")])


def _coded_string(kind: str, configuration: bytes, _sample: bytes) -> str:
    """From the first sequence parameter set (ITU-T H.265 clause 7.3.2.2.1)."""
    general = _unescaped(_parameter_set(configuration, SEQUENCE_PARAMETERS))[3:15]
    if len(general) < 12:
        raise BoxError("the HEVC configuration's sequence parameter set is cut short")
    return _named(kind, general)


def _unescaped(unit: bytes) -> bytes:
    """Without emulation prevention (clause 7.3.1.1)."""
    return unit.replace(b"\0\0\3", b"\0\0")


def _parameter_set(configuration: bytes, wanted: int) -> bytes:
    """The first NAL unit of a type."""
    for unit in _configured(configuration, wanted):
        return unit
    raise BoxError(f"the HEVC configuration has no NAL unit of type {wanted}")


def _configured(configuration: bytes, wanted: int) -> Iterator[bytes]:
    """The configuration's NAL units of a type (ISO/IEC 14496-15 clause 8.3.2.1)."""
    fields = Fields(configuration, Box("hvcC", 0, 0, len(configuration)), 22)
    for _ in range(fields.unsigned(1)):
        kind = fields.unsigned(1) & 63
        for _ in range(fields.unsigned(2)):
            unit = fields.take(fields.unsigned(2))
            if kind == wanted:
                yield unit


def colours(configuration: bytes, sample: bytes) -> Colours:
    """By the sequence parameter set's VUI (annex E.2.1), and SEI before or in the sample."""
    codes = _vui_colours(Bits(_unescaped(_parameter_set(configuration, SEQUENCE_PARAMETERS))[2:]))
    mastering: Mastering | None = None
    light: Light | None = None
    length_size = (configuration[LENGTH_AT] & 3) + 1
    inside = [u for u in nal_units(sample, length_size) if u[0] >> 1 & 63 == PREFIX_SEI]
    for unit in (*_configured(configuration, PREFIX_SEI), *inside):
        for kind, content in sei_messages(_unescaped(unit)[2:]):
            mastering = mastering_of(content) if kind == MASTERING else mastering
            light = light_of(content) if kind == LIGHT else light
    return Colours(*codes, mastering=mastering, light=light)


def sei_messages(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Type and content of each message of an SEI unit (clause 7.3.5), behind its header.

    Raises:
        BoxError: one is cut short.
    """
    at = 0
    while len(data) - at > 2:  # a message, not the trailing bits
        numbers = []
        for _ in range(2):
            number = 0
            while at < len(data) and data[at] == 255:
                number, at = number + 255, at + 1
            if at >= len(data):
                raise BoxError("an SEI message is cut short")
            numbers.append(number + data[at])
            at += 1
        kind, size = numbers
        if at + size > len(data):
            raise BoxError("an SEI message is cut short")
        yield kind, data[at : at + size]
        at += size


def _vui_colours(bits: Bits) -> tuple[int, int, int, bool]:
    """Primaries, transfer, matrix and range of a sequence parameter set (clause 7.3.2.2.1).

    Reads what x265 writes: no scaling lists of its own, no sets of reference pictures in it.
    """
    bits.take(4)
    layers = bits.take(3)
    bits.take(1 + 96)
    if layers:
        raise BoxError("HEVC in temporal layers is not read")
    bits.pass_over(1)
    if bits.golomb() == 3:
        bits.take(1)
    bits.pass_over(2)  # sides
    if bits.flag():  # conformance window
        bits.pass_over(4)
    bits.pass_over(3)  # depths, order count
    bits.take(1)
    bits.pass_over(3 + 6)  # pictures held, sizes of blocks
    if bits.flag() and bits.flag():
        raise BoxError("HEVC with scaling lists is not read")
    bits.take(2)
    if bits.flag():  # PCM
        bits.take(8)
        bits.pass_over(2)
        bits.take(1)
    if bits.golomb():
        raise BoxError("HEVC with sets of reference pictures is not read")
    if bits.flag():
        raise BoxError("HEVC with long-term reference pictures is not read")
    bits.take(2)
    return _vui(bits) if bits.flag() else (UNSPECIFIED, UNSPECIFIED, UNSPECIFIED, False)


def _vui(bits: Bits) -> tuple[int, int, int, bool]:
    if bits.flag() and bits.take(8) == EXTENDED_SAR:
        bits.take(32)
    if bits.flag():  # overscan
        bits.take(1)
    codes, is_full = (UNSPECIFIED, UNSPECIFIED, UNSPECIFIED), False
    if bits.flag():
        bits.take(3)
        is_full = bits.flag()
        if bits.flag():
            codes = (bits.take(8), bits.take(8), bits.take(8))
    return (*codes, is_full)


def _told(string: str) -> Told:
    _, profile, _, tier_and_level, *_ = string.split(".")
    return Told(f"{int(tier_and_level[1:]) / 30:g}", 10 if profile == "2" else 8)


def _is_key(sample: bytes, length_size: int) -> bool | None:
    """Types of NAL units: table 7-1. Only IDR pictures count: open groups do not join."""
    for unit in nal_units(sample, length_size):
        if unit[0] >> 1 & 63 < 32:
            return unit[0] >> 1 & 63 in (19, 20)
    return None


HEVC = Codec(
    name="hevc",
    label="HEVC",
    encoder="libx265",
    profiles={8: ("main",), 10: ("main10",)},
    presets=PRESETS,
    crf=(1, 51),
    usual=(Usual(26, 92.5, 1), Usual(32, 84.8, 0.515)),
    crf_step=0.5,
    preset_bits=PRESET_BITS,
    level=level,
    options=_options,
    entries=("hvc1", "hev1"),
    box="hvcC",
    nal_length_at=LENGTH_AT,
    string=_string,
    coded_string=_coded_string,
    told=_told,
    header=lambda configuration, _: configuration,
    is_key=_is_key,
    colours=colours,
    finer={"PQ": 5, "HLG": 2},
)
