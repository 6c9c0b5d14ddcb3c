"""Events by their entries, also those whose bodies lie in seals."""

from collections.abc import Mapping

from anyio import to_thread

from matinee.core.errors import ObjectDamaged
from matinee.core.events import Event
from matinee.flows.seal_events import events_of
from matinee.ports.events import Entry, Seal, SealedLog
from matinee.ports.store import ObjectStore

_KEPT = 8


class SealedEvents:
    """Reads events; the seals that were read last are kept, for neighbours are asked together."""

    def __init__(self, log: SealedLog, store: ObjectStore) -> None:
        self._log, self._store = log, store
        self._seals: dict[int, Seal] = {}
        self._events: dict[int, Mapping[int, Event]] = {}

    async def __call__(self, entry: Entry) -> Event:
        """The event of an entry.

        Raises:
            ObjectMissing, ObjectDamaged: its seal cannot be read.
        """
        if entry.event is not None:
            return entry.event
        number = entry.seal
        if number not in self._seals:
            self._seals = {seal.number: seal for seal in await to_thread.run_sync(self._log.all)}
        if number is None or number not in self._seals:
            raise ObjectDamaged(f"event {entry.id} is in no seal that is known")
        if number not in self._events:
            while len(self._events) >= _KEPT:
                self._events.pop(next(iter(self._events)))
            self._events[number] = await events_of(self._store, self._seals[number])
        if entry.place not in self._events[number]:
            raise ObjectDamaged(f"event {entry.id} is not in the seal that the index names")
        return self._events[number][entry.place]
