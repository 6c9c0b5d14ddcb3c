"""How an upload lies on the disk.

::

    uploads/<id>/
      upload.json   what was announced
      offset        20 digits: how many bytes of data are on the disk for good
      data          the bytes; those behind the offset do not count
      film          data under its last name, when all have come
      subtitles-1.de.forced.srt ...   what belongs to a film
      told          there once the log has it

A folder appears whole: it is made under another name. ``offset`` is written after the bytes were
synced, in one sector, so that a reader meets the old one or the new one.
"""

import json
import os
import re
import shutil
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from matinee.media.tracks import SAID_BESIDE, language_tag
from matinee.ports.uploads import Order, Upload

ID = re.compile(r"[0-9a-f]{32}")
_DIGITS = 20
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[a-z0-9]{2,8}){0,3}")


@dataclass(frozen=True, slots=True)
class Record:
    """An upload as its folder tells it."""

    id: str
    order: Order
    started_at: datetime
    changed_at: datetime
    offset: int
    is_told: bool


class UploadFolder:
    """The files of one upload."""

    def __init__(self, root: Path, upload_id: str) -> None:
        if not ID.fullmatch(upload_id):
            raise ValueError(f"{upload_id!r} is no id of an upload")
        self._root, self._id = root, upload_id
        self.path = root / upload_id
        self.data = self.path / "data"
        self.film = self.path / "film"

    def make(
        self, order: Order, started_at: datetime, beside: Iterable[tuple[str, Path]] = ()
    ) -> None:
        """Make an empty upload, there whole or not at all; files beside it by their new names."""
        staged = self._root / f".new-{self._id}"
        staged.mkdir(parents=True)
        told = {**asdict(order), "started_at": started_at.isoformat()}
        _write(staged / "upload.json", json.dumps(told, ensure_ascii=True).encode())
        _write(staged / "offset", b"0".zfill(_DIGITS))
        (staged / "data").touch()
        for name, path in beside:
            (staged / name).hardlink_to(path)
        _sync_folder(staged)
        staged.rename(self.path)
        _sync_folder(self._root)

    def beside(self) -> list[Path]:
        """The subtitles that belong to it, in their order."""
        return sorted(self.path.glob("subtitles-*"))

    def open(self, offset: int) -> IO[bytes]:
        """The data, to be written from ``offset`` on; what lies behind it is cut off."""
        file = self.data.open("r+b", buffering=0)
        file.truncate(offset)
        file.seek(offset)
        return file

    def keep(self, file: IO[bytes]) -> int:
        """Bring what was written to the disk for good; gives the offset that is now true."""
        os.fdatasync(file.fileno())
        offset = file.tell()
        self.set_offset(offset)
        return offset

    def set_offset(self, offset: int) -> None:
        """Write down how many bytes count."""
        descriptor = os.open(self.path / "offset", os.O_WRONLY)
        try:
            os.pwrite(descriptor, str(offset).zfill(_DIGITS).encode(), 0)
            os.fdatasync(descriptor)
        finally:
            os.close(descriptor)

    def finish(self) -> Path:
        """Give the bytes their last name."""
        with suppress(FileNotFoundError):  # it has it already
            self.data.rename(self.film)
            _sync_folder(self.path)
        return self.film

    def set_told(self) -> None:
        """Write down that the log has it."""
        _write(self.path / "told", b"")

    def read(self) -> Record | None:
        """What the folder tells; None when it cannot be read."""
        try:
            told = json.loads((self.path / "upload.json").read_bytes())
            started = datetime.fromisoformat(told.pop("started_at"))
            offset_file = self.path / "offset"
            return Record(
                id=self._id,
                order=Order(**{**told, "subtitles": tuple(told.get("subtitles", ()))}),
                started_at=started,
                changed_at=datetime.fromtimestamp(offset_file.stat().st_mtime, UTC),
                offset=int(offset_file.read_bytes()),
                is_told=(self.path / "told").exists(),
            )
        except (OSError, ValueError, TypeError, KeyError):
            return None

    def drop_bytes(self) -> None:
        """Free the room that the bytes take; that they came stays known."""
        self.film.unlink(missing_ok=True)

    def remove(self) -> None:
        """Remove all of it; it is gone at once, its bytes soon."""
        gone = self._root / f".gone-{self._id}"
        with suppress(FileNotFoundError):
            self.path.rename(gone)
        shutil.rmtree(gone, ignore_errors=True)


def under_way(root: Path) -> list[Upload]:
    """Films below ``root`` that are not whole, oldest first, as another process may see them.

    Nothing is changed. An upload that is finished or removed meanwhile is left out.
    """
    found, paths = [], list[Path]()
    with suppress(OSError):
        paths = list(root.iterdir())
    for path in paths:
        folder = UploadFolder(root, path.name) if ID.fullmatch(path.name) else None
        record = folder.read() if folder else None
        if folder is None or record is None or record.order.kind != "film":
            continue
        if record.offset < record.order.length:
            found.append(Upload(
                record.id, record.order, folder.data, record.offset, record.started_at,
                record.changed_at, None,
            ))  # fmt: skip
    return sorted(found, key=lambda upload: upload.started_at)


def beside_name(number: int, order: Order) -> str:
    """What a file of subtitles is called beside its film: what its name tells is kept, no more.

    Languages and flags are told by such names: see ``stages.text.sidecar_of``.
    """
    *words, ending = order.name.lower().split(".")[1:] or [""]
    flags = sorted(SAID_BESIDE.intersection(words))
    spoken = [w for w in words if _LANGUAGE.fullmatch(w) and language_tag(w) != "und"]
    language = order.language or next((w for w in reversed(spoken) if w not in flags), "und")
    return ".".join([f"subtitles-{number:02d}", language_tag(language), *flags, ending])


def records(root: Path) -> Iterator[Record]:
    """Every upload below ``root``; what dead makers and removers left is swept."""
    for path in sorted(root.iterdir()) if root.is_dir() else []:
        if path.name.startswith((".new-", ".gone-")):
            shutil.rmtree(path, ignore_errors=True)
        elif ID.fullmatch(path.name) and (record := UploadFolder(root, path.name).read()):
            yield record


def _write(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
