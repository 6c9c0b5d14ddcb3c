"""What is changed in the packager's MPD before it is published. All pure.

Elements come in the schema's order and attributes in one fixed order, so equal inputs give equal
bytes.
"""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from xml.etree.ElementTree import Element, SubElement

from matinee.media.bit_rates import BitRate
from matinee.media.colour import Colours
from matinee.media.dash import (
    AUDIO_PURPOSE,
    COLOURS,
    ROLE,
    THUMBNAIL_TILE,
    TRICK_MODE,
    ratio,
    read_xml,
)
from matinee.media.hls_edits import Thumbnails

_ATTRIBUTES = (
    "id",
    "xmlns",
    "profiles",
    "type",
    "mediaPresentationDuration",
    "minBufferTime",
    "schemeIdUri",
    "value",
    "contentType",
    "mimeType",
    "codecs",
    "lang",
    "bandwidth",
    "width",
    "height",
    "par",
    "sar",
    "frameRate",
    "audioSamplingRate",
    "segmentAlignment",
    "startWithSAP",
    "timescale",
    "duration",
    "initialization",
    "media",
    "startNumber",
    "t",
    "d",
    "r",
)
# The sequences of ISO/IEC 23009-1 clauses 5.3.1.3, 5.3.2.3, 5.3.3.3, 5.3.5.3 and 5.3.7.3.
_ELEMENTS = (
    "ProgramInformation",
    "FramePacking",
    "AudioChannelConfiguration",
    "ContentProtection",
    "OutputProtection",
    "EssentialProperty",
    "SupplementalProperty",
    "InbandEventStream",
    "Switching",
    "RandomAccess",
    "GroupLabel",
    "Label",
    "ProducerReferenceTime",
    "Accessibility",
    "Role",
    "Rating",
    "Viewpoint",
    "ContentComponent",
    "BaseURL",
    "SegmentBase",
    "SegmentList",
    "SegmentTemplate",
    "Location",
    "Period",
    "AdaptationSet",
    "Representation",
)
_DROPPED = ("publishTime", "xmlns:xsi", "xsi:schemaLocation")


@dataclass(frozen=True, slots=True)
class Roles:
    """What an adaptation set is for: roles, and the purpose that ``AUDIO_PURPOSE`` numbers."""

    roles: tuple[str, ...]
    accessibility: str | None = None


def normalise(
    text: str | bytes,
    *,
    rates: Mapping[str, BitRate] | None = None,
    labels: Mapping[str, str] | None = None,
    roles: Mapping[str, Roles] | None = None,
    colours: Mapping[str, Colours] | None = None,
    images: Sequence[tuple[Thumbnails, str, BitRate]] = (),
) -> str:
    """An MPD without comments, publish time and schema location, frame rates in lowest terms.

    Normalising twice changes nothing more.

    Args:
        text: The MPD.
        rates: Measured bit rates by initialization URI as the MPD spells it; ``bandwidth`` becomes
            the peak. A representation that is not named keeps what it has.
        labels: Text for ``Label`` of an adaptation set, by the initialization URI of one of its
            representations.
        roles: Role and Accessibility of an adaptation set, in the same way, in place of the
            packager's.
        colours: What a set's pictures of high dynamic range are coded in, in the same way: players
            that do not know it leave the set alone (DASH-IF IOP part 7, clause 6).
        images: Thumbnails, the media template with ``$Number$`` and the bit rate, one adaptation
            set each (DASH-IF IOP part 4, clause 6.2.6).

    Raises:
        MpdInvalid: when the text is not an MPD.
    """
    root = read_xml(text)
    for element in root.iter():
        for name in {"frameRate", "minFrameRate", "maxFrameRate"} & element.attrib.keys():
            element.set(name, _lowest_terms(element.attrib[name]))
    for adaptation_set in root.iter("AdaptationSet"):
        for representation in adaptation_set.iter("Representation"):
            template = representation.find("SegmentTemplate")
            init = "" if template is None else template.get("initialization", "")
            if init in (rates or {}):
                representation.set("bandwidth", str((rates or {})[init].peak))
            _tell(adaptation_set, init, labels or {}, roles or {}, colours or {})
    for period in root.findall("Period"):
        _order_sets(period)
        for thumbnails, media, rate in images:
            _add_images(period, thumbnails, media, rate)
    return to_text(root)


def _tell(
    adaptation_set: Element, init: str, labels: Mapping[str, str], roles: Mapping[str, Roles],
    colours: Mapping[str, Colours],
) -> None:  # fmt: skip
    """What a set is, by one of its representations."""
    if init in labels:
        _set_label(adaptation_set, labels[init])
    if init in roles:
        _set_roles(adaptation_set, roles[init])
    if init in colours:
        _set_colours(adaptation_set, colours[init])


def _lowest_terms(frame_rate: str) -> str:
    """``24000/1000`` becomes ``24``, ``30000/1001`` stays (clause 5.3.7.2, FrameRateType)."""
    rate = ratio(frame_rate, "/")
    return str(rate)


def _order_sets(period: Element) -> None:
    """Sets and representations in the order of the packager's streams, sets numbered anew.

    The packager numbers representations by stream, but sets by which thread came first.
    """
    for adaptation_set in period.findall("AdaptationSet"):
        others = [child for child in adaptation_set if child.tag != "Representation"]
        representations = adaptation_set.findall("Representation")
        adaptation_set[:] = others + sorted(representations, key=_stream_order)
    period[:] = sorted(period, key=_set_order)
    names = {}
    for number, adaptation_set in enumerate(period.findall("AdaptationSet")):
        names[adaptation_set.get("id")] = str(number)
        if "id" in adaptation_set.attrib:
            adaptation_set.set("id", str(number))
    for referring in period.iterfind(
        f"AdaptationSet/EssentialProperty[@schemeIdUri='{TRICK_MODE}']"
    ):
        value = referring.get("value", "")
        referring.set("value", names.get(value, value))


def _stream_order(representation: Element) -> tuple[int, str]:
    name = representation.get("id", "")
    return (int(name) if re.fullmatch(r"[0-9]{1,9}", name) else 10**9, name)


def _set_order(adaptation_set: Element) -> tuple[int, str]:
    orders = map(_stream_order, adaptation_set.iterfind("Representation"))
    return min(orders, default=(10**9, ""))


def _set_label(adaptation_set: Element, text: str) -> None:
    label = adaptation_set.find("Label")
    if label is None:
        label = SubElement(adaptation_set, "Label")
    label.text = text


def _set_roles(adaptation_set: Element, wanted: Roles) -> None:
    for old in [*adaptation_set.findall("Role"), *adaptation_set.findall("Accessibility")]:
        adaptation_set.remove(old)
    if wanted.accessibility:
        SubElement(
            adaptation_set, "Accessibility", schemeIdUri=AUDIO_PURPOSE, value=wanted.accessibility
        )
    for role in wanted.roles:
        SubElement(adaptation_set, "Role", schemeIdUri=ROLE, value=role)


def _set_colours(adaptation_set: Element, colours: Colours) -> None:
    for holder in (adaptation_set, *adaptation_set.iter("Representation")):
        for old in [one for one in holder if one.get("schemeIdUri") in COLOURS]:
            holder.remove(old)
    codes = (colours.primaries, colours.transfer, colours.matrix)
    for scheme, code in zip(COLOURS, codes, strict=True):
        SubElement(adaptation_set, "EssentialProperty", schemeIdUri=scheme, value=str(code))


def _add_images(period: Element, thumbnails: Thumbnails, media: str, rate: BitRate) -> None:
    present = {t.get("media") for t in period.iter("SegmentTemplate")}
    if media in present:
        return
    sheet = thumbnails.sheet_duration
    used = {element.get("id") for element in period.iter()}
    names = [f"images{number or ''}" for number in range(len(used) + 1)]
    name = next(name for name in names if name not in used)
    adaptation_set = SubElement(period, "AdaptationSet", contentType="image", mimeType="image/jpeg")
    grid = f"{thumbnails.columns}x{thumbnails.rows}"
    SubElement(
        adaptation_set,
        "SegmentTemplate",
        timescale=str(sheet.denominator),
        duration=str(sheet.numerator),
        media=media,
        startNumber="1",
    )
    representation = SubElement(
        adaptation_set,
        "Representation",
        id=name,
        bandwidth=str(rate.peak),
        width=str(thumbnails.width * thumbnails.columns),
        height=str(thumbnails.height * thumbnails.rows),
    )
    # Here players look for it; they pass over one on the adaptation set.
    SubElement(representation, "EssentialProperty", schemeIdUri=THUMBNAIL_TILE, value=grid)


def rebased(text: str | bytes, prefix: str) -> str:
    """The MPD with a BaseURL before its segments: the title's entry manifest names a package.

    Args:
        text: The MPD; it has no BaseURL of its own.
        prefix: A relative address that ends in a slash.

    Raises:
        MpdInvalid: when the text is not an MPD.
    """
    root = read_xml(text)
    for old in root.findall("BaseURL"):
        root.remove(old)
    SubElement(root, "BaseURL").text = prefix
    return to_text(root)


def with_duration(text: str | bytes, duration: Fraction) -> str:
    """The MPD with another mediaPresentationDuration, exact to a millisecond, rounded up."""
    root = read_xml(text)
    root.set("mediaPresentationDuration", f"PT{_decimal(duration)}S")
    return to_text(root)


def _decimal(value: Fraction) -> str:
    thousandths = math.ceil(value * 1000)
    return f"{thousandths // 1000}.{thousandths % 1000:03d}".rstrip("0").rstrip(".")


def to_text(root: Element) -> str:
    """The document with two spaces for each level, children and attributes in fixed order."""
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + "\n".join(_lines(root, "")) + "\n"


def _lines(element: Element, indent: str) -> Iterator[str]:
    known = [name for name in _ATTRIBUTES if name in element.attrib]
    others = sorted(element.attrib.keys() - set(_ATTRIBUTES) - set(_DROPPED))
    pairs = "".join(f' {name}="{_escaped(element.attrib[name])}"' for name in known + others)
    text = (element.text or "").strip()
    if len(element):
        yield f"{indent}<{element.tag}{pairs}>"
        for child in sorted(element, key=_place):
            yield from _lines(child, indent + "  ")
        yield f"{indent}</{element.tag}>"
    elif text:
        yield f"{indent}<{element.tag}{pairs}>{_escaped(text)}</{element.tag}>"
    else:
        yield f"{indent}<{element.tag}{pairs}/>"


def _place(element: Element) -> int:
    return _ELEMENTS.index(element.tag) if element.tag in _ELEMENTS else len(_ELEMENTS)


def _escaped(text: str) -> str:
    for plain, safe in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;")):
        text = text.replace(plain, safe)
    return re.sub(r"[\t\r\n]", lambda match: f"&#{ord(match[0])};", text)
