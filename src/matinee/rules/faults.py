"""What is wrong in rules: each fault with its place, all of them told at once."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from matinee.core.errors import UsageError

Path = tuple[str | int, ...]
"""Where in a document: keys and places in lists."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong, and what was expected instead."""

    path: Path
    text: str

    def under(self, *path: str | int) -> "Fault":
        """The same fault, seen from further out."""
        return Fault((*path, *self.path), self.text)


class Faulty(Exception):  # never leaves the rules: the rulebook tells it with file and line
    """A part of a rule has faults."""

    def __init__(self, *faults: Fault) -> None:
        super().__init__(*faults)
        self.faults: Sequence[Fault] = faults


class RulesInvalid(UsageError):
    """Rules cannot be used. The message has a line for each fault: file, line, rule, what."""

    code = "rules.invalid"
    advice = "see docs/guide/rules.md for what a rule may say; nothing was started"


def unknown(what: str, name: object, known: Iterable[str]) -> str:
    """Says that a name is not known, and which one may be meant."""
    names = sorted(known)
    close = get_close_matches(str(name), names, n=1)
    meant = f"did you mean {close[0]!r}?" if close else f"expected one of {', '.join(names)}"
    return f"no {what} {name!r}: {meant}".replace("'", '"')
