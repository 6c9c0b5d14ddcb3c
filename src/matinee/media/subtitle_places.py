"""Where subtitles stand, as WebVTT cue settings (W3C WebVTT section 4.4).

Only what keeps a cue out of the way of something is kept: the height and the side. At the bottom in
the middle is where players put cues by themselves.
"""

import re
from collections.abc import Mapping
from fractions import Fraction

KEYPAD = {
    1: "align:left", 3: "align:right",
    4: "line:50% align:left", 5: "line:50%", 6: "line:50% align:right",
    7: "line:0 align:left", 8: "line:0", 9: "line:0 align:right",
}  # fmt: skip
r"""Of SubStation Alpha's ``\an``: as the keys of a number pad lie."""

_OLD = {1: 1, 2: 2, 3: 3, 5: 7, 6: 8, 7: 9, 9: 4, 10: 5, 11: 6}
r"""Of the older ``\a``, and of SSA's styles: the key on the pad."""

_OVERRIDE = re.compile(r"\\(an|a)(\d{1,2})(?!\d)")
_PERCENT = re.compile(r"(-?\d{1,3}(?:\.\d{1,6})?)%")
_MIDDLE = 50
"""Per cent of the picture's height above which a cue stands at the top."""


def of_overrides(text: str, style: str = "") -> str:
    r"""The settings that a line's last ``{\an8}`` asks for; without any, those of its style."""
    found = [
        (name, int(key))
        for block in re.findall(r"\{([^}]*)\}", text)
        for name, key in _OVERRIDE.findall(block)
    ]
    return of_key(*found[-1]) if found else style


def of_key(name: str, key: int) -> str:
    """The settings of a key on the pad (``an``), or of the older numbers (``a``)."""
    return KEYPAD.get(key if name == "an" else _OLD.get(key, 2), "")


def of_region(region: Mapping[str, str], text_align: str) -> str:
    """The settings of a TTML region by its attributes, and of ``textAlign``."""
    origin, extent = _pair(region.get("origin", "")), _pair(region.get("extent", ""))
    align = region.get("displayAlign", "before")
    settings = []
    if origin and extent:
        share = {"after": Fraction(1), "center": Fraction(1, 2)}.get(align, Fraction(0))
        place = origin[1] + share * extent[1]
        settings += ["line:0"] if place < _MIDDLE else []
    elif align == "before" and "displayAlign" in region:
        settings.append("line:0")
    if text_align in ("left", "right", "start", "end"):
        if origin and extent:
            side = origin[0] + (extent[0] if text_align in ("right", "end") else 0)
            settings.append(f"position:{float(min(max(side, Fraction(0)), Fraction(100))):g}%")
        settings.append(f"align:{text_align}")
    return " ".join(settings)


def _pair(text: str) -> tuple[Fraction, Fraction] | None:
    """Two percentages, or None."""
    found = [_PERCENT.fullmatch(part) for part in text.split()]
    if len(found) != 2 or not all(found):
        return None
    across, down = (Fraction(match[1]) for match in found if match)
    return across, down
