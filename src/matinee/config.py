"""Settings, read once at the start."""

import os
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from urllib.parse import unquote, urlsplit

from matinee.core.errors import UsageError
from matinee.core.limits import GIB, Limits

RULES = "rules.toml"
"""The rules of a library, in its folder."""

LADDERS = Path(__file__).parent / "ladders"


class LibraryUnsupported(UsageError):
    """A library address that this version does not know."""

    code = "library.unsupported"


@dataclass(frozen=True, slots=True)
class Settings:
    """Where the library is, how many tools may work at once, and what each may take.

    ``tools_read`` is what tools may read beside their inputs: where an operator's own ones lie.
    """

    library: Path
    workers: int
    limits: Limits = field(default_factory=Limits)
    tools_read: tuple[Path, ...] = ()

    @property
    def service_file(self) -> Path:
        """Where the service that runs on the library says how to reach it; for its owner only."""
        return self.library / "scratch" / "service.json"


def default_library() -> Path:
    """``$MATINEE_LIBRARY``, else the user's data folder."""
    told = os.environ.get("MATINEE_LIBRARY")
    if told:
        return library_path(told)
    data = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(data) / "matinee"


def library_path(address: str) -> Path:
    """The folder that a library address names: a path or a ``file:`` URL.

    Raises:
        LibraryUnsupported: another kind of URL.
    """
    if "://" not in address:
        return Path(address).expanduser().absolute()
    parts = urlsplit(address)
    if parts.scheme != "file" or parts.netloc not in ("", "localhost"):
        raise LibraryUnsupported(
            f"a library at {address} is not supported", "give a folder or a file:/// address"
        )
    return Path(unquote(parts.path))


def read_settings(library: str | None, workers: int | None) -> Settings:
    """Settings from the command line, the environment and the machine, in this order."""
    return Settings(
        library=library_path(library) if library else default_library(),
        workers=workers or len(os.sched_getaffinity(0)),
        limits=read_limits(),
        tools_read=tuple(
            Path(path).absolute()
            for path in os.environ.get("MATINEE_TOOL_READ", "").split(os.pathsep)
            if path
        ),
    )


def read_limits() -> Limits:
    """The limits of tools from the environment.

    Raises:
        UsageError: one is no number above zero.
    """
    usual = Limits()
    memory = _number("MATINEE_TOOL_MEMORY", os.environ.get("MATINEE_TOOL_MEMORY"))
    cpu_s = _number("MATINEE_TOOL_CPU", os.environ.get("MATINEE_TOOL_CPU"))
    output = _number("MATINEE_TOOL_OUTPUT", os.environ.get("MATINEE_TOOL_OUTPUT"))
    patience_s = _number("MATINEE_TOOL_PATIENCE", os.environ.get("MATINEE_TOOL_PATIENCE"))
    return Limits(
        memory=int(memory * GIB) if memory else usual.memory,
        cpu_s=max(1, int(cpu_s)) if cpu_s else usual.cpu_s,
        output=int(output * GIB) if output else usual.output,
        patience_s=patience_s or usual.patience_s,
    )


def read_webhook() -> tuple[str | None, tuple[IPv4Network | IPv6Network, ...]]:
    """Where notices go that name no address, and networks that they may reach beside public ones.

    Raises:
        UsageError: a network is none.
    """
    allowed = os.environ.get("MATINEE_WEBHOOK_ALLOW", "").split()
    try:
        networks = tuple(ip_network(network) for network in allowed)
    except ValueError as error:
        raise UsageError(f"MATINEE_WEBHOOK_ALLOW: {error}") from error
    return os.environ.get("MATINEE_WEBHOOK_URL") or None, networks


def _number(name: str, told: str | None) -> float | None:
    """What a variable says, None when it is not set."""
    if told is None:
        return None
    try:
        value = float(told)
    except ValueError:
        value = 0.0
    if not 0.001 <= value <= 1e9:  # no number is in no range
        raise UsageError(f"{name} is {told!r}, not a number above zero")
    return value
