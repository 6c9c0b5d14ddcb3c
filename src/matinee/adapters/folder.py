"""A folder as this host sees it: its files, its changes, who writes to a file."""

import fcntl
import os
import re
import signal
import stat
from collections.abc import AsyncIterator
from pathlib import Path

from watchfiles import awatch

from matinee.core.errors import UsageError
from matinee.core.settling import Listing, Seen

NETWORK = frozenset({
    "9p", "afs", "ceph", "cifs", "davfs", "fuse.glusterfs", "fuse.rclone", "fuse.s3fs",
    "fuse.sshfs", "gfs2", "glusterfs", "lustre", "ncpfs", "nfs", "nfs4", "ocfs2", "smb2", "smb3",
    "smbfs", "virtiofs",
})  # fmt: skip
"""Kinds of file systems that other hosts write to."""

_F_SETSIG = 10


class FolderUnwatchable(UsageError):
    """The kernel does not tell of changes in a folder."""

    code = "watch.unwatchable"
    advice = "raise the kernel's limit: sysctl fs.inotify.max_user_watches"


def list_files(folder: Path, with_inodes: bool) -> Listing:
    """Every regular file below ``folder``, hidden folders and links left out."""
    files: dict[str, Seen] = {}
    unlisted: list[str] = []
    waiting = [""]
    while waiting:
        inside = waiting.pop()
        try:
            with os.scandir(folder / inside) as entries:
                there = list(entries)
        except OSError as error:
            if not inside or not isinstance(error, FileNotFoundError):
                unlisted.append(inside.rstrip("/"))
            continue
        for entry in there:
            path = f"{inside}{entry.name}"
            if entry.is_dir(follow_symlinks=False) and not entry.name.startswith("."):
                waiting.append(f"{path}/")
            elif entry.is_file(follow_symlinks=False) and (seen := _seen(entry, with_inodes)):
                files[path] = seen
    return Listing(files, tuple(unlisted))


def _seen(entry: "os.DirEntry[str]", with_inodes: bool) -> Seen | None:
    try:
        found = entry.stat(follow_symlinks=False)
    except OSError:
        return None  # it went meanwhile
    return Seen(found.st_size, found.st_mtime_ns, found.st_ino if with_inodes else 0)


async def changes(folder: Path) -> AsyncIterator[None]:
    """A sign whenever something below a folder of this host changed.

    Raises:
        FolderUnwatchable: the kernel has no room for more watches.
    """
    try:
        async for _ in awatch(
            folder, watch_filter=None, step=50, debounce=400, force_polling=False,
            ignore_permission_denied=True,
        ):  # fmt: skip
            yield
    except (OSError, RuntimeError) as error:
        raise FolderUnwatchable(f"the kernel does not tell of changes: {error}") from error


def has_writer(path: Path) -> bool | None:
    """Whether somebody on this host has a file open for writing; None where nobody can say.

    The kernel refuses a read lease while there is a writer. The lease is let go at once; should
    somebody open the file for writing at that very moment, the kernel tells us by a signal that is
    ignored unless asked for, and lets him wait until then.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return None
        fcntl.fcntl(descriptor, _F_SETSIG, signal.SIGURG)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    except BlockingIOError:
        return True
    except OSError:
        return None
    finally:
        os.close(descriptor)
    return False


def is_remote(folder: Path) -> bool:
    """Whether a folder lies on a file system that other hosts write to."""
    try:
        mounts = Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return False
    return kind_of_mount(mounts, os.path.realpath(folder)) in NETWORK


def kind_of_mount(mounts: str, path: str) -> str:
    """The kind of the file system on which an absolute path lies, from ``mountinfo``."""
    best, kind = "", ""
    for line in mounts.splitlines():
        before, _, after = line.partition(" - ")
        fields = before.split(" ")
        if len(fields) < 5 or not after:
            continue
        point = re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), fields[4]).rstrip("/")
        if (path == point or path.startswith(f"{point}/")) and len(point) >= len(best):
            best, kind = point, after.split(" ")[0]
    return kind
