"""Arrive: films that came or went become facts in the event log, each once."""

from collections.abc import Iterator

from matinee.core.arrivals import (
    ARRIVED,
    REMOVED,
    WAITING,
    Film,
    History,
    arrived,
    key_of,
    removed,
    spelled,
    subject_of,
    waiting,
)
from matinee.core.errors import MatineeError
from matinee.core.events import Fact
from matinee.ports.events import EventLog, Search

PAGE = 1000
KINDS = frozenset({ARRIVED, WAITING, REMOVED})


class Arrivals:
    """Tells of the films of one origin, below one place.

    What was told before is read from the log, so that a service that starts again tells nothing
    twice. One object tells of a place at a time.
    """

    def __init__(self, log: EventLog, origin: str, within: str) -> None:
        self._log = log
        self._origin = origin
        self._within = f"film/{origin}/{spelled(within.lstrip('/'))}"
        self._histories: dict[str, History] = {}

    def recall(self) -> None:
        """Read from the log what was told of each film."""
        newest: dict[str, list[tuple[str, str]]] = {}
        before = None
        while True:
            found = self._log.search(
                Search(type="film.*", subject=f"{self._within}*", before=before), PAGE
            )
            for entry in found:
                told = newest.setdefault(entry.subject, [])
                if len(told) < 2 and entry.type in KINDS:
                    told.append((entry.type, entry.id))
            if len(found) < PAGE:
                break
            before = found[-1].place
        self._histories = {
            subject: History(*told[0], told[1][1] if len(told) > 1 else None)
            for subject, told in newest.items()
            if told
        }

    def here(self) -> Iterator[str]:
        """The keys of the films that are said to be there, without a leading ``/``."""
        return (key_of(subject) for subject, told in self._histories.items() if told.is_here)

    def is_here(self, key: str) -> bool:
        """Whether a film is said to be there."""
        return self._history(subject_of(self._origin, key)).is_here

    def knows(self, film: Film) -> bool:
        """Whether the newest that was told of a film is that it is as it is."""
        history = self._history(film.subject)
        return any(history.has(kind, film.subject, film.mark) for kind in (ARRIVED, WAITING))

    def tell_arrived(self, film: Film) -> bool:
        """Tell that a film is whole; False when that was told before."""
        history = self._history(film.subject)
        if history.has(ARRIVED, film.subject, film.mark):
            return False
        self._tell(arrived(film, history), history)
        return True

    def tell_waiting(self, film: Film, error: MatineeError) -> bool:
        """Tell that a film is held back, and why; False when that was told before."""
        history = self._history(film.subject)
        if history.has(WAITING, film.subject, film.mark):
            return False
        self._tell(waiting(film, history, error.code, error.message, error.hint), history)
        return True

    def tell_removed(self, key: str, name: str, place: str) -> bool:
        """Tell that a film is gone; False when it is not said to be there."""
        history = self._history(subject_of(self._origin, key))
        if not history.is_here:
            return False
        self._tell(removed(self._origin, key, name, place, history), history)
        return True

    def _history(self, subject: str) -> History:
        return self._histories.get(subject, History())

    def _tell(self, fact: Fact, history: History) -> None:
        self._log.append([fact])
        self._histories[fact.subject] = history.then(fact)
