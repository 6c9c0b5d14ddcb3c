"""HEVC by x265: ITU-T H.265, ISO/IEC 14496-15 clause 8 and annex E."""

from math import ceil

from matinee.media.boxes import Box, BoxError, Fields
from matinee.media.codecs.bits import nal_units
from matinee.media.codecs.codec import REORDERED_FRAMES, Codec, Coding, Demand, Told, lowest

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
    "ultrafast": 0.035, "superfast": 0.045, "veryfast": 0.075, "faster": 0.085, "fast": 0.11,
    "medium": 0.13, "slow": 0.3, "slower": 0.8, "veryslow": 1.4,
}  # fmt: skip

SEQUENCE_PARAMETERS = 33
"""The NAL unit type (table 7-1)."""

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
    )
    return [
        "-c:v", "libx265", "-preset", rung.preset, "-crf", f"{rung.crf:g}",
        "-maxrate", str(rung.maxrate), "-bufsize", str(rung.bufsize),
        "-profile:v", rung.profile, "-tag:v", "hvc1",
        "-force_key_frames", times, "-forced-idr", "1", "-x265-params", options,
        "-flags:v", "+bitexact",
    ]  # fmt: skip


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
    """The first NAL unit of a type (ISO/IEC 14496-15 clause 8.3.2.1)."""
    fields = Fields(configuration, Box("hvcC", 0, 0, len(configuration)), 22)
    for _ in range(fields.unsigned(1)):
        kind = fields.unsigned(1) & 63
        for _ in range(fields.unsigned(2)):
            unit = fields.take(fields.unsigned(2))
            if kind == wanted:
                return unit
    raise BoxError(f"the HEVC configuration has no NAL unit of type {wanted}")


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
    crf_step=0.5,
    level=level,
    options=_options,
    entries=("hvc1", "hev1"),
    box="hvcC",
    nal_length_at=21,
    string=_string,
    coded_string=_coded_string,
    told=_told,
    header=lambda configuration, _: configuration,
    is_key=_is_key,
)
