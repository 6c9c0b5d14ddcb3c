"""What object stores and disks refuse, in our words."""

import errno
import re

from obstore.exceptions import PermissionDeniedError, UnauthenticatedError

from matinee.core.errors import LibraryError, LibraryFull, LibraryUnreachable

NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
RIGHTS = "check the credentials and rights; docs/guide/buckets.md has what a bucket needs"
NO_BUCKET = "make the bucket first, or name another with --library"

_STATUS = re.compile(r"status code: (\d{3})")
_UNANSWERED = re.compile(r"Error performing \w+ (\S+?)(?:\?\S*)? in .*? - HTTP error: ([^\n]*)")
_TOLD = re.compile(r"<Code>(.*?)</Code>\s*<Message>(.*?)</Message>", re.DOTALL)


def told(what: str, error: BaseException) -> LibraryError:
    """The error to raise for one of ``obstore`` or of the system, met in doing ``what``."""
    if _is_full(error):
        return LibraryFull(f"{what}: no room on the disk")
    text = str(error)
    found = _STATUS.search(text)
    status = int(found[1]) if found else 0
    message = f"{what}: {_reason(error)}"
    refused = isinstance(error, PermissionDeniedError | UnauthenticatedError)
    if refused or status in (401, 403):
        return LibraryError(message, RIGHTS)
    if "NoSuchBucket" in text:
        return LibraryError(message, NO_BUCKET)
    if status >= 500 or status == 429 or "HTTP error" in text:
        return LibraryUnreachable(message)
    return LibraryError(message)


def first_line(error: BaseException) -> str:
    """The message without the debug dump that ``obstore`` puts below it."""
    return str(error).partition("\n")[0] or type(error).__name__


def _reason(error: BaseException) -> str:
    """What a bucket's server says, that it says nothing, else the first line."""
    if said := _TOLD.search(str(error)):
        return f"{said[1]}: {said[2]}"
    if silent := _UNANSWERED.search(str(error)):
        return f"no answer from {silent[1]}: {silent[2]}"
    return first_line(error)


def _is_full(error: BaseException) -> bool:
    """Whether a disk or a quota has no room; ``obstore`` tells the number in its words only."""
    if isinstance(error, OSError) and error.errno in NO_ROOM:
        return True
    return any(f"code: {number}," in str(error) for number in NO_ROOM)
