"""What a disk refuses, in our words."""

import errno

from matinee.core.errors import LibraryError, LibraryFull, LibraryUnwritable

NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
NO_RIGHT = (errno.EACCES, errno.EPERM, errno.EROFS)


def of_disk(message: str, error: OSError, hint: str = "") -> LibraryError:
    """The error to raise, with that message, for one of the system's."""
    if error.errno in NO_ROOM:
        return LibraryFull(message)
    if error.errno in NO_RIGHT:
        return LibraryUnwritable(message)
    return LibraryError(message, hint)
