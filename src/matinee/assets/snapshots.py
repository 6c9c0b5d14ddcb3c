"""What a backup is: copies of objects by digest, lists of them, and snapshots that name it all.

A snapshot is one small document, named by its own digest, and kept twice. It names pieces of tables
and pieces of the list of objects; both are named by their digests too, so that what did not change
is shared with the snapshots before.
"""

import gzip
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from matinee.core.errors import LibraryError
from matinee.core.ids import Digest, canonical_json, digest_of

FORMAT = 1
SNAPSHOTS, SECONDS, LISTS, COPIES = "snapshots", "seconds", "lists", "copies"
PIECE = 4096
"""About how many lines a piece has."""

_COPY = re.compile(r"copies/[0-9a-f]{2}/([0-9a-f]{64})(?:-([0-9a-f]{64})\.age)?")
_SNAPSHOT = re.compile(r"(?:snapshots|seconds)/(\d{8}T\d{6}\.\d{6}Z)-([0-9a-f]{64})\.json")
_TIME = "%Y%m%dT%H%M%S.%fZ"


class SnapshotInvalid(LibraryError):
    """A snapshot, or a part of one, cannot be read."""

    code = "backup.damaged"
    advice = "restore from an older snapshot: list them with: matinee backups --from URL"


@dataclass(frozen=True, slots=True)
class Copy:
    """The bytes of an asset in a backup; encrypted ones have a digest and size of their own."""

    digest: Digest
    size_bytes: int
    sealed: Digest | None = None
    sealed_bytes: int | None = None

    @property
    def key(self) -> str:
        """Where it lies; the name says what the bytes there must be, without any key."""
        ending = "" if self.sealed is None else f"-{self.sealed}.age"
        return f"{COPIES}/{self.digest[:2]}/{self.digest}{ending}"

    @property
    def stored_digest(self) -> Digest:
        """The digest of what lies there."""
        return self.sealed or self.digest

    @property
    def stored_bytes(self) -> int:
        """The size of what lies there."""
        return self.size_bytes if self.sealed_bytes is None else self.sealed_bytes


def copy_names(key: str) -> tuple[Digest, Digest | None] | None:
    """Digest and encrypted digest that a key names; None for what is no copy."""
    found = _COPY.fullmatch(key)
    return found and (Digest(found[1]), Digest(found[2]) if found[2] else None)


@dataclass(frozen=True, slots=True)
class ListPiece:
    """A stretch of the list of objects: how many they are and what they take."""

    digest: Digest
    objects: int
    size_bytes: int

    @property
    def key(self) -> str:
        """Where it lies, never encrypted: thinning needs no identity."""
        return f"{LISTS}/{self.digest[:2]}/{self.digest}.gz"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything that a library was at a moment.

    ``tables`` maps each table to its pieces, which are objects of the list as well. ``lacking``
    counts the objects whose bytes the library had lost by then.
    """

    taken_at: datetime
    version: str
    revision: str
    is_encrypted: bool
    titles: int
    lacking: int
    tables: Mapping[str, Sequence[Digest]]
    lists: Sequence[ListPiece]

    @property
    def objects(self) -> int:
        """How many objects it names."""
        return sum(piece.objects for piece in self.lists)

    @property
    def size_bytes(self) -> int:
        """What they take, before encryption."""
        return sum(piece.size_bytes for piece in self.lists)

    def document(self) -> bytes:
        """Its bytes."""
        value = {
            "format": FORMAT,
            "taken_at": _shown(self.taken_at),
            "matinee": self.version,
            "revision": self.revision,
            "encryption": "age" if self.is_encrypted else None,
            "titles": self.titles,
            "lacking": self.lacking,
            "tables": {name: list(pieces) for name, pieces in self.tables.items()},
            "lists": [[one.digest, one.objects, one.size_bytes] for one in self.lists],
        }
        return f"{canonical_json(value)}\n".encode()

    @property
    def key(self) -> str:
        """Where it lies: by its time, and named by its digest."""
        time = self.taken_at.astimezone(UTC).strftime(_TIME)
        return f"{SNAPSHOTS}/{time}-{digest_of(self.document())}.json"

    @property
    def id(self) -> Digest:
        """The digest of the document."""
        return digest_of(self.document())


@dataclass(frozen=True, slots=True)
class SnapshotName:
    """What the key of a snapshot tells."""

    key: str
    taken_at: datetime
    id: Digest

    @property
    def second(self) -> str:
        """Where the document lies once more."""
        return self.key.replace(SNAPSHOTS, SECONDS, 1)

    @property
    def keys(self) -> tuple[str, str]:
        """Both places of the document."""
        return self.key, self.second


def snapshot_name(key: str) -> SnapshotName | None:
    """What a key names, the first or the second; None for what is no snapshot."""
    found = _SNAPSHOT.fullmatch(key)
    if found is None:
        return None
    time = datetime.strptime(found[1], _TIME).replace(tzinfo=UTC)
    return SnapshotName(f"{SNAPSHOTS}/{found[1]}-{found[2]}.json", time, Digest(found[2]))


def read_snapshot(name: SnapshotName, document: bytes) -> Snapshot:
    """The snapshot of a document.

    Raises:
        SnapshotInvalid: its bytes are others than its name says, or of a newer format.
    """
    if digest_of(document) != name.id:
        raise SnapshotInvalid(f"{name.key} has other bytes than it was written with")
    value = json.loads(document)
    if value["format"] != FORMAT:
        raise SnapshotInvalid(
            f"{name.key} has format {value['format']}", "use a newer version of Matinee"
        )
    return Snapshot(
        taken_at=datetime.fromisoformat(value["taken_at"]),
        version=value["matinee"],
        revision=value["revision"],
        is_encrypted=value["encryption"] is not None,
        titles=value["titles"],
        lacking=value["lacking"],
        tables=value["tables"],
        lists=[ListPiece(Digest(digest), *counts) for digest, *counts in value["lists"]],
    )


def list_document(copies: Iterable[Copy]) -> bytes:
    """A piece of the list: a line for each object, ordered by digest."""
    return packed(
        [one.digest, one.size_bytes]
        if one.sealed is None
        else [one.digest, one.size_bytes, one.sealed, one.sealed_bytes]
        for one in copies
    )


def read_list(piece: ListPiece, document: bytes) -> list[Copy]:
    """The copies of a piece.

    Raises:
        SnapshotInvalid: its bytes are others than its name says.
    """
    if digest_of(document) != piece.digest:
        raise SnapshotInvalid(f"{piece.key} has other bytes than it was written with")
    return [Copy(*line) for line in unpacked(document)]


def packed(lines: Iterable[Any]) -> bytes:
    """Lines of canonical JSON, compressed; equal lines give equal bytes."""
    text = "".join(f"{canonical_json(line)}\n" for line in lines)
    return gzip.compress(text.encode(), 6, mtime=0)


def unpacked(document: bytes) -> Iterator[Any]:
    """The lines that ``packed`` was given."""
    for line in gzip.decompress(document).decode().splitlines():
        yield json.loads(line)


def prefix_width(count: int) -> int:
    """How many digits of their digests so many objects are divided by, for pieces of ``PIECE``.

    So a new object changes one piece, wherever it comes to lie.
    """
    width = 0
    while count > PIECE * 16**width:
        width += 1
    return width


def _shown(time: datetime) -> str:
    return time.astimezone(UTC).isoformat().replace("+00:00", "Z")
