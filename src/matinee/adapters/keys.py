"""Keys that lie on this machine: derived from the library's own secret, or listed in a file."""

import os
import secrets
import tomllib
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from matinee.core.errors import LibraryError
from matinee.media.encryption import FIRST, KEY_DIGITS, ContentKey, derived_key
from matinee.ports.keys import KeyMissing, Keys, KeysInvalid

SECRET_FILE = "encryption.key"  # noqa: S105  # its name
SECRET_BYTES = 32


@dataclass(frozen=True, slots=True)
class LibraryKeys(Keys):
    """Derives every key from a secret file in ``folder``.

    It is made for the first title; one that is gone later is never made anew in silence.
    """

    folder: Path

    def prepare(self) -> None:
        path = self.folder / SECRET_FILE
        try:
            if not path.exists():
                _make(path)
        except OSError as error:
            raise LibraryError(f"the secret {path} cannot be made: {error.strerror}") from error

    def key(self, title: str, label: str, generation: int = FIRST) -> ContentKey:
        return derived_key(self._secret(), title, label, generation)

    def _secret(self) -> bytes:
        path = self.folder / SECRET_FILE
        try:
            secret = _private(path)
        except FileNotFoundError as error:
            raise KeyMissing(
                f"the secret {path} is gone", "bring it back from where you keep a copy of it"
            ) from error
        except OSError as error:
            raise LibraryError(f"the secret {path} cannot be had: {error.strerror}") from error
        if len(secret) != SECRET_BYTES:
            raise KeysInvalid(
                f"{path} has {len(secret)} bytes, a secret has {SECRET_BYTES}",
                "bring back the file from where you keep a copy of it",
            )
        return secret


@dataclass(frozen=True, slots=True)
class FileKeys(Keys):
    """The keys of a TOML file; see docs/guide/encryption.md. It is read anew each time."""

    path: Path

    def prepare(self) -> None:
        """Nothing: keys are there or not."""

    def key(self, title: str, label: str, generation: int = FIRST) -> ContentKey:
        try:
            text = _private(self.path).decode()
            document = tomllib.loads(text)
        except OSError as error:
            raise KeysInvalid(f"key file {self.path}: {error.strerror}") from error
        except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            # Its words could hold a piece of a key.
            raise KeysInvalid(f"key file {self.path} is no TOML in UTF-8") from error
        tables = document.get("key", [])
        if not isinstance(tables, list) or set(document) - {"key"}:
            raise KeysInvalid(f"key file {self.path}: it has tables [[key]] and nothing else")
        every = [self._entry(number, table) for number, table in enumerate(tables, 1)]
        fitting = [
            one
            for one in every
            if one.label == label and one.title in (title, None) and one.generation == generation
        ]
        fitting.sort(key=lambda one: one.title is None)  # what names the title goes first
        if not fitting:
            later = "" if generation == FIRST else f" of generation {generation}"
            raise KeyMissing(f"key file {self.path} has no {label} key{later} for {title}")
        return fitting[0].key

    def _entry(self, number: int, table: Any) -> "_Entry":
        where = f"key file {self.path}, [[key]] {number}"
        fields = {"title", "label", "generation", "id", "key"}
        if not isinstance(table, dict) or not {"label", "id", "key"} <= set(table) <= fields:
            raise KeysInvalid(
                f"{where}: its fields are label, id, key and perhaps title and generation"
            )
        generation = table.get("generation", FIRST)
        if type(generation) is not int or generation < FIRST:
            raise KeysInvalid(f"{where}: generation is not a whole number from {FIRST} on")
        if not all(isinstance(table[name], str) for name in set(table) - {"generation"}):
            raise KeysInvalid(f"{where}: every other field is a text")
        for field in ("id", "key"):
            if not KEY_DIGITS.fullmatch(table[field]):
                length = len(table[field])
                raise KeysInvalid(
                    f"{where}: {field} has {length} characters, "
                    "not 32 hexadecimal digits other than 0 throughout"
                )
        key = ContentKey(bytes.fromhex(table["id"]), bytes.fromhex(table["key"]))
        return _Entry(table.get("title"), table["label"], generation, key)


@dataclass(frozen=True, slots=True)
class _Entry:
    """A key as a file has it; ``title`` None: for all."""

    title: str | None
    label: str
    generation: int
    key: ContentKey


def _private(path: Path) -> bytes:
    """A file that its owner alone may read.

    Raises:
        KeysInvalid: others may.
    """
    with path.open("rb") as file:
        if os.fstat(file.fileno()).st_mode & 0o077:
            raise KeysInvalid(f"others may read {path}", f"run: chmod 600 {path}")
        return file.read()


def _make(path: Path) -> None:
    """Write a new secret in one step; one that another process wrote meanwhile stays."""
    written = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(written, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(secrets.token_bytes(SECRET_BYTES))
        file.flush()
        os.fsync(file.fileno())
    with suppress(FileExistsError):
        os.link(written, path)
    written.unlink()
