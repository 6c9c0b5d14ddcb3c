"""Common encryption (ISO/IEC 23001-7): what a profile asks for, and which key locks which stream.

Pictures and sound are encrypted, each kind with a key of its own; subtitles, thumbnails and posters
are not. Nothing here holds a key for longer than a call.
"""

import hashlib
import hmac
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

SCHEMES = {"cbcs": 16, "cenc": 8}
"""Schemes and the bytes of their initialization vectors: AES-CBC of every tenth block, AES-CTR."""

LIBRARY_KEYS = "library"
"""The address of the keys that are derived from the library's own secret."""

LABELS = {"video": "video", "audio": "audio"}
"""What is encrypted, by kind of stream, and the label under which its key is asked for."""

KEY_BYTES = 16
KEY_DIGITS = re.compile(r"(?!0{32})[0-9A-Fa-f]{32}")
"""How a key or its id is spelled. All zeros is how boxes say that there is none."""

COMMON_SYSTEM = UUID("1077efec-c0b2-4d02-ace3-3c1e52e2fb4b")
"""The W3C's common PSSH box, of which any key system that knows key ids can make use."""

HLS_METHODS = {"cbcs": "SAMPLE-AES", "cenc": "SAMPLE-AES-CTR"}
CLEAR_KEY = "org.w3.clearkey"

FIRST = 1
"""The generation of a title's keys before they were ever changed."""

LICENCES = "clearkey"
"""Where ClearKey licences are asked for, below the title's folder."""


@dataclass(frozen=True, slots=True)
class Encryption:
    """What a profile asks for: a scheme, and the address of who has the keys."""

    scheme: str
    keys: str = LIBRARY_KEYS

    @property
    def kind_of_keys(self) -> str:
        """Where keys come from, without the address: ``library``, ``file`` or ``service``."""
        if self.keys == LIBRARY_KEYS:
            return LIBRARY_KEYS
        return "file" if self.keys.startswith("file:") else "service"


@dataclass(frozen=True, slots=True)
class ContentKey:
    """A key of AES-128 and its id, 16 bytes each. Only the id may be told."""

    id: bytes
    key: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.id) != KEY_BYTES or len(self.key) != KEY_BYTES:
            raise ValueError(f"a key and its id have {KEY_BYTES} bytes each")

    @property
    def check(self) -> str:
        """What tells a changed key under an old id, and nothing of the key."""
        return hmac.digest(self.key, b"matinee check", "sha256")[:8].hex()


@dataclass(frozen=True, slots=True)
class Lock:
    """What may be known of how a stream is encrypted; bytes as lower-case hexadecimal digits."""

    scheme: str
    key_id: str
    check: str

    def iv(self, key: bytes, folder: str) -> str:
        """The first initialization vector of the rendition in that folder.

        It is decided by key, folder and so by what is in it: equal inputs give equal bytes, and
        no counter of AES-CTR comes twice under a key.
        """
        message = f"matinee iv {self.scheme} {folder}".encode()
        return hmac.digest(key, message, "sha256")[: SCHEMES[self.scheme]].hex()


def lock_of(scheme: str, key: ContentKey) -> Lock:
    """The lock that a key is for."""
    return Lock(scheme, key.id.hex(), key.check)


@dataclass(frozen=True, slots=True)
class Keyring:
    """The keys of one title's package, by label, and which generation of its keys they are."""

    encryption: Encryption
    keys: Mapping[str, ContentKey]
    generation: int = FIRST

    @property
    def scheme(self) -> str:
        """How they are used."""
        return self.encryption.scheme

    def lock(self, kind: str) -> Lock | None:
        """The lock of streams of that kind; None where they stay in the clear."""
        label = LABELS.get(kind)
        return lock_of(self.scheme, self.keys[label]) if label else None

    def key(self, key_id: str) -> bytes:
        """The key of that id; raises ``KeyError``."""
        return {one.id.hex(): one.key for one in self.keys.values()}[key_id]

    def iv(self, lock: Lock, folder: str) -> str:
        """The first vector of the rendition in that folder."""
        return lock.iv(self.key(lock.key_id), folder)

    def as_json(self) -> dict[str, Any]:
        """What is kept with a package: never a key."""
        return {
            "scheme": self.scheme,
            "keys": self.encryption.keys,
            "ids": {label: key.id.hex() for label, key in self.keys.items()},
            "checks": {label: key.check for label, key in self.keys.items()},
            "generation": self.generation,
        }


def pssh_box(key_ids: Collection[str]) -> bytes:
    """A PSSH box of version 1 for the common system (ISO/IEC 23001-7 clause 8.1)."""
    ids = b"".join(bytes.fromhex(key_id) for key_id in sorted(set(key_ids)))
    count = len(ids) // KEY_BYTES
    body = b"\x01\x00\x00\x00" + COMMON_SYSTEM.bytes + count.to_bytes(4, "big") + ids + bytes(4)
    return (len(body) + 8).to_bytes(4, "big") + b"pssh" + body


def packager_flags(scheme: str, secrets: Mapping[str, tuple[str, bytes, str]]) -> Iterator[str]:
    """The packager's flags, a line each, which hold keys.

    Args:
        scheme: The scheme.
        secrets: For each ``drm_label``: key id, key, initialization vector.
    """
    infos = [
        f"label={label}:key_id={key_id}:key={key.hex()}:iv={iv}"
        for label, (key_id, key, iv) in sorted(secrets.items())
    ]
    yield "--enable_raw_key_encryption"
    yield f"--protection_scheme={scheme}"
    yield "--clear_lead=0"
    yield f"--pssh={pssh_box([key_id for key_id, _, _ in secrets.values()]).hex()}"
    yield f"--keys={','.join(infos)}"


def key_line(lock: Lock) -> str:
    """EXT-X-KEY (RFC 8216bis section 4.4.4.4), with where licences are as its address.

    That lies below the title's folder: who may fetch segments may ask there. No line of the format
    ``identity`` stands beside it, for hls.js would take that one and play nothing.
    """
    method = HLS_METHODS[lock.scheme]
    return (
        f'#EXT-X-KEY:METHOD={method},URI="../../{LICENCES}",KEYID=0x{lock.key_id.upper()},'
        f'KEYFORMAT="{CLEAR_KEY}",KEYFORMATVERSIONS="1"'
    )


def generation_of(settings: Mapping[str, Any]) -> int:
    """The generation of a title's keys when a package was made, by what is kept with it."""
    kept = settings.get("encryption") or {}
    generation: int = kept.get("generation") or settings.get("key_generation", FIRST)
    return generation


def derived_key(secret: bytes, title: str, label: str, generation: int = FIRST) -> ContentKey:
    """The key of a title's streams of one label, from a secret of at least 32 bytes.

    By HKDF-Expand (RFC 5869 section 2.3) with SHA-256; the id tells nothing of the key.
    """
    later = () if generation == FIRST else (str(generation),)

    def expanded(purpose: str) -> bytes:
        parts = ("matinee", purpose, title, label, *later)
        info = "".join(f"{len(part)}:{part}" for part in parts)
        return hmac.digest(secret, info.encode() + b"\x01", hashlib.sha256)[:KEY_BYTES]

    return ContentKey(expanded("key id"), expanded("key"))
