"""Keys for players, behind the same door as the segments that they decrypt.

- ``POST <title>/clearkey``: a ClearKey licence, as the W3C's Encrypted Media Extensions spell it
  (section 9.1): key ids in, keys out.
- ``GET <title>/keys/<id>.key``: the 16 bytes of a key, for players that fetch them.

Keys are given of packages of a title that is on screen, and of nothing else.
"""

import base64
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from anyio import to_thread
from starlette.types import ASGIApp, Receive, Scope, Send

from matinee.apps.web.errors import RequestInvalid, RequestTooLarge
from matinee.core.errors import NotFound
from matinee.media.encryption import LICENCES
from matinee.ports.catalog import Package, Title
from matinee.ports.keys import OpenKeys
from matinee.stages.unlock import kept_key

LARGEST = 65_536
MOST_IDS = 64
_KEY = re.compile(r"([^/]+)/keys/([0-9a-f]{32})\.key")
_ID = re.compile(r"[A-Za-z0-9_-]{22}")
_LICENCE = re.compile(rf"([^/]+)/{LICENCES}")
_ANYWHERE = {"access-control-allow-origin": "*", "cache-control": "no-store"}
_PREFLIGHT = {
    **_ANYWHERE,
    "access-control-allow-methods": "POST, OPTIONS",
    "access-control-allow-headers": "Content-Type",
    "access-control-max-age": "86400",
}


@dataclass(frozen=True, slots=True)
class KeyDesk:
    """Finds the keys of what is on screen.

    ``look`` gives a title and its packages; raises ``NotFound``. Both may block.
    """

    open_keys: OpenKeys
    look: Callable[[str], tuple[Title, Sequence[Package]]]

    def keys(self, title_id: str, wanted: Sequence[str]) -> dict[str, bytes]:
        """The keys of those ids, in hexadecimal digits, that the title has.

        Raises:
            NotFound: it has none of them, or is not on screen.
            KeyMissing, KeyChanged, KeysUnreachable, KeysInvalid: they cannot be had.
        """
        title, packages = self.look(title_id)
        if title.id != title_id:  # found by its name
            raise NotFound(f"no media of {title_id!r}")
        found: dict[str, bytes] = {}
        for package in packages if title.current else ():
            kept = package.settings.get("encryption")
            if kept is None or (package.state != "ready" and package.id != title.current):
                continue
            for label, key_id in kept["ids"].items():
                if key_id in wanted and key_id not in found:
                    found[key_id] = kept_key(self.open_keys, title_id, label, kept).key
        if not found:
            raise NotFound(f"{title_id} has no such key")
        return found


class Licences:
    """ASGI application before the files of titles: answers for keys, passes all else on."""

    def __init__(self, files: ASGIApp, desk: KeyDesk) -> None:
        self._files, self._desk = files, desk

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; the path below the mount names the title."""
        path = scope["path"][len(scope.get("root_path", "")) :].lstrip("/")
        method = scope["method"]
        if found := _LICENCE.fullmatch(path):
            if method == "OPTIONS":
                await _answer(send, 204, b"", _PREFLIGHT)
            elif method == "POST":
                await self._license(found[1], receive, send)
            else:
                allow = {**_ANYWHERE, "allow": "POST, OPTIONS"}
                await _answer(send, 405, b"", allow)
            return
        if (found := _KEY.fullmatch(path)) and method == "GET":
            keys = await to_thread.run_sync(self._desk.keys, found[1], [found[2]])
            headers = {**_ANYWHERE, "content-type": "application/octet-stream"}
            await _answer(send, 200, keys[found[2]], headers)
            return
        await self._files(scope, receive, send)

    async def _license(self, title: str, receive: Receive, send: Send) -> None:
        wanted, kind = read_licence_request(await _body(receive))
        keys = await to_thread.run_sync(self._desk.keys, title, wanted)
        headers = {**_ANYWHERE, "content-type": "application/json"}
        await _answer(send, 200, licence(keys, kind), headers)


def read_licence_request(body: bytes) -> tuple[list[str], str]:
    """The key ids that are asked for, in hexadecimal digits, and the type of the session.

    Raises:
        RequestInvalid: it is no request for a ClearKey licence.
    """
    try:
        document = json.loads(body)
        kids, kind = document["kids"], document.get("type", "temporary")
        wanted = [_decoded(kid).hex() for kid in kids]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise RequestInvalid("this is no request for a ClearKey licence") from error
    if not wanted or len(wanted) > MOST_IDS or not isinstance(kind, str):
        raise RequestInvalid(f"a ClearKey licence is asked for with 1 to {MOST_IDS} key ids")
    return wanted, kind if kind == "persistent-license" else "temporary"


def licence(keys: Mapping[str, bytes], kind: str) -> bytes:
    """A ClearKey licence: a JSON Web Key Set of the keys by their ids."""
    every = [
        {"kty": "oct", "kid": _encoded(bytes.fromhex(key_id)), "k": _encoded(key)}
        for key_id, key in keys.items()
    ]
    return json.dumps({"keys": every, "type": kind}).encode()


def _decoded(kid: str) -> bytes:
    """A key id of 16 bytes, in base64 for addresses without its end (RFC 4648 section 5)."""
    if not _ID.fullmatch(kid):
        raise ValueError("no key id")
    return base64.urlsafe_b64decode(f"{kid}==")


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


async def _body(receive: Receive) -> bytes:
    body = b""
    while True:
        message = await receive()
        body += bytes(message.get("body", b""))
        if len(body) > LARGEST:
            raise RequestTooLarge(f"a request for a licence has at most {LARGEST} bytes")
        if not message.get("more_body"):
            return body


async def _answer(send: Send, status: int, body: bytes, headers: Mapping[str, str]) -> None:
    told = {**headers, "content-length": str(len(body)), "x-content-type-options": "nosniff"}
    raw = [(name.encode(), value.encode()) for name, value in told.items()]
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": body})
