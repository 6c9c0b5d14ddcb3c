"""This machine's own addresses, as its kernel tells them."""

import fcntl
import ipaddress
import socket
import struct
from contextlib import suppress
from pathlib import Path

ASK_ADDRESS = 0x8915
"""``SIOCGIFADDR`` of Linux: the IPv4 address of an interface, netdevice(7)."""

_GLOBAL = "00"


def reached_by(host: str) -> list[str]:
    """The hosts by which a server is reached that is bound to ``host``, those for others first.

    That is ``host`` itself, unless it stands for all of the machine's addresses. As they stand in
    an address of the web: IPv6 in brackets.
    """
    return [f"[{each}]" if ":" in each else each for each in _reached_by(host)]


def _reached_by(host: str) -> list[str]:
    try:
        is_all = ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return [host]
    if not is_all:
        return [host]
    found = [*_version_4(), *(_version_6() if ":" in host else [])]
    here = "::1" if ":" in host else "127.0.0.1"
    return [*(each for each in found if not ipaddress.ip_address(each).is_loopback), here]


def _version_4() -> list[str]:
    found = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        for _, name in socket.if_nameindex():
            with suppress(OSError):  # the interface has none
                told = fcntl.ioctl(asking, ASK_ADDRESS, struct.pack("256s", name.encode()[:15]))
                found.append(socket.inet_ntoa(told[20:24]))
    return found


def _version_6() -> list[str]:
    """Those of global scope: proc(5), ``/proc/net/if_inet6``."""
    with suppress(OSError):
        lines = Path("/proc/net/if_inet6").read_text(encoding="ascii").split("\n")
        rows = [line.split() for line in lines if line]
        return [str(ipaddress.ip_address(bytes.fromhex(r[0]))) for r in rows if r[3] == _GLOBAL]
    return []
