"""H.264 by x264: ITU-T H.264, ISO/IEC 14496-15 clause 5."""

from fractions import Fraction
from math import ceil

from matinee.media.boxes import BoxError, Fields
from matinee.media.codecs.bits import nal_units
from matinee.media.codecs.codec import (
    REORDERED_FRAMES,
    USUAL_B_FRAMES,
    Codec,
    Coding,
    Demand,
    Told,
    Usual,
    lowest,
)

# level: macroblocks per second, per frame, in the DPB; kbit/s and kbit of buffer (High profile)
LEVELS = {
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

PRESETS = {
    "ultrafast": 0.012, "superfast": 0.018, "veryfast": 0.033, "faster": 0.048, "fast": 0.06,
    "medium": 0.074, "slow": 0.092, "slower": 0.132, "veryslow": 0.157,
}  # fmt: skip

PRESET_BITS = {
    "veryfast": 1.28, "faster": 1.074, "fast": 1.036, "medium": 1.0, "slow": 0.97, "slower": 0.951,
    "veryslow": 0.905,
}  # fmt: skip

HIGH = Fraction(1)
SHARE_OF_HIGH = {"high": HIGH, "main": Fraction(4, 5), "baseline": Fraction(4, 5)}
"""Bit rates of table A-1 are 1.25 times as high in the High profile (table A-2)."""


def level(demand: Demand) -> str:
    """By ITU-T H.264 A.3.1 and table A-1; 6 where none of the lower ones does."""
    across, down = ceil(demand.width / 16), ceil(demand.height / 16)
    blocks, share = across * down, SHARE_OF_HIGH[demand.profile]
    return lowest(
        {
            name: blocks <= per_frame
            and blocks * demand.rate <= per_second
            and blocks * max(demand.references, REORDERED_FRAMES + 1) <= buffered
            and demand.bufsize <= 2 * kbps * share * 1000
            and demand.bufsize <= kbits * share * 1000
            and max(across, down) ** 2 <= 8 * per_frame
            for name, (per_second, per_frame, buffered, kbps, kbits) in LEVELS.items()
        },
        "6",
    )


def _options(rung: Coding, times: str) -> list[str]:
    most = USUAL_B_FRAMES if rung.preset == "ultrafast" else rung.b_frames  # it always takes all
    b_frames = 0 if rung.profile == "baseline" else most
    options = (
        f"stitchable=1:scenecut=0:keyint=infinite:ref={rung.reference_frames}:bframes={b_frames}:"
        "b-pyramid=normal:open-gop=0:force-cfr=1"
    )
    return [
        "-c:v", "libx264", "-preset", rung.preset, "-crf", f"{rung.crf:g}",
        "-maxrate", str(rung.maxrate), "-bufsize", str(rung.bufsize),
        "-profile:v", rung.profile, "-level", rung.level, "-threads:v", str(rung.threads),
        "-force_key_frames", times, "-forced-idr", "1", "-x264-params", options,
        "-flags:v", "+bitexact", "-bsf:v", "filter_units=remove_types=6",
    ]  # fmt: skip


def _string(kind: str, fields: Fields) -> str:
    fields.take(1)
    return f"{kind}.{fields.take(3).hex()}"


def _coded_string(kind: str, configuration: bytes, _sample: bytes) -> str:
    """From the first sequence parameter set (clause 7.3.2.1.1)."""
    if len(configuration) < 8 or not configuration[5] & 31:
        raise BoxError("the AVC configuration has no sequence parameter set")
    length = int.from_bytes(configuration[6:8], "big")
    parameters = configuration[8 : 8 + length]
    if len(parameters) < 4 or parameters[0] & 31 != 7:
        raise BoxError("the AVC configuration's sequence parameter set is none")
    return f"{kind}.{parameters[1:4].hex()}"


DEPTHS = {110: 10, 122: 10}


def _told(string: str) -> Told:
    profile, flags, number = bytes.fromhex(string.split(".")[1])
    if number == 11 and profile < 100 and flags & 0x10:
        return Told("1b", 8)
    return Told(f"{number / 10:g}", DEPTHS.get(profile, 8))


def _is_key(sample: bytes, length_size: int) -> bool | None:
    """Types of NAL units: table 7-1."""
    for unit in nal_units(sample, length_size):
        if unit[0] & 31 in range(1, 6):
            return unit[0] & 31 == 5
    return None


H264 = Codec(
    name="h264",
    label="H.264",
    encoder="libx264",
    profiles={8: ("high", "main", "baseline")},
    presets=PRESETS,
    crf=(1, 51),
    usual=(Usual(23, 94.4, 1), Usual(31, 84.5, 0.37)),
    crf_step=0.5,
    preset_bits=PRESET_BITS,
    b_frames={"high": 5, "main": 5},
    proxy="veryfast",
    level=level,
    options=_options,
    entries=("avc1", "avc3"),
    box="avcC",
    nal_length_at=4,
    string=_string,
    coded_string=_coded_string,
    told=_told,
    header=lambda configuration, _: configuration,
    is_key=_is_key,
)
