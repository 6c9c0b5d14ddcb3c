"""Subtitles as WebVTT cues (W3C WebVTT), read, shifted and written.

Unknown blocks (NOTE, STYLE, REGION) are kept only where a cue needs them: STYLE and REGION stay in
front, NOTE goes.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from matinee.core.errors import SubtitlesInvalid

_TIMING = re.compile(
    r"^(?:(\d{2,}):)?([0-5]\d):([0-5]\d)[.,](\d{3})[ \t]+-->[ \t]+"
    r"(?:(\d{2,}):)?([0-5]\d):([0-5]\d)[.,](\d{3})(?:[ \t]+(.*))?$"
)


@dataclass(frozen=True, slots=True)
class Cue:
    """Text shown in ``[start, end)`` seconds. ``settings`` is WebVTT's cue settings list."""

    start: Fraction
    end: Fraction
    text: str
    settings: str = ""


@dataclass(frozen=True, slots=True)
class Subtitles:
    """A subtitle track: its cues, with style and region blocks in front."""

    cues: tuple[Cue, ...]
    header: tuple[str, ...] = ()


def parse_webvtt(text: str, name: str) -> Subtitles:
    """Read WebVTT; cues in order of their start.

    Raises:
        SubtitlesInvalid: no WEBVTT line, or a cue whose times cannot be read or run backwards.
    """
    found = read_webvtt(text, name)
    return replace(found, cues=tuple(sorted(found.cues, key=lambda cue: (cue.start, cue.end))))


def read_webvtt(text: str, name: str) -> Subtitles:
    """Read WebVTT; cues in order of the file.

    Raises:
        SubtitlesInvalid: as ``parse_webvtt``.
    """
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    if not re.fullmatch(r"WEBVTT([ \t].*)?", lines[0]):
        raise SubtitlesInvalid(f"{name}: the first line is not WEBVTT")
    cues: list[Cue] = []
    header: list[str] = []
    for block in _blocks(lines[1:]):
        if "-->" in block[0]:
            cues.append(_cue(block, name))
        elif block[0].strip() in ("STYLE", "REGION"):
            header.append("\n".join(block))
    return Subtitles(tuple(cues), tuple(header))


def _blocks(lines: Sequence[str]) -> list[list[str]]:
    """Runs of lines: one ends at an empty line and before the times of a cue (section 6.1).

    So the name of a cue, on the line above its times, is a run of its own, and not kept.
    """
    blocks: list[list[str]] = []
    is_open = False
    for line in lines:
        if line.strip(" \t") and is_open and "-->" not in line:
            blocks[-1].append(line)
        elif line.strip(" \t"):
            blocks.append([line])
        is_open = bool(line.strip(" \t"))
    return blocks


def _cue(block: list[str], name: str) -> Cue:
    match = _TIMING.match(block[0].strip())
    if match is None:
        raise SubtitlesInvalid(f"{name}: cannot read the cue times {block[0]!r}")
    parts = [int(part or 0) for part in match.groups()[:8]]
    start, end = _seconds(*parts[:4]), _seconds(*parts[4:])
    if end < start:
        raise SubtitlesInvalid(f"{name}: a cue ends before it starts: {block[0]!r}")
    return Cue(start, end, "\n".join(block[1:]), (match.group(9) or "").strip())


def _seconds(hours: int, minutes: int, seconds: int, milliseconds: int) -> Fraction:
    return Fraction((hours * 3600 + minutes * 60 + seconds) * 1000 + milliseconds, 1000)


def shifted(subtitles: Subtitles, shift: Fraction) -> Subtitles:
    """The cues moved by ``shift`` seconds, before 0 too."""
    cues = (replace(cue, start=cue.start + shift, end=cue.end + shift) for cue in subtitles.cues)
    return replace(subtitles, cues=tuple(cues))


def write_webvtt(subtitles: Subtitles) -> str:
    """The file's text, one spelling for equal cues."""
    blocks: Iterable[str] = ("WEBVTT", *subtitles.header, *map(_cue_text, subtitles.cues))
    return "\n\n".join(blocks) + "\n"


def _cue_text(cue: Cue) -> str:
    timing = f"{_clock(cue.start)} --> {_clock(cue.end)}"
    return f"{timing} {cue.settings}".rstrip() + "\n" + cue.text


def _milliseconds(time: Fraction) -> int:
    return round(time * 1000)


def _clock(time: Fraction) -> str:
    minutes, rest = divmod(_milliseconds(time), 60_000)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{rest // 1000:02d}.{rest % 1000:03d}"


_TAG = re.compile(
    r"<(?P<close>/?)(?P<name>c|i|b|u|ruby|rt|v|lang)"
    r"(?P<more>(?:\.[\w-]{1,40})*(?:[ \t][^<>&\n]{0,120})?)>"
    r"|<(?P<time>(?:\d{2,}:)?[0-5]\d:[0-5]\d\.\d{3})>"
    r"|&(?:amp|lt|gt|nbsp|lrm|rlm|#\d{1,7}|#x[0-9a-fA-F]{1,6});",
    re.IGNORECASE,
)
_FAR = re.compile(r"@import|url\s*\(|\\", re.IGNORECASE)
"""In a STYLE block: what could name another file, or hide such a name behind an escape."""


def sanitised(subtitles: Subtitles) -> Subtitles:
    """Text that can only be text: known tags stay, each closed; all other marks are escaped.

    Style blocks that could name another file go.
    """
    return Subtitles(
        tuple(replace(cue, text=safe_text(cue.text)) for cue in subtitles.cues),
        tuple(block for block in subtitles.header if not _FAR.search(block)),
    )


def safe_text(text: str) -> str:
    """Cue text (W3C WebVTT section 4.2.2) of anything; of such text itself."""
    shown: list[str] = []
    opened: list[str] = []
    place = 0
    for match in _TAG.finditer(text):
        shown.append(_escaped(text[place : match.start()]))
        place = match.end()
        name = (match["name"] or "").lower()
        if not name:
            shown.append(match[0])
        elif not match["close"]:
            opened.append(name)
            shown.append(f"<{name}{match['more']}>")
        elif name in opened:
            while opened[-1] != name:
                shown.append(f"</{opened.pop()}>")
            shown.append(f"</{opened.pop()}>")
    shown.append(_escaped(text[place:]))
    shown += [f"</{name}>" for name in reversed(opened)]
    lines = "".join(shown).split("\n")
    return "\n".join(line for line in lines if line.strip())


def _escaped(text: str) -> str:
    plain = "".join(c for c in text if c in "\n\t" or unicodedata.category(c) != "Cc")
    return plain.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
