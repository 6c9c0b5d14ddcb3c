"""The ways in."""

from collections.abc import Callable
from pathlib import Path

from matinee.adapters.folder import changes, has_writer, is_remote, list_files
from matinee.adapters.foreign_buckets import foreign_bucket
from matinee.adapters.uploads import DiskUploads
from matinee.config import FilmBucket
from matinee.core.ids import digest_of, slug
from matinee.core.limits import UploadLimits
from matinee.flows.hear_bucket import HeardBucket
from matinee.flows.watch_folder import Eyes, WatchedFolder
from matinee.wiring.library import Library, now


def watched_folder(library: Library, folder: Path, note: Callable[[str], None]) -> WatchedFolder:
    """A folder that films come from; ``watch`` it for as long as the service runs."""
    eyes = Eyes(list_files, changes, has_writer, is_remote)
    return WatchedFolder(folder, library.events, eyes, note)


def disk_uploads(library: Library, limits: UploadLimits) -> DiskUploads:
    """The uploads of a library; ``start`` them, then ``tend`` them as long as the service runs."""
    return DiskUploads(library.settings.library / "uploads", library.events, limits, now)


def heard_bucket(library: Library, told: FilmBucket, note: Callable[[str], None]) -> HeardBucket:
    """A bucket that films come from; ``list_for_ever`` it, and ``hear`` what it tells."""
    name = slug(f"{told.name}-{told.prefix}") + f"-{digest_of(str(told).encode())[:8]}"
    return HeardBucket(
        name=told.name,
        prefix=told.prefix,
        bucket=foreign_bucket(told.name),
        log=library.events,
        bookmark=library.settings.library / "scratch" / "listings" / f"{name}.json",
        note=note,
    )
