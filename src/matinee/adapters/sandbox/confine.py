"""Gives up rights, then becomes the tool. Started alone, as ``python -I -S``, before every tool.

Only the standard library, and little of it: this runs some hundred times for a long film. What the
kernel does not have is left out; what it has and refuses ends the launcher, and no tool runs.

- Landlock: files by a list, no TCP, no abstract Unix socket, no signal to others.
- seccomp: no socket of any kind, no new process, no reach into others, no memory that escapes the
  limits.
- Limits on address space, processor time, size of a file, core dumps.
- Capabilities: none but those that make root read its own files.
"""

import ctypes
import os
import resource
import sys
from collections.abc import Iterable, Sequence
from struct import pack

FAILED = 125
"""Exit code of a launcher that could not become the tool; standard error says why."""

MACHINE = os.uname().machine
libc = ctypes.CDLL(None, use_errno=True)


class Refused(Exception):
    """The kernel has a feature but does not let us use it."""


def confine(
    parent: int, read: Sequence[str], write: Sequence[str], limits: Sequence[str], may_fork: bool
) -> list[str]:
    """Give up rights for good; gives the names of the walls that now stand."""
    libc.signal(25, ctypes.c_void_p(0))  # SIGXFSZ: Python ignores it, tools should not
    set_limits(limits)
    walls = ["rlimits"]
    if sys.platform == "linux":
        die_with(parent)
        _prctl(38, 1)  # PR_SET_NO_NEW_PRIVS
        abi = landlock_abi()
        if abi:
            restrict_files(abi, read, write)
            walls.insert(0, f"landlock (abi {abi})")
        drop_capabilities()
        if MACHINE in NUMBERS and restrict_calls(may_fork=may_fork):
            walls.insert(-1, "seccomp")
    return walls


def die_with(parent: int) -> None:
    """Ask the kernel to kill us when our parent ends."""
    _prctl(1, 9)  # PR_SET_PDEATHSIG, SIGKILL
    if os.getppid() != parent:
        os._exit(FAILED)


def set_limits(limits: Iterable[str]) -> None:
    """Lower limits, each as ``NAME=VALUE``; none is ever raised."""
    for limit in (*limits, "CORE=0"):
        name, _, value = limit.partition("=")
        kind = getattr(resource, f"RLIMIT_{name}")
        _, hard = resource.getrlimit(kind)
        most = int(value) if hard == resource.RLIM_INFINITY else min(int(value), hard)
        # Processor time: the soft limit ends a tool with a signal that tells why.
        resource.setrlimit(kind, (max(1, most - 2) if name == "CPU" else most, most))


def drop_capabilities() -> None:
    """Keep only CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH, where we have them.

    With them root opens the files of others, of those that Landlock lets it open at all.
    """
    header = pack("=Ii", 0x20080522, 0)
    held = ctypes.create_string_buffer(24)
    _checked(libc.capget(header, held), "capget")
    kept = int.from_bytes(held.raw[4:8], sys.byteorder) & 0b110
    _checked(libc.capset(header, pack("=6I", kept, kept, 0, 0, 0, 0)), "capset")


# Landlock: the numbers of linux/landlock.h

EXECUTE, WRITE_FILE, READ_FILE, READ_DIR, REMOVE_DIR, REMOVE_FILE = (1 << n for n in range(6))
MAKE_DIR, MAKE_REG, REFER, TRUNCATE = 1 << 7, 1 << 8, 1 << 13, 1 << 14
READ = EXECUTE | READ_FILE | READ_DIR
WRITE = WRITE_FILE | REMOVE_DIR | REMOVE_FILE | MAKE_DIR | MAKE_REG | REFER | TRUNCATE
FILE = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE
HANDLED = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 4: (1 << 15) - 1}
EVERYTHING = (1 << 16) - 1
DEVICES = ("/dev/null", "/dev/zero", "/dev/urandom", "/dev/random")


def landlock_abi() -> int:
    """The version of Landlock that the kernel speaks, 0 for none."""
    return max(0, int(libc.syscall(444, None, ctypes.c_size_t(0), 1)))


def restrict_files(abi: int, read: Sequence[str], write: Sequence[str]) -> None:
    """Only these files and folders are left, and no TCP port; paths that are not there are none."""
    handled = HANDLED.get(abi, EVERYTHING)
    attributes = pack("=QQQ", handled, 3 if abi >= 4 else 0, 3 if abi >= 6 else 0)
    size = 8 if abi < 4 else 16 if abi < 6 else 24
    ruleset = _checked(
        libc.syscall(444, attributes, ctypes.c_size_t(size), 0), "landlock_create_ruleset"
    )
    for paths, access in ((read, READ), (write, READ | WRITE), (DEVICES, READ_FILE | WRITE_FILE)):
        for path in paths:
            _allow(ruleset, path, access & handled)
    _checked(libc.syscall(446, ruleset, 0), "landlock_restrict_self")
    os.close(ruleset)


def _allow(ruleset: int, path: str, access: int) -> None:
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    is_folder = os.fstat(place).st_mode & 0o170000 == 0o040000
    rule = pack("=Qi", access if is_folder else access & FILE, place)
    _checked(libc.syscall(445, ruleset, 1, rule, 0), f"landlock_add_rule for {path}")
    os.close(place)


# seccomp: the numbers of linux/seccomp.h and linux/filter.h

NUMBERS: dict[str, dict[str, tuple[int, ...]]] = {
    "x86_64": {
        "architecture": (0xC000003E,),
        "clone": (56,),
        "forks": (57, 58),  # fork, vfork
        "denied": (
            29, 41, 101, 240, 248, 249, 250, 272, 298, 304, 310, 311, 319, 321, 323,
        ),
        "own": (62, 129, 200, 234, 297, 302),
    },
    "aarch64": {
        "architecture": (0xC00000B7,),
        "clone": (220,),
        "forks": (),
        "denied": (
            194, 198, 117, 180, 217, 218, 219, 97, 241, 265, 270, 271, 279, 280, 282,
        ),
        "own": (129, 138, 130, 131, 240, 261),
    },
}  # fmt: skip
"""System calls by machine.

``denied``: shmget, socket, ptrace, mq_open, add_key, request_key, keyctl, unshare, perf_event_open,
open_by_handle_at, process_vm_readv, process_vm_writev, memfd_create, bpf, userfaultfd. ``own``, let
through for the process itself only: kill, rt_sigqueueinfo, tkill, tgkill, rt_tgsigqueueinfo,
prlimit64.
"""

DENIED_EVERYWHERE = (424, 425, 426, 427, 434, 438, 447)
"""pidfd_send_signal, io_uring_setup, _enter, _register, pidfd_open, pidfd_getfd, memfd_secret."""

CLONE3 = 435
CLONE_THREAD = 0x10000
LOAD, EQUAL, AT_LEAST, ANY_BIT, GIVE = 0x20, 0x15, 0x35, 0x45, 0x06
ALLOW, KILL, NOT_PERMITTED, UNKNOWN = 0x7FFF0000, 0x80000000, 0x50001, 0x50026


def restrict_calls(*, may_fork: bool) -> bool:
    """Put the filter in place; False where the kernel has none."""
    program = b"".join(call_filter(NUMBERS[MACHINE], os.getpid(), may_fork=may_fork))
    buffer = ctypes.create_string_buffer(program, len(program))
    header = pack("@HP", len(program) // 8, ctypes.addressof(buffer))
    if libc.prctl(22, 2, ctypes.c_char_p(header), 0, 0) == 0:  # PR_SET_SECCOMP, MODE_FILTER
        return True
    if ctypes.get_errno() == 22:  # EINVAL: built without it
        return False
    raise Refused(f"seccomp: {os.strerror(ctypes.get_errno())}")


def call_filter(numbers: dict[str, tuple[int, ...]], pid: int, *, may_fork: bool) -> list[bytes]:
    """The BPF program, one instruction an item: each call that matches ends it."""
    lines = [
        _line(LOAD, 4),  # the architecture: a foreign one has other numbers
        _line(EQUAL, numbers["architecture"][0], 1, 0),
        _line(GIVE, KILL),
        _line(LOAD, 0),  # the number
    ]
    if MACHINE == "x86_64":  # the x32 numbers
        lines += [_line(AT_LEAST, 0x40000000, 0, 1), _line(GIVE, KILL)]
    denied = (*numbers["denied"], *DENIED_EVERYWHERE, *(() if may_fork else numbers["forks"]))
    for number in denied:
        lines += [_line(EQUAL, number, 0, 1), _line(GIVE, NOT_PERMITTED)]
    for number in numbers["own"]:
        lines += [
            _line(EQUAL, number, 0, 5),
            _line(LOAD, 16),  # the first argument: a process, 0 for oneself
            _line(EQUAL, pid, 2, 0),
            _line(EQUAL, 0, 1, 0),
            _line(GIVE, NOT_PERMITTED),
            _line(GIVE, ALLOW),
        ]
    if not may_fork:
        lines += [
            # clone3's flags lie in memory, out of reach: C libraries then take clone.
            _line(EQUAL, CLONE3, 0, 1),
            _line(GIVE, UNKNOWN),
            _line(EQUAL, numbers["clone"][0], 0, 3),
            _line(LOAD, 16),
            _line(ANY_BIT, CLONE_THREAD, 1, 0),
            _line(GIVE, NOT_PERMITTED),
        ]
    return [*lines, _line(GIVE, ALLOW)]


def _line(code: int, value: int, when: int = 0, otherwise: int = 0) -> bytes:
    return pack("=HBBI", code, when, otherwise, value)


def _prctl(option: int, value: int) -> None:
    _checked(libc.prctl(option, ctypes.c_ulong(value), 0, 0, 0), f"prctl {option}")


def _checked(result: int, what: str) -> int:
    if result < 0:
        raise Refused(f"{what}: {os.strerror(ctypes.get_errno())}")
    return result


def main(words: Sequence[str]) -> None:
    """``OPTION=VALUE... -- PROGRAM ARGUMENT...``; without a program, tells the walls that stand."""
    end = words.index("--")
    command = list(words[end + 1 :])
    options: dict[str, list[str]] = {"read": [], "write": [], "limit": [], "fork": []}
    for word in words[:end]:
        name, _, value = word.partition("=")
        options.setdefault(name, []).append(value)
    try:
        walls = confine(
            int(options["parent"][0]), options["read"], options["write"], options["limit"],
            may_fork=bool(options["fork"]),
        )  # fmt: skip
        if command:
            os.execv(command[0], command)  # noqa: S606
    except (OSError, Refused) as error:
        os.write(2, f"cannot start {command[0] if command else 'tools'}: {error}".encode())
        os._exit(FAILED)
    print("\n".join(walls))  # noqa: T201
