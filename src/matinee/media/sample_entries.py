"""Sample entries: what a decoder must know, and how RFC 6381 names it.

Sources: ISO/IEC 14496-12 clause 8.5.2 (sample entries), ISO/IEC 14496-1 clause 7.2.6 (descriptors),
ISO/IEC 14496-30 (WebVTT); of video codecs see ``media.codecs``.
"""

from dataclasses import dataclass
from fractions import Fraction

from matinee.media.boxes import Box, BoxError, Fields, children, find, require
from matinee.media.codecs import BY_ENTRY
from matinee.media.colour import Colours
from matinee.media.colour_boxes import read_colours


@dataclass(frozen=True, slots=True)
class SampleEntry:
    """One sample entry. What a kind of track does not have is None (sizes, rates) or empty.

    ``codec`` is the RFC 6381 string, ``configuration`` the content of the decoder configuration
    box, ``nal_length_size`` the bytes before each NAL unit of an AVC or HEVC sample. ``colours``
    are those of boxes beside it.
    """

    kind: str
    codec: str
    configuration: bytes = b""
    width: int | None = None
    height: int | None = None
    pixel_aspect: Fraction = Fraction(1)
    sample_rate: int | None = None
    channels: int | None = None
    nal_length_size: int | None = None
    colours: Colours | None = None


def read_sample_entry(data: bytes, stsd: Box, handler: str) -> SampleEntry:
    """The one sample entry of ``stsd``.

    Raises:
        BoxError: when there is none or more than one, or it has no decoder configuration.
    """
    entries = list(children(data, stsd, 8))
    if len(entries) != 1:
        raise BoxError(f"{len(entries)} sample entries, CMAF tracks here have one")
    if handler == "vide":
        return _visual(data, entries[0])
    if handler == "soun":
        return _audio(data, entries[0])
    return SampleEntry(entries[0].kind, entries[0].kind)


def _original_kind(data: bytes, entry: Box, skip: int) -> str:
    """The kind under common encryption (ISO/IEC 23001-7 clause 4.1), else the entry's own."""
    if entry.kind not in ("encv", "enca"):
        return entry.kind
    inside = next((box for box in children(data, entry, skip) if box.kind == "sinf"), None)
    frma = inside and find(data, inside, "frma")
    if not frma:
        raise BoxError(f"sample entry {entry.kind!r} does not say what it hides")
    return Fields(data, frma).take(4).decode("latin-1")


def _visual(data: bytes, entry: Box) -> SampleEntry:
    fields = Fields(data, entry, 24)
    width, height = fields.unsigned(2), fields.unsigned(2)
    inside = {box.kind: box for box in children(data, entry, 78)}
    kind = _original_kind(data, entry, 78)
    codec = BY_ENTRY.get(kind)
    if codec is None:
        raise BoxError(f"video sample entry {kind!r} is not known")
    if codec.box not in inside:
        raise BoxError(f"video sample entry {kind!r} has no {codec.box!r}")
    box = inside[codec.box]
    configuration = data[box.body : box.end]
    nal_length_size = None
    if codec.nal_length_at is not None:
        nal_length_size = (Fields(data, box, codec.nal_length_at).unsigned(1) & 3) + 1
    return SampleEntry(
        kind,
        codec.string(kind, Fields(data, box)),
        configuration,
        width=width,
        height=height,
        pixel_aspect=_pixel_aspect(data, inside.get("pasp")),
        nal_length_size=nal_length_size,
        colours=read_colours(data, inside),
    )


def _pixel_aspect(data: bytes, pasp: Box | None) -> Fraction:
    if pasp is None:
        return Fraction(1)
    fields = Fields(data, pasp)
    across, down = fields.unsigned(4), fields.unsigned(4)
    if not across or not down:
        raise BoxError(f"pixel aspect ratio {across}:{down}")
    return Fraction(across, down)


_AUDIO = {
    "mp4a": ("esds", "mp4a"),
    "Opus": ("dOps", "opus"),
    "ac-3": ("dac3", "ac-3"),
    "ec-3": ("dec3", "ec-3"),
    "fLaC": ("dfLa", "fLaC"),
}


def _audio(data: bytes, entry: Box) -> SampleEntry:
    fields = Fields(data, entry, 16)
    channels = fields.unsigned(2)
    fields.take(6)
    sample_rate = fields.unsigned(4) >> 16
    kind = _original_kind(data, entry, 28)
    if kind not in _AUDIO:
        raise BoxError(f"audio sample entry {kind!r} is not known")
    box_kind, codec = _AUDIO[kind]
    holder = next((box for box in children(data, entry, 28) if box.kind == box_kind), None)
    if holder is None:
        raise BoxError(f"audio sample entry {kind!r} has no {box_kind!r}")
    configuration = data[holder.body : holder.end]
    if kind == "mp4a":
        object_type, configuration = _decoder_config(data, holder)
        codec = f"mp4a.{object_type:x}"
        if object_type == 0x40:
            audio_type, channels = _audio_specific_config(configuration, channels)
            codec = f"{codec}.{audio_type}"
    elif kind in _ACMOD_AT:
        channels = _dolby_channels(configuration, _ACMOD_AT[kind])
    return SampleEntry(
        kind, codec, configuration, sample_rate=sample_rate or None, channels=channels
    )


_ACMOD_AT = {"ac-3": 10, "ec-3": 28}  # first bit of acmod: ETSI TS 102 366 annexes F.4 and F.6


def _dolby_channels(configuration: bytes, at: int) -> int:
    """Channels of the (first) independent substream; those entries do not count them."""
    if len(configuration) * 8 < at + 4:
        raise BoxError("the AC-3 configuration is cut short")
    bits = int.from_bytes(configuration, "big") >> (len(configuration) * 8 - at - 4)
    return (2, 1, 2, 3, 3, 4, 4, 5)[bits >> 1 & 7] + (bits & 1)


def _descriptor(fields: Fields) -> tuple[int, int]:
    """Tag and length (ISO/IEC 14496-1 clause 8.3.3)."""
    tag, length = fields.unsigned(1), 0
    for _ in range(4):
        byte = fields.unsigned(1)
        length = length << 7 | byte & 0x7F
        if not byte & 0x80:
            break
    return tag, length


def _decoder_config(data: bytes, esds: Box) -> tuple[int, bytes]:
    """Object type indication and decoder specific info."""
    fields = Fields(data, esds, 4)
    tag, _ = _descriptor(fields)
    if tag != 3:
        raise BoxError(f"esds begins with descriptor {tag}, not with an ES descriptor")
    fields.take(2)
    flags = fields.unsigned(1)
    fields.take(2 if flags & 0x80 else 0)
    if flags & 0x40:
        fields.take(fields.unsigned(1))
    fields.take(2 if flags & 0x20 else 0)
    tag, _ = _descriptor(fields)
    if tag != 4:
        raise BoxError(f"esds has descriptor {tag} where the decoder configuration should be")
    object_type = fields.unsigned(1)
    fields.take(12)
    if not fields.left:
        return object_type, b""
    tag, length = _descriptor(fields)
    return object_type, fields.take(length) if tag == 5 else b""


def _audio_specific_config(configuration: bytes, channels: int) -> tuple[int, int]:
    """Audio object type and channels (ISO/IEC 14496-3 clause 1.6.2.1)."""
    if len(configuration) < 2:
        raise BoxError("esds has no AudioSpecificConfig")
    bits = f"{int.from_bytes(configuration, 'big'):0{8 * len(configuration)}b}" + "0" * 40
    audio_type, at = int(bits[:5], 2), 5
    if audio_type == 31:
        audio_type, at = 32 + int(bits[5:11], 2), 11
    at += 28 if bits[at : at + 4] == "1111" else 4
    layout = int(bits[at : at + 4], 2)
    known = {1: 1, 2: 2, 3: 3, 4: 4, 5: 5, 6: 6, 7: 8, 11: 7, 12: 8, 14: 8}
    return audio_type, known.get(layout, channels)


def sample_entry_of(data: bytes, trak: Box, handler: str) -> SampleEntry:
    """The sample entry of a track."""
    return read_sample_entry(data, require(data, trak, "mdia", "minf", "stbl", "stsd"), handler)
