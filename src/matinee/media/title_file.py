"""Title files: what is wished for a film, in a file beside it or in the metadata of an upload.

The result is JSON, as ``film.arrived`` carries it in ``wishes``: times in ISO 8601, languages by
kind of track. Nothing in it is a path.
"""

import re
import tomllib
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Any

from matinee.core.errors import UsageError
from matinee.media.ladder_checks import TARGETS
from matinee.media.tracks import language_tag

LARGEST = 64 * 1024
"""Bytes beyond which a title file is none."""

LONGEST = 300
"""Characters of a name or credit."""

PRIORITIES = range(-100, 101)
PROOFS = ("decode", "packets")
LANGUAGES = ("sound", "text")

_LADDER = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")


class TitleFileInvalid(UsageError):
    """What is wished for a film has no meaning: the message names the line and the field."""

    code = "title_file.invalid"
    advice = "mend the title file: docs/guide/ways-in.md lists its fields"


class _Wrong(Exception):
    """What a value is to be instead."""


def parse_title_file(name: str, content: bytes) -> dict[str, Any]:
    """What a title file wishes.

    Raises:
        TitleFileInvalid: not TOML, an unknown field, or a value that has no meaning.
    """
    if len(content) > LARGEST:
        raise TitleFileInvalid(f"{name} is larger than {LARGEST // 1024} KiB")
    try:
        text = content.decode("utf-8-sig")
        document = tomllib.loads(text)
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise TitleFileInvalid(f"{name}, line {line}: not UTF-8") from error
    except tomllib.TOMLDecodeError as error:
        at = re.search(r"^(.*) \(at line (\d+), column \d+\)$", str(error))
        where, told = (f", line {at[2]}", at[1]) if at else (", at its end", str(error))
        raise TitleFileInvalid(f"{name}{where}: {told[:1].lower()}{told[1:]}") from error

    def fault(field: str, told: str) -> TitleFileInvalid:
        return TitleFileInvalid(f"{name}, line {line_of(text, field)}: {told}")

    return _checked(document, fault)


def parse_wishes(fields: Mapping[str, str]) -> dict[str, Any]:
    """What the metadata of an upload wish, each value as text.

    Raises:
        TitleFileInvalid: an unknown field, or a value that has no meaning.
    """
    document: dict[str, Any] = {}
    for field, value in fields.items():
        table, _, kind = field.partition(".")
        if table == "languages" and kind:
            document.setdefault(table, {})[kind] = [word.strip() for word in value.split(",")]
        else:
            document[field] = _typed(field, value)
    return _checked(document, lambda _, told: TitleFileInvalid(told))


def line_of(text: str, field: str) -> int:
    """The line, from 1, on which a field of a title file stands; 1 where it is not found."""
    table = field.rpartition(".")[0]
    now = ""
    for number, line in enumerate(text.splitlines(), 1):
        if heading := re.match(r"\s*\[+\s*([\w-]+)\s*\]", line):
            now = heading[1]
            if field == now:
                return number
        elif assigned := re.match(r"\s*[\"']?([\w-]+)[\"']?(?:\s*\.\s*([\w-]+))?\s*=", line):
            here = ".".join(part for part in (now, *assigned.groups()) if part)
            if here == field or (table and here == table):  # languages = { sound = ... }
                return number
    return 1


def _typed(field: str, value: str) -> Any:
    """A text as the TOML value that it stands for; as it is where it stands for none."""
    kind = _FIELDS.get(field)
    if kind is _flag:
        return {"true": True, "false": False}.get(value.lower(), value)
    if kind is _priority and re.fullmatch(r"[+-]?\d{1,4}", value):
        return int(value)
    if kind is _target and re.fullmatch(r"\d{1,3}(\.\d{1,6})?", value):
        return float(value)
    if kind is _time:
        try:
            whole = date.fromisoformat(value) if len(value) == len("2027-03-01") else None
            return whole or datetime.fromisoformat(value)
        except ValueError:
            return value
    return value


def _checked(
    document: Mapping[str, Any], fault: Callable[[str, str], TitleFileInvalid]
) -> dict[str, Any]:
    wishes: dict[str, Any] = {}
    for field, value in document.items():
        if field == "languages":
            wishes[field] = _languages(value, fault)
            continue
        if field not in _FIELDS:
            raise fault(field, f"there is no field {field!r}")
        try:
            wishes[field] = _FIELDS[field](value)
        except _Wrong as wrong:
            raise fault(field, f"{field} is {_shown(value)}, not {wrong}") from None
    opens, closes = wishes.get("opens_at"), wishes.get("closes_at")
    if opens and closes and datetime.fromisoformat(closes) <= datetime.fromisoformat(opens):
        raise fault("closes_at", "closes_at is not after opens_at")
    return wishes


def _languages(value: Any, fault: Callable[[str, str], TitleFileInvalid]) -> dict[str, list[str]]:
    if not isinstance(value, dict):
        raise fault("languages", f"languages is {_shown(value)}, not a table")
    found = {}
    for kind, codes in value.items():
        field = f"languages.{kind}"
        if kind not in LANGUAGES:
            raise fault(field, f"there is no field {field!r}")
        if not isinstance(codes, list) or not all(isinstance(code, str) for code in codes):
            raise fault(field, f"{field} is {_shown(codes)}, not a list of language codes")
        for code in codes:
            if language_tag(code) == "und" and code.lower() != "und":
                raise fault(field, f"{field} has {code!r}, which is no language code")
        found[kind] = [language_tag(code) for code in codes]
    return found


def _words(value: Any) -> str:
    told = " ".join(value.split()) if isinstance(value, str) else ""
    if not told or len(told) > LONGEST or not told.isprintable():
        raise _Wrong(f"a text of 1 to {LONGEST} characters")
    return told


def _ladder(value: Any) -> str:
    if not isinstance(value, str) or not _LADDER.fullmatch(value):
        raise _Wrong("the name of a ladder")
    return value


def _profile(value: Any) -> str:
    if not isinstance(value, str) or not _LADDER.fullmatch(value):
        raise _Wrong("the name of a profile")
    return value


def _target(value: Any) -> float:
    low, high = TARGETS
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise _Wrong(f"a number from {low} to {high}")
    return value


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise _Wrong("true or false")
    return value


def _priority(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value not in PRIORITIES:
        raise _Wrong(f"a whole number from {PRIORITIES[0]} to {PRIORITIES[-1]}")
    return value


def _time(value: Any) -> str:
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise _Wrong("a time with an offset, such as 2027-03-01T20:00:00Z")
        try:
            return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
        except OverflowError:
            raise _Wrong("a time that a calendar has") from None
    if isinstance(value, date):
        return f"{value.isoformat()}T00:00:00Z"
    raise _Wrong("a time such as 2027-03-01T20:00:00Z, or a date")


def _proofs(value: Any) -> str:
    if value not in PROOFS:
        raise _Wrong(" or ".join(PROOFS))
    return str(value)


def _shown(value: Any) -> str:
    told = str(value).lower() if isinstance(value, bool) else str(value)
    told = told if len(told) <= 60 else f"{told[:57]}..."
    return f'"{told}"' if isinstance(value, str) else told


_FIELDS: Mapping[str, Callable[[Any], Any]] = {
    "name": _words,
    "credit": _words,
    "ladder": _ladder,
    "profile": _profile,
    "target_vmaf": _target,
    "public": _flag,
    "priority": _priority,
    "deadline": _time,
    "opens_at": _time,
    "closes_at": _time,
    "accept_damage": _flag,
    "crop": _flag,
    "scores": _flag,
    "proofs": _proofs,
}
FIELDS = (*_FIELDS, *(f"languages.{kind}" for kind in LANGUAGES))
"""Every field, as the metadata of an upload spell it."""
