"""A bucket that films come from: what its events say is looked up, what none told of is listed.

An event is a hint. At each one, and for each key that a listing finds otherwise than it was told,
the bucket is asked what is there now; so the order and the number of events mean nothing.
"""

import asyncio
import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from matinee.core.arrivals import Film, spelled
from matinee.core.bucket_documents import Notice
from matinee.core.errors import LibraryError, MatineeError, ObjectMissing
from matinee.media.beside import Company, companies, is_beside, is_film
from matinee.media.title_file import LARGEST, parse_title_file
from matinee.ports.buckets import Bucket, Stored
from matinee.ports.events import EventLog
from matinee.stages.arrive import Arrivals

PAGE = 1000


@dataclass(frozen=True, slots=True)
class Pace:
    """How a bucket is listed: seconds between two pages, and between two listings."""

    page_s: float = 1.0
    rest_s: float = 900.0


@dataclass
class HeardBucket:
    """Tells of the films below one prefix of a bucket; ``prefix`` is empty or ends in ``/``.

    ``bookmark`` is the file that keeps how far a listing came; when it is lost, the listing begins
    again. ``note`` takes what a person should read.
    """

    name: str
    prefix: str
    bucket: Bucket
    log: EventLog
    bookmark: Path
    note: Callable[[str], None]
    page: int = PAGE
    _arrivals: Arrivals | None = None
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    _last_fault: str = ""

    async def hear(self, notice: Notice) -> bool:
        """Look up what a notice tells of; False when it concerns no film of ours.

        Raises:
            LibraryError: the bucket or the log is out of reach: to be told again.
        """
        if notice.bucket != self.name:
            return False
        keys = [key for key in notice.keys if key.startswith(self.prefix)]
        async with self._lock:
            arrivals = await self._recalled()
            for key in keys:
                if await self._look(arrivals, key):
                    return True
            for key in keys:
                if arrivals.is_here(self._named(key)):
                    await self._tell_gone(arrivals, key)
                    return True
        return False

    async def list_for_ever(self, pace: Pace) -> None:
        """List the bucket page by page, again and again, until cancelled."""
        while True:
            pause = pace.page_s
            try:
                if await self.list_page():
                    pause = pace.rest_s
                self._last_fault = ""
            except MatineeError as error:
                pause = max(pace.page_s, min(pace.rest_s, 60.0))
                if str(error) != self._last_fault:
                    self.note(str(error))
                self._last_fault = str(error)
            await asyncio.sleep(pause)

    async def list_page(self) -> bool:
        """List the next page, tell what it shows; True at the end of the bucket.

        Raises:
            LibraryError: the bucket or the log is out of reach; the same page is next.
        """
        after = await asyncio.to_thread(self._read_bookmark)
        found = await self.bucket.list(self.prefix, after, self.page)
        is_end = len(found) < self.page
        last = "" if is_end else found[-1].key
        async with self._lock:
            arrivals = await self._recalled()
            for film in self._suspects(arrivals, found, after, last):
                if not await self._look(arrivals, film):
                    await self._tell_gone(arrivals, film)
        await asyncio.to_thread(self._write_bookmark, last)
        return is_end

    def _suspects(
        self, arrivals: Arrivals, found: Sequence[Stored], after: str, last: str
    ) -> list[str]:
        """The films of a page that are not as they were told to be, or not there."""
        objects = {one.key: one for one in found}
        there = {company.film: company for company in companies(objects)}
        changed = [
            key
            for key, company in there.items()
            if not arrivals.knows(self._film(company, objects))
        ]
        root = f"{self.name}/"
        here = (key.removeprefix(root) for key in arrivals.here())
        return changed + [
            key for key in here if after < key and (not last or key <= last) and key not in there
        ]

    async def _look(self, arrivals: Arrivals, key: str) -> bool:
        """Tell of the films that an object is, or belongs to; False when there are none."""
        if is_film(key):
            return await self._tell(arrivals, key[: key.rindex(".")], [key])
        start, at = key.rfind("/") + 2, len(key)
        while is_beside(key) and (at := key.rfind(".", start, at)) > 0:
            if await self._tell(arrivals, key[:at], []):
                return True
        return False

    async def _tell(self, arrivals: Arrivals, stem: str, wanted: Sequence[str]) -> bool:
        """Tell of the wanted films of a stem, or of all; False when there are none."""
        found = await self.bucket.list(f"{stem}.", "", PAGE)
        objects = {one.key: one for one in found}
        films = [
            company
            for company in companies(objects)
            if (company.film in wanted if wanted else company.film.rpartition(".")[0] == stem)
        ]
        for company in films:
            await self._tell_one(arrivals, company, objects)
        return bool(films)

    async def _tell_one(
        self, arrivals: Arrivals, company: Company, objects: dict[str, Stored]
    ) -> None:
        film = self._film(company, objects)
        if arrivals.knows(film):
            return
        try:
            wishes = await self._wishes(company)
        except LibraryError:
            raise
        except MatineeError as error:
            if await asyncio.to_thread(arrivals.tell_waiting, film, error):
                self.note(f"{film.place} waits: {error}")
            return
        film = self._film(company, objects, wishes)
        if await asyncio.to_thread(arrivals.tell_arrived, film):
            self.note(f"{film.place} arrived")

    async def _tell_gone(self, arrivals: Arrivals, key: str) -> None:
        name = key.rpartition("/")[2]
        await asyncio.to_thread(
            arrivals.tell_removed, self._named(key), name, f"s3://{self.name}/{key}"
        )

    async def _wishes(self, company: Company) -> dict[str, Any]:
        if company.title_file is None:
            return {}
        try:
            content = await self.bucket.read(company.title_file, LARGEST + 1)
        except ObjectMissing:
            return {}  # it went meanwhile, and its going is told
        return parse_title_file(company.title_file.rpartition("/")[2], content)

    def _film(
        self, company: Company, objects: dict[str, Stored], wishes: dict[str, Any] | None = None
    ) -> Film:
        root = f"s3://{self.name}"
        return Film(
            origin="bucket",
            key=self._named(company.film),
            name=company.film.rpartition("/")[2],
            place=f"{root}/{company.film}",
            mark=[
                [spelled(key), objects[key].size_bytes, objects[key].etag] for key in company.paths
            ],
            size_bytes=objects[company.film].size_bytes,
            sidecars=tuple(
                {"place": f"{root}/{key}", "language": language}
                for key, language in company.subtitles
            ),
            wishes=wishes,
        )

    def _named(self, key: str) -> str:
        return f"{self.name}/{key}"

    async def _recalled(self) -> Arrivals:
        if self._arrivals is None:
            arrivals = Arrivals(self.log, "bucket", f"{self.name}/{self.prefix}")
            await asyncio.to_thread(arrivals.recall)
            self._arrivals = arrivals
        return self._arrivals

    def _read_bookmark(self) -> str:
        try:
            after = json.loads(self.bookmark.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return ""
        return after if isinstance(after, str) else ""

    def _write_bookmark(self, after: str) -> None:
        with suppress(OSError):  # a lost place costs one more listing
            self.bookmark.parent.mkdir(parents=True, exist_ok=True)
            staged = self.bookmark.with_suffix(".new")
            staged.write_text(json.dumps(after), encoding="utf-8")
            staged.replace(self.bookmark)


async def hear(buckets: Sequence[HeardBucket], notices: Sequence[Notice]) -> int:
    """Look up every notice; gives how many concerned films of the buckets that are named."""
    heard = 0
    for notice in notices:
        told = [await bucket.hear(notice) for bucket in buckets]
        heard += any(told)
    return heard
