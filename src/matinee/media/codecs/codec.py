"""What a codec is, as data: all that Matinee must know of one to encode, join, package and check.

A codec is one value of :class:`Codec`, in a module of its own; nothing else names it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Protocol

from matinee.media.boxes import Fields
from matinee.media.colour import Colours, Hdr

REORDERED_FRAMES = 2
"""Frames that B-frames hold back: a pyramid of two levels needs two, however many are in it. Every
codec's frames are shown that much later than they are decoded, so that all renditions begin at one
media time."""


USUAL_B_FRAMES = 3
"""The most B-frames in a row, where a codec says nothing else."""


@dataclass(frozen=True, slots=True)
class Demand:
    """What a stream asks of its decoder. ``bufsize`` is bits: twice the peak bit rate."""

    width: int
    height: int
    rate: Fraction
    bufsize: int
    references: int
    profile: str


class Coding(Protocol):
    """What an encoder is told of a rung; ``maxrate`` in bits per second, ``bufsize`` in bits."""

    @property
    def preset(self) -> str: ...  # noqa: D102
    @property
    def crf(self) -> float: ...  # noqa: D102
    @property
    def maxrate(self) -> int: ...  # noqa: D102
    @property
    def bufsize(self) -> int: ...  # noqa: D102
    @property
    def level(self) -> str: ...  # noqa: D102
    @property
    def reference_frames(self) -> int: ...  # noqa: D102
    @property
    def threads(self) -> int: ...  # noqa: D102
    @property
    def profile(self) -> str: ...  # noqa: D102
    @property
    def b_frames(self) -> int: ...  # noqa: D102
    @property
    def hdr(self) -> Hdr | None: ...  # noqa: D102
    @property
    def film_grain(self) -> int: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Told:
    """What an RFC 6381 string tells: its level as ladders name it, and bits a sample."""

    level: str
    depth: int


@dataclass(frozen=True, slots=True)
class Usual:
    """What films usually are at a CRF, at their own size, by a preset that ladders have.

    ``quality`` is VMAF; ``bits`` are those beside the codec's other points.
    """

    crf: float
    quality: float
    bits: float


@dataclass(frozen=True, slots=True)
class Codec:
    """One video codec.

    - ``profiles`` are those of each bit depth, the one that is taken unasked first;
    - ``presets`` are the encoder's, fastest first, each with the processor seconds that it takes
      for a million pixels;
    - ``preset_bits`` are the bits that its presets need for one VMAF, beside one another, as far as
      that was measured; a processor budget (ADR 39) is for codecs that have them;
    - ``b_frames`` are the most in a row that ladders of a profile have, where that is not
      ``USUAL_B_FRAMES``;
    - ``proxy`` is the preset that tells cheaply how shots differ; None: none does, or its CRF has
      nothing to gain by that (ADR 37);
    - ``crf`` are the bounds of the constant rate factor, 0 being lossless, and
      ``crf_step`` the steps in which a search takes it: encoders round what is finer; ``usual``
      two points or more, ascending, that a search begins with;
    - ``level`` gives the lowest level that allows a stream;
    - ``options`` are what ffmpeg is told, beside the frame rate and times of key frames, which come
      as its second argument; all parameter sets follow from the rung, none from a chunk;
    - ``entries`` are its sample entries, the one that packages have first, ``box`` the decoder
      configuration in them, ``nal_length_at`` where that tells the bytes before each NAL unit;
    - ``string`` names a configuration as RFC 6381 has it, ``coded_string`` does the same from what
      the configuration and a key frame's sample really hold;
    - ``header`` is what all chunks of a rendition must share, from the same two;
    - ``muxed_level`` is a level as a muxer is told it, where no header of the coded frames has it;
    - ``is_key`` says whether a sample is a picture where decoding may begin, None: it holds none;
    - ``colours`` are what configuration and a key frame's sample tell of colours; a codec without
      it tells too little of them for a high dynamic range;
    - ``finer`` is by how much such a range, by its name in HLS, needs a lower CRF for as many bits;
    - ``has_metadata_units``: static metadata lie in the samples, in units that the packager's
      parser, which only encryption needs, does not read;
    - ``film_grain`` are the least and most strength at which its encoder takes grain out, and tells
      decoders how to put it back; None: it cannot;
    - ``has_film_grain`` says of a key frame's sample whether decoders are told so.

    Functions that read bytes raise ``BoxError`` where these are cut short or make no sense.
    """

    name: str
    label: str
    encoder: str
    profiles: Mapping[int, tuple[str, ...]]
    presets: Mapping[str, float]
    crf: tuple[int, int]
    usual: tuple[Usual, ...]
    level: Callable[[Demand], str]
    options: Callable[[Coding, str], list[str]]
    entries: tuple[str, ...]
    box: str
    nal_length_at: int | None
    string: Callable[[str, Fields], str]
    coded_string: Callable[[str, bytes, bytes], str]
    told: Callable[[str], Told]
    header: Callable[[bytes, bytes], bytes]
    is_key: Callable[[bytes, int], bool | None]
    muxed_level: Callable[[str], int] | None = None
    colours: Callable[[bytes, bytes], Colours] | None = None
    finer: Mapping[str, int] = field(default_factory=dict)
    has_metadata_units: bool = False
    crf_step: float = 1.0
    preset_bits: Mapping[str, float] = field(default_factory=dict)
    b_frames: Mapping[str, int] = field(default_factory=dict)
    proxy: str | None = None
    film_grain: tuple[int, int] | None = None
    has_film_grain: Callable[[bytes], bool] | None = None

    @property
    def default_profile(self) -> str:
        """The profile of 8 bits that is taken unasked."""
        return self.profiles[8][0]


def pixel_format(depth: int) -> str:
    """Planar 4:2:0 by ffmpeg's name."""
    return "yuv420p" if depth == 8 else f"yuv420p{depth}le"


def lowest(levels: Mapping[str, bool], highest: str) -> str:
    """The first level that holds, in order; ``highest`` where none does."""
    return next((level for level, holds in levels.items() if holds), highest)
