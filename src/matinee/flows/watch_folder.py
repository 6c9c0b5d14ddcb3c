"""A watched folder: films are told of when they are whole, when they change and when they go away.

Each look lists the folder, so that nothing hangs on a single notice: what came while nobody looked,
what a full queue of notices dropped and what was never told of is found by the next.
"""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from matinee.core.arrivals import Film, place_of, spelled, told_name
from matinee.core.errors import MatineeError
from matinee.core.settling import Listing, Patience, Seen, Still, followed, is_whole
from matinee.media.beside import Company, companies
from matinee.media.title_file import LARGEST, parse_title_file
from matinee.ports.events import EventLog
from matinee.stages.arrive import Arrivals

PENDING_S = 1.0
"""How often is looked while a film is not whole yet."""

BURST_S = 0.25
"""How long is waited after a change: a burst of them is one look."""

REMOTE_S = 5.0
"""How often a folder is listed that nobody tells of."""

LOCAL_S = 300.0
"""How often a folder is listed although nothing was told: for what the kernel dropped."""


@dataclass(frozen=True, slots=True)
class Eyes:
    """How a folder is seen.

    ``listing`` is told whether inodes mean something. ``changes`` gives a sign when something may
    have changed. ``has_writer`` is None where it cannot be known. ``is_remote``: other hosts write
    there, which no kernel tells of.
    """

    listing: Callable[[Path, bool], Listing]
    changes: Callable[[Path], AsyncIterator[None]]
    has_writer: Callable[[Path], bool | None]
    is_remote: Callable[[Path], bool]


@dataclass
class WatchedFolder:
    """Tells of the films below one folder.

    ``note`` takes what a person should read. Nothing that happens to the folder or to the log ends
    the watch: what could not be told is told by a later look.
    """

    folder: Path
    log: EventLog
    eyes: Eyes
    note: Callable[[str], None]
    patience: Patience = field(default_factory=Patience)
    clock: Callable[[], float] = time.monotonic
    _stills: dict[str, Still] = field(default_factory=dict)
    _told: dict[str, Any] = field(default_factory=dict)
    """The mark of each film that needs no further look."""
    _last_fault: str = ""

    def __post_init__(self) -> None:
        self._root = os.path.abspath(self.folder)  # noqa: PTH100 - a name is kept as it is
        self._arrivals: Arrivals | None = None

    async def watch(self) -> None:
        """Look whenever something changed, until cancelled."""
        while True:
            root = await asyncio.to_thread(self._identity)
            is_remote = await asyncio.to_thread(self.eyes.is_remote, self.folder)
            woken = asyncio.Event()
            listening = None
            if root is not None and not is_remote:
                listening = asyncio.create_task(self._listen(woken))
            try:
                await self._watch_root(root, is_remote, woken, listening)
            finally:
                if listening is not None:
                    listening.cancel()
                    await asyncio.gather(listening, return_exceptions=True)

    async def _watch_root(
        self, root: tuple[int, int] | None, is_remote: bool, woken: asyncio.Event,
        listening: asyncio.Task[None] | None,
    ) -> None:  # fmt: skip
        """Look until another folder lies there: one that was made anew, or mounted."""
        while True:
            woken.clear()
            is_pending = await asyncio.to_thread(self.look, is_remote)
            pause = LOCAL_S if listening is not None and not listening.done() else REMOTE_S
            rested = 0.0
            while not woken.is_set() and rested < (PENDING_S if is_pending else pause):
                with suppress(TimeoutError):
                    async with asyncio.timeout(PENDING_S):
                        await woken.wait()
                    await asyncio.sleep(BURST_S)
                rested += PENDING_S
                if await asyncio.to_thread(self._identity) != root:
                    return

    def _identity(self) -> tuple[int, int] | None:
        """Which folder lies there, None where there is none."""
        try:
            found = self.folder.stat()
        except OSError:
            return None
        return found.st_dev, found.st_ino

    async def _listen(self, woken: asyncio.Event) -> None:
        try:
            async for _ in self.eyes.changes(self.folder):
                woken.set()
        except (OSError, MatineeError) as error:
            self._fault(f"{self.folder} is listed every {REMOTE_S:.0f} s: {error}")
            woken.set()

    def look(self, is_remote: bool = False) -> bool:
        """Look once; True while something is not whole, or could not be told."""
        try:
            if self._arrivals is None:
                arrivals = Arrivals(self.log, "watch", f"{self._root}/")
                arrivals.recall()
                self._arrivals = arrivals
            listing = self.eyes.listing(self.folder, not is_remote)
            is_pending = self._tell_all(self._arrivals, listing, is_remote)
        except MatineeError as error:
            self._fault(f"{self.folder}: {error}")
            return True
        if "" in listing.unlisted:
            self._fault(f"{self.folder} cannot be listed")
        elif not is_pending:
            self._last_fault = ""
        return is_pending

    def _tell_all(self, arrivals: Arrivals, listing: Listing, is_remote: bool) -> bool:
        there = {company.film: company for company in companies(listing.files)}
        marks: dict[str, Any] = {
            film: [_mark(path, listing.files[path]) for path in company.paths]
            for film, company in there.items()
        }
        # An empty folder is no word about its films: a share that is not mounted looks so.
        if listing.files:
            here = (f"/{key}".removeprefix(f"{self._root}/") for key in arrivals.here())
            gone = [film for film in here if film not in there]
            marks |= {film: None for film in gone if not _is_unlisted(film, listing.unlisted)}
        now = self.clock()
        self._stills = followed(self._stills, marks, now)
        self._told = {film: mark for film, mark in self._told.items() if marks.get(film) == mark}
        is_pending = False
        for film, still in self._stills.items():
            if film in self._told:
                continue
            if self._waits(arrivals, film, there.get(film), listing, now, is_remote):
                is_pending = True
            elif still.mark is not None:
                self._told[film] = still.mark
        return is_pending

    def _waits(
        self, arrivals: Arrivals, name: str, company: Company | None, listing: Listing, now: float,
        is_remote: bool,
    ) -> bool:  # fmt: skip
        """Tell of one film what is to be told; True while that is too early."""
        still = self._stills[name]
        is_quiet = is_whole(still, now, has_writer=False, patience=self.patience)
        if company is None:
            if is_quiet:
                path = f"{self._root}/{name}"
                arrivals.tell_removed(path, told_name(Path(path).name), place_of(path))
            return not is_quiet
        film = self._film(company, listing, still.mark)
        if arrivals.knows(film):
            return False
        if not is_quiet:
            return True
        has_writer = self._has_writer(company, is_remote)
        return not is_whole(still, now, has_writer, self.patience) or not self._take(
            arrivals, film, company
        )

    def _take(self, arrivals: Arrivals, film: Film, company: Company) -> bool:
        """Tell of a film that is whole; False when it changed since the listing."""
        try:
            wishes = self._wishes(company)
        except FileNotFoundError:
            return False
        except OSError as error:
            self._fault(f"{film.place} waits: its title file cannot be read: {error.strerror}")
            return False
        except MatineeError as error:
            if arrivals.tell_waiting(film, error):
                self.note(f"{film.place} waits: {error}")
            return True
        if arrivals.tell_arrived(replace(film, wishes=wishes)):
            self.note(f"{film.place} arrived")
        return True

    def _has_writer(self, company: Company, is_remote: bool) -> bool | None:
        if is_remote:
            return None
        told = [self.eyes.has_writer(Path(self._root, path)) for path in company.paths]
        return True if True in told else None if None in told else False

    def _wishes(self, company: Company) -> dict[str, Any]:
        if company.title_file is None:
            return {}
        path = Path(self._root, company.title_file)
        with path.open("rb") as file:
            return parse_title_file(told_name(path.name), file.read(LARGEST + 1))

    def _film(self, company: Company, listing: Listing, mark: Any) -> Film:
        path = f"{self._root}/{company.film}"
        return Film(
            origin="watch",
            key=path,
            name=told_name(Path(path).name),
            place=place_of(path),
            mark=mark,
            size_bytes=listing.files[company.film].size,
            sidecars=tuple(
                {"place": place_of(f"{self._root}/{file}"), "language": language}
                for file, language in company.subtitles
            ),
        )

    def _fault(self, told: str) -> None:
        """Tell what is wrong, once for as long as it stays."""
        if told != self._last_fault:
            self.note(told)
        self._last_fault = told


def _mark(path: str, seen: Seen) -> list[Any]:
    return [spelled(path), seen.size, seen.mtime_ns, seen.inode]


def _is_unlisted(film: str, unlisted: tuple[str, ...]) -> bool:
    return any(not folder or film.startswith(f"{folder}/") for folder in unlisted)
