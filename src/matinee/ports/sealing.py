"""Encryption of files for places that others can look into."""

from pathlib import Path
from typing import Protocol

from matinee.core.errors import LibraryError


class SealRefused(LibraryError):
    """A file of a backup cannot be decrypted."""

    code = "backup.sealed"
    advice = "name the file with the identity: --identity FILE, or $MATINEE_BACKUP_IDENTITY"


class Sealer(Protocol):
    """Encrypts to recipients, decrypts with identities, in bounded memory.

    One may have recipients alone, or identities alone.
    """

    def seal(self, source: Path, target: Path) -> None:
        """Write ``source`` encrypted to ``target``."""
        ...

    def open(self, source: Path, target: Path) -> None:
        """Write what ``source`` holds to ``target``.

        Raises:
            SealRefused: no identity fits, or the bytes were changed.
        """
        ...
