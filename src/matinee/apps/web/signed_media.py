"""The door of ``/media``: titles that are public, signed addresses, and who may read."""

import time
from collections.abc import Callable

from anyio import to_thread
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from matinee.apps.web.access import Person
from matinee.core.errors import NotFound
from matinee.core.signing import end_of, permit_title, permits
from matinee.media.preview import FOLDER

VALID_S = 6 * 3600
"""The least that a signed address is good for."""
_REMEMBERED_S = 2.0
_REMEMBERED = 4096


def signed_address(key: bytes, title: str, duration_s: float | None, now_s: float) -> str:
    """Where a title's media lie for one who may read; see ``MediaDoor.address``."""
    expires = end_of(now_s, max(VALID_S, 3 * (duration_s or 0)))
    return f"/media/s/{permit_title(key, title, expires)}/titles/{title}/"


class MediaDoor:
    """Lets requests for media through to the files.

    Args:
        files: Serves ``<title>/<path>``.
        key: The signing key.
        is_public: Whether a title's media may be fetched by anyone.
        clock: Unix time.
    """

    def __init__(
        self,
        files: ASGIApp,
        key: bytes,
        is_public: Callable[[str], bool],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._files, self._key, self._is_public, self._clock = files, key, is_public, clock
        self._public: dict[str, tuple[float, bool]] = {}

    def address(self, title: str, duration_s: float | None) -> str:
        """Where a title's media lie for one who may read, good for thrice its length at least."""
        return signed_address(self._key, title, duration_s, self._clock())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer below ``/media``: ``titles/...`` or ``s/<permit>/titles/...``."""
        root: str = scope.get("root_path", "")
        parts = scope["path"][len(root) :].lstrip("/").split("/")
        is_signed = len(parts) > 4 and parts[0] == "s" and parts[2] == "titles"
        if is_signed:
            title, before = parts[3], "/".join(parts[:3])
            allowed = permits(self._key, title, parts[1], self._clock())
        elif len(parts) > 2 and parts[0] == "titles":
            title, before = parts[1], parts[0]
            person: Person = scope["state"]["person"]
            allowed = scope["method"] == "OPTIONS" or person.may("read")
            # A preview is of a title that is not on screen: it is never open to all.
            if not allowed and parts[2] != FOLDER:
                allowed = await self._open(title)
        else:
            raise NotFound("no media there")
        if not allowed:
            # As if it were not there: who may not fetch a title need not know of it.
            raise NotFound(f"no media of {title!r} for you")
        below = {**scope, "root_path": f"{root}/{before}"}
        await self._files(below, receive, _kept_privately(send) if is_signed else send)

    async def _open(self, title: str) -> bool:
        until, public = self._public.get(title, (0.0, False))
        if until > time.monotonic():
            return public
        public = await to_thread.run_sync(self._is_public, title)
        while len(self._public) >= _REMEMBERED:
            self._public.pop(next(iter(self._public)))
        self._public[title] = (time.monotonic() + _REMEMBERED_S, public)
        return public


def _kept_privately(send: Send) -> Send:
    """Let shared caches keep nothing that an address was signed for."""

    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [
                (name, value.replace(b"public", b"private") if name == b"cache-control" else value)
                for name, value in message["headers"]
            ]
        await send(message)

    return sent
