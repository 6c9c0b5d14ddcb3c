"""What the main video track's pictures are like, from a few decoded frames."""

import re
import struct
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Any

import av
import av.error
import av.logging
from av.stream import Disposition

from matinee.core.errors import SourceUnreadable, SourceUnsupported
from matinee.core.ids import digest_of
from matinee.media.colour import (
    CHROMATICITY,
    LUMINANCE,
    MATRICES,
    PRIMARIES,
    TRANSFERS,
    Light,
    Mastering,
    units,
)
from matinee.media.h264 import frames_are_whole
from matinee.media.source import Colour, Fields, Picture

CONTAINERS = (
    "mov", "matroska", "webm", "mpegts", "mpeg", "avi", "ogg", "flv", "asf", "mxf",
    "mp3", "flac", "wav", "aac",
)  # fmt: skip
"""Container formats that a film may have, by libavformat's names."""

SAFE = {"protocol_whitelist": "file", "format_whitelist": ",".join(CONTAINERS)}
"""No playlist or script can make the libraries open another file or address."""

LARGEST = 8192
"""Pixels to a side of a picture, at most (ITU-T H.264 has no level for more)."""

DOLBY_VISION = re.compile(
    r"DOVI configuration record:.*?profile: (?P<profile>\d+).*?compatibility id: (?P<like>\d+)"
)
"""``like`` is what other decoders show the picture as: 0 nothing, 1 HDR10, 2 SDR, 4 HLG."""

ALWAYS_WHOLE = frozenset({"vp8", "vp9", "av1", "theora"})
"""Codecs that have no fields."""

LOOKS = (Fraction(1, 4), Fraction(1, 2), Fraction(3, 4))
"""Where in the film fields are looked for, beside its begin."""

GLANCE, STUDY = 4, 60
"""How many frames tell whether there are fields, and how many tell what they hold."""

PULLDOWN_RATES = (Fraction(30_000, 1001), Fraction(30))


def open_safely(film: Path) -> Any:
    """The film's container; names in it that are no UTF-8 are read as far as they can be."""
    return av.open(str(film), options=SAFE, metadata_errors="replace")


def described(container: Any) -> str:
    """What libavformat prints of a container: nothing else of PyAV tells some things of it."""
    level = av.logging.get_level()
    av.logging.set_level(av.logging.INFO)
    try:
        return str(container.dumps_format())
    finally:
        av.logging.set_level(level)


def main_video(container: Any) -> Any:
    """The moving picture: the default one, else the largest; None where there is none."""
    pictures = [
        stream
        for stream in container.streams.video
        if not has(stream, "attached_pic") and stream.codec_context is not None
    ]
    return max(
        pictures, key=lambda s: (has(s, "default"), s.width * s.height, -s.index), default=None
    )


def has(stream: Any, flag: str) -> bool:
    """Whether the container says so of the track."""
    return bool(stream.disposition & Disposition[flag])


class PictureReader:
    """What the first decoded frames and the decoder's configuration tell, as packets go by.

    Raises:
        SourceUnsupported: the pictures are of a kind that is not handled.
    """

    def __init__(self, film: Path, container: Any, stream: Any) -> None:
        _check_size(stream)
        check_colours(described(container), stream.index)
        if (container.format.name, stream.codec_context.name) == ("avi", "rawvideo"):
            raise SourceUnsupported(
                "the film has raw pictures, which AVI may hold upside down",
                "copy it first: ffmpeg -i FILM -c:v ffv1 -c:a copy OUT.mkv",
            )
        self._film, self._stream = film, stream
        self._first: Picture | None = None
        self._have_fields: list[bool] = []

    @property
    def is_over(self) -> bool:
        """Whether enough was seen."""
        return len(self._have_fields) >= GLANCE

    def add(self, packet: Any) -> None:
        """Decode the next packet of the track; None asks for what the decoder holds back."""
        with suppress(av.error.FFmpegError):
            for frame in self._stream.codec_context.decode(packet):
                self._first = self._first or _picture(self._stream, frame)
                self._have_fields.append(frame.interlaced_frame)

    def picture(self) -> Picture:
        """What they told.

        Raises:
            SourceUnreadable: no frame could be decoded.
        """
        if not self.is_over:
            self.add(None)
        if self._first is None:
            raise SourceUnreadable(
                "no frame of the film's video track can be decoded",
                "try another copy of the film",
            )
        return replace(self._first, fields=self._fields())

    def _fields(self) -> Fields:
        context = self._stream.codec_context
        if context.name in ALWAYS_WHOLE:
            return "progressive"
        promised = context.name == "h264" and frames_are_whole(bytes(context.extradata or b""))
        if promised and not any(self._have_fields):
            return "progressive"
        with open_safely(self._film) as container:
            return _fields(container, container.streams[self._stream.index])


def _picture(stream: Any, frame: Any) -> Picture:
    context = stream.codec_context
    aspect = stream.sample_aspect_ratio or context.sample_aspect_ratio or Fraction(1)
    full = int(context.color_range) == 2 or frame.format.name.startswith("yuvj")
    return Picture(
        width=frame.width,
        height=frame.height,
        sample_aspect=Fraction(aspect) if aspect > 0 else Fraction(1),
        rotation=90 * round(frame.rotation / 90) % 360,
        is_mirrored=_is_mirrored(frame),
        pixel_format=frame.format.name,
        bit_depth=max(component.bits for component in frame.format.components),
        fields="progressive",
        colour=Colour(
            primaries=PRIMARIES.get(int(context.color_primaries)),
            transfer=TRANSFERS.get(int(context.color_trc)),
            matrix=MATRICES.get(int(context.colorspace)),
            full_range=full,
        ),
        nominal_rate=stream.average_rate or stream.guessed_rate,
        configuration=digest_of(bytes(context.extradata or b"")),
        mastering=mastering_of(frame),
        light=light_of(frame),
    )


def _side_data(frame: Any, kind: str) -> bytes:
    """What the decoder tells beside a picture, by libavutil's name; b"" where it tells nothing."""
    found = (bytes(data) for data in frame.side_data if data.type.name == kind)
    return next(found, b"")


def mastering_of(frame: Any) -> Mastering | None:
    """The mastering display, by AVMasteringDisplayMetadata; None where there is none in earnest.

    Ten rationals (red, green, blue, white, darkest, brightest) and two flags: which are there.
    """
    data = _side_data(frame, "MASTERING_DISPLAY_METADATA")
    if len(data) < 88:
        return None
    numbers = struct.unpack("<22i", data[:88])
    if not all(numbers[20:]) or not all(numbers[1:20:2]):
        return None
    values = [
        Fraction(over, under) for over, under in zip(numbers[:20:2], numbers[1:20:2], strict=True)
    ]
    places = [units(value, CHROMATICITY) for value in values[:8]]
    darkest, brightest = (units(value, LUMINANCE) for value in values[8:])
    if not all(0 <= place < 1 << 16 for place in places) or not 0 <= darkest < brightest < 1 << 32:
        return None
    red, green, blue, white = zip(places[::2], places[1::2], strict=True)
    return Mastering(red, green, blue, white, brightest, darkest)


def light_of(frame: Any) -> Light | None:
    """MaxCLL and MaxFALL, by AVContentLightMetadata; 0 stands for unknown in both."""
    data = _side_data(frame, "CONTENT_LIGHT_LEVEL")
    if len(data) < 8:
        return None
    most, average = struct.unpack("<II", data[:8])
    return Light(most, average) if 0 < most < 1 << 16 and average < 1 << 16 else None


def _check_size(stream: Any) -> None:
    """Nothing is decoded that is larger than any screen.

    Raises:
        SourceUnsupported: it is.
    """
    if max(stream.width, stream.height) > LARGEST:
        raise SourceUnsupported(
            f"the film's pictures are {stream.width}x{stream.height} pixels; the most is {LARGEST} "
            "to a side",
            "scale it down first",
        )


def check_colours(description: str, index: int) -> None:
    """The pictures have colours of their own, by what libavformat prints of the container.

    Dolby Vision's profiles 5 and 10.0 code colours as IPT, reshaped by data beside the pictures:
    elsewhere they come out green and violet.

    Raises:
        SourceUnsupported: they have not.
    """
    begin = re.search(rf"^ *Stream #0:{index}\b", description, re.MULTILINE)
    stream = description[begin.end() :].partition("Stream #")[0] if begin else ""
    found = DOLBY_VISION.search(stream)
    if found and found["profile"] in ("5", "10") and found["like"] == "0":
        raise SourceUnsupported(
            f"the film's pictures are in Dolby Vision profile {found['profile']}, whose colours "
            "come out wrong without a decoder of Dolby's",
            "give a copy in HDR10, HLG or Dolby Vision profile 8",
        )


def frames_of(container: Any, stream: Any) -> Iterator[Any]:
    """Frames as they decode; packets that do not are passed over."""
    for packet in packets_of(container, stream):
        with suppress(av.error.FFmpegError):
            yield from packet.decode()


def _is_mirrored(frame: Any) -> bool:
    """Whether the display matrix turns the picture over (ISO/IEC 14496-12, 8.3.2)."""
    for data in frame.side_data:
        if data.type.name == "DISPLAYMATRIX":
            a, b, _, c, d, *_ = struct.unpack("<9i", bytes(data))
            return bool(a * d - b * c < 0)
    return False


def _fields(container: Any, stream: Any) -> Fields:
    """Whether pictures are whole, by what decoders say at the begin and at a few places more."""
    duration = Fraction(container.duration or 0, av.time_base)
    places = [Fraction(0), *(duration * look for look in LOOKS if duration > 1)]
    seen = [f.interlaced_frame for place in places for f in _look(container, stream, place, GLANCE)]
    if sum(seen) * 2 <= len(seen):
        return "progressive"
    counts = Counter[str]()
    for place in places[:-1]:
        counts += _study(_look(container, stream, place, STUDY), stream)
    return told_by(counts, stream.average_rate or stream.guessed_rate)


def told_by(counts: Counter[str], rate: Fraction | None) -> Fields:
    """What ``idet`` counted: fields of one time are whole, every fifth repeated is pulldown."""
    frames = counts["neither"] + counts["top"] + counts["bottom"]
    if counts["progressive"] and counts["tff"] + counts["bff"] == 0:
        return "progressive"
    repeats = min(counts["top"], counts["bottom"])
    if rate in PULLDOWN_RATES and frames and repeats * 100 >= 15 * frames:
        return "telecine"
    return "interlaced"


def _look(container: Any, stream: Any, place: Fraction, count: int) -> Iterator[Any]:
    """A few frames from a place of the film on."""
    start = Fraction(container.start_time or 0, av.time_base)
    try:
        container.seek(int((start + place) * av.time_base))
    except av.error.FFmpegError:
        return
    yield from islice(frames_of(container, stream), count)


def _study(frames: Iterator[Any], stream: Any) -> Counter[str]:
    """What ffmpeg's ``idet`` says of each frame: its fields' order, and which one is repeated."""
    graph = av.filter.Graph()
    source, idet, sink = (
        graph.add_buffer(template=stream), graph.add("idet"), graph.add("buffersink"),
    )  # fmt: skip
    source.link_to(idet)
    idet.link_to(sink)
    graph.configure()
    counts = Counter[str]()
    for frame in frames:
        graph.push(frame)
        with suppress(av.error.BlockingIOError, av.error.EOFError):
            while True:
                told = dict(graph.pull().metadata)
                counts[told["lavfi.idet.multiple.current_frame"]] += 1
                counts[told["lavfi.idet.repeated.current_frame"]] += 1
    return counts


def pictures_of(container: Any, stream: Any) -> Iterator[Any]:
    """The packets of the picture as the index has them, read among those of all tracks.

    Out of a damaged container come others where the other tracks are passed over.
    """
    for packet in packets_of(container):
        if packet.stream.index == stream.index:
            yield packet


def packets_of(container: Any, *streams: Any) -> Iterator[Any]:
    """The packets up to the end, or to where the file cannot be read any more.

    Those of a track that appears in the middle of a recording are passed over.
    """
    while True:
        try:
            yield from container.demux(*streams)
        except IndexError:
            continue
        except av.error.FFmpegError:
            pass
        return
