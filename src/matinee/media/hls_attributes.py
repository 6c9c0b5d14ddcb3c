"""Attribute lists and numbers in the lines of HLS playlists (RFC 8216bis section 4.2)."""

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar

from matinee.core.errors import ToolError

_ATTRIBUTE = re.compile(r'([A-Z0-9-]+)=("[^"\r\n]*"|[^",\s][^",]*)(?:,|$)', re.ASCII)
_DECIMAL = re.compile(r"\d{1,15}(\.\d{1,15})?", re.ASCII)


class PlaylistInvalid(ToolError):
    """A text is not an HLS playlist."""

    code: ClassVar[str] = "playlist.invalid"
    retryable: ClassVar[bool] = False


@dataclass(frozen=True, slots=True)
class Attributes:
    """An attribute list (section 4.2); values as spelled, quotes included."""

    items: tuple[tuple[str, str], ...] = ()

    def text(self, name: str) -> str | None:
        """The value without its quotes, or None."""
        return next((value.strip('"') for key, value in self.items if key == name), None)

    def with_text(self, name: str, value: str | None) -> "Attributes":
        """With a quoted string, or without the attribute."""
        if value is not None and re.search(r'["\r\n]', value):
            raise PlaylistInvalid(f"{name} cannot hold {value!r}: quote or line break")
        return self.with_raw(name, None if value is None else f'"{value}"')

    def with_raw(self, name: str, value: str | None) -> "Attributes":
        """With an enumerated or numeric value in its old place or at the end, or without it."""
        if value is None:
            return Attributes(tuple(item for item in self.items if item[0] != name))
        if name not in dict(self.items):
            return Attributes((*self.items, (name, value)))
        return Attributes(tuple((key, value if key == name else old) for key, old in self.items))

    def __str__(self) -> str:
        return ",".join(f"{key}={value}" for key, value in self.items)


def read_attributes(text: str) -> Attributes:
    """Read an attribute list.

    Raises:
        PlaylistInvalid: when it is not one, or names an attribute twice (section 4.2).
    """
    items, at = [], 0
    while at < len(text):
        match = _ATTRIBUTE.match(text, at)
        if match is None:
            raise PlaylistInvalid(f"not an attribute list: {text[at : at + 80]!r}")
        items.append((match[1], match[2]))
        at = match.end()
    if len(dict(items)) != len(items):
        raise PlaylistInvalid(f"an attribute is there twice: {text[:80]!r}")
    return Attributes(tuple(items))


def integer(value: str) -> int:
    """A decimal integer.

    Raises:
        PlaylistInvalid: when it is not one.
    """
    if not re.fullmatch(r"\d{1,15}", value, re.ASCII):
        raise PlaylistInvalid(f"{value[:40]!r} is not a decimal integer")
    return int(value)


def decimal(value: str) -> Fraction:
    """A decimal number, exact.

    Raises:
        PlaylistInvalid: when it is not one.
    """
    if not _DECIMAL.fullmatch(value):
        raise PlaylistInvalid(f"{value[:40]!r} is not a decimal number")
    return Fraction(value)


def decimal_text(value: Fraction) -> str:
    """A duration with three to six decimals, as many as it needs."""
    for digits in (3, 4, 5):
        if value * 10**digits % 1 == 0:
            return f"{float(value):.{digits}f}"
    return f"{float(value):.6f}"
