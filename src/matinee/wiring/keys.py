"""Who has the keys of encrypted titles."""

import os
from functools import partial
from pathlib import Path

from matinee.adapters.key_service import ServiceKeys, service_target
from matinee.adapters.keys import FileKeys, LibraryKeys
from matinee.adapters.pyav_decrypt import PyavDecrypter
from matinee.config import Settings
from matinee.media.encryption import LIBRARY_KEYS
from matinee.ports.keys import Keys
from matinee.stages.unlock import Locksmith

FILE = "file:"


def locksmith_of(settings: Settings) -> Locksmith:
    """What gets keys and decrypts, for a library."""
    return Locksmith(partial(open_keys, settings), PyavDecrypter())


def open_keys(settings: Settings, address: str) -> Keys:
    """Who has the keys at an address.

    Raises:
        KeysInvalid: it is the address of nobody who could.
    """
    if address == LIBRARY_KEYS:
        return LibraryKeys(settings.library)
    if address.startswith(FILE):
        return FileKeys(Path(address.removeprefix(FILE)))
    service_target(address)
    return ServiceKeys(address, os.environ.get("MATINEE_KEYS_TOKEN"))
