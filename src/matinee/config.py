"""Settings, read once at the start."""

import os
import re
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from urllib.parse import unquote, urlsplit

from matinee.core.errors import UsageError
from matinee.core.ids import digest_of, slug
from matinee.core.limits import GIB, Limits, UploadLimits

RULES = "rules.toml"
"""The rules of a library, in its folder."""

_BUCKET_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,254}")
_PREFIX_PART = re.compile(r"(?!\.{1,2}$)[A-Za-z0-9!_.*'()=,+ -]+")


BUCKETS = {"s3": "s3", "gs": "gs", "gcs": "gs", "az": "az"}
"""Schemes of addresses of buckets, and how we spell them."""

DATABASES = ("sqlite", "postgresql", "postgres")


class LibraryUnsupported(UsageError):
    """A library address that this version does not know."""

    code = "library.unsupported"


class DatabaseUnsupported(UsageError):
    """A database address that this version does not know."""

    code = "database.unsupported"
    advice = "give sqlite:////folder/library.db or postgresql://user@host/name"


@dataclass(frozen=True, slots=True)
class Bucket:
    """A bucket, and the path within it, that keep a library's objects.

    ``endpoint``: where its server is, when that is not the provider's own.
    """

    scheme: str
    name: str
    prefix: str
    endpoint: str | None = None

    @property
    def address(self) -> str:
        """As ``--library`` takes it."""
        return f"{self.scheme}://{'/'.join(part for part in (self.name, self.prefix) if part)}"


@dataclass(frozen=True, slots=True)
class Settings:
    """Where the library is, how many tools may work at once, and what each may take.

    ``library`` is the folder that has all of it; where the objects are in a ``bucket``, it has only
    what is of this machine: scratch, locks and, without a ``database``, the database. ``database``
    is its address, None for a file in that folder. ``tools_read`` is what tools may read beside
    their inputs: where an operator's own ones lie.
    """

    library: Path
    workers: int
    limits: Limits = field(default_factory=Limits)
    tools_read: tuple[Path, ...] = ()
    bucket: Bucket | None = None
    database: str | None = field(default=None, repr=False)
    """Never shown whole: it may hold a password."""

    @property
    def address(self) -> str:
        """The library's address, for people."""
        return self.bucket.address if self.bucket else str(self.library)

    def place(self, key: str) -> str:
        """Where an object of the library is: a path or an address."""
        return f"{self.address}/{key}"

    @property
    def service_file(self) -> Path:
        """Where the service that runs on the library says how to reach it; for its owner only."""
        return self.library / "scratch" / "service.json"


def read_settings(
    library: str | None, workers: int | None, database: str | None = None
) -> Settings:
    """Settings from the command line, the environment and the machine, in this order.

    Raises:
        LibraryUnsupported, DatabaseUnsupported: an address that has no meaning.
    """
    address = library or os.environ.get("MATINEE_LIBRARY") or str(data_folder())
    bucket = bucket_of(address)
    return Settings(
        library=state_folder(bucket) if bucket else library_path(address),
        workers=workers or len(os.sched_getaffinity(0)),
        limits=read_limits(),
        tools_read=tuple(
            Path(path).absolute()
            for path in os.environ.get("MATINEE_TOOL_READ", "").split(os.pathsep)
            if path
        ),
        bucket=bucket,
        database=database_of(database or os.environ.get("MATINEE_DATABASE")),
    )


def data_folder() -> Path:
    """Matinee's part of the user's data folder."""
    data = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(data) / "matinee"


def state_folder(bucket: Bucket) -> Path:
    """What this machine keeps for a library in a bucket."""
    told = os.environ.get("MATINEE_STATE")
    root = Path(told).expanduser().absolute() if told else data_folder() / "buckets"
    # The same name at another endpoint is another bucket; a slug alone may stand for two addresses.
    origin = digest_of(f"{bucket.address} {bucket.endpoint or ''}".encode())
    return root / f"{slug(bucket.address)}-{origin[:8]}"


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
            f"a library at {parts.scheme}: is not supported",
            "give a folder, a file:/// address or s3://bucket/path",
        )
    return Path(unquote(parts.path))


def bucket_of(address: str) -> Bucket | None:
    """The bucket that a library address names, None when it names a folder.

    Raises:
        LibraryUnsupported: an address of a bucket that cannot be one.
    """
    scheme, separator, rest = address.partition("://")
    if not separator or scheme not in BUCKETS:
        return None
    name, _, path = rest.partition("/")
    prefix = path.removesuffix("/")
    # What follows a name must not be shown: it may be a secret.
    if "@" in rest or "?" in rest or "#" in rest:
        raise LibraryUnsupported(
            f"a library's address is {scheme}://bucket/path, with nothing else in it",
            "credentials and endpoint come from variables: AWS_ACCESS_KEY_ID, AWS_ENDPOINT_URL ...",
        )
    parts = prefix.split("/") if prefix else []
    if not _BUCKET_NAME.fullmatch(name) or not all(_PREFIX_PART.fullmatch(part) for part in parts):
        raise LibraryUnsupported(
            f"{address!r} names no bucket and path", "give, for example, s3://films/library"
        )
    scheme = BUCKETS[scheme]
    endpoint = None
    if scheme == "s3":
        told = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
        endpoint = told.rstrip("/") if told else None
    return Bucket(scheme, name, prefix, endpoint)


def database_of(address: str | None) -> str | None:
    """The address of a database as SQLAlchemy takes it, None when there is none.

    Raises:
        DatabaseUnsupported: no address of a kind that is known. What it is is not told: it may
            hold a password.
    """
    if not address:
        return None
    if address.partition(":")[0] not in DATABASES or ":" not in address:
        raise DatabaseUnsupported("that is no address of a database that is supported")
    return address


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


@dataclass(frozen=True, slots=True)
class FilmBucket:
    """A bucket that films come from; ``prefix`` is empty or ends in ``/``."""

    name: str
    prefix: str


def read_film_buckets() -> tuple[FilmBucket, ...]:
    """The buckets that films come from: ``s3://bucket/prefix``, separated by spaces.

    Raises:
        UsageError: one is no such address.
    """
    found = []
    for address in os.environ.get("MATINEE_BUCKETS", "").split():
        scheme, _, rest = address.partition("://")
        name, _, prefix = rest.partition("/")
        prefix = prefix.strip("/")
        if scheme != "s3" or not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{1,62}", name):
            raise UsageError(
                f"MATINEE_BUCKETS has {address!r}", "give addresses such as s3://films/incoming"
            )
        found.append(FilmBucket(name, f"{prefix}/" if prefix else ""))
    return tuple(found)


def read_upload_limits() -> UploadLimits:
    """The limits of uploads from the environment.

    Raises:
        UsageError: one is no number above zero.
    """
    usual = UploadLimits()
    largest = _number("MATINEE_UPLOAD_LARGEST", os.environ.get("MATINEE_UPLOAD_LARGEST"))
    quota = _number("MATINEE_UPLOAD_QUOTA", os.environ.get("MATINEE_UPLOAD_QUOTA"))
    hours = _number("MATINEE_UPLOAD_HOURS", os.environ.get("MATINEE_UPLOAD_HOURS"))
    return UploadLimits(
        largest=int(largest * GIB) if largest else usual.largest,
        quota=int(quota * GIB) if quota else usual.quota,
        floor=read_disk_floor(),
        keep_s=hours * 3600 if hours else usual.keep_s,
    )


def read_disk_floor() -> int:
    """What has to stay free on the library's disk, in bytes."""
    floor = _number("MATINEE_DISK_FLOOR", os.environ.get("MATINEE_DISK_FLOOR"))
    return int(floor * GIB) if floor else UploadLimits().floor


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
