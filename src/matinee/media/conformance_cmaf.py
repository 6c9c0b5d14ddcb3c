"""Checks of CMAF segments (ISO/IEC 23000-19), one rendition at a time, each file read once."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from matinee.core.errors import SubtitlesInvalid
from matinee.media.bit_rates import BitRate, measured
from matinee.media.boxes import Box, BoxError, boxes
from matinee.media.cmaf import InitSegment, MediaSegment, read_init, read_segment
from matinee.media.codecs import BY_ENTRY
from matinee.media.conformance_report import (
    ExpectedAudio,
    ExpectedVideo,
    Finding,
    Library,
    rendition_name,
)
from matinee.media.ttml import parse_ttml

_INIT_BRANDS, _SEGMENT_BRANDS = {"cmfc", "cmf2"}, {"cmfs", "cmff", "cmfl", "msdh"}


@dataclass(frozen=True, slots=True)
class MeasuredSegment:
    """What one segment holds. Times are seconds of presentation, never below 0.

    ``i_frame`` is the bytes from the first ``moof`` to the end of the first sample.
    """

    path: str
    size: int
    start: Fraction
    end: Fraction
    samples: int
    next_decode_time: int
    i_frame: tuple[int, int]

    @property
    def duration(self) -> Fraction:
        """Seconds that it plays."""
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class MeasuredRendition:
    """What a rendition's files hold, for the manifests to be compared with."""

    name: str
    init_path: str
    init: InitSegment
    segments: tuple[MeasuredSegment, ...]

    @property
    def end(self) -> Fraction:
        """When the last sample ends, in seconds."""
        return max((segment.end for segment in self.segments), default=Fraction(0))

    def bit_rate(self, target_duration: int, longer: Fraction = Fraction(0)) -> BitRate:
        """Its peak and average, where each segment lasts so many seconds ``longer``."""
        return measured([(s.size, s.duration + longer) for s in self.segments], target_duration)


def measure_rendition(
    library: Library, init_path: str, paths: Sequence[str], expected: ExpectedVideo | None
) -> MeasuredRendition | None:
    """Read a rendition's files and note every fault inside them.

    One segment is held at a time. Without a readable init segment nothing else is read.
    """
    data = library.bytes_of(init_path)
    if data is None:
        return None
    try:
        init = read_init(data)
    except BoxError as error:
        library.note("init.damaged", init_path, str(error))
        return None
    library.findings += _init_findings(init, init_path)
    segments: list[MeasuredSegment] = []
    decode_time: int | None = 0
    for path in paths:
        segment = _measure_segment(library, path, init, decode_time, expected)
        decode_time = None if segment is None else segment.next_decode_time
        segments += [] if segment is None else [segment]
    return MeasuredRendition(rendition_name(init_path), init_path, init, tuple(segments))


def _init_findings(init: InitSegment, path: str) -> Iterator[Finding]:
    if not _INIT_BRANDS & set(init.brands):
        yield Finding("init.brand", path, f"no CMAF brand among {', '.join(init.brands)}")
    if not init.has_zero_times:
        yield Finding("init.times", path, "creation or modification time is not 0")


def _measure_segment(
    library: Library,
    path: str,
    init: InitSegment,
    decode_time: int | None,
    expected: ExpectedVideo | None,
) -> MeasuredSegment | None:
    data = library.bytes_of(path)
    if data is None:
        return None
    try:
        segment = read_segment(data, init)
        library.findings += _structure_findings(data, segment, path)
        library.findings += _sample_findings(data, segment, init, path)
    except BoxError as error:
        library.note("segment.damaged", path, str(error))
        return None
    if decode_time is not None and segment.base_decode_time != decode_time:
        library.note(
            "segment.decode_time",
            path,
            f"begins at {segment.base_decode_time}, the segment before ends at {decode_time}",
        )
    if expected is not None:
        library.findings += _frame_time_findings(segment, expected.frame_rate, path)
        library.findings += _grain_findings(data, segment, init, expected, path)
    ticks = segment.presentation_ticks
    ends = (at + sample.duration for at, sample in zip(ticks, segment.samples, strict=True))
    last = segment.samples[-1]
    return MeasuredSegment(
        path=path,
        size=len(data),
        start=Fraction(max(0, min(ticks)), init.timescale),
        end=Fraction(max(0, *ends), init.timescale),
        samples=len(segment.samples),
        next_decode_time=last.decode_time + last.duration,
        i_frame=(segment.fragments[0].moof.start, segment.samples[0].end),
    )


def _structure_findings(data: bytes, segment: MediaSegment, path: str) -> Iterator[Finding]:
    """Order of boxes, brands, and samples that fill their ``mdat`` (clauses 7.3.2, 7.3.3)."""
    if not _SEGMENT_BRANDS & set(segment.brands):
        yield Finding("segment.brand", path, "no CMAF brand in styp")
    kinds = [box.kind for box in boxes(data)]
    if kinds[0] != "styp" or {"moov", "ftyp"} & set(kinds):
        yield Finding("segment.order", path, f"boxes are {' '.join(kinds)[:80]}")
    first, at = 0, 0
    for fragment in segment.fragments:
        samples = segment.samples[first : first + fragment.samples]
        first, at = first + fragment.samples, fragment.mdat.body
        for sample in samples:
            if sample.start != at:
                break
            at = sample.end
        if at != fragment.mdat.end or not samples:
            yield Finding(
                "segment.mdat", path, f"samples end at byte {at}, mdat at {fragment.mdat.end}"
            )


def _sample_findings(
    data: bytes, segment: MediaSegment, init: InitSegment, path: str
) -> Iterator[Finding]:
    """Sync samples, IDR pictures, samples of subtitles."""
    if segment.samples[0].decode_time + segment.duration != _last_decode_end(segment):
        yield Finding("segment.decode_time", path, "its fragments do not join in time")
    if init.handler == "vide":
        yield from _sync_findings(data, segment, init, path)
    if init.entry.kind == "wvtt":
        for sample in segment.samples:
            span = Box("sample", sample.start, sample.start, sample.end)
            kinds = {box.kind for box in boxes(data, span.start, span.end)}
            if not kinds or not kinds <= {"vttc", "vtte", "vtta"}:
                yield Finding("text.damaged", path, f"a WebVTT sample holds {sorted(kinds)}")
    if init.entry.kind == "stpp":
        yield from _ttml_findings(data, segment, path)


def _ttml_findings(data: bytes, segment: MediaSegment, path: str) -> Iterator[Finding]:
    """A document in each sample, and its cues within it (ISO/IEC 14496-30 clause 6)."""
    for sample in segment.samples:
        begin = Fraction(sample.decode_time, segment.timescale)
        end = begin + Fraction(sample.duration, segment.timescale)
        try:
            cues = parse_ttml(data[sample.start : sample.end], path)
        except SubtitlesInvalid as error:
            yield Finding("text.damaged", path, str(error))
            continue
        for cue in cues:
            if cue.end <= begin or cue.start >= end:
                told = f"cue {float(cue.start):.3f}-{float(cue.end):.3f} s in the segment "
                yield Finding("text.cue", path, f"{told}{float(begin):.3f}-{float(end):.3f} s")


def _last_decode_end(segment: MediaSegment) -> int:
    return segment.samples[-1].decode_time + segment.samples[-1].duration


def _sync_findings(
    data: bytes, segment: MediaSegment, init: InitSegment, path: str
) -> Iterator[Finding]:
    """One IDR picture, the first in decode order, and no other sync sample; the codec as stated."""
    sync = [index for index, sample in enumerate(segment.samples) if sample.is_sync]
    if sync != [0]:
        yield Finding("video.sync", path, f"sync samples are {sync[:8]}, only 0 should be")
    codec, width = BY_ENTRY[init.entry.kind], init.entry.nal_length_size or 0
    found = []
    for index, sample in enumerate(segment.samples):
        is_key = codec.is_key(data[sample.start : sample.end], width)
        if is_key is None:
            yield Finding("video.slice", path, f"sample {index} holds no slice")
        if is_key:
            found.append(index)
    if found != [0]:
        yield Finding("video.idr", path, f"IDR pictures are samples {found[:8]}, only 0 should be")
    elif segment.presentation_ticks[0] != min(segment.presentation_ticks):
        yield Finding("video.idr", path, "a picture is shown before the IDR picture")
    first = segment.samples[0]
    entry = init.entry
    coded = codec.coded_string(entry.kind, entry.configuration, data[first.start : first.end])
    if coded != entry.codec:
        yield Finding("video.codec", path, f"it is {coded}, the init segment says {entry.codec}")


def _grain_findings(
    data: bytes, segment: MediaSegment, init: InitSegment, expected: ExpectedVideo, path: str
) -> Iterator[Finding]:
    """Whether decoders are told to make film grain is as planned."""
    tells, first = BY_ENTRY[init.entry.kind].has_film_grain, segment.samples[0]
    if expected.film_grain is None or tells is None:
        return
    if tells(data[first.start : first.end]) != expected.film_grain:
        planned = "is planned" if expected.film_grain else "is none of the plan"
        yield Finding("video.film_grain", path, f"film grain {planned}, the bitstream differs")


def _frame_time_findings(segment: MediaSegment, rate: Fraction, path: str) -> Iterator[Finding]:
    """Every frame at its place in the grid of the frame rate, to a tick or a millisecond."""
    scale, over, under = segment.timescale, rate.numerator, rate.denominator
    tolerance = max(1, scale // 1000) * over  # in units of 1 / (scale * over) seconds: all integers
    ticks = sorted(segment.presentation_ticks)
    first = round(Fraction(ticks[0], scale) * rate)
    for index, tick in enumerate(ticks, first):
        if abs(tick * over - index * under * scale) > tolerance:
            yield Finding(
                "video.frame_time", path, f"frame {index} is shown at {tick / scale:.6f} s"
            )
            return


def video_findings(rendition: MeasuredRendition, expected: ExpectedVideo) -> Iterator[Finding]:
    """A video rendition against its plan: size, pixel aspect, frames, segment starts, duration."""
    where, entry = rendition.init_path, rendition.init.entry
    if (entry.width, entry.height) != (expected.width, expected.height):
        yield Finding(
            "video.size",
            where,
            f"{entry.width}x{entry.height}, planned {expected.width}x{expected.height}",
        )
    if expected.codec:
        codec = BY_ENTRY[entry.kind]
        told = codec.told(entry.codec)
        found = (codec.name, told.level, told.depth)
        if found != (expected.codec, expected.level, expected.depth):
            yield Finding(
                "video.level",
                where,
                f"{' '.join(map(str, found))} bit, planned "
                f"{expected.codec} {expected.level} {expected.depth} bit",
            )
    if entry.pixel_aspect != expected.pixel_aspect:
        yield Finding(
            "video.pixel_aspect", where, f"{entry.pixel_aspect}, planned {expected.pixel_aspect}"
        )
    frames = sum(segment.samples for segment in rendition.segments)
    if frames != expected.frames:
        yield Finding("video.frames", where, f"{frames} frames, planned {expected.frames}")
    starts = tuple(round(s.start * expected.frame_rate) for s in rendition.segments)
    if starts != expected.starts:
        yield Finding(
            "video.segment_start", where, f"segments start at {starts[:12]}, not as planned"
        )
    ends = (*expected.starts[1:], expected.frames)
    for segment, start, end in zip(rendition.segments, expected.starts, ends, strict=False):
        if segment.samples != end - start:
            yield Finding(
                "video.frames", segment.path, f"{segment.samples} frames, planned {end - start}"
            )


def audio_findings(rendition: MeasuredRendition, expected: ExpectedAudio) -> Iterator[Finding]:
    """An audio rendition against its plan."""
    channels = rendition.init.entry.channels
    if channels != expected.channels:
        yield Finding(
            "audio.channels", rendition.init_path, f"{channels}, planned {expected.channels}"
        )
    kind = rendition.init.entry.kind
    if expected.entry and kind != expected.entry:
        yield Finding("audio.codec", rendition.init_path, f"{kind}, planned {expected.entry}")


def duration_finding(
    rendition: MeasuredRendition, duration: Fraction, tolerance: Fraction
) -> Iterator[Finding]:
    """Whether a rendition ends when it should."""
    if abs(rendition.end - duration) > tolerance:
        yield Finding(
            "rendition.duration",
            rendition.init_path,
            f"ends at {float(rendition.end):.3f} s, planned {float(duration):.3f} s",
        )
