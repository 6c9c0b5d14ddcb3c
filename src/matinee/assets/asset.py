"""An asset: immutable bytes, named by their digest."""

from dataclasses import dataclass

from matinee.core.ids import Digest


@dataclass(frozen=True, slots=True)
class Asset:
    """Bytes somewhere in the store. The digest is the name; where they lie is a location."""

    digest: Digest
    size_bytes: int
    media_type: str


def object_key(digest: Digest) -> str:
    """Where an asset lies that has no place of its own under a title."""
    return f"objects/{digest[:2]}/{digest}"
