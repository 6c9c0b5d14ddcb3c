"""VP9 by libvpx: the VP9 bitstream specification, and VP in ISO BMFF."""

from dataclasses import dataclass

from matinee.media.boxes import BoxError, Fields
from matinee.media.codecs.bits import Bits
from matinee.media.codecs.codec import Codec, Coding, Demand, Told, Usual, lowest

# level: luma samples of a picture, per second, kbit/s, longest side
LEVELS = {
    "1": (36_864, 829_440, 200, 512),
    "1.1": (73_728, 2_764_800, 800, 768),
    "2": (122_880, 4_608_000, 1_800, 960),
    "2.1": (245_760, 9_216_000, 3_600, 1_344),
    "3": (552_960, 20_736_000, 7_200, 2_048),
    "3.1": (983_040, 36_864_000, 12_000, 2_752),
    "4": (2_228_224, 83_558_400, 18_000, 4_160),
    "4.1": (2_228_224, 160_432_128, 30_000, 4_160),
    "5": (8_912_896, 311_951_360, 60_000, 8_384),
    "5.1": (8_912_896, 588_251_136, 120_000, 8_384),
    "5.2": (8_912_896, 1_176_502_272, 180_000, 8_384),
    "6": (35_651_584, 1_176_502_272, 180_000, 16_832),
    "6.1": (35_651_584, 2_353_004_544, 240_000, 16_832),
    "6.2": (35_651_584, 4_706_009_088, 480_000, 16_832),
}

PRESETS = {"5": 0.14, "4": 0.19, "3": 0.27, "2": 0.4, "1": 0.6, "0": 1.5}
"""libvpx's ``cpu-used``."""

SYNC_CODE = 0x498342


def level(demand: Demand) -> str:
    """By the WebM project's table of VP9 levels."""
    samples = demand.width * demand.height
    return lowest(
        {
            name: samples <= per_picture
            and samples * demand.rate <= per_second
            and demand.bufsize <= 2 * kbps * 1000
            and max(demand.width, demand.height) <= longest
            for name, (per_picture, per_second, kbps, longest) in LEVELS.items()
        },
        "6.2",
    )


def _options(rung: Coding, times: str) -> list[str]:
    return [
        "-c:v", "libvpx-vp9", "-deadline", "good", "-cpu-used", rung.preset,
        "-crf", f"{rung.crf:g}", "-b:v", str(rung.maxrate),
        "-maxrate", str(rung.maxrate), "-bufsize", str(rung.bufsize),
        "-g", "100000", "-keyint_min", "0", "-lag-in-frames", "25", "-auto-alt-ref", "1",
        "-row-mt", "0", "-tile-columns", "0", "-threads:v", str(rung.threads),
        "-force_key_frames", times, "-flags:v", "+bitexact",
    ]  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Header:
    """The uncompressed header (section 6.2). ``fixed`` holds what no chunk may change."""

    profile: int
    is_key: bool
    depth: int = 8
    fixed: bytes = b""


def _header(sample: bytes) -> _Header:
    bits = Bits(sample[:16])
    if bits.take(2) != 2:
        raise BoxError("a VP9 frame does not begin with its mark")
    profile = bits.take(1) | bits.take(1) << 1
    if profile == 3:
        bits.take(1)
    if bits.flag() or bits.flag():  # a frame that was decoded before, or no key frame
        return _Header(profile, is_key=False)
    bits.take(2)
    if bits.take(24) != SYNC_CODE:
        raise BoxError("a VP9 key frame has no sync code")
    depth = (12 if bits.flag() else 10) if profile >= 2 else 8
    space = bits.take(3)
    colours = bits.take(1 if profile in (0, 2) or space == 7 else 4)
    across, down = bits.take(16), bits.take(16)
    fixed = f"vp9 {profile} {depth} {space} {colours} {across + 1}x{down + 1}"
    return _Header(profile, True, depth, fixed.encode())


def _string(kind: str, fields: Fields) -> str:
    fields.full_box()
    profile, number, bits = fields.unsigned(1), fields.unsigned(1), fields.unsigned(1)
    colours = [fields.unsigned(1) for _ in range(3)]
    numbers = [profile, number, bits >> 4, bits >> 1 & 7, *colours, bits & 1]
    return ".".join([kind, *(f"{number:02d}" for number in numbers)])


def _coded_string(kind: str, configuration: bytes, sample: bytes) -> str:
    """Profile and depth from the frame; of level and colours the frames tell nothing."""
    if len(configuration) < 10:
        raise BoxError("the VP9 configuration is cut short")
    header = _header(sample)
    numbers = [header.profile, configuration[5], header.depth, configuration[6] >> 1 & 7]
    numbers += [*configuration[7:10], configuration[6] & 1]
    return ".".join([kind, *(f"{number:02d}" for number in numbers)])


def _told(string: str) -> Told:
    _, _, number, depth, *_ = string.split(".")
    return Told(f"{int(number) / 10:g}", int(depth))


def _fixed(_configuration: bytes, sample: bytes) -> bytes:
    header = _header(sample)
    if not header.is_key:
        raise BoxError("a VP9 chunk does not begin with a key frame")
    return header.fixed


VP9 = Codec(
    name="vp9",
    label="VP9",
    encoder="libvpx-vp9",
    profiles={8: ("0",), 10: ("2",)},
    presets=PRESETS,
    crf=(1, 63),
    usual=(Usual(33, 92.3, 1), Usual(43, 89, 0.755), Usual(53, 81.7, 0.565)),
    level=level,
    options=_options,
    entries=("vp09",),
    box="vpcC",
    nal_length_at=None,
    string=_string,
    coded_string=_coded_string,
    told=_told,
    header=_fixed,
    muxed_level=lambda level: round(10 * float(level)),
    is_key=lambda sample, _: _header(sample).is_key if sample else None,
)
