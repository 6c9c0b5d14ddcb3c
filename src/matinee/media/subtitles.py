"""Subtitles as WebVTT cues (W3C WebVTT), read, shifted, bounded and written.

Unknown blocks (NOTE, STYLE, REGION) are kept only where a cue needs them: STYLE and REGION stay in
front, NOTE goes.
"""

import re
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
    """A subtitle track: cues in order of their start, with style and region blocks in front."""

    cues: tuple[Cue, ...]
    header: tuple[str, ...] = ()


def parse_webvtt(text: str, name: str) -> Subtitles:
    """Read WebVTT.

    Raises:
        SubtitlesInvalid: no WEBVTT line, or a cue whose times cannot be read or run backwards.
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
    return Subtitles(tuple(sorted(cues, key=lambda cue: (cue.start, cue.end))), tuple(header))


def _blocks(lines: Sequence[str]) -> list[list[str]]:
    """Runs of lines: one ends at an empty line and before the times of a cue (section 6.1).

    So the name of a cue, on the line above its times, is a run of its own, and not kept.
    """
    blocks: list[list[str]] = []
    is_open = False
    for line in lines:
        if line.strip() and is_open and "-->" not in line:
            blocks[-1].append(line)
        elif line.strip():
            blocks.append([line])
        is_open = bool(line.strip())
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


def placed(subtitles: Subtitles, shift: Fraction, end: Fraction) -> Subtitles:
    """The cues moved by ``shift`` and bounded to ``[0, end)``; what has no rest is left out."""
    moved = (
        replace(cue, start=max(Fraction(0), cue.start + shift), end=min(end, cue.end + shift))
        for cue in subtitles.cues
    )
    return replace(
        subtitles,
        cues=tuple(
            cue for cue in moved if _milliseconds(cue.start) < _milliseconds(cue.end) and cue.text
        ),
    )


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


def decode_text(data: bytes, name: str) -> str:
    """Text of a sidecar file: UTF-8, or UTF-16 by its byte order mark.

    Raises:
        SubtitlesInvalid: neither; says at which byte.
    """
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise SubtitlesInvalid(
            f"{name}: not UTF-8 at byte {error.start}", "save the subtitles as UTF-8"
        ) from error
