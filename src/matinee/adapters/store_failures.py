"""What object stores and disks refuse, in our words."""

import re
from collections.abc import Collection

from obstore.exceptions import PermissionDeniedError, UnauthenticatedError

from matinee.core.disk_failures import NO_RIGHT, NO_ROOM
from matinee.core.errors import (
    LibraryError,
    LibraryFull,
    LibraryUnreachable,
    LibraryUnwritable,
)

RIGHTS = "check the credentials and rights; docs/guide/buckets.md has what a bucket needs"
NO_BUCKET = "make the bucket first, or name another with --library"

_STATUS = re.compile(r"status code: (\d{3})")
_UNANSWERED = re.compile(r"Error performing \w+ (\S+?)(?:\?\S*)? in .*? - HTTP error: ([^\n]*)")
_TOLD = re.compile(r"<Code>(.*?)</Code>\s*<Message>(.*?)</Message>", re.DOTALL)


def told(what: str, error: BaseException) -> LibraryError:
    """The error to raise for one of ``obstore`` or of the system, met in doing ``what``."""
    if _is_met(error, NO_ROOM, "code: {},"):
        return LibraryFull(f"{what}: no room on the disk")
    if _is_met(error, NO_RIGHT, "os error {})"):
        return LibraryUnwritable(f"{what}: {_reason(error)}")
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


def _is_met(error: BaseException, numbers: Collection[int], words: str) -> bool:
    """Whether it is one of the system's; ``obstore`` tells the number in its words only."""
    if isinstance(error, OSError) and error.errno in numbers:
        return True
    return any(words.format(number) in str(error) for number in numbers)
