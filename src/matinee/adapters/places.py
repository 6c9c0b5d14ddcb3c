"""A film's bytes as a local file, wherever they lie."""

import asyncio
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote_to_bytes, urlsplit

from obstore.exceptions import PreconditionError

from matinee.adapters.foreign_buckets import ForeignBucket, failures, foreign_bucket
from matinee.core.disk_failures import of_disk
from matinee.core.errors import (
    LibraryFull,
    ObjectMissing,
    SourceChanged,
    SourceUnreadable,
    UsageError,
)
from matinee.core.ids import digest_of
from matinee.core.room import Room

PART_BYTES = 16 * 1024 * 1024
"""What is read of an object in one request; a request that breaks is made again."""

_WORD = re.compile(r"[A-Za-z0-9-]{1,16}")


class PlaceUnknown(UsageError):
    """No address of a kind that films are fetched from."""

    code = "place.unknown"
    advice = "give a path, a file:/// address or s3://bucket/key"


class Places:
    """Fetches films.

    Args:
        room: How much scratch may be filled.
        bucket: Opens a bucket by its name.
    """

    def __init__(self, room: Room, bucket: Callable[[str], ForeignBucket] = foreign_bucket) -> None:
        self._room = room
        self._bucket = bucket

    async def fetch(self, place: str, folder: Path) -> Path:
        """A file with the bytes of a place, to be read only.

        A path and a ``file:`` address are that file. An object is copied to ``folder``, part by
        part, there whole or not at all; a connection that breaks is taken up where it broke.

        Raises:
            PlaceUnknown: neither a path nor an address that is known.
            SourceUnreadable: there is no such object.
            SourceChanged: the object was replaced while it was read.
            LibraryFull: there is no room for it. LibraryError: its bucket is out of reach.
        """
        if "://" not in place:
            return Path(place)
        parts = urlsplit(place)
        if parts.scheme == "file" and parts.netloc in ("", "localhost"):
            return Path(os.fsdecode(unquote_to_bytes(parts.path)))
        if parts.scheme != "s3" or not parts.netloc or len(parts.path) < 2:
            raise PlaceUnknown(f"films are not fetched from {place!r}")
        key = place.removeprefix("s3://").partition("/")[2]
        return await asyncio.to_thread(self._copy, parts.netloc, key, folder)

    def _copy(self, name: str, key: str, folder: Path) -> Path:
        backend = self._bucket(name).backend
        target = folder / local_name(name, key)
        part = target.with_name(f"{target.name}.part")
        try:
            with failures(name, key):
                found = backend.head(key)
            free = shutil.disk_usage(folder).free
            if told := self._room.refusal(found["size"], 0, 0, free):
                raise LibraryFull(f"no room for {key} in scratch: {told}")
            with part.open("wb") as file:
                while (at := file.tell()) < found["size"]:
                    span = (at, min(at + PART_BYTES, found["size"]))
                    with failures(name, key):
                        answer = backend.get(
                            key, options={"if_match": found["e_tag"], "range": span}
                        )
                        file.write(answer.bytes())
            part.replace(target)
        except PreconditionError as error:
            raise SourceChanged(f"{key} was replaced while it was read") from error
        except ObjectMissing as error:
            raise SourceUnreadable(error.message, "upload the film again") from error
        except OSError as error:
            said = f"{key} cannot be copied to scratch: {error.strerror}"
            raise of_disk(said, error) from error
        finally:
            part.unlink(missing_ok=True)
        return target


def local_name(bucket: str, key: str) -> str:
    """A file's name for an object: what its own name says of language and kind is kept, no more.

    Subtitle files tell by their names whether they are forced.
    """
    name = key.rpartition("/")[2]
    words = [word for word in name.split(".")[1:] if _WORD.fullmatch(word)]
    return ".".join([digest_of(f"{bucket}/{key}".encode())[:16], *words[-4:]])
