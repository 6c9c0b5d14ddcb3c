"""Uploads on this machine's disk: nothing that was acknowledged is lost, nothing arrives twice."""

import asyncio
import hashlib
import hmac
import secrets
import shutil
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO

from matinee.adapters.upload_bytes import disk_failures, pieces, write_all
from matinee.adapters.upload_files import ID, Record, UploadFolder, beside_name, records
from matinee.assets.files import digest_of_file
from matinee.core.arrivals import Film, History, arrived, removed
from matinee.core.errors import LibraryError, LibraryFull, NotFound
from matinee.core.limits import UploadLimits
from matinee.core.room import Room
from matinee.media.subtitle_formats import LARGEST as LARGEST_TEXT
from matinee.ports.events import EventLog
from matinee.ports.uploads import (
    Checksum,
    ChecksumMismatch,
    OffsetConflict,
    Order,
    Upload,
    UploadAlone,
    UploadCutOff,
    UploadExpired,
    UploadQuota,
    Uploads,
    UploadTakenOver,
    UploadTooLarge,
)

KEPT_BYTES = 16 * 1024 * 1024
"""How much may come before it is brought to the disk for good."""

WRITTEN_BYTES = 1024 * 1024
"""How much is gathered in memory before it is written."""

TENDED_S, MENDED_S = 60.0, 5.0
ANSWERED_GONE = 1000
"""How many expired uploads are remembered, to say so rather than that they never were."""


@dataclass
class _Line:
    """Who works on an upload: one at a time, and the newest before all others."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    over: asyncio.Event = field(default_factory=asyncio.Event)
    waiting: int = 0


@dataclass
class _State:
    record: Record
    line: _Line = field(default_factory=_Line)
    active_at: float = field(default_factory=time.monotonic)
    is_released: bool = False


class DiskUploads(Uploads):
    """Uploads below ``root``, of which this process is the only owner.

    ``start`` reads what an earlier process left; ``tend`` is to run for as long as uploads are
    taken. ``now`` is the wall clock.
    """

    def __init__(
        self, root: Path, log: EventLog, limits: UploadLimits, now: Callable[[], datetime]
    ) -> None:
        self._root, self._log, self._limits, self._now = root, log, limits, now
        self._states: dict[str, _State] = {}
        self._expired: dict[str, None] = {}
        self._creating = asyncio.Lock()

    async def start(self) -> None:
        """Find the uploads that are there, and tell of those that were finished but not told of.

        Raises:
            LibraryError: the folder of uploads cannot be used.
        """
        with disk_failures():
            await asyncio.to_thread(self._root.mkdir, parents=True, exist_ok=True)
            found = await asyncio.to_thread(lambda: list(records(self._root)))
        for record in found:
            state = _State(record)
            state.is_released = (
                record.is_told and not UploadFolder(self._root, record.id).film.exists()
            )
            self._states[record.id] = state
        await self._mend()

    async def tend(self) -> None:
        """Remove what expired, tell what could not be told, until cancelled."""
        while True:
            is_mended = await self._mend()
            await self._expire()
            await asyncio.sleep(TENDED_S if is_mended else MENDED_S)

    async def create(self, order: Order) -> Upload:
        most = self._limits.largest if order.kind == "film" else LARGEST_TEXT
        if order.length > most:
            raise UploadTooLarge(f"{order.name} has {order.length} bytes; it may have {most}")
        async with self._creating:
            self._check_room(order)
            beside = [(name, self._folder(one).film) for one, name in self._beside(order)]
            record = Record(secrets.token_hex(16), order, self._now(), self._now(), 0, False)
            folder = self._folder(record.id)
            with disk_failures():
                await asyncio.to_thread(folder.make, order, record.started_at, beside)
            self._states[record.id] = _State(record)
        if not order.length:
            await self._finish(self._states[record.id])
        return self._upload(self._states[record.id])

    async def find(self, upload_id: str, owner: str) -> Upload:
        known = self._upload(self._owned(upload_id, owner))
        if known.is_whole:
            return known
        async with self._turn(upload_id, owner) as (state, _):
            return self._upload(state)

    async def append(
        self, upload_id: str, owner: str, offset: int, body: AsyncIterator[bytes],
        checksum: Checksum | None = None,
    ) -> Upload:  # fmt: skip
        async with self._turn(upload_id, owner) as (state, over):
            record = state.record
            if offset != record.offset:
                raise OffsetConflict(f"byte {record.offset} is next, not {offset}")
            if record.offset < record.order.length:
                with disk_failures():
                    await self._receive(state, pieces(body, over), checksum)
            if self._upload(state).is_whole and not state.record.is_told:
                await self._finish(state)
            return self._upload(state)

    async def remove(self, upload_id: str, owner: str) -> None:
        async with self._turn(upload_id, owner) as (state, _):
            is_film = state.record.order.kind == "film"
            if is_film and state.record.is_told and not state.is_released:
                film, history = self._film(state.record), self._told(state.record)
                fact = removed("upload", film.key, film.name, film.place, history)
                await asyncio.to_thread(self._log.append, [fact])
            await self._drop(state)

    def in_progress(self) -> Sequence[Upload]:
        found = [self._upload(state) for state in self._states.values()]
        films = (one for one in found if one.order.kind == "film" and not one.is_whole)
        return sorted(films, key=lambda one: one.started_at)

    def kept(self) -> frozenset[str]:
        """The places of films that came whole and whose bytes are still here."""
        told = (
            s.record.id for s in self._states.values()
            if s.record.is_told and not s.is_released and s.record.order.kind == "film"
        )  # fmt: skip
        return frozenset(str(self._folder(upload_id).film) for upload_id in told)

    async def release(self, place: str) -> bool:
        """Free the room of a film that the library has by now; False for any other place.

        That the upload came stays known, and its sender is told so.
        """
        path = Path(place)
        state = self._states.get(path.parent.name)
        if state is None or path != self._folder(state.record.id).film:
            return False
        with disk_failures():
            await asyncio.to_thread(self._folder(state.record.id).drop_bytes)
        state.is_released = True
        state.active_at = time.monotonic()
        return True

    # One upload

    async def _receive(
        self, state: _State, pieces: AsyncIterator[bytes], checksum: Checksum | None
    ) -> None:
        """Write what comes. Without a checksum it counts each time it is on the disk for good."""
        folder, record = self._folder(state.record.id), state.record
        proof = hashlib.new(checksum.algorithm, usedforsecurity=False) if checksum else None
        gathered = bytearray()
        with await asyncio.to_thread(folder.open, record.offset) as file:
            try:
                async for piece in pieces:
                    gathered += piece
                    if len(gathered) >= WRITTEN_BYTES:
                        await asyncio.to_thread(self._write, file, state, gathered, proof)
                        gathered.clear()
                        if file.tell() - state.record.offset >= KEPT_BYTES and not checksum:
                            await self._keep(state, folder, file)
                await asyncio.to_thread(self._write, file, state, gathered, proof)
            except (ConnectionError, UploadTakenOver) as error:
                if checksum is None:
                    await asyncio.to_thread(self._write, file, state, gathered, proof)
                    await self._keep(state, folder, file)
                if isinstance(error, ConnectionError):
                    raise UploadCutOff("the connection ended before all bytes came") from error
                raise
            except LibraryFull:
                if checksum is None:
                    await self._keep(state, folder, file)
                raise
            if checksum and proof and not hmac.compare_digest(proof.digest(), checksum.digest):
                raise ChecksumMismatch(f"the bytes do not have the {checksum.algorithm} announced")
            await self._keep(state, folder, file)

    def _write(
        self, file: IO[bytes], state: _State, gathered: bytearray, proof: "hashlib._Hash | None"
    ) -> None:
        if file.tell() + len(gathered) > state.record.order.length:
            raise UploadTooLarge(f"more came than the {state.record.order.length} bytes announced")
        free = shutil.disk_usage(self._root).free
        if told := Room(floor=self._limits.floor).refusal(len(gathered), 0, 0, free):
            raise LibraryFull(f"the disk became full while the film was sent: {told}")
        with disk_failures():
            write_all(file, gathered)
        if proof:
            proof.update(gathered)

    async def _keep(self, state: _State, folder: UploadFolder, file: IO[bytes]) -> None:
        offset = await asyncio.to_thread(folder.keep, file)
        state.record = replace(state.record, offset=offset, changed_at=self._now())
        state.active_at = time.monotonic()

    async def _finish(self, state: _State) -> None:
        """Tell of a film that is whole; when the log is out of reach, ``tend`` does it.

        Raises:
            ChecksumMismatch: it is not the film that was announced; the upload is gone.
        """
        record, folder = state.record, self._folder(state.record.id)
        try:
            with disk_failures():
                path = await asyncio.to_thread(folder.finish)
                if record.order.sha256:
                    digest, _ = await asyncio.to_thread(digest_of_file, path)
                    if digest != record.order.sha256:
                        await self._drop(state)
                        raise ChecksumMismatch(
                            f"{record.order.name} has the SHA-256 {digest}, not the one announced"
                        )
                if record.order.kind == "film":
                    fact = arrived(self._film(record), History())
                    await asyncio.to_thread(self._log.append, [fact])
                await asyncio.to_thread(folder.set_told)
        except LibraryError:
            return
        state.record = replace(record, is_told=True)

    def _film(self, record: Record) -> Film:
        folder, order = self._folder(record.id), record.order
        return Film(
            origin="upload", key=record.id, name=order.name, place=str(folder.film),
            mark="whole", size_bytes=order.length, wishes=order.wishes,
            sidecars=[{"place": str(path), "language": ""} for path in folder.beside()],
        )  # fmt: skip

    def _told(self, record: Record) -> History:
        return History().then(arrived(self._film(record), History()))

    async def _drop(self, state: _State) -> None:
        self._states.pop(state.record.id, None)
        with disk_failures():
            await asyncio.to_thread(self._folder(state.record.id).remove)

    # All uploads

    def _beside(self, order: Order) -> Iterator[tuple[str, str]]:
        """Which uploads of subtitles belong to a new one, and what each is called beside it."""
        for number, one in enumerate(order.subtitles, 1):
            state = self._states.get(one)
            known = state.record if state else None
            if known is None or known.order.owner != order.owner or known.order.kind != "subtitles":
                raise UploadAlone(f"there are no subtitles {one}")
            if not known.is_told:
                raise UploadAlone(f"the subtitles {one} have not come whole yet")
            yield one, beside_name(number, known.order)

    def _check_room(self, order: Order) -> None:
        """Whether a new upload fits: beside what others have still to bring, too."""
        open_ones = [s.record for s in self._states.values() if not s.is_released]
        promised = sum(record.order.length - record.offset for record in open_ones)
        own = sum(r.order.length for r in open_ones if r.order.owner == order.owner)
        if told := Room(limit=self._limits.quota).refusal(order.length, own, 0, sys.maxsize):
            raise UploadQuota(f"the uploads of {order.owner} take too much: {told}")
        with disk_failures():
            free = shutil.disk_usage(self._root).free
        if told := Room(floor=self._limits.floor).refusal(order.length, 0, promised, free):
            raise LibraryFull(f"no room for {order.name}: {told}")

    async def _mend(self) -> bool:
        """Tell of the films that are whole and were not told of; False while some are left."""
        for state in list(self._states.values()):
            if self._upload(state).is_whole and not state.record.is_told:
                with suppress(ChecksumMismatch):
                    async with state.line.lock:
                        await self._finish(state)
        return all(
            state.record.is_told for state in self._states.values() if self._upload(state).is_whole
        )

    async def _expire(self) -> None:
        """Remove what nobody continued, by the wall clock and by our own: clocks may jump."""
        for state in list(self._states.values()):
            upload = self._upload(state)
            is_over = state.is_released if upload.is_whole else True
            if upload.order.kind == "subtitles":
                is_over = True  # their film has them as its own
            elif upload.order.subtitles and upload.is_whole:
                is_over = False  # a run that is restarted reads them again
            idle_s = time.monotonic() - state.active_at
            due = state.record.changed_at + timedelta(seconds=self._limits.keep_s)
            if is_over and self._now() >= due and idle_s >= min(3600.0, self._limits.keep_s):
                self._expired[state.record.id] = None
                async with state.line.lock:
                    await self._drop(state)
                while len(self._expired) > ANSWERED_GONE:
                    self._expired.pop(next(iter(self._expired)))

    @asynccontextmanager
    async def _turn(
        self, upload_id: str, owner: str
    ) -> AsyncIterator[tuple[_State, asyncio.Event]]:
        """Work on an upload alone; whoever worked on it is told to end, with what came so far."""
        state = self._owned(upload_id, owner)
        line = state.line
        line.over.set()
        line.waiting += 1
        try:
            await line.lock.acquire()
        finally:
            line.waiting -= 1
        try:
            line.over = asyncio.Event()
            if line.waiting:
                line.over.set()  # somebody newer waits already
            yield self._owned(upload_id, owner), line.over
        finally:
            line.lock.release()

    def _owned(self, upload_id: str, owner: str) -> _State:
        state = self._states.get(upload_id)
        if state is not None and state.record.order.owner == owner:
            return state
        if upload_id in self._expired:
            raise UploadExpired("the upload was not continued for too long")
        shown = upload_id if ID.fullmatch(upload_id) else "of that name"
        raise NotFound(f"there is no upload {shown}", "send the film again")

    def _folder(self, upload_id: str) -> UploadFolder:
        return UploadFolder(self._root, upload_id)

    def _upload(self, state: _State) -> Upload:
        record = state.record
        is_whole = record.offset == record.order.length
        folder = self._folder(record.id)
        return Upload(
            id=record.id,
            order=record.order,
            path=folder.film if is_whole else folder.data,
            offset=record.offset,
            started_at=record.started_at,
            changed_at=record.changed_at,
            expires_at=None
            if is_whole
            else record.changed_at + timedelta(seconds=self._limits.keep_s),
        )
