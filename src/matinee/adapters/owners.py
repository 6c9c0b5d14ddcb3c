"""Names of processes that hold leases, so that their death can be known for certain on this host.

``HOST/BOOT/PID/START``: a process of this boot whose pid is gone, or is another process's by its
start time, is dead. Of other hosts nothing is known here: their leases are watched (see
``LeaseWatch``).
"""

import ctypes
import os
import platform
import signal
from pathlib import Path

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_PR_SET_PDEATHSIG = 1


def this_owner() -> str:
    """The name of this process."""
    pid = os.getpid()
    return f"{platform.node()}/{_boot()}/{pid}/{_start_of(pid)}"


def is_dead(owner: str) -> bool:
    """Whether that process is known to have ended."""
    host, boot, pid, start = (owner.split("/") + [""] * 4)[:4]
    if host != platform.node() or not pid.isdecimal():
        return False
    return boot != _boot() or _start_of(int(pid)) != start


def staged_name(name: str) -> str:
    """A file's name that tells whose it is: see ``is_abandoned``."""
    return f"{this_owner().replace('/', '_')}_{name}"


def is_abandoned(staged: str) -> bool | None:
    """Whether the process is dead whose file it is; None: nothing is known of it here."""
    owner = "/".join(staged.rsplit("_", 4)[:-1])
    if not owner.startswith(f"{platform.node()}/"):
        return None
    return is_dead(owner)


def die_with_parent(parent: int) -> None:
    """Have the kernel kill this process when its parent dies; end now if that has happened already.

    For a child whose parent's main thread started it.
    """
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(0)


def _boot() -> str:
    try:
        return _BOOT_ID.read_text().strip()[:8]
    except OSError:
        return ""


def _start_of(pid: int) -> str:
    """When a process began, in clock ticks since the boot; empty when it is dead."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] in "ZX" else fields[19]
