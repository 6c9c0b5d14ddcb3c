"""Subtitle files as WebVTT cues: SubRip, SubStation Alpha (ASS, SSA), TTML (IMSC, DFXP), MicroDVD.

- What a cue shows is text in ``<i>``, ``<b>`` and ``<u>``, at its height and side. All else is
  escaped or left out, as scripts, fonts and drawings. No reader opens anything that a file names.
- Cues may come in any order, overlap, and show nothing: ``media.subtitle_lint`` sees to that.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction

from matinee.core.errors import SubtitlesInvalid
from matinee.media.subtitle_places import of_key, of_overrides
from matinee.media.subtitles import Cue, Subtitles, read_webvtt, sanitised
from matinee.media.text_encoding import decode_text
from matinee.media.ttml import parse_ttml

FORMATS = {
    ".srt": "srt",
    ".vtt": "webvtt",
    ".ass": "ass",
    ".ssa": "ass",
    ".ttml": "ttml",
    ".dfxp": "ttml",
    ".xml": "ttml",
    ".sub": "microdvd",
}
"""Formats by the endings of files."""

CARRIED = {"subrip": "srt", "text": "srt", "ass": "ass", "webvtt": "webvtt", "ttml": "ttml"}
"""Formats by the codecs of tracks whose packets are text; others are turned into ``srt``."""

LARGEST = 32 * 2**20
"""Bytes of a subtitle file; the longest film's are under one hundredth."""

MOST_CUES = 200_000

_TIMING = re.compile(
    r"^\s*(?:(\d{1,3}):)?(\d{1,3}):(\d{1,2})[,.](\d{1,3})\s*--?>\s*"
    r"(?:(\d{1,3}):)?(\d{1,3}):(\d{1,2})[,.](\d{1,3})(?:\s.*)?$"
)
_ASS_TIME = re.compile(r"\s*(\d{1,3}):(\d{1,2}):(\d{1,2})[.:](\d{1,3})\s*")
_MICRODVD = re.compile(r"^\{(\d{1,9})\}\{(\d{1,9})\}(.*)$")


def read_subtitles(
    data: bytes, kind: str, name: str, language: str = "und", rate: Fraction = Fraction(25)
) -> Subtitles:
    """Read a file of one of ``FORMATS``; cues in its order, each once.

    Args:
        data: The file; TTML may be several documents, one after the other.
        kind: One of the values of ``FORMATS``.
        name: What messages call the file.
        language: A BCP 47 tag; it helps to tell old code pages apart.
        rate: Frames a second, for times that are counted in frames.

    Raises:
        SubtitlesInvalid: too large, no text, or not of that kind.
    """
    if len(data) > LARGEST:
        raise SubtitlesInvalid(f"{name}: {len(data)} bytes are too many for subtitles")
    if kind == "ttml":
        cues = parse_ttml(data, name)
    else:
        text = decode_text(data, name, language).text.replace("\r\n", "\n").replace("\r", "\n")
        if "\0" in text:
            raise SubtitlesInvalid(f"{name}: not text, or pictures of text (VobSub)")
        if kind == "webvtt":
            return sanitised(read_webvtt(text, name))
        cues = list(_READERS[kind](text, rate))
    if not cues:
        raise SubtitlesInvalid(f"{name}: no subtitle in it can be read as {kind}")
    if len(cues) > MOST_CUES:
        raise SubtitlesInvalid(f"{name}: {len(cues)} subtitles are too many for a film")
    return sanitised(Subtitles(tuple(dict.fromkeys(cues))))


def parse_subtitles(
    data: bytes, kind: str, name: str, language: str = "und", rate: Fraction = Fraction(25)
) -> Subtitles:
    """The same, of cues that show something for a while, in order of their start.

    Raises:
        SubtitlesInvalid: as ``read_subtitles``.
    """
    found = read_subtitles(data, kind, name, language, rate)
    lasting = (cue for cue in found.cues if cue.start < cue.end and cue.text)
    return replace(found, cues=tuple(sorted(lasting, key=lambda cue: (cue.start, cue.end))))


def _srt_cues(text: str, _rate: Fraction) -> Iterator[Cue]:
    """A cue's text ends before the number and times of the next; it may hold empty lines."""
    lines = text.split("\n")
    timings = [(n, match) for n, line in enumerate(lines) if (match := _TIMING.match(line))]
    ends = [*(number for number, _ in timings), len(lines) + 1][1:]
    for (number, match), end in zip(timings, ends, strict=True):
        block = lines[number + 1 : end]
        if end <= len(lines) and block and block[-1].strip().isdigit():
            block = block[:-1]
        parts = [int(part or 0) for part in match.groups()]
        whole = "\n".join(line for line in block if line.strip())
        kept = re.sub(r"\{\\[^}]*\}", "", whole)
        kept = re.sub(r"</?font[^<>]*>", "", kept, flags=re.IGNORECASE)
        times = _srt_time(parts[:4], match[4]), _srt_time(parts[4:], match[8])
        yield Cue(*times, kept, of_overrides(whole))


def _srt_time(parts: list[int], fraction: str) -> Fraction:
    hours, minutes, seconds, digits = parts
    return Fraction(hours * 3600 + minutes * 60 + seconds) + Fraction(digits, 10 ** len(fraction))


def _ass_cues(text: str, _rate: Fraction) -> Iterator[Cue]:
    """The dialogue lines of ``[Events]``, their fields in the order that ``Format`` gives."""
    fields, is_events = "layer,start,end,style,name,marginl,marginr,marginv,effect,text", False
    styles = _ass_places(text)
    for line in text.split("\n"):
        if line.lstrip("\ufeff ").startswith("["):
            is_events = line.strip().lower() == "[events]"
        name, mark, rest = line.partition(":")
        if not mark or not is_events:
            continue
        if name.strip().lower() == "format":
            fields = rest.replace(" ", "").strip().lower()
        elif name.strip().lower() == "dialogue":
            names = fields.split(",")
            event = dict(zip(names, rest.split(",", len(names) - 1), strict=False))
            times = [_ASS_TIME.fullmatch(event.get(key, "")) for key in ("start", "end")]
            if times[0] and times[1] and "text" in event:
                start, end = (_srt_time([int(p) for p in t.groups()], t[4]) for t in times if t)
                place = of_overrides(event["text"], styles.get(event.get("style", "").strip(), ""))
                yield Cue(start, end, ass_text(event["text"].strip()), place)


def _ass_places(text: str) -> dict[str, str]:
    """Where each style puts its lines, as WebVTT settings."""
    fields: list[str] = []
    styles, kind = {}, ""
    for line in text.split("\n"):
        if line.lstrip("\ufeff ").startswith("["):
            kind = {"[v4+ styles]": "an", "[v4 styles]": "a"}.get(line.strip().lower(), "")
        name, _, rest = line.partition(":")
        if kind and name.strip().lower() == "format":
            fields = [field.strip().lower() for field in rest.split(",")]
        elif kind and name.strip().lower() == "style":
            style = dict(zip(fields, (part.strip() for part in rest.split(",")), strict=False))
            if re.fullmatch(r"\d{1,2}", key := style.get("alignment", "")):
                styles[style.get("name", "")] = of_key(kind, int(key))
    return styles


def ass_text(raw: str) -> str:
    """The text of a dialogue line: overrides of slant and weight kept, drawings left out."""
    shown: list[str] = []
    is_drawing = False
    for part in re.split(r"(\{[^}]*\})", raw):
        if part.startswith("{") and part.endswith("}"):
            for tag, value in re.findall(r"\\(p|i|b|u|r)(\d*)(?![a-zA-Z(])", part):
                if tag == "p":
                    is_drawing = int((value or "0")[:9]) > 0
                elif tag == "r":
                    shown.append("</b></i></u>")
                else:
                    shown.append(f"</{tag}>" if value in ("", "0") else f"<{tag}>")
        elif not is_drawing:
            plain = re.sub(r"</?[ibu]>", lambda match: match[0].replace("<", "&lt;"), part)
            shown.append(plain.replace(r"\N", "\n").replace(r"\n", "\n").replace(r"\h", "\u00a0"))
    lines = (line.strip() for line in "".join(shown).split("\n"))
    return "\n".join(line for line in lines if re.sub(r"</?[ibu]>", "", line).strip())


def _microdvd_cues(text: str, rate: Fraction) -> Iterator[Cue]:
    """Times in frames; a first cue at frame 1 that is a number tells how many make a second."""
    for number, line in enumerate(text.removeprefix("\ufeff").split("\n")):
        match = _MICRODVD.match(line.strip())
        if match is None:
            continue
        start, end, words = int(match[1]), int(match[2]), match[3]
        told = re.fullmatch(r"(\d{2}(?:\.\d{1,6})?)(?:fps)?", words.strip())
        if number == 0 and start in (0, 1) and told and Fraction(told[1]) > 0:
            rate = Fraction(told[1])
            continue
        slanted = "{y:i}" in words.lower() or words.startswith("/")
        plain = re.sub(r"\{[^}]*\}", "", words).removeprefix("/").replace("|", "\n").strip()
        kept = f"<i>{plain}</i>" if slanted and plain else plain
        yield Cue(Fraction(start) / rate, Fraction(end) / rate, kept)


_READERS: dict[str, Callable[[str, Fraction], Iterator[Cue]]] = {
    "srt": _srt_cues,
    "ass": _ass_cues,
    "microdvd": _microdvd_cues,
}
