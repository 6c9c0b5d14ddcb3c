"""Digests of files."""

import hashlib
from pathlib import Path

from matinee.core.ids import Digest

BLOCK = 1 << 20


def digest_of_file(path: Path) -> tuple[Digest, int]:
    """SHA-256 and size of a file, read in blocks."""
    digest, size = hashlib.sha256(), 0
    with path.open("rb", buffering=0) as file:
        while block := file.read(BLOCK):
            digest.update(block)
            size += len(block)
    return Digest(digest.hexdigest()), size
