"""Keys of encrypted titles: who gives them, and what decrypts with them.

A key is never written to the ledger, an event, a log, a command line or an object of the library.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Protocol

from matinee.core.errors import LibraryError, NotFound, UsageError
from matinee.media.encryption import FIRST, ContentKey


class KeysInvalid(UsageError):
    """What should give keys gives something else."""

    code = "keys.invalid"
    advice = "see docs/guide/encryption.md for the form of key files and key services"


class KeyMissing(NotFound):
    """There is no key for a title."""

    code = "key.missing"
    advice = "add the key where the profile's encryption says that keys are, then try again"


class KeyChanged(LibraryError):
    """A package's key is another one now."""

    code = "key.changed"
    advice = "bring the old key back, or publish the film again to encrypt it with the new one"


class KeysOutdated(UsageError):
    """A package that would be shown has keys that were replaced."""

    code = "keys.outdated"
    advice = "publish the film as it was then: it gets the new keys, and no picture is made again"


class KeysUnreachable(LibraryError):
    """The key service does not answer, or not soundly."""

    code = "keys.unreachable"
    retryable = True
    advice = "check the key service, then run the same command again: what is finished is kept"


class Keys(Protocol):
    """Gives keys. The same question always has the same answer, from every process."""

    def prepare(self) -> None:
        """Be ready to give keys of new titles: what keys are made of is made, if it is not there.

        Raises:
            LibraryError: that cannot be.
        """
        ...

    def key(self, title: str, label: str, generation: int = FIRST) -> ContentKey:
        """The key of a title's streams of one label; may block.

        Another ``generation`` has another key with another id.

        Raises:
            KeyMissing: there is none. KeysUnreachable: who has it does not answer.
            KeysInvalid: what came is no key.
        """
        ...


OpenKeys = Callable[[str], Keys]
"""Who has the keys at an address, as a profile names it; raises ``KeysInvalid``."""


class Decrypter(Protocol):
    """Gives the samples of files, encrypted or not."""

    def samples_of(self, file: Path) -> Iterator[bytes]:
        """The samples of a file in the clear that has one track, in decode order.

        Raises:
            ToolError: it cannot be read.
        """
        ...

    def samples(self, init: bytes, segment: bytes, key: bytes) -> list[bytes]:
        """The samples of a media segment in the clear, in decode order.

        A wrong key gives other bytes, and no error.

        Raises:
            ToolError: the segment cannot be read.
        """
        ...


def keys_of(
    keys: Keys, title: str, labels: Sequence[str], generation: int = FIRST
) -> dict[str, ContentKey]:
    """The keys of a title by label.

    Raises:
        KeysInvalid: two labels have one id with different keys. As ``Keys.key``.
    """
    found = {label: keys.key(title, label, generation) for label in labels}
    by_id = {one.id: one.key for one in found.values()}
    if any(by_id[one.id] != one.key for one in found.values()):
        raise KeysInvalid(f"two keys of {title} have one id")
    return found
