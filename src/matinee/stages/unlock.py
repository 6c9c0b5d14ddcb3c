"""Encrypted packages in the clear, for whoever proves or repairs them; nothing of it is stored."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from matinee.media.cenc import clear_init, clear_segment, read_protection
from matinee.media.cmaf import read_init, read_segment
from matinee.media.encryption import (
    FIRST,
    LABELS,
    ContentKey,
    Encryption,
    Keyring,
    generation_of,
)
from matinee.ports.catalog import Package
from matinee.ports.keys import (
    Decrypter,
    KeyChanged,
    KeyMissing,
    KeysInvalid,
    KeysUnreachable,
    OpenKeys,
    keys_of,
)

Read = Callable[[str], bytes]


KEYS_FAILED = (KeyMissing, KeyChanged, KeysUnreachable, KeysInvalid)
"""Why keys cannot be had: nothing is wrong with what is stored then."""


@dataclass(frozen=True, slots=True)
class Locksmith:
    """Gets keys, and decrypts with them. Calls may block, and raise what is in ``KEYS_FAILED``."""

    open_keys: OpenKeys
    decrypter: Decrypter

    def keyring(
        self, title: str, encryption: Encryption | None, generation: int = FIRST
    ) -> Keyring | None:
        """The keys to encrypt a title with; None where it stays in the clear."""
        if encryption is None:
            return None
        keys = self.open_keys(encryption.keys)
        keys.prepare()
        found = keys_of(keys, title, list(LABELS.values()), generation)
        return Keyring(encryption, found, generation)

    def unlock(self, package: Package) -> "Unlock":
        """What decrypts a package: with the keys that it was encrypted with, and no others."""
        kept = package.settings.get("encryption")
        if kept is None:
            return Unlock(self.decrypter, None)
        keys = {
            label: kept_key(self.open_keys, package.title, label, kept) for label in kept["ids"]
        }
        encryption = Encryption(kept["scheme"], kept["keys"])
        generation = generation_of(package.settings)
        return Unlock(self.decrypter, Keyring(encryption, keys, generation))


def newest_generation(packages: Sequence[Package]) -> int:
    """The generation of a title's keys, by all its packages."""
    return max((generation_of(package.settings) for package in packages), default=FIRST)


def has_old_keys(package: Package, packages: Sequence[Package]) -> bool:
    """Whether a package has keys that were replaced; ``packages`` are all of its title."""
    is_old = generation_of(package.settings) < newest_generation(packages)
    return is_old and package.settings.get("encryption") is not None


def kept_key(open_keys: OpenKeys, title: str, label: str, kept: Mapping[str, Any]) -> ContentKey:
    """A key by what a package keeps of it (``Keyring.as_json``): that one and no other.

    Raises:
        KeyChanged: it is another one now. As ``Keys.key``.
    """
    key = open_keys(kept["keys"]).key(title, label, kept.get("generation", FIRST))
    if (key.id.hex(), key.check) != (kept["ids"][label], kept["checks"][label]):
        raise KeyChanged(f"the {label} key of {title} is not the one it was encrypted with")
    return key


@dataclass(frozen=True, slots=True)
class Unlock:
    """Decrypts the files of one package. ``keyring`` None: there is nothing to decrypt."""

    decrypter: Decrypter
    keyring: Keyring | None

    def segment(self, init: bytes, segment: bytes) -> bytes:
        """A media segment in the clear, by the init segment that it belongs to.

        Raises:
            KeysInvalid: it is encrypted with a key that is none of the package's.
            BoxError, ToolError: it is damaged.
        """
        protection = read_protection(init)
        if protection is None:
            return segment
        try:
            key = self.keyring.key(protection.key_id) if self.keyring else None
        except KeyError:
            key = None
        if key is None:
            raise KeysInvalid(f"{protection.key_id} is none of the package's keys")
        samples = self.decrypter.samples(init, segment, key)
        return clear_segment(segment, read_segment(segment, read_init(init)), samples)

    def part(self, init: bytes, segment: bytes) -> bytes:
        """Both as one file that everything can decode."""
        return clear_init(init) + self.segment(init, segment)

    def over(self, read: Read) -> Read:
        """Files by path as ``read`` gives them, segments in the clear."""
        if self.keyring is None:
            return read
        inits: dict[str, bytes] = {}

        def clear(path: str) -> bytes:
            data = read(path)
            folder, _, name = path.rpartition("/")
            if name == "init.mp4":
                inits[folder] = data
                return clear_init(data)
            if not name.endswith(".m4s"):
                return data
            if folder not in inits:
                inits[folder] = read(f"{folder}/init.mp4")
            return self.segment(inits[folder], data)

        return clear
