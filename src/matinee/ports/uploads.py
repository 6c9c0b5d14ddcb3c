"""Films that are being sent, piece by piece, over connections that break."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, Protocol

from matinee.core.errors import LibraryFull, NotFound, UsageError

Kind = Literal["film", "subtitles"]


class UploadTooLarge(UsageError):
    """More bytes than a film may have, or than were announced."""

    code = "upload.too_large"
    advice = "send a smaller film, or raise MATINEE_UPLOAD_LARGEST"


class UploadQuota(LibraryFull):
    """A token's uploads would take more room than it may have."""

    code = "upload.quota"
    retryable = False
    advice = "finish or remove other uploads, or raise MATINEE_UPLOAD_QUOTA"


class OffsetConflict(UsageError):
    """Bytes were sent for another place than the one that is next."""

    code = "upload.offset"
    advice = "ask for the offset with HEAD, and go on from there"


class UploadTakenOver(OffsetConflict):
    """A newer request continues the upload."""

    code = "upload.taken_over"


class ChecksumMismatch(UsageError):
    """The bytes that came are not those that were announced: they are forgotten."""

    code = "upload.checksum"
    advice = "send them again"


class UploadExpired(NotFound):
    """An unfinished upload that nobody continued for too long."""

    code = "upload.expired"
    advice = "send the film again"


class UploadCutOff(UsageError):
    """The connection ended before all bytes came; what came is kept."""

    code = "upload.cut_off"
    advice = "ask for the offset with HEAD, and go on from there"


class UploadAlone(UsageError):
    """A film is to come with subtitles that did not come before it."""

    code = "upload.alone"
    advice = "send the subtitles first, whole, by the same token; then the film"


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be uploaded: a file name, wishes as a title file has them, metadata as they came.

    ``sha256`` is that of the whole file, where the sender gives it. A file of ``kind`` subtitles
    waits for its film, which names it by the id of its upload in ``subtitles``; what it speaks is
    ``language``, else what its name says.
    """

    owner: str
    length: int
    name: str
    wishes: Mapping[str, Any]
    metadata: str = ""
    sha256: str | None = None
    kind: Kind = "film"
    language: str = ""
    subtitles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Upload:
    """An upload as it stands. The first ``offset`` bytes of ``path`` are on the disk, for good.

    ``expires_at`` is None once it is whole.
    """

    id: str
    order: Order
    path: Path
    offset: int
    started_at: datetime
    changed_at: datetime
    expires_at: datetime | None

    @property
    def is_whole(self) -> bool:
        """Whether all bytes have come."""
        return self.offset == self.order.length


@dataclass(frozen=True, slots=True)
class Checksum:
    """What the bytes of one request have to be: an algorithm of ``hashlib`` and its digest."""

    algorithm: str
    digest: bytes


class Uploads(Protocol):
    """Uploads of one library. Whoever asks for one or continues it ends an older request on it."""

    async def create(self, order: Order) -> Upload:
        """Begin an upload.

        Raises:
            UploadTooLarge, UploadQuota; LibraryFull: it would leave too little room on the disk.
            UploadAlone: its subtitles are not there.
        """
        ...

    async def find(self, upload_id: str, owner: str) -> Upload:
        """How far an upload came; raises ``NotFound`` (also for another's), ``UploadExpired``."""
        ...

    async def append(
        self, upload_id: str, owner: str, offset: int, body: AsyncIterator[bytes],
        checksum: Checksum | None = None,
    ) -> Upload:  # fmt: skip
        """Add bytes; those that the result counts are on the disk.

        The film is told of when it is whole.

        Args:
            upload_id: Which.
            owner: Who sends.
            offset: Where the bytes belong.
            body: The bytes; raises ``ConnectionError`` when they end too early.
            checksum: When they do not match it, none of them counts.

        Raises:
            NotFound, UploadExpired; OffsetConflict: other bytes are next. UploadTooLarge: more than
            announced. ChecksumMismatch; LibraryFull; UploadCutOff; UploadTakenOver.
        """
        ...

    async def remove(self, upload_id: str, owner: str) -> None:
        """Forget an upload and its bytes; raises ``NotFound``."""
        ...

    def in_progress(self) -> Sequence[Upload]:
        """Films that are not whole, oldest first."""
        ...
