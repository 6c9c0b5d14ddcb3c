"""A key service that is asked by HTTP; its protocol is in docs/guide/encryption.md."""

import http.client
import json
import ssl
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any
from urllib.parse import SplitResult, urlsplit

from matinee.media.encryption import FIRST, KEY_DIGITS, ContentKey
from matinee.ports.keys import KeyMissing, Keys, KeysInvalid, KeysUnreachable

WITHIN_S = 10.0
LARGEST = 65_536


@dataclass(frozen=True, slots=True)
class ServiceKeys(Keys):
    """The service at ``address``; ``token`` tells it who asks."""

    address: str
    token: str | None = field(default=None, repr=False)

    def prepare(self) -> None:
        """Nothing: the service has keys or not."""

    def key(self, title: str, label: str, generation: int = FIRST) -> ContentKey:
        target = service_target(self.address)
        later = {} if generation == FIRST else {"generation": generation}
        body = json.dumps({"title": title, "label": label, **later}).encode()
        status, answer = self._asked(target, body)
        if status == 404:
            raise KeyMissing(f"the key service at {target.netloc} has no {label} key for {title}")
        if status in (401, 403):
            raise KeysUnreachable(
                f"the key service at {target.netloc} answered {status}",
                "give its token in MATINEE_KEYS_TOKEN",
            )
        if status != 200:
            raise KeysUnreachable(f"the key service at {target.netloc} answered {status}")
        return _read(target.netloc, answer)

    def _asked(self, target: SplitResult, body: bytes) -> tuple[int, bytes]:
        assert target.hostname is not None
        if target.scheme == "https":
            connection: http.client.HTTPConnection = http.client.HTTPSConnection(
                target.hostname, target.port, timeout=WITHIN_S,
                context=ssl.create_default_context(),
            )  # fmt: skip
        else:
            connection = http.client.HTTPConnection(
                target.hostname, target.port, timeout=WITHIN_S
            )  # fmt: skip
        headers = {"content-type": "application/json", "accept": "application/json"}
        if self.token:
            headers["authorization"] = f"Bearer {self.token}"
        try:
            connection.request("POST", target.path or "/", body, headers)
            response = connection.getresponse()
            return response.status, response.read(LARGEST)
        except (OSError, http.client.HTTPException, ValueError) as error:
            told = getattr(error, "strerror", None) or type(error).__name__
            raise KeysUnreachable(
                f"the key service at {target.netloc} cannot be reached: {told}"
            ) from error
        finally:
            connection.close()


def _read(who: str, answer: bytes) -> ContentKey:
    """The key in an answer, of which no word is told."""
    try:
        document: Any = json.loads(answer)
    except (ValueError, RecursionError):
        document = None
    found = document if isinstance(document, dict) else {}
    told = {name: found.get(name) for name in ("id", "key")}
    for name, value in told.items():
        if not isinstance(value, str) or not KEY_DIGITS.fullmatch(value):
            raise KeysInvalid(
                f"the key service at {who} gave no {name} of 32 hexadecimal digits, "
                "not 0 throughout"
            )  # fmt: skip
    return ContentKey(bytes.fromhex(told["id"]), bytes.fromhex(told["key"]))  # type: ignore[arg-type]


def service_target(address: str) -> SplitResult:
    """The parts of a service's address.

    Raises:
        KeysInvalid: it is none, or would send keys over a network in the clear.
    """
    try:
        target = urlsplit(address)
        is_sound = bool(target.hostname) and (target.port or 1) > 0
    except ValueError:
        target, is_sound = SplitResult("", "", "", "", ""), False
    if not is_sound or target.scheme not in ("http", "https") or not address.isascii():
        raise KeysInvalid("encryption.keys is no address of a key service")
    if target.username or target.password or target.query or target.fragment:
        raise KeysInvalid(
            "the address of a key service has no credentials, query or fragment",
            "give its token in MATINEE_KEYS_TOKEN",
        )
    if target.scheme == "http" and not _is_this_machine(target.hostname or ""):
        raise KeysInvalid(f"keys would come from {target.hostname} in the clear", "use https")
    return target


def _is_this_machine(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
