"""What a person gave: whether there is a file at all. It loads soon, so that this is told soon."""

import stat
from pathlib import Path

from matinee.core.errors import SourceUnreadable

KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a pipe",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFSOCK: "a socket",
}


Identity = tuple[int, ...]
"""A file's device, inode, size and times of change: another one once anybody wrote to it."""


def check_is_file(film: Path) -> Identity:
    """Whether there is anything to read that has an end; gives which file it is.

    Raises:
        SourceUnreadable: nothing is there, or a folder, a pipe or a device.
    """
    try:
        status = film.stat()
    except OSError as error:
        raise SourceUnreadable(
            f"{film.name} cannot be read: {error.strerror}", "give the path of a film"
        ) from error
    if not stat.S_ISREG(status.st_mode):
        kind = KINDS.get(stat.S_IFMT(status.st_mode), "no file")
        raise SourceUnreadable(f"{film.name} is {kind}", "give the path of a film")
    return (
        status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns,
    )  # fmt: skip
