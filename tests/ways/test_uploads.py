"""What is kept of uploads, and for how long: room on the disk, expiry, release."""

import asyncio
import resource
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from matinee.adapters.sql.database import open_database
from matinee.adapters.sql.events import SqlEventLog
from matinee.adapters.uploads import DiskUploads
from matinee.core.errors import LibraryFull, MatineeError, NotFound
from matinee.core.limits import UploadLimits
from matinee.ports.uploads import Order, Upload, UploadExpired, UploadQuota
from matinee.wiring.library import now

FULL = 1 << 60


@pytest.fixture
def log(tmp_path: Path) -> Iterator[SqlEventLog]:
    engine = open_database(f"sqlite:///{tmp_path / 'library.db'}")
    yield SqlEventLog(engine, now)
    engine.dispose()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "uploads"


async def opened(
    root: Path, log: SqlEventLog, clock: Callable[[], datetime] = now, **limits: float
) -> DiskUploads:
    given = UploadLimits(**{"floor": 0, **limits})  # type: ignore[arg-type]
    uploads = DiskUploads(root, log, given, clock)
    await uploads.start()
    return uploads


async def body(*pieces: bytes) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def order(length: int = 10) -> Order:
    return Order("ada", length, "film.mkv", {})


async def failure(doing: Awaitable[object]) -> MatineeError:
    with pytest.raises(MatineeError) as caught:
        await doing
    return caught.value


def test_an_upload_that_would_fill_the_disk_is_refused_before_it_is_sent(
    root: Path, log: SqlEventLog
) -> None:
    async def run() -> None:
        uploads = await opened(root, log, floor=FULL)
        error = await failure(uploads.create(order()))
        assert type(error) is LibraryFull and error.hint

    asyncio.run(run())
    assert names(root) == []


def test_what_other_uploads_have_still_to_bring_counts(root: Path, log: SqlEventLog) -> None:
    async def run() -> None:
        uploads = await opened(root, log, largest=FULL, quota=FULL)
        large = shutil.disk_usage(root).free * 2 // 3
        await uploads.create(order(large))
        assert type(await failure(uploads.create(order(large)))) is LibraryFull

    asyncio.run(run())


def test_a_disk_that_others_fill_stops_an_upload_that_goes_on_when_there_is_room(
    root: Path, log: SqlEventLog
) -> None:
    async def run() -> Upload:
        uploads = await opened(root, log)
        begun = await uploads.create(order())
        await uploads.append(begun.id, "ada", 0, body(b"123", b"45"))
        full = await opened(root, log, floor=FULL)
        assert type(await failure(full.append(begun.id, "ada", 5, body(b"67890")))) is LibraryFull
        again = await opened(root, log)
        return await again.append(begun.id, "ada", 5, body(b"67890"))

    assert asyncio.run(run()).path.read_bytes() == b"1234567890"


def test_a_full_disk_keeps_what_fitted_and_the_upload_goes_on_when_there_is_room(
    root: Path, log: SqlEventLog
) -> None:
    content, most = bytes(range(256)) * (16 << 10), 2_500_000  # not a multiple of what is written
    usual = resource.getrlimit(resource.RLIMIT_FSIZE)

    async def run() -> Upload:
        uploads = await opened(root, log)
        begun = await uploads.create(order(len(content)))
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, usual[1]))  # the kernel refuses the rest
        try:
            sent = (content[at : at + 100_000] for at in range(0, len(content), 100_000))
            error = await failure(uploads.append(begun.id, "ada", 0, body(*sent)))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, usual)
        assert type(error) is LibraryFull
        offset = (await uploads.find(begun.id, "ada")).offset
        assert offset == most
        return await uploads.append(begun.id, "ada", offset, body(content[offset:]))

    assert asyncio.run(run()).path.read_bytes() == content


def test_an_upload_that_nobody_continues_expires_whole_ones_do_not(
    root: Path, log: SqlEventLog
) -> None:
    times = [now()]

    async def run() -> None:
        uploads = await opened(root, log, lambda: times[0], keep_s=0.05)
        left, whole = await uploads.create(order()), await uploads.create(order())
        await uploads.append(whole.id, "ada", 0, body(b"1234567890"))
        await tended(uploads)
        assert not (await uploads.find(left.id, "ada")).is_whole  # by the wall clock it is early

        times[0] += timedelta(days=3)
        await tended(uploads)
        assert type(await failure(uploads.find(left.id, "ada"))) is UploadExpired
        assert (await uploads.find(whole.id, "ada")).path.read_bytes() == b"1234567890"
        assert names(root) == [whole.id]

    asyncio.run(run())


def test_a_clock_that_jumps_ahead_ends_no_upload(root: Path, log: SqlEventLog) -> None:
    times = [now()]

    async def run() -> None:
        uploads = await opened(root, log, lambda: times[0], keep_s=3600)
        begun = await uploads.create(order())
        times[0] += timedelta(days=400)
        await tended(uploads)
        assert (await uploads.find(begun.id, "ada")).offset == 0

    asyncio.run(run())


async def tended(uploads: DiskUploads) -> None:
    """Let it look once, when what is idle was so for a moment."""
    await asyncio.sleep(0.1)
    tending = asyncio.create_task(uploads.tend())
    await asyncio.sleep(0.3)
    tending.cancel()
    await asyncio.gather(tending, return_exceptions=True)


def test_uploads_in_progress_tell_how_far_they_are_and_where(root: Path, log: SqlEventLog) -> None:
    async def run() -> None:
        uploads = await opened(root, log)
        begun, whole = await uploads.create(order()), await uploads.create(order())
        await uploads.append(begun.id, "ada", 0, body(b"1234"))
        await uploads.append(whole.id, "ada", 0, body(b"1234567890"))

        (found,) = uploads.in_progress()
        assert (found.id, found.offset, found.order.length) == (begun.id, 4, 10)
        assert found.path.read_bytes()[:4] == b"1234"

    asyncio.run(run())


def test_a_film_that_the_library_has_is_released_and_its_quota_with_it(
    root: Path, log: SqlEventLog
) -> None:
    async def run() -> None:
        uploads = await opened(root, log, quota=10)
        whole = await uploads.create(order())
        whole = await uploads.append(whole.id, "ada", 0, body(b"1234567890"))
        assert type(await failure(uploads.create(order()))) is UploadQuota

        assert not await uploads.release("/etc/passwd")
        assert await uploads.release(str(whole.path))
        assert not whole.path.exists()
        for again in (uploads, await opened(root, log, quota=10)):
            assert (await again.find(whole.id, "ada")).is_whole
        await uploads.create(order())

    asyncio.run(run())
    assert [entry.type for entry in log.after(0, 10)] == ["film.arrived"]


def test_what_a_dead_server_half_made_or_half_removed_is_swept(
    root: Path, log: SqlEventLog
) -> None:
    for name in (".new-" + "a" * 32, ".gone-" + "b" * 32):
        (root / name).mkdir(parents=True)
        (root / name / "data").write_bytes(b"x")
    (root / "notes").mkdir()

    async def run() -> None:
        uploads = await opened(root, log)
        assert uploads.in_progress() == []
        assert type(await failure(uploads.find("a" * 32, "ada"))) is NotFound

    asyncio.run(run())
    assert names(root) == ["notes"]
