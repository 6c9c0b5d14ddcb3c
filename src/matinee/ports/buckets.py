"""Buckets that films come from: they are only read."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Stored:
    """An object of a bucket. ``etag`` differs when its bytes do."""

    key: str
    size_bytes: int
    etag: str


class Bucket(Protocol):
    """The objects of one bucket."""

    async def list(self, prefix: str, after: str, limit: int) -> Sequence[Stored]:
        """Objects whose keys begin with ``prefix`` and lie behind ``after``, in the bucket's order.

        Raises:
            LibraryError: the bucket is out of reach, or not ours to list.
        """
        ...

    async def read(self, key: str, most: int) -> bytes:
        """An object's first ``most`` bytes.

        Raises:
            ObjectMissing: no such object. LibraryError: the bucket is out of reach.
        """
        ...
