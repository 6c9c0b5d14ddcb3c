"""Films come and go: how such facts are named, so that telling one twice counts once.

The id of each fact about a film is made from the one before it about the same film. So a film that
comes back exactly as it was, after it went away, is told of; one that is found again by a service
that starts is not.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote_to_bytes

from matinee.core.events import Fact
from matinee.core.ids import digest_of_value

ARRIVED, WAITING, REMOVED = "film.arrived", "film.waiting", "film.removed"


@dataclass(frozen=True, slots=True)
class Film:
    """A film as it lies somewhere.

    ``origin`` and ``key`` name it for good; ``mark`` is JSON that differs when the film, or what
    belongs to it, has changed. ``sidecars`` are objects with ``place`` and ``language``.
    """

    origin: str
    key: str
    name: str
    place: str
    mark: Any
    size_bytes: int
    sidecars: Sequence[Mapping[str, str]] = ()
    wishes: Mapping[str, Any] | None = None

    @property
    def subject(self) -> str:
        """The subject of all events about it."""
        return subject_of(self.origin, self.key)


@dataclass(frozen=True, slots=True)
class History:
    """The newest fact of one film, and the id of the one before."""

    type: str | None = None
    id: str | None = None
    before: str | None = None

    @property
    def is_here(self) -> bool:
        """Whether the film is said to be there."""
        return self.type in {ARRIVED, WAITING}

    def has(self, kind: str, subject: str, mark: Any) -> bool:
        """Whether the newest fact says just this."""
        return self.id == fact_id(kind, subject, mark, self.before)

    def then(self, fact: Fact) -> "History":
        """The history after one more fact."""
        return History(fact.type, fact.id, self.id)


def fact_id(kind: str, subject: str, mark: Any, before: str | None) -> str:
    """The id of a fact that comes after ``before``."""
    return digest_of_value([kind, subject, mark, before])[:32]


def arrived(film: Film, history: History) -> Fact:
    """The film is whole."""
    return Fact(
        ARRIVED, film.subject,
        {
            **_named(film.origin, film.name, film.place),
            "size_bytes": film.size_bytes,
            "sidecars": [dict(sidecar) for sidecar in film.sidecars],
            "wishes": dict(film.wishes or {}),
        },
        id=fact_id(ARRIVED, film.subject, film.mark, history.id),
    )  # fmt: skip


def waiting(film: Film, history: History, code: str, message: str, hint: str) -> Fact:
    """The film is held back until its title file is mended."""
    return Fact(
        WAITING, film.subject,
        {
            **_named(film.origin, film.name, film.place),
            "code": code, "message": message, "hint": hint,
        },
        id=fact_id(WAITING, film.subject, film.mark, history.id),
    )  # fmt: skip


def removed(origin: str, key: str, name: str, place: str, history: History) -> Fact:
    """The film is gone."""
    subject = subject_of(origin, key)
    return Fact(
        REMOVED, subject, _named(origin, name, place),
        id=fact_id(REMOVED, subject, None, history.id),
    )  # fmt: skip


def _named(origin: str, name: str, place: str) -> dict[str, str]:
    return {"origin": origin, "name": name, "place": place}


def subject_of(origin: str, key: str) -> str:
    """The subject of events about a film: printable, and never a pattern for a search."""
    return f"film/{origin}/{spelled(key.lstrip('/'))}"


def spelled(path: str) -> str:
    """A path as text that everything can keep; two paths are never spelled alike."""
    return "".join(
        sign if sign.isprintable() and sign not in "%*" else _escaped(sign) for sign in path
    )


def _escaped(sign: str) -> str:
    return "".join(f"%{byte:02X}" for byte in os.fsencode(sign))


def key_of(subject: str) -> str:
    """The key of a film, from its subject; a leading ``/`` is not in it."""
    return os.fsdecode(unquote_to_bytes(subject.split("/", 2)[2]))


def place_of(path: str) -> str:
    """How an absolute path is told: as it is, or as a ``file:`` address where it is no UTF-8."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return "file://" + quote(os.fsencode(path))
    return path


def told_name(name: str) -> str:
    """A file's name as a database can keep it."""
    return os.fsencode(name).decode(errors="replace")
