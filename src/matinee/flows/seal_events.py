"""Seal finished stretches of the event log, and prove that the log is as it was written.

A seal is an asset of JSON lines: the first says which stretch it is and names the digest of the
seal before, every other is an event in CloudEvents' form with its ``place``. So a changed or
removed event shows, backups need only what is new, and the index can be written from the seals.
"""

import asyncio
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import takewhile
from typing import Any

from matinee.assets.asset import Asset, object_key
from matinee.core.errors import ObjectDamaged, ObjectMissing
from matinee.core.events import Event, event_from_json
from matinee.core.ids import Digest, canonical_json, digest_of
from matinee.core.verdicts import Verdict
from matinee.ports.events import Entry, Seal, SealedLog
from matinee.ports.store import ObjectStore

STRETCH = 1_000
"""How many events a seal has."""

OLDEST = timedelta(days=1)
"""How old an event becomes before it is sealed with fewer beside it."""

MEDIA_TYPE = "application/x-ndjson"

_TOLD = 20
"""How many faults of one seal are named; of more, the count is told."""


async def seal_events(
    log: SealedLog,
    store: ObjectStore,
    now: Callable[[], datetime],
    stretch: int = STRETCH,
    oldest: timedelta = OLDEST,
) -> Sequence[Seal]:
    """Seal every stretch that is finished; gives the seals that were made.

    The asset is stored before the index lets go of what is in it.

    Raises:
        ObjectDamaged: an event that is to be sealed is gone from the log or has lost its data.
    """
    made: list[Seal] = []
    while entries := finished(log.open_stretch(stretch), now() - oldest, stretch):
        seals = log.all()
        previous = seals[-1] if seals else None
        if faults := list(_faults_in_open(entries, previous)):
            raise ObjectDamaged(
                f"the event log is not as it was written: {faults[0]}",
                "see all faults with: matinee events verify",
            )
        seal, body = _sealed(entries, previous, now())
        key = object_key(seal.body)
        await store.write(key, body)
        if not log.close(seal, Asset(seal.body, len(body), MEDIA_TYPE), key):
            break  # another process seals
        made.append(seal)
    return made


def finished(entries: Sequence[Entry], old: datetime, stretch: int) -> Sequence[Entry]:
    """What of the oldest open events is to be sealed now: a whole stretch, or what is old."""
    if len(entries) >= stretch:
        return entries[:stretch]
    return list(takewhile(lambda entry: entry.time <= old, entries))


async def events_of(store: ObjectStore, seal: Seal) -> Mapping[int, Event]:
    """The events of a seal by their places.

    Raises:
        ObjectMissing, ObjectDamaged: it cannot be read.
    """
    _, events = _parsed(await _read(store, seal))
    return events


async def verify_seals(log: SealedLog, store: ObjectStore) -> Verdict:
    """Prove the log: every seal's bytes, the chain, and the index against what was sealed.

    Faults name the events that were changed, added or taken out. Events that no seal holds yet are
    proved to be all there.
    """
    reasons: list[str] = []
    previous: Seal | None = None
    seals = log.all()
    for seal in seals:
        reasons += [f"seal {seal.number} {fault}" for fault in _faults_in_chain(seal, previous)]
        reasons += await _faults_in_seal(log, store, seal)
        previous = seal
    start = previous.last if previous else 0
    entries, last = await asyncio.to_thread(_open_entries, log, start)
    reasons += _told(_faults_in_open(entries, previous, last))
    sealed = sum(seal.count for seal in seals)
    evidence = {"seals": len(seals), "events": sealed, "unsealed": len(entries)}
    return Verdict("seals", "event log", evidence, tuple(reasons))


def _sealed(entries: Sequence[Entry], previous: Seal | None, now: datetime) -> tuple[Seal, bytes]:
    """The seal over whole entries, and its bytes."""
    head = {
        "seal": previous.number + 1 if previous else 1,
        "first": entries[0].place,
        "last": entries[-1].place,
        "count": len(entries),
        "previous": previous.body if previous else None,
    }
    lines = [head, *({**_whole(entry).as_json(), "place": entry.place} for entry in entries)]
    body = "".join(f"{canonical_json(line)}\n" for line in lines).encode()
    return _seal_of(head, digest_of(body), now), body


def _whole(entry: Entry) -> Event:
    assert entry.event is not None  # _faults_in_open would have told
    return entry.event


def _seal_of(head: Mapping[str, Any], body: Digest, sealed_at: datetime) -> Seal:
    return Seal(
        number=head["seal"],
        first=head["first"],
        last=head["last"],
        count=head["count"],
        body=body,
        previous=head["previous"],
        sealed_at=sealed_at,
    )


async def _read(store: ObjectStore, seal: Seal) -> bytes:
    body = await store.read(object_key(seal.body))
    if digest_of(body) != seal.body:
        raise ObjectDamaged(f"seal {seal.number} does not have the bytes that were sealed")
    return body


def _parsed(body: bytes) -> tuple[dict[str, Any], dict[int, Event]]:
    """The head of a seal and its events by their places."""
    head, *lines = (json.loads(line) for line in body.splitlines())
    return head, {line["place"]: event_from_json(line) for line in lines}


def _faults_in_chain(seal: Seal, previous: Seal | None) -> Iterator[str]:
    if seal.number != (previous.number + 1 if previous else 1):
        yield "does not follow the one before: a seal is missing"
    elif seal.first != (previous.last + 1 if previous else 1):
        yield "does not begin where the one before ends"
    if previous is not None and seal.previous != previous.body:
        yield "does not name the one before"
    if previous is None and seal.previous is not None and seal.number == 1:
        yield "names one before the first"


async def _faults_in_seal(log: SealedLog, store: ObjectStore, seal: Seal) -> list[str]:
    try:
        body = await _read(store, seal)
    except ObjectMissing:
        return [f"the object of seal {seal.number} is gone: {object_key(seal.body)}"]
    except ObjectDamaged as damage:
        return [str(damage)]
    return await asyncio.to_thread(lambda: _told(_differences(seal, body, log.stretch(seal))))


def _differences(seal: Seal, body: bytes, entries: Sequence[Entry]) -> Iterator[str]:
    """Where the index says something else than a seal whose bytes are right."""
    head, events = _parsed(body)
    if _seal_of(head, seal.body, seal.sealed_at) != seal:
        yield f"the row of seal {seal.number} does not say what its first line says"
    rows = {entry.place: entry for entry in entries}
    for place in sorted(events.keys() - rows.keys()):
        yield f"event {events[place].id} (place {place}) is missing from the index"
    for place in sorted(rows.keys() - events.keys()):
        yield f"event {rows[place].id} (place {place}) was never sealed there"
    for place in sorted(rows.keys() & events.keys()):
        for name in _changed(rows[place], events[place]):
            yield f"event {events[place].id} (place {place}) has another {name} in the index"
        if rows[place].seal != seal.number:
            yield f"event {events[place].id} (place {place}) names another seal in the index"


def _changed(entry: Entry, event: Event) -> list[str]:
    """The attributes in which an index row differs from its event."""
    names = [
        name
        for name in ("id", "time", "type", "source", "subject", "cause")
        if getattr(entry, name) != getattr(event, name)
    ]
    if entry.event is not None and canonical_json(entry.event.data) != canonical_json(event.data):
        names.append("body")
    return names


def _open_entries(log: SealedLog, start: int) -> tuple[list[Entry], int]:
    """All entries after a place, and the place of the last event that was told until then."""
    last, entries = log.last(), list[Entry]()
    place = start
    while page := [entry for entry in log.after(place, STRETCH) if entry.place <= last]:
        entries += page
        place = page[-1].place
    return entries, last


def _faults_in_open(
    entries: Sequence[Entry], previous: Seal | None, last: int | None = None
) -> Iterator[str]:
    """What is missing of the events that no seal holds; ``last`` is the place of the last one."""
    expected = previous.last + 1 if previous else 1
    for entry in entries:
        yield from _gap(expected, entry.place)
        expected = entry.place + 1
        if entry.seal is not None:
            yield f"event {entry.id} (place {entry.place}) names seal {entry.seal}: it is missing"
        elif entry.event is None:
            yield f"event {entry.id} (place {entry.place}) has lost its data"
    if last is not None:
        yield from _gap(expected, last + 1)


def _gap(expected: int, found: int) -> Iterator[str]:
    if found > expected:
        places = (
            f"place {expected}" if found == expected + 1 else f"places {expected} to {found - 1}"
        )
        yield f"events are missing from the log: {places}"


def _told(faults: Iterator[str]) -> list[str]:
    """The first faults, and how many more there are."""
    told = list(faults)
    more = len(told) - _TOLD
    return told if more <= 0 else [*told[:_TOLD], f"and {more} more"]
