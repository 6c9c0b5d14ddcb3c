"""On which line of a TOML document something stands.

Python's reader tells no lines. But it reads any whole number of statements, so the first line by
which a key is there ends its statement. That reads a document often, and only when it has a fault.
"""

import re
import tomllib
from typing import Any

Path = tuple[str | int, ...]
"""Where something stands: keys and places in lists."""


def line_of(text: str, path: Path) -> int | None:
    """The first line of the statement that gives what is at ``path``, or the nearest above it.

    None where not even the first step of the path is there.
    """
    lines = text.splitlines(keepends=True)
    begin, found, depth = 1, None, 0
    for end in range(1, len(lines) + 1):
        try:
            document = tomllib.loads("".join(lines[:end]))
        except tomllib.TOMLDecodeError:
            continue  # in the middle of a statement
        reached = _depth(document, path)
        if reached > depth:
            found, depth = begin, reached
        begin = end + 1
    return found


def line_of_error(error: tomllib.TOMLDecodeError, text: str) -> int:
    """The line that a syntax error names; the last one for the end of the document."""
    named = re.search(r"at line (\d+)", str(error))
    return int(named[1]) if named else len(text.splitlines()) or 1


def _depth(document: Any, path: Path) -> int:
    """How many steps of the path are there."""
    for depth, step in enumerate(path):
        try:
            document = document[step]
        except (KeyError, IndexError, TypeError):
            return depth
    return len(path)
