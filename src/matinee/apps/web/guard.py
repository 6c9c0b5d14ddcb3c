"""The door: finds out who asks, and lets in who may.

Every request passes here before anything else of the application sees it. What a call needs beyond
reading, its route says; see ``needs``.
"""

import hashlib
import time
from collections.abc import Callable
from datetime import datetime
from urllib.parse import quote

from anyio import to_thread
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection, Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from matinee.apps.web.access import SAFE_METHODS, Access, Person, person_of
from matinee.apps.web.errors import (
    Forged,
    NotAllowed,
    NotSignedIn,
    RequestTooLarge,
    WrongHost,
    on_matinee_error,
)
from matinee.core.errors import MatineeError
from matinee.core.ids import Digest, digest_of
from matinee.core.signing import proof_of_page
from matinee.ports.sessions import Sessions
from matinee.ports.tokens import Tokens

LARGEST_BODY = 1 << 20
_REMEMBERED_S = 5.0
_REMEMBERED = 1024

_OPEN_TO_ALL = ("/healthz", "/static/", "/v1/session", "/studio/sign-in", "/media/")
"""Where no credentials are needed; ``/media/`` has a door of its own."""

_WAYS_IN = ("/uploads", "/bucket-events")
"""Where a token that may upload, and see nothing, comes in."""


def needs(scope: str) -> Callable[[Request], Person]:
    """A dependency of a route: who asks, if they have the scope."""

    def check(request: Request) -> Person:
        return let_in(request.state.person, scope)

    return check


def let_in(person: Person, scope: str) -> Person:
    """The person, if they may.

    Raises:
        NotSignedIn: nobody is known yet. NotAllowed: somebody without that scope.
    """
    if person.may(scope):
        return person
    if person.token is None:
        raise NotSignedIn(f"this needs a token with the scope {scope!r}")
    raise NotAllowed(f"the token {person.who!r} does not have the scope {scope!r}")


class Persons:
    """Finds out who asks. What the database said is good for a few seconds."""

    def __init__(
        self, access: Access, tokens: Tokens, sessions: Sessions, now: Callable[[], datetime]
    ) -> None:
        self._access, self._now = access, now
        self._tokens, self._sessions = tokens, sessions
        self._known: dict[tuple[str, Digest], tuple[float, Person | None]] = {}

    async def of(self, scope: Scope, headers: Headers) -> Person:
        """Who makes a request.

        Raises:
            NotSignedIn: a token was given that opens nothing.
        """
        authorization = headers.get("authorization")
        if authorization is not None:
            kind, _, secret = authorization.partition(" ")
            if kind.lower() != "bearer":
                raise NotSignedIn("only `Authorization: Bearer ...` is known")
            person = await self._found("token", digest_of_secret(secret.strip()))
            if person is None:
                raise NotSignedIn("this token is not known, has ended or was revoked")
            return person
        secret = HTTPConnection(scope).cookies.get(self._access.cookie, "")
        if secret and (person := await self._found("session", digest_of_secret(secret))):
            return person
        return self._access.anyone

    async def is_still_in(self, person: Person) -> bool:
        """Whether who came in a while ago would still be let in, for what goes on for long."""
        if person.token is None:
            return person.may("read")
        if person.session is not None:
            return await self._found("session", person.session) is not None
        return await self._found("token", person.token.digest) is not None

    def forget(self) -> None:
        """Look again at every token from now on: one was revoked."""
        self._known.clear()

    async def _found(self, kind: str, digest: Digest) -> Person | None:
        until, person = self._known.get((kind, digest), (0.0, None))
        if until > time.monotonic():
            return person
        look = self._by_token if kind == "token" else self._by_session
        person = await to_thread.run_sync(look, digest)
        while len(self._known) >= _REMEMBERED:
            self._known.pop(next(iter(self._known)))
        self._known[kind, digest] = (time.monotonic() + _REMEMBERED_S, person)
        return person

    def _by_token(self, digest: Digest) -> Person | None:
        token = self._tokens.find(digest)
        if token is None or not token.is_valid(self._now()):
            return None
        self._tokens.used(token)
        return person_of(token)

    def _by_session(self, digest: Digest) -> Person | None:
        found = self._sessions.find(digest)
        if found is None:
            return None
        token, ends_at = found
        if not token.is_valid(self._now()) or ends_at <= self._now():
            return None
        return person_of(token, digest)


class Guard:
    """ASGI middleware: host, person, page's proof, size of bodies, and the right to read."""

    def __init__(self, app: ASGIApp, access: Access, persons: Persons, key: bytes) -> None:
        self._app, self._access, self._persons, self._key = app, access, persons, key

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request in, or answer why not."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        try:
            receive = await self._let_in(scope, headers, receive)
        except MatineeError as error:
            if isinstance(error, NotSignedIn) and _wants_page(scope, headers):
                answer: Response = RedirectResponse(_sign_in(scope), 303)
            else:
                answer = on_matinee_error(Request(scope), error)
            await answer(scope, receive, send)
            return
        await self._app(scope, receive, send)

    async def _let_in(self, scope: Scope, headers: Headers, receive: Receive) -> Receive:
        """Who asks is told to the routes in ``request.state.person``; gives a bounded body."""
        path: str = scope["path"]
        if not self._access.knows_host(headers.get("host")):
            raise WrongHost(f"there is no {headers.get('host')!r} here")
        if path.startswith("/v1/session"):
            _check_origin(headers, must_be_told=False)
        person = await self._persons.of(scope, headers)
        scope.setdefault("state", {})["person"] = person
        # Below /media/ nothing is changed: what is posted there asks for a licence to play.
        is_free = path == "/v1/session" or path.startswith("/media/")
        if person.session and scope["method"] not in SAFE_METHODS and not is_free:
            self._check_page(headers, person.session)
        if not path.startswith(_OPEN_TO_ALL):
            let_in(person, "upload" if path.startswith(_WAYS_IN) else "read")
        return _bounded(headers, receive) if path.startswith("/v1/") else receive

    def _check_page(self, headers: Headers, session: str) -> None:
        """Refuse what a browser sends with our cookie but not from our page.

        The proof is known to the page that signed in, which keeps it for its own origin: who got
        hold of the cookie alone cannot act.
        """
        _check_origin(headers, must_be_told=True)
        if not _same(headers.get("x-matinee-csrf", ""), proof_of_page(self._key, session)):
            raise Forged("this request lacks the proof of the page that signed in")


def _check_origin(headers: Headers, *, must_be_told: bool) -> None:
    """Refuse what a page of another site sends; not every client tells an origin."""
    origin = headers.get("origin")
    if origin is None and not must_be_told:
        return
    if (origin or "").partition("://")[2] != headers.get("host"):
        raise Forged("this request does not come from a page of this service")


def digest_of_secret(secret: str) -> Digest:
    """What is kept of a secret: as it has 256 random bits, nothing slower is called for."""
    return digest_of(secret.encode(errors="surrogatepass"))


def _same(one: str, other: str) -> bool:
    # Of digests, so that the time tells nothing and every text may come.
    return hashlib.sha256(one.encode()).digest() == hashlib.sha256(other.encode()).digest()


def _sign_in(scope: Scope) -> str:
    """The page to sign in at, which leads back here."""
    query = scope["query_string"].decode("latin-1")
    back = scope["path"] + (f"?{query}" if query else "")
    return f"/studio/sign-in?to={quote(back, safe='')}"


def _wants_page(scope: Scope, headers: Headers) -> bool:
    path: str = scope["path"]
    is_page = not path.startswith(("/v1", "/metrics", "/media", *_WAYS_IN))
    return is_page and scope["method"] == "GET" and "text/html" in headers.get("accept", "")


def _bounded(headers: Headers, receive: Receive) -> Receive:
    """Receive no more than a call may send.

    Raises:
        RequestTooLarge: it says that it is larger.
    """
    told = headers.get("content-length", "0")
    if told.isdecimal() and int(told) > LARGEST_BODY:
        raise RequestTooLarge(f"a body of {told} bytes is too large: {LARGEST_BODY} at most")
    received = 0

    async def bounded() -> Message:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        if received > LARGEST_BODY:
            raise HTTPException(413, f"the body is too large: {LARGEST_BODY} bytes at most")
        return message

    return bounded
