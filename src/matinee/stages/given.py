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


def check_is_file(film: Path) -> None:
    """Whether there is anything to read that has an end.

    Raises:
        SourceUnreadable: nothing is there, or a folder, a pipe or a device.
    """
    try:
        mode = film.stat().st_mode
    except OSError as error:
        raise SourceUnreadable(
            f"{film.name} cannot be read: {error.strerror}", "give the path of a film"
        ) from error
    if not stat.S_ISREG(mode):
        kind = KINDS.get(stat.S_IFMT(mode), "no file")
        raise SourceUnreadable(f"{film.name} is {kind}", "give the path of a film")
