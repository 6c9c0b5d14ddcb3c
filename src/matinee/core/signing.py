"""Signed addresses of media, and what proves that a request came from our own page. Pure.

A signed address carries its end and a signature over end and title in its path, so that the
relative addresses in manifests keep both::

    /media/s/<expires>.<signature>/titles/<title>/main.m3u8

The signature is HMAC-SHA-256, cut to 128 bits: who does not hold the key finds one only by asking
2**127 times.
"""

import base64
import hmac
import re
from dataclasses import dataclass

KEY_BYTES = 32
"""Bytes of a signing key."""

_SIGNATURE_BYTES = 16
_SIGNED = re.compile(r"(0|[1-9][0-9]{0,11})\.([A-Za-z0-9_-]{22})")


@dataclass(frozen=True, slots=True)
class Permit:
    """The part of a signed address that says until when it is good, and proves it."""

    expires: int
    """Unix time in seconds."""
    signature: str

    def __str__(self) -> str:
        return f"{self.expires}.{self.signature}"


def permit_title(key: bytes, title: str, expires: int) -> Permit:
    """Allow a title's media to be fetched up to a time.

    Args:
        key: The signing key.
        title: The title's id.
        expires: Unix time in seconds at which it ends.
    """
    return Permit(expires, _signature(key, "media", title, str(expires)))


def permits(key: bytes, title: str, spelled: str, now: float) -> bool:
    """Whether the permit in an address was made with ``key`` for ``title`` and has not ended."""
    found = _SIGNED.fullmatch(spelled)
    if found is None:
        return False
    made = permit_title(key, title, int(found[1]))
    return hmac.compare_digest(made.signature, found[2]) and now < made.expires


def end_of(now: float, valid_s: float, step_s: int = 3600) -> int:
    """When an address made now ends: at least ``valid_s`` later, on a whole ``step_s``.

    All addresses made within one step are the same, so that caches can share what they keep.
    """
    return int((now + valid_s) // step_s + 1) * step_s


def proof_of_page(key: bytes, session: str) -> str:
    """What a page must send beside the cookie of ``session`` (its digest)."""
    return _signature(key, "page", session)


def _signature(key: bytes, purpose: str, *parts: str) -> str:
    # Each part with its length, so that no two lists of parts are spelled alike.
    spelled = "".join(f"{len(part)}:{part}" for part in ("matinee", purpose, *parts))
    message = spelled.encode(errors="surrogatepass")
    mac = hmac.digest(key, message, "sha256")[:_SIGNATURE_BYTES]
    return base64.urlsafe_b64encode(mac).rstrip(b"=").decode()
