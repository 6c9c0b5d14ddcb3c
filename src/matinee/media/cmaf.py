"""CMAF segments (ISO/IEC 23000-19): read init and media segments, make init times constant."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from matinee.media.boxes import Box, BoxError, Fields, boxes, children, find, require
from matinee.media.sample_entries import SampleEntry, sample_entry_of

_NON_SYNC = 0x00010000  # sample_is_non_sync_sample, ISO/IEC 14496-12 clause 8.8.3.1


@dataclass(frozen=True, slots=True)
class SampleDefaults:
    """What ``trex`` (clause 8.8.3) or ``tfhd`` (clause 8.8.7) says of samples that say nothing."""

    duration: int
    size: int
    flags: int


@dataclass(frozen=True, slots=True)
class InitSegment:
    """A CMAF header: one track, no samples.

    ``media_time`` is the composition time, in ``timescale`` units, that is shown at time 0 (edit
    list); ``display_size`` is the size in ``tkhd``, in pixels; ``brands`` has the major one first.
    """

    brands: tuple[str, ...]
    track_id: int
    handler: str
    timescale: int
    entry: SampleEntry
    display_size: tuple[Fraction, Fraction]
    media_time: int
    defaults: SampleDefaults
    has_zero_times: bool

    @property
    def codec(self) -> str:
        """The RFC 6381 string."""
        return self.entry.codec


@dataclass(frozen=True, slots=True)
class Sample:
    """One sample. Times are in the track's timescale; its bytes are ``[start, start + size)``."""

    decode_time: int
    duration: int
    composition_offset: int
    is_sync: bool
    start: int
    size: int

    @property
    def end(self) -> int:
        """One past its last byte."""
        return self.start + self.size


@dataclass(frozen=True, slots=True)
class Fragment:
    """One ``moof`` and the ``mdat`` after it; ``samples`` counts its samples."""

    moof: Box
    mdat: Box
    samples: int


@dataclass(frozen=True, slots=True)
class MediaSegment:
    """A CMAF segment: its samples in decode order, over all its fragments."""

    brands: tuple[str, ...]
    timescale: int
    media_time: int
    base_decode_time: int
    samples: tuple[Sample, ...]
    fragments: tuple[Fragment, ...]

    @property
    def duration(self) -> int:
        """Sum of the sample durations, in the timescale."""
        return sum(sample.duration for sample in self.samples)

    @property
    def presentation_ticks(self) -> list[int]:
        """Presentation time of each sample, in decode order, in the timescale."""
        return [
            sample.decode_time + sample.composition_offset - self.media_time
            for sample in self.samples
        ]

    @property
    def presentation_times(self) -> list[Fraction]:
        """Presentation time of each sample, in decode order, in seconds."""
        return [Fraction(ticks, self.timescale) for ticks in self.presentation_ticks]


def read_init(data: bytes) -> InitSegment:
    """Read an init segment.

    Raises:
        BoxError: when it is not one with exactly one track.
    """
    moov = require(data, None, "moov")
    tracks = [box for box in children(data, moov) if box.kind == "trak"]
    if len(tracks) != 1:
        raise BoxError(f"{len(tracks)} tracks, a CMAF header has one")
    trak = tracks[0]
    track_id, display_size = _track_header(data, require(data, trak, "tkhd"))
    timescale = _timescale(data, require(data, trak, "mdia", "mdhd"))
    handler = Fields(data, require(data, trak, "mdia", "hdlr"), 8).take(4).decode("latin-1")
    trex = Fields(data, require(data, moov, "mvex", "trex"), 12)
    return InitSegment(
        brands=_brands(data, require(data, None, "ftyp")),
        track_id=track_id,
        handler=handler,
        timescale=timescale,
        entry=sample_entry_of(data, trak, handler),
        display_size=display_size,
        media_time=_media_time(data, find(data, trak, "edts", "elst")),
        defaults=SampleDefaults(trex.unsigned(4), trex.unsigned(4), trex.unsigned(4)),
        has_zero_times=all(not any(data[start:end]) for start, end in _time_spans(data)),
    )


def _brands(data: bytes, box: Box) -> tuple[str, ...]:
    fields = Fields(data, box)
    major = fields.take(4).decode("latin-1")
    fields.take(4)
    others = [fields.take(4).decode("latin-1") for _ in range(fields.left // 4)]
    return (major, *others)


def _track_header(data: bytes, tkhd: Box) -> tuple[int, tuple[Fraction, Fraction]]:
    fields = Fields(data, tkhd)
    version, _ = fields.full_box()
    fields.take(16 if version == 1 else 8)
    track_id = fields.unsigned(4)
    fields.take(4 + (8 if version == 1 else 4) + 52)
    return track_id, (Fraction(fields.unsigned(4), 65536), Fraction(fields.unsigned(4), 65536))


def _timescale(data: bytes, mdhd: Box) -> int:
    fields = Fields(data, mdhd)
    version, _ = fields.full_box()
    fields.take(16 if version == 1 else 8)
    timescale = fields.unsigned(4)
    if not timescale:
        raise BoxError("the timescale is 0")
    return timescale


def _media_time(data: bytes, elst: Box | None) -> int:
    """Offset edit list, the only kind in CMAF (clause 7.5.13); empty edits are refused."""
    if elst is None:
        return 0
    fields = Fields(data, elst)
    version, _ = fields.full_box()
    count, width = fields.unsigned(4), 8 if version == 1 else 4
    if count == 0:
        return 0
    fields.take(width)
    media_time = fields.signed(width)
    if count != 1 or media_time < 0:
        raise BoxError(f"edit list with {count} edits, the first at {media_time}")
    return media_time


def read_segment(data: bytes, init: InitSegment) -> MediaSegment:
    """Read a media segment that belongs to ``init``.

    Raises:
        BoxError: when boxes are missing, cut short or out of order, or a sample lies outside the
            segment.
    """
    top = list(boxes(data))
    styp = next((box for box in top if box.kind == "styp"), None)
    samples: list[Sample] = []
    fragments: list[Fragment] = []
    pending: Box | None = None
    for box in top:
        if box.kind == "moof":
            if pending is not None:
                raise BoxError(f"moof at {pending.start} has no mdat")
            pending = box
        elif box.kind == "mdat":
            if pending is None:
                raise BoxError(f"mdat at {box.start} comes before its moof")
            inside = list(_samples_of(data, pending, init))
            samples += inside
            fragments.append(Fragment(pending, box, len(inside)))
            pending = None
    if pending is not None or not samples:
        raise BoxError("no samples" if pending is None else f"moof at {pending.start} has no mdat")
    return MediaSegment(
        brands=_brands(data, styp) if styp else (),
        timescale=init.timescale,
        media_time=init.media_time,
        base_decode_time=samples[0].decode_time,
        samples=tuple(samples),
        fragments=tuple(fragments),
    )


def _samples_of(data: bytes, moof: Box, init: InitSegment) -> Iterator[Sample]:
    tracks = [box for box in children(data, moof) if box.kind == "traf"]
    if len(tracks) != 1:
        raise BoxError(f"moof at {moof.start} has {len(tracks)} track fragments, CMAF has one")
    traf = tracks[0]
    base, defaults = _fragment_header(data, require(data, traf, "tfhd"), moof, init)
    fields = Fields(data, require(data, traf, "tfdt"))
    version, _ = fields.full_box()
    decode_time, position = fields.unsigned(8 if version == 1 else 4), base
    for trun in (box for box in children(data, traf) if box.kind == "trun"):
        for sample in _run(data, trun, (base, position, decode_time), defaults):
            yield sample
            decode_time, position = sample.decode_time + sample.duration, sample.end


def _fragment_header(
    data: bytes, tfhd: Box, moof: Box, init: InitSegment
) -> tuple[int, SampleDefaults]:
    """Where data offsets count from, and the defaults of this fragment (clause 8.8.7)."""
    fields = Fields(data, tfhd)
    _, flags = fields.full_box()
    track_id = fields.unsigned(4)
    if track_id != init.track_id:
        raise BoxError(f"fragment of track {track_id}, the init segment has {init.track_id}")
    base = fields.unsigned(8) if flags & 0x1 else moof.start
    fields.take(4 if flags & 0x2 else 0)
    known = init.defaults
    return base, SampleDefaults(
        duration=fields.unsigned(4) if flags & 0x8 else known.duration,
        size=fields.unsigned(4) if flags & 0x10 else known.size,
        flags=fields.unsigned(4) if flags & 0x20 else known.flags,
    )


def _run(
    data: bytes, trun: Box, at: tuple[int, int, int], defaults: SampleDefaults
) -> Iterator[Sample]:
    """The samples of one track run (clause 8.8.8). ``at``: base, next byte, next decode time."""
    base, position, decode_time = at
    fields = Fields(data, trun)
    version, flags = fields.full_box()
    count = fields.unsigned(4)
    if count > len(data):  # with every field defaulted, nothing else bounds it
        raise BoxError(f"trun at {trun.start} says {count} samples")
    if flags & 0x1:
        position = base + fields.signed(4)
    first_flags = fields.unsigned(4) if flags & 0x4 else None
    for index in range(count):
        duration = fields.unsigned(4) if flags & 0x100 else defaults.duration
        size = fields.unsigned(4) if flags & 0x200 else defaults.size
        bits = fields.unsigned(4) if flags & 0x400 else defaults.flags
        if index == 0 and first_flags is not None:
            bits = first_flags
        offset = 0
        if flags & 0x800:
            offset = fields.signed(4) if version else fields.unsigned(4)
        if position < 0 or position + size > len(data):
            raise BoxError(f"sample {index} of the trun at {trun.start} lies outside the segment")
        yield Sample(decode_time, duration, offset, not bits & _NON_SYNC, position, size)
        decode_time, position = decode_time + duration, position + size


def zero_times(data: bytes) -> bytes:
    """The init segment with creation and modification times 0, so equal inputs give equal bytes.

    Raises:
        BoxError: when there is no ``moov`` or a header is cut short.
    """
    changed = bytearray(data)
    for start, end in _time_spans(data):
        changed[start:end] = bytes(end - start)
    return bytes(changed)


def _time_spans(data: bytes) -> Iterator[tuple[int, int]]:
    """The bytes of creation and modification time in ``mvhd``, ``tkhd`` and ``mdhd``."""
    moov = require(data, None, "moov")
    tracks = [box for box in children(data, moov) if box.kind == "trak"]
    headers = [require(data, moov, "mvhd")]
    for trak in tracks:
        headers += [require(data, trak, "tkhd"), require(data, trak, "mdia", "mdhd")]
    for header in headers:
        fields = Fields(data, header)
        version, _ = fields.full_box()
        length = 16 if version == 1 else 8
        fields.take(length)
        yield header.body + 4, header.body + 4 + length
