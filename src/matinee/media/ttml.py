"""TTML (W3C Timed Text Markup Language 1 and 2; IMSC, DFXP, EBU-TT-D) as WebVTT cues.

Read by expat as it streams by, every DOCTYPE refused: there are no entities to expand and nothing
that a document names is opened. Of styles, slant, weight, underline and side are kept, and of
regions their height.
"""

import re
from dataclasses import dataclass, field
from fractions import Fraction
from html import escape
from xml.parsers import expat

from matinee.core.errors import SubtitlesInvalid
from matinee.media.subtitle_places import of_region
from matinee.media.subtitles import Cue

DEEPEST = 64
_CLOCK = re.compile(r"(\d{1,4}):([0-5]?\d):([0-5]?\d)(?:\.(\d{1,9})|:(\d{1,3})(?:\.\d+)?)?")
_OFFSET = re.compile(r"(\d{1,12}(?:\.\d{1,9})?)(h|ms|m|s|f|t)")
_STYLES = {"fontStyle": ("i", "italic"), "fontWeight": ("b", "bold"),
           "textDecoration": ("u", "underline")}  # fmt: skip


@dataclass(slots=True)
class _Element:
    """An open element: its own time ``[begin, end)``, its cue's text, the tags that it opened."""

    name: str
    begin: Fraction
    end: Fraction | None
    is_timed: bool = False
    tags: str = ""
    region: str = ""
    align: str = ""
    text: list[str] = field(default_factory=list)


def parse_ttml(data: bytes, name: str) -> list[Cue]:
    """The cues of one document, or of several, one after the other.

    Raises:
        SubtitlesInvalid: not well-formed, too deep, with a DOCTYPE, or not TTML.
    """
    pieces = re.split(rb"(?<=</tt>)|(?<=:tt>)(?=\s*(?:<\?xml|<\w+:tt))", data)
    cues: list[Cue] = []
    for piece in pieces:
        if piece.strip():
            cues += _Reader(name).read(piece.strip())
    return cues


class _Reader:
    """Reads one document."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._open: list[_Element] = []
        self._cues: list[Cue] = []
        self._styles: dict[str, dict[str, str]] = {}
        self._regions: dict[str, dict[str, str]] = {}
        self._rate, self._ticks = Fraction(30), Fraction(1)

    def read(self, data: bytes) -> list[Cue]:
        parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartElementHandler, parser.EndElementHandler = self._start, self._end
        parser.CharacterDataHandler = self._text
        parser.StartDoctypeDeclHandler = self._refuse
        parser.EntityDeclHandler = self._refuse
        try:
            parser.Parse(data, True)
        except (expat.ExpatError, ValueError, LookupError) as error:
            raise SubtitlesInvalid(f"{self._name}: not well-formed TTML: {error}") from error
        return self._cues

    def _refuse(self, *_: object) -> None:
        raise SubtitlesInvalid(f"{self._name}: a DOCTYPE in subtitles is not read")

    def _start(self, qualified: str, attributes: dict[str, str]) -> None:
        tag = qualified.rpartition(":")[2]
        given = {key.rpartition(":")[2]: value for key, value in attributes.items()}
        if not self._open and tag != "tt":
            raise SubtitlesInvalid(f"{self._name}: its root is {tag[:40]}, not tt")
        if len(self._open) >= DEEPEST:
            raise SubtitlesInvalid(f"{self._name}: elements more than {DEEPEST} deep")
        if tag == "tt":
            self._settle(given)
        if tag == "style" and self._open and self._open[-1].name == "region":
            self._regions[self._open[-1].region] |= given
        elif tag == "style" and "id" in given:
            self._styles[given["id"]] = self._styled(given)
        given = self._styled(given)
        tags = "".join(
            mark for key, (mark, value) in _STYLES.items() if value in given.get(key, "")
        )
        parent = self._open[-1] if self._open else _Element("", Fraction(0), None)
        element = _Element(tag, *self._span(parent, given), tags="".join(dict.fromkeys(tags)))
        element.region = given.get("region", parent.region)
        element.align = given.get("textAlign", parent.align)
        if tag == "region":
            element.region = given.get("id", "")
            self._regions[element.region] = given
        element.is_timed = tag == "p" or (tag == "span" and "begin" in given)
        self._open.append(element)
        if tag == "br":
            self._write("\n")
        elif tag in ("p", "span"):
            self._write("".join(f"<{mark}>" for mark in element.tags))

    def _styled(self, given: dict[str, str]) -> dict[str, str]:
        """Attributes with those of the styles that they name; their own count for more."""
        whole: dict[str, str] = {}
        for style in given.get("style", "").split():
            whole |= self._styles.get(style, {})
        return {key: value for key, value in whole.items() if key != "id"} | given

    def _settle(self, given: dict[str, str]) -> None:
        """Frame and tick rate (TTML1 section 6.2)."""
        rate, ticks = given.get("frameRate", "30"), given.get("tickRate", "")
        factor = re.fullmatch(r"(\d{1,6})[ :](\d{1,6})", given.get("frameRateMultiplier", ""))
        self._rate = Fraction(int(rate)) if re.fullmatch(r"[1-9]\d{0,5}", rate) else Fraction(30)
        if factor and int(factor[1]) and int(factor[2]):
            self._rate *= Fraction(int(factor[1]), int(factor[2]))
        is_told = re.fullmatch(r"[1-9]\d{0,11}", ticks)
        self._ticks = Fraction(int(ticks)) if is_told else self._rate if "frameRate" in given else (
            Fraction(1)
        )  # fmt: skip

    def _span(self, parent: _Element, given: dict[str, str]) -> tuple[Fraction, Fraction | None]:
        """Times are counted from the parent's begin and end with it (section 10.2)."""
        begin = parent.begin + self._time(given.get("begin", "0s"))
        ends = [] if parent.end is None else [parent.end]
        if "end" in given:
            ends.append(parent.begin + self._time(given["end"]))
        if "dur" in given:
            ends.append(begin + self._time(given["dur"]))
        return begin, min(ends, default=None)

    def _time(self, text: str) -> Fraction:
        text = text.strip()
        if match := _CLOCK.fullmatch(text):
            hours, minutes, seconds = (int(part) for part in match.groups()[:3])
            rest = (
                Fraction(f"0.{match[4]}") if match[4] else Fraction(int(match[5] or 0)) / self._rate
            )
            return hours * 3600 + minutes * 60 + seconds + rest
        if match := _OFFSET.fullmatch(text):
            each = {
                "h": Fraction(3600), "m": Fraction(60), "s": Fraction(1), "ms": Fraction(1, 1000),
                "f": 1 / self._rate, "t": 1 / self._ticks,
            }  # fmt: skip
            return Fraction(match[1]) * each[match[2]]
        raise SubtitlesInvalid(f"{self._name}: cannot read the time {text[:40]!r}")

    def _text(self, text: str) -> None:
        if any(element.name == "p" for element in self._open):
            self._write(escape(re.sub(r"\s+", " ", text), quote=False))

    def _write(self, text: str) -> None:
        """To the innermost element that has a cue of its own."""
        for element in reversed(self._open):
            if element.is_timed:
                element.text.append(text)
                return

    def _end(self, _: str) -> None:
        element = self._open[-1]
        if element.name in ("p", "span"):
            self._write("".join(f"</{mark}>" for mark in reversed(element.tags)))
        self._open.pop()
        if element.is_timed and element.end is not None:
            lines = (re.sub(" +", " ", line).strip() for line in "".join(element.text).split("\n"))
            text = "\n".join(line for line in lines if re.sub(r"</?[ibu]>", "", line).strip())
            region = self._regions.get(element.region, {})
            align = element.align or region.get("textAlign", "")
            self._cues.append(Cue(element.begin, element.end, text, of_region(region, align)))
