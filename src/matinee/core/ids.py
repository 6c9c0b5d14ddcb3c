"""Names of things: digests of bytes, and canonical JSON whose digest names a value."""

import hashlib
import json
import re
import unicodedata
from typing import Any, NewType

Digest = NewType("Digest", str)
"""SHA-256 of some bytes, 64 lower-case hexadecimal digits."""


def digest_of(data: bytes | memoryview) -> Digest:
    """The SHA-256 of ``data``."""
    return Digest(hashlib.sha256(data).hexdigest())


_CANONICAL = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
)
"""Made once: a resumed run spells tens of thousands of keys."""


def canonical_json(value: Any) -> str:
    """JSON with one spelling for equal values: sorted keys, no spaces, no NaN.

    Raises:
        TypeError: for a value that JSON has no form for, so no key is ever made from a ``repr``.
    """
    return _CANONICAL.encode(value)


def digest_of_value(value: Any) -> Digest:
    """The digest of a value's canonical JSON."""
    return digest_of(canonical_json(value).encode())


def slug(text: str, longest: int = 48) -> str:
    """A name for addresses: lower-case ASCII letters, digits and hyphens, never empty."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    words = re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")
    return words[:longest].strip("-") or "film"
