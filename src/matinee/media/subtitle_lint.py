"""Subtitles that cannot be read as they should: what is mended, and what is only told.

Mended is what no viewer could want: cues out of order, empty ones, what lies outside the film, and
cues that overlap the next by less than a frame. All else is an author's to change, and told.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from html import unescape
from typing import Any, Literal

from matinee.media.subtitles import Cue, Subtitles

Kind = Literal[
    "order", "empty", "before_begin", "beyond_end", "overlap", "reading_speed", "too_short",
    "too_long",
]  # fmt: skip

FASTEST = 20
"""Characters a second that can be read, spaces among them, where no language has its own."""

FASTEST_IN = {"ja": 7, "ko": 14, "zh": 11}
"""The same of languages with denser scripts."""

SHORTEST, LONGEST = Fraction(5, 6), Fraction(7)
"""Seconds that a cue should last: shorter ones flash, longer ones are read twice."""

SAID: dict[tuple[Kind, bool], str] = {
    ("order", True): "out of order, put right",
    ("empty", True): "nothing to show, left out",
    ("before_begin", True): "before the first frame, cut off",
    ("beyond_end", True): "beyond the last frame, cut off",
    ("overlap", True): "less than a frame over the next, ended sooner",
    ("overlap", False): "over the next by up to {most} s",
    ("reading_speed", False): "too fast to read, up to {most} characters a second",
    ("too_short", False): "too short, down to {most} s",
    ("too_long", False): "too long, up to {most} s",
}
"""Every remark in words, and whether it is of something that was mended."""


@dataclass(frozen=True, slots=True)
class Remark:
    """What is to be said of some cues of a track.

    ``first`` is when the first of them begins, in seconds of the film. ``most`` is the farthest of
    them: seconds, or characters a second of ``reading_speed``; None where nothing is measured.
    """

    kind: Kind
    cues: int
    first: Fraction
    is_mended: bool
    most: Fraction | None = None

    def told(self) -> str:
        """The remark for people."""
        cues = "1 cue" if self.cues == 1 else f"{self.cues} cues"
        most = "" if self.most is None else f"{float(self.most):.2f}".rstrip("0").rstrip(".")
        said = SAID[self.kind, self.is_mended].format(most=most)
        return f"{said}: {cues} from {float(self.first):.3f} s on"

    def as_json(self) -> dict[str, Any]:
        """The reported form."""
        return {
            "kind": self.kind,
            "cues": self.cues,
            "first": round(float(self.first), 3),
            "mended": self.is_mended,
            "most": None if self.most is None else round(float(self.most), 3),
            "told": self.told(),
        }


def remarks_from_json(kept: Iterable[dict[str, Any]]) -> tuple[Remark, ...]:
    """Read what ``as_json`` of each wrote; figures as they were rounded."""
    return tuple(
        Remark(
            one["kind"], one["cues"], Fraction(str(one["first"])), one["mended"],
            None if one["most"] is None else Fraction(str(one["most"])),
        )
        for one in kept
    )  # fmt: skip


def remarks_json(said: Mapping[str, Sequence[Remark]]) -> list[dict[str, Any]]:
    """What is said of several tracks, by the name of the rendition, as documents show it."""
    return [{"name": name, **one.as_json()} for name, all_ in said.items() for one in all_]


def told_remarks(said: Mapping[str, Sequence[Remark]]) -> list[str]:
    """The same for people, a line for each track of which something is said."""
    return [
        f"{name}: {'; '.join(remark.told() for remark in remarks)}"
        for name, remarks in said.items()
        if remarks
    ]


@dataclass(frozen=True, slots=True)
class Linted:
    """Subtitles as they are published, and what is said of them."""

    subtitles: Subtitles
    remarks: tuple[Remark, ...]


def lint(subtitles: Subtitles, end: Fraction, rate: Fraction, language: str) -> Linted:
    """Look at cues in the order of their file, on the film's clock; mend what is safe to mend.

    What comes out is ordered by start, lies in ``[0, end]`` and shows something for at least a
    millisecond. Every cue that shows something within the film is in it, with its text; no time is
    moved but to a border of the film, or sooner by less than a frame. Doing it twice changes
    nothing more.

    Args:
        subtitles: The cues, of which some may be empty or last no time.
        end: When the film ends, in seconds.
        rate: Frames a second.
        language: A BCP 47 tag.
    """
    remarks = _Remarks()
    cues = _inside(_lasting(subtitles.cues, remarks), end, remarks)
    cues = _apart(_ordered(cues, remarks), 1 / rate, remarks)
    _read(cues, FASTEST_IN.get(language.split("-", maxsplit=1)[0].lower(), FASTEST), remarks)
    return Linted(replace(subtitles, cues=tuple(cues)), remarks.all())


class _Remarks:
    """Gathers cues by what is said of them."""

    def __init__(self) -> None:
        self._found: dict[tuple[Kind, bool], list[tuple[Fraction, Fraction | None]]] = {}

    def add(
        self, kind: Kind, cue: Cue, *, mended: bool = False, measure: Fraction | None = None
    ) -> None:
        self._found.setdefault((kind, mended), []).append((cue.start, measure))

    def all(self) -> tuple[Remark, ...]:
        """In the order of ``SAID``."""
        return tuple(
            self._remark(*key, self._found[key]) for key in SAID if key in self._found
        )  # fmt: skip

    @staticmethod
    def _remark(
        kind: Kind, is_mended: bool, cues: Sequence[tuple[Fraction, Fraction | None]]
    ) -> Remark:
        measures = [measure for _, measure in cues if measure is not None]
        farthest = min if kind == "too_short" else max
        most = farthest(measures) if measures else None
        return Remark(kind, len(cues), min(start for start, _ in cues), is_mended, most)


def _lasting(cues: Iterable[Cue], remarks: _Remarks) -> list[Cue]:
    """Cues that show something for a while."""
    kept = []
    for cue in cues:
        if cue.end > cue.start and visible(cue.text).strip():
            kept.append(cue)
        else:
            remarks.add("empty", cue, mended=True)
    return kept


def _inside(cues: Iterable[Cue], end: Fraction, remarks: _Remarks) -> list[Cue]:
    """Cues within the film, cut off at its borders."""
    kept = []
    for cue in cues:
        if cue.start < 0:
            remarks.add("before_begin", cue, mended=True)
        if cue.end > end:
            remarks.add("beyond_end", cue, mended=True)
        cut = replace(cue, start=max(Fraction(0), cue.start), end=min(end, cue.end))
        if _milliseconds(cut.start) < _milliseconds(cut.end):
            kept.append(cut)
    return kept


def _ordered(cues: Sequence[Cue], remarks: _Remarks) -> list[Cue]:
    latest = Fraction(0)
    for cue in cues:
        if cue.start < latest:
            remarks.add("order", cue, mended=True)
        latest = max(latest, cue.start)
    return sorted(cues, key=lambda cue: (cue.start, cue.end))


def _apart(cues: Sequence[Cue], frame: Fraction, remarks: _Remarks) -> list[Cue]:
    """Cues that are not on screen together, unless they begin together or have places of their own.

    Two that begin together, and two in different places, are meant to be seen together.
    """
    kept = list(cues)
    following: Cue | None = None
    for number in range(len(kept) - 1, -1, -1):
        cue = kept[number]
        after = kept[number + 1] if number + 1 < len(kept) else None
        if after is not None and after.start > cue.start:
            following = after
        over = cue.end - following.start if following else Fraction(0)
        if following is None or over <= 0 or following.settings != cue.settings:
            continue
        if over >= frame:
            remarks.add("overlap", cue, measure=over)
        elif _milliseconds(cue.start) < _milliseconds(following.start):
            remarks.add("overlap", cue, mended=True)
            kept[number] = replace(cue, end=following.start)
    return sorted(kept, key=lambda cue: (cue.start, cue.end))


def _read(cues: Iterable[Cue], fastest: int, remarks: _Remarks) -> None:
    """Whether there is time to read, and not too much of it."""
    for cue in cues:
        lasts = cue.end - cue.start
        speed = len(visible(cue.text).replace("\n", "")) / lasts
        if speed > fastest:
            remarks.add("reading_speed", cue, measure=speed)
        if lasts < SHORTEST:
            remarks.add("too_short", cue, measure=lasts)
        if lasts > LONGEST:
            remarks.add("too_long", cue, measure=lasts)


def visible(text: str) -> str:
    """What of a cue's text is seen: no tags, characters in place of their names."""
    return unescape(re.sub(r"<[^<>]*>", "", text))


def _milliseconds(time: Fraction) -> int:
    return round(time * 1000)
