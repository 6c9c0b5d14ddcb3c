"""What a sound codec is, as data: all that Matinee must know of one to encode and place it."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class SoundCodec:
    """One sound codec, at 48 kHz.

    - ``entry`` is its sample entry;
    - ``frame`` is the samples of a packet, ``priming`` those by which a decoder's output is late;
    - ``widest`` is the most channels that it carries as every player understands them;
    - ``layouts`` are the encoder's own names of layouts, where they are not ours;
    - ``rates`` are the least and most bits per second of one channel, None: it is lossless;
      ``totals`` are the only ones that all channels together may have, () for any;
    - ``options`` are what its encoder is told beside the bit rate;
    """

    name: str
    label: str
    encoder: str
    entry: str
    frame: int
    priming: int
    widest: int
    rates: tuple[int, int] | None
    options: tuple[str, ...] = ()
    layouts: Mapping[int, str] = field(default_factory=dict)
    totals: tuple[int, ...] = ()

    def bit_rate(self, wished: int) -> int:
        """The highest that there is up to a wish, in bits per second; else the lowest."""
        below = [total for total in self.totals if total <= wished]
        return below[-1] if below else self.totals[0] if self.totals else wished

    @property
    def is_lossless(self) -> bool:
        """Whether it has no bit rate to choose."""
        return self.rates is None


SIDES = {5: "5.0(side)", 6: "5.1(side)"}

AAC = SoundCodec("aac", "AAC-LC", "aac", "mp4a", 1024, 1024, 6, (8_000, 512_000))
OPUS = SoundCodec(
    "opus", "Opus", "libopus", "Opus", 960, 312, 6, (6_000, 256_000),
    ("-frame_duration", "20", "-application", "audio", "-vbr", "on", "-mapping_family", "-1"),
)  # fmt: skip
AC3_TOTALS = tuple(
    1000 * kbps
    for kbps in (
        32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512, 576, 640,
    )
)  # fmt: skip
"""ETSI TS 102 366, table F.4.1."""

AC3 = SoundCodec(
    "ac3", "AC-3", "ac3", "ac-3", 1536, 256, 6, (32_000, 640_000), (), SIDES, AC3_TOTALS
)
EAC3 = SoundCodec("eac3", "E-AC-3", "eac3", "ec-3", 1536, 256, 6, (16_000, 640_000), (), SIDES)
FLAC = SoundCodec(
    "flac", "FLAC", "flac", "fLaC", 4096, 0, 6, None, ("-frame_size", "4096", "-sample_fmt", "s16")
)

SOUND_CODECS: Mapping[str, SoundCodec] = {
    codec.name: codec for codec in (AAC, OPUS, AC3, EAC3, FLAC)
}
"""By the names that profiles give them. HE-AAC is none: the ffmpeg that Matinee brings has no
encoder of it."""
