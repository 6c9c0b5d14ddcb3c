"""MPEG-DASH manifests (ISO/IEC 23009-1): read them into values.

The XML is read by expat with every DOCTYPE refused, so there are no entities to expand, and with a
bound on its depth. Names keep their prefixes: the manifest must use the MPD namespace as default.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from matinee.core.errors import ToolError

NAMESPACE = "urn:mpeg:dash:schema:mpd:2011"
ROLE = "urn:mpeg:dash:role:2011"
AUDIO_PURPOSE = "urn:tva:metadata:cs:AudioPurposeCS:2007"
"""1: for people who do not see, 2: for people who do not hear (DASH-IF IOP, clause 6.1.2)."""

THUMBNAIL_TILE = "http://dashif.org/guidelines/thumbnail_tile"
TRICK_MODE = "http://dashif.org/guidelines/trickmode"
COLOURS = tuple(
    f"urn:mpeg:mpegB:cicp:{name}"
    for name in ("ColourPrimaries", "TransferCharacteristics", "MatrixCoefficients")
)
"""Properties by code points (ISO/IEC 23091-2), in this order everywhere."""

_DEEPEST, _MOST_SEGMENTS = 32, 1_000_000
_DURATION = re.compile(
    r"P(?:(\d{1,9})D)?(?:T(?:(\d{1,9})H)?(?:(\d{1,9})M)?(?:(\d{1,9}(?:\.\d{1,12})?)S)?)?", re.ASCII
)
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_NUMBER = re.compile(r"\$(RepresentationID|Number|Time|Bandwidth)?(?:%0(\d{1,2})d)?\$", re.ASCII)


class MpdInvalid(ToolError):
    """A text is not an MPD, or one of a kind that is not read here."""

    code: ClassVar[str] = "mpd.invalid"
    retryable: ClassVar[bool] = False


@dataclass(frozen=True, slots=True)
class TimedSegment:
    """One segment of a representation; times are seconds on the period's timeline."""

    uri: str
    start: Fraction
    duration: Fraction


@dataclass(frozen=True, slots=True)
class Representation:
    """A Representation (clause 5.3.5) with what it inherits; URIs are relative to the MPD.

    ``protection`` is the scheme and the key id, in hexadecimal digits, that it is encrypted with.
    """

    id: str
    mime_type: str
    codecs: str
    bandwidth: int
    initialization: str | None
    segments: tuple[TimedSegment, ...]
    width: int | None = None
    height: int | None = None
    frame_rate: Fraction | None = None
    sar: Fraction | None = None
    audio_sampling_rate: int | None = None
    channels: int | None = None
    protection: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class AdaptationSet:
    """An AdaptationSet (clause 5.3.3). ``tiles`` is (columns, rows) of thumbnail sheets.

    ``colours`` are the code points that ``COLOURS`` name, None for each that is not there.
    """

    content_type: str
    lang: str | None
    label: str | None
    roles: tuple[str, ...]
    accessibility: str | None
    is_trick_mode: bool
    tiles: tuple[int, int] | None
    has_segment_alignment: bool
    representations: tuple[Representation, ...]
    colours: tuple[int | None, ...] = (None, None, None)


@dataclass(frozen=True, slots=True)
class Period:
    """A Period (clause 5.3.2)."""

    id: str | None
    adaptation_sets: tuple[AdaptationSet, ...]


@dataclass(frozen=True, slots=True)
class Mpd:
    """An MPD (clause 5.3.1). Durations are seconds."""

    kind: str
    duration: Fraction | None
    min_buffer_time: Fraction
    periods: tuple[Period, ...]


def read_xml(text: str | bytes) -> Element:
    """The root element of an MPD, without comments and processing instructions.

    Raises:
        MpdInvalid: when it is not well-formed, has a DOCTYPE, is too deep or is not an MPD.
    """
    builder, parser, depth = TreeBuilder(), expat.ParserCreate(), 0

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > _DEEPEST:
            raise MpdInvalid(f"elements more than {_DEEPEST} deep")
        builder.start(name, attributes)

    def end(name: str) -> None:
        nonlocal depth
        depth -= 1
        builder.end(name)

    def refuse(*_: object) -> None:
        raise MpdInvalid("an MPD has no DOCTYPE here")

    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler = builder.data
    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    try:
        parser.Parse(text, True)
        root = builder.close()
    except (expat.ExpatError, ValueError, LookupError) as error:  # also unknown encodings
        raise MpdInvalid(f"not well-formed XML: {error}") from error
    if root.tag != "MPD" or root.get("xmlns") != NAMESPACE:
        raise MpdInvalid(f"the root is {root.tag!r}, not an MPD of {NAMESPACE}")
    return root


def read_mpd(text: str | bytes) -> Mpd:
    """Read an MPD.

    Raises:
        MpdInvalid: when it is not one, or addresses segments in a way that is not read here.
    """
    root = read_xml(text)
    duration = root.get("mediaPresentationDuration")
    total = None if duration is None else seconds(duration)
    base = _base("", root)
    return Mpd(
        kind=root.get("type", "static"),
        duration=total,
        min_buffer_time=seconds(root.get("minBufferTime", "PT0S")),
        periods=tuple(_period(period, base, total) for period in root.findall("Period")),
    )


def seconds(text: str) -> Fraction:
    """An xs:duration without years and months.

    Raises:
        MpdInvalid: when it is not one.
    """
    match = _DURATION.fullmatch(text)
    if match is None or not any(match.groups()):
        raise MpdInvalid(f"{text[:40]!r} is not a duration")
    days, hours, minutes, rest = (Fraction(part or 0) for part in match.groups())
    return ((days * 24 + hours) * 60 + minutes) * 60 + rest


def ratio(text: str, separator: str) -> Fraction:
    """A frame rate (``a/b``) or an aspect ratio (``a:b``).

    Raises:
        MpdInvalid: when it is not one.
    """
    over, mark, under = text.partition(separator)
    divisor = _integer(under) if mark else 1
    if divisor == 0:
        raise MpdInvalid(f"{text[:40]!r} divides by 0")
    return Fraction(_integer(over), divisor)


def _integer(text: str) -> int:
    if not re.fullmatch(r"-?\d{1,18}", text, re.ASCII):
        raise MpdInvalid(f"{text[:40]!r} is not an integer")
    return int(text)


def _base(outer: str, element: Element) -> str:
    text = element.findtext("BaseURL")
    return outer if text is None else joined(outer, text.strip())


def joined(base: str, uri: str) -> str:
    """A URI reference against a base that may itself be relative (RFC 3986 section 5.2.3)."""
    if not base or uri.startswith("/") or _SCHEME.match(uri):
        return uri
    return base[: base.rfind("/") + 1] + uri


def _period(period: Element, outer: str, total: Fraction | None) -> Period:
    base = _base(outer, period)
    sets = tuple(_adaptation_set(s, base, total) for s in period.findall("AdaptationSet"))
    return Period(period.get("id"), sets)


def _adaptation_set(element: Element, outer: str, total: Fraction | None) -> AdaptationSet:
    base = _base(outer, element)
    essential = {
        p.get("schemeIdUri"): p.get("value", "") for p in element.findall(".//*[@schemeIdUri]")
    }
    tiles = essential.get(THUMBNAIL_TILE)
    representations = tuple(
        _representation(r, element, base, total) for r in element.findall("Representation")
    )
    mime_type = representations[0].mime_type if representations else ""
    return AdaptationSet(
        content_type=element.get("contentType") or mime_type.partition("/")[0],
        lang=element.get("lang"),
        label=element.findtext("Label"),
        roles=tuple(role.get("value", "") for role in element.findall("Role")),
        accessibility=next((a.get("value") for a in element.findall("Accessibility")), None),
        is_trick_mode=TRICK_MODE in essential,
        tiles=None if tiles is None else _grid(tiles),
        has_segment_alignment=element.get("segmentAlignment") in ("true", "1"),
        representations=representations,
        colours=tuple(
            _integer(essential[scheme]) if scheme in essential else None for scheme in COLOURS
        ),
    )


def _grid(text: str) -> tuple[int, int]:
    columns, _, rows = text.partition("x")
    return _integer(columns), _integer(rows)


def _representation(
    element: Element, outer: Element, base: str, total: Fraction | None
) -> Representation:
    base = _base(base, element)

    def value(name: str) -> str | None:
        return element.get(name, outer.get(name))

    def number(name: str) -> int | None:
        text = value(name)
        return None if text is None else _integer(text)

    rate, sar = value("frameRate"), value("sar")
    channels = element.find("AudioChannelConfiguration")
    if channels is None:
        channels = outer.find("AudioChannelConfiguration")
    template = _template(element, outer)
    init = template.get("initialization")
    return Representation(
        id=element.get("id", ""),
        mime_type=value("mimeType") or "",
        codecs=value("codecs") or "",
        bandwidth=number("bandwidth") or 0,
        initialization=init and joined(base, _filled(init, element, {})),
        segments=tuple(_segments(template, element, base, total)),
        width=number("width"),
        height=number("height"),
        frame_rate=None if rate is None else ratio(rate, "/"),
        sar=None if sar is None else ratio(sar, ":"),
        audio_sampling_rate=number("audioSamplingRate"),
        channels=_channels(channels),
        protection=_protection(element, outer),
    )


_MP4_PROTECTION = "urn:mpeg:dash:mp4protection:2011"


def _protection(element: Element, outer: Element) -> tuple[str, str] | None:
    """Scheme and default key id (ISO/IEC 23001-7 clause 11.2); None where it is in the clear."""
    for one in (*element.findall("ContentProtection"), *outer.findall("ContentProtection")):
        if one.get("schemeIdUri") == _MP4_PROTECTION:
            key_id = one.get("cenc:default_KID", "").replace("-", "").lower()
            return one.get("value", ""), key_id
    return None


# Layouts whose index (ISO/IEC 23091-3 table 1) is not their number of channels.
_CICP_CHANNELS = {7: 8, 8: 2, 9: 3, 10: 4, 11: 7, 12: 8, 13: 24, 14: 8, 15: 12, 16: 10, 17: 12}
_CICP = "urn:mpeg:mpegB:cicp:ChannelConfiguration"
_MPEG = "urn:mpeg:dash:23003:3:audio_channel_configuration:2011"


def _channels(element: Element | None) -> int | None:
    """Number of channels; None where it is not stated in a scheme that is known here.

    Writers put the number, not the index, under the older scheme: both read alike up to 6.
    """
    scheme = None if element is None else element.get("schemeIdUri")
    if element is None or scheme not in (_CICP, _MPEG):
        return None
    value = _integer(element.get("value", ""))
    return _CICP_CHANNELS.get(value, value) if scheme == _CICP or value == 7 else value


def _template(element: Element, outer: Element) -> Element:
    """The SegmentTemplate in force: the set's, overridden by the representation's (5.3.9.1)."""
    found = [
        e for e in (outer.find("SegmentTemplate"), element.find("SegmentTemplate")) if e is not None
    ]
    if not found:
        raise MpdInvalid(f"representation {element.get('id')!r} has no SegmentTemplate")
    merged = Element("SegmentTemplate", {})
    for template in found:
        merged.attrib.update(template.attrib)
        timeline = template.find("SegmentTimeline")
        if timeline is not None:
            merged[:] = [timeline]
    return merged


def _filled(template: str, representation: Element, values: dict[str, int]) -> str:
    """A template with its identifiers replaced (clause 5.3.9.4.4)."""

    def fill(match: re.Match[str]) -> str:
        name, width = match[1], int(match[2] or 1)
        if name is None:
            return "$"
        if name == "RepresentationID":
            return representation.get("id", "")
        if name == "Bandwidth":
            return f"{_integer(representation.get('bandwidth', '')):0{width}d}"
        if name not in values:
            raise MpdInvalid(f"${name}$ means nothing here")
        return f"{values[name]:0{width}d}"

    return _NUMBER.sub(fill, template)


def _segments(
    template: Element, representation: Element, base: str, total: Fraction | None
) -> Iterator[TimedSegment]:
    timescale = _integer(template.get("timescale", "1"))
    if timescale <= 0:
        raise MpdInvalid(f"timescale {timescale}")
    offset = _integer(template.get("presentationTimeOffset", "0"))
    number, media = _integer(template.get("startNumber", "1")), template.get("media", "")
    timeline = template.find("SegmentTimeline")
    if timeline is None:
        spans = _equal_spans(template, timescale, total)
    else:
        spans = _timeline_spans(timeline)
    for start, duration in spans:
        uri = _filled(media, representation, {"Number": number, "Time": start})
        yield TimedSegment(
            joined(base, uri), Fraction(start - offset, timescale), duration / timescale
        )
        number += 1


def _timeline_spans(timeline: Element) -> Iterator[tuple[int, Fraction]]:
    """Start and duration of each segment, in the timescale (clause 5.3.9.6)."""
    at, count = 0, 0
    for run in timeline.findall("S"):
        at = _integer(run.get("t", str(at)))
        duration, repeats = _integer(run.get("d", "")), _integer(run.get("r", "0"))
        count += repeats + 1
        if repeats < 0 or duration <= 0 or count > _MOST_SEGMENTS:
            raise MpdInvalid(f"S with d={duration} r={repeats} in a static timeline")
        for _ in range(repeats + 1):
            yield at, Fraction(duration)
            at += duration


def _equal_spans(
    template: Element, timescale: int, total: Fraction | None
) -> Iterator[tuple[int, Fraction]]:
    """Start and duration of segments of one length (@duration); the last ends with the film."""
    duration = _integer(template.get("duration", "0"))
    if duration <= 0 or total is None:
        raise MpdInvalid("a SegmentTemplate without timeline needs a duration, and the MPD too")
    end = total * timescale
    if end / duration > _MOST_SEGMENTS:
        raise MpdInvalid(f"more than {_MOST_SEGMENTS} segments")
    at = 0
    while at < end:
        yield at, min(Fraction(duration), end - at)
        at += duration
