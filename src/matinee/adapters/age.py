"""Encryption in the age format (https://age-encryption.org/v1), by ``pyrage``."""

from collections.abc import Sequence
from pathlib import Path

import pyrage
from pyrage import ssh, x25519

from matinee.core.errors import UsageError
from matinee.ports.sealing import Sealer, SealRefused


class RecipientInvalid(UsageError):
    """A recipient or an identity is none of the age format."""

    code = "backup.recipient"
    advice = "a recipient looks like age1... or ssh-ed25519 ...; age-keygen makes a pair"


class AgeSealer(Sealer):
    """Recipients as in the policy; identities as in a file of ``age-keygen``, or an SSH key.

    Raises:
        RecipientInvalid: one of them is none.
    """

    def __init__(self, recipients: Sequence[str], identities: str = "") -> None:
        self._recipients = [_recipient(text) for text in recipients]
        self._identities = _identities(identities)

    def seal(self, source: Path, target: Path) -> None:
        pyrage.encrypt_file(str(source), str(target), self._recipients)

    def open(self, source: Path, target: Path) -> None:
        if not self._identities:
            raise SealRefused("the backup is encrypted, and no identity is given")
        try:
            pyrage.decrypt_file(str(source), str(target), self._identities)
        except pyrage.DecryptError as error:
            raise SealRefused(f"a file of the backup cannot be decrypted: {error}") from error


def _recipient(text: str) -> "x25519.Recipient | ssh.Recipient":
    try:
        kind = ssh.Recipient if text.startswith("ssh-") else x25519.Recipient
        return kind.from_str(text.strip())
    except pyrage.RecipientError as error:
        raise RecipientInvalid(f"{text!r} is no recipient: {error}") from error


def _identities(text: str) -> "list[x25519.Identity | ssh.Identity]":
    try:
        if "PRIVATE KEY" in text:
            return [ssh.Identity.from_buffer(text.encode())]
        lines = (line.strip() for line in text.splitlines())
        return [x25519.Identity.from_str(line) for line in lines if line and line[0] != "#"]
    except pyrage.IdentityError as error:  # which does not repeat the key
        raise RecipientInvalid("the file of the identity has none of the age format") from error
