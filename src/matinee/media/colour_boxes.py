"""Colours in MP4 boxes: ``colr``, ``mdcv`` and ``clli`` (ISO/IEC 14496-12 clause 12.1.5).

The packager keeps some of them for some codecs; a rendition of high dynamic range gets all of its
own, so that a player knows what it will see before a frame is decoded.
"""

from collections.abc import Mapping

from matinee.media.boxes import Box, BoxError, Fields, children, require
from matinee.media.colour import Colours, Light, Mastering

OWN = ("colr", "mdcv", "clli")
VISUAL = 78
"""Bytes of a visual sample entry before its boxes."""


def read_colours(data: bytes, inside: Mapping[str, Box]) -> Colours | None:
    """What a sample entry's boxes tell; None without an ``nclx`` colour box."""
    colr = inside.get("colr")
    if colr is None:
        return None
    fields = Fields(data, colr)
    if fields.take(4) != b"nclx":
        return None
    primaries, transfer, matrix = (fields.unsigned(2) for _ in range(3))
    return Colours(
        primaries,
        transfer,
        matrix,
        full_range=bool(fields.unsigned(1) & 0x80),
        mastering=_mastering(data, inside.get("mdcv")),
        light=_light(data, inside.get("clli")),
    )


def _mastering(data: bytes, mdcv: Box | None) -> Mastering | None:
    return None if mdcv is None else mastering_of(Fields(data, mdcv).take(24))


def mastering_of(content: bytes) -> Mastering:
    """Of 24 bytes, as in the box and in the SEI message of ITU-T H.265: green, blue, red, white.

    Raises:
        BoxError: there are fewer.
    """
    if len(content) < 24:
        raise BoxError("a mastering display's description is cut short")
    numbers = [int.from_bytes(content[at : at + 2], "big") for at in range(0, 16, 2)]
    green, blue, red, white = zip(numbers[::2], numbers[1::2], strict=True)
    brightest, darkest = (int.from_bytes(content[at : at + 4], "big") for at in (16, 20))
    return Mastering(red, green, blue, white, brightest, darkest)


def light_of(content: bytes) -> Light:
    """Of 4 bytes, as in the box, in the SEI message and in AV1.

    Raises:
        BoxError: there are fewer.
    """
    if len(content) < 4:
        raise BoxError("light levels are cut short")
    return Light(int.from_bytes(content[:2], "big"), int.from_bytes(content[2:4], "big"))


def _light(data: bytes, clli: Box | None) -> Light | None:
    return None if clli is None else light_of(Fields(data, clli).take(4))


def colour_boxes(colours: Colours) -> bytes:
    """The boxes themselves."""
    codes = (colours.primaries, colours.transfer, colours.matrix)
    nclx = b"nclx" + b"".join(_word(code) for code in codes) + bytes([colours.full_range << 7])
    made = _box("colr", nclx)
    if (shown := colours.mastering) is not None:
        points = (*shown.green, *shown.blue, *shown.red, *shown.white)
        light = shown.brightest.to_bytes(4, "big") + shown.darkest.to_bytes(4, "big")
        made += _box("mdcv", b"".join(map(_word, points)) + light)
    if colours.light is not None:
        made += _box("clli", _word(colours.light.most) + _word(colours.light.average))
    return made


def with_colours(data: bytes, colours: Colours) -> bytes:
    """The init segment with boxes of these colours in place of those that its sample entry has.

    Doing it twice changes nothing more.

    Raises:
        BoxError: it has no video track, or sizes of 64 bits.
    """
    path = [require(data, None, "moov")]
    for kind in ("trak", "mdia", "minf", "stbl", "stsd"):
        path.append(require(data, path[-1], kind))
    entry = next(children(data, path[-1], 8), None)
    if entry is None or any(box.body - box.start != 8 for box in (*path, entry)):
        raise BoxError("the init segment's sample entry cannot be changed")
    kept = b"".join(
        data[box.start : box.end]
        for box in children(data, entry, VISUAL)
        if box.kind not in OWN
    )  # fmt: skip
    inside = kept + colour_boxes(colours)
    begin = entry.body + VISUAL
    grown = begin + len(inside) - entry.end
    changed = bytearray(data[:begin] + inside + data[entry.end :])
    for box in (*path, entry):
        changed[box.start : box.start + 4] = (box.size + grown).to_bytes(4, "big")
    return bytes(changed)


def _word(number: int) -> bytes:
    return number.to_bytes(2, "big")


def _box(kind: str, content: bytes) -> bytes:
    return (len(content) + 8).to_bytes(4, "big") + kind.encode() + content
