"""Settings, read once at the start."""

import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from matinee.core.errors import UsageError

LADDERS = Path(__file__).parent / "ladders"


class LibraryUnsupported(UsageError):
    """A library address that this version does not know."""

    code = "library.unsupported"


@dataclass(frozen=True, slots=True)
class Settings:
    """Where the library is and how many tools may work at once."""

    library: Path
    workers: int


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
    )
