"""Collect garbage: remove what nothing published, kept or running needs.

First it is condemned; after a grace, when every process is gone that may have seen it before, the
ledger forgets it and its bytes are removed. A process that comes in between and needs it spares it.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from matinee.core.errors import LibraryError, UsageError
from matinee.core.events import Fact
from matinee.ports.events import EventLog
from matinee.ports.garbage import Doomed, Garbage, Retired
from matinee.ports.store import Listed, ListedStore
from matinee.stages.together import in_turn

BATCH = 500
AT_ONCE = 8
PLACES = ("objects", "titles")
"""Where a library keeps objects."""


FEW = 20
"""Strangers that prove nothing."""


class LibraryForgotten(LibraryError):
    """Most of what lies in the store is not known to the database: it is not the library's."""

    code = "garbage.unknown"
    advice = "bring the database back first: matinee restore --from URL"


@dataclass(frozen=True, slots=True)
class Patience:
    """How long what is condemned stays, and how long what nothing needs counts as in use."""

    grace: timedelta = timedelta(hours=24)
    unused: timedelta = timedelta(days=7)


@dataclass
class Collected:
    """What went, or with a dry run what would; ``condemned`` waits for its time."""

    titles: int = 0
    packages: int = 0
    objects: int = 0
    bytes: int = 0
    condemned: int = 0
    condemned_bytes: int = 0


async def collect(
    garbage: Garbage, store: ListedStore, events: EventLog, owner: str, now: datetime,
    patience: Patience, cause: str | None = None,
) -> Collected:  # fmt: skip
    """Condemn what nothing needs, and remove what was condemned long enough ago.

    May be killed at any moment: the next one goes on. Two at once share the work.
    """
    done = Collected()
    await _remove(garbage, store, await asyncio.to_thread(garbage.unfinished), done)
    retired = await asyncio.to_thread(garbage.retired, now)
    found = await _doomed(garbage, store, retired, now - patience.unused)
    gone = await asyncio.to_thread(garbage.dismiss, retired, now)
    done.titles, done.packages = len(gone.titles), len(gone.packages)
    if gone != retired:  # somebody wanted one back meanwhile
        found = await _doomed(garbage, store, gone, now - patience.unused)
    await asyncio.to_thread(garbage.condemn, found, now)
    before, young = now - patience.grace, now - patience.unused
    while claimed := await asyncio.to_thread(garbage.claim, before, owner, young, BATCH):
        await _remove(garbage, store, claimed, done)
    left = await asyncio.to_thread(garbage.waiting)
    done.condemned, done.condemned_bytes = left
    if done.titles or done.packages or done.objects:
        events.append([_fact(done, cause)])
    return done


async def preview(
    garbage: Garbage, store: ListedStore, now: datetime, patience: Patience
) -> Collected:
    """What ``collect`` would condemn, and what of it would go for good; changes nothing."""
    retired = await asyncio.to_thread(garbage.retired, now)
    found = await _doomed(garbage, store, retired, now - patience.unused)
    return Collected(
        titles=len(retired.titles),
        packages=len(retired.packages),
        condemned=len(found),
        condemned_bytes=sum(one.size_bytes for one in found),
    )


def patience_of(grace_h: float, unused_days: float) -> Patience:
    """From the command line.

    Raises:
        UsageError: a time is below zero.
    """
    if grace_h < 0 or unused_days < 0:
        raise UsageError("a time is not below zero")
    return Patience(timedelta(hours=grace_h), timedelta(days=unused_days))


async def _doomed(
    garbage: Garbage, store: ListedStore, retired: Retired, young: datetime
) -> list[Doomed]:
    """What no row needs, and what lies there without any row.

    Raises:
        LibraryForgotten: there is more without a row than with one. A database that was lost or
            mistaken must not cost the objects.
    """
    found = list(await asyncio.to_thread(garbage.dead, retired, young))
    unknown: list[Doomed] = []
    batch: list[Listed] = []

    async def strangers() -> list[Doomed]:
        keys = [one.key for one in batch]
        known = set(await asyncio.to_thread(garbage.is_known, keys, retired, young))
        return [Doomed(one.key, None, one.size_bytes) for one in batch if one.key not in known]

    async for one in _listed(store):
        # What lies in a title's folder has its row first; elsewhere the row comes after the bytes.
        if one.changed_at < young or one.key.startswith("titles/"):
            batch.append(one)
        if len(batch) == BATCH:
            unknown += await strangers()
            batch.clear()
    unknown += await strangers()
    placed = await asyncio.to_thread(garbage.placed)
    if len(unknown) > max(FEW, placed):
        raise LibraryForgotten(
            f"{len(unknown)} objects lie in the library that its database does not know, which "
            f"knows {placed}: nothing is removed"
        )
    return found + unknown


async def _listed(store: ListedStore) -> AsyncIterator[Listed]:
    for place in PLACES:
        async for one in store.listed(place):
            yield one


async def _remove(
    garbage: Garbage, store: ListedStore, doomed: Sequence[Doomed], done: Collected
) -> None:
    await in_turn(lambda one: store.delete(one.key), doomed, AT_ONCE)
    await asyncio.to_thread(garbage.forget, [one.key for one in doomed])
    done.objects += len(doomed)
    done.bytes += sum(one.size_bytes for one in doomed)


def _fact(done: Collected, cause: str | None) -> Fact:
    data = {
        "titles": done.titles, "packages": done.packages, "objects": done.objects,
        "bytes": done.bytes, "condemned": done.condemned,
    }  # fmt: skip
    return Fact("garbage.collected", "library", data, cause)
