"""``/v1/session`` and ``/v1/tokens``: signing in, and who may do what."""

import secrets
from datetime import timedelta

from anyio import to_thread
from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from matinee.apps.web.access import SCOPES, Person, person_of
from matinee.apps.web.credentials import make_token, person_acted, token_json
from matinee.apps.web.errors import NotSignedIn, TooManyTries
from matinee.apps.web.guard import Persons, digest_of_secret
from matinee.apps.web.service import Service
from matinee.apps.web.tries import Tries
from matinee.apps.web.v1.common import Administrator, Ports, act, acted, refusals
from matinee.apps.web.v1.shapes import (
    SessionOpened,
    SessionShown,
    SignIn,
    TokenMade,
    TokenShown,
    TokenWish,
)
from matinee.core.errors import NotFound, UsageError
from matinee.core.signing import proof_of_page
from matinee.ports.tokens import Token

router = APIRouter(prefix="/v1", tags=["sessions and tokens"])

SESSION = timedelta(hours=12)
UNKEPT = {"cache-control": "no-store"}


@router.get("/session", response_model=SessionShown, responses=refusals())
async def get_session(request: Request, service: Ports) -> Response:
    """Who you are."""
    person: Person = request.state.person
    ends_at = person.token and person.token.expires_at
    if person.session is not None:
        found = await to_thread.run_sync(service.sessions.find, person.session)
        ends_at = found[1] if found else ends_at
    return JSONResponse(
        {
            "who": person.who,
            "scopes": [scope for scope in SCOPES if person.may(scope)],
            "expires_at": ends_at and ends_at.isoformat(),
        },
        headers=UNKEPT,
    )


@router.post("/session", response_model=SessionOpened, responses=refusals(UsageError, TooManyTries))
async def open_session(request: Request, service: Ports, sign_in: SignIn) -> Response:
    """Sign in with a token, or with the code of a link; sets the cookie."""
    tries: Tries = request.app.state.tries
    address = _address_of(request, behind_proxy=service.access.behind_proxy)
    tries.check(address)
    token = await to_thread.run_sync(_token_of, service, sign_in)
    if token is None:
        tries.failed(address)
        raise NotSignedIn("this token or link is not known, has ended or was used", "try another")
    secret = secrets.token_urlsafe(32)
    digest, ends_at = digest_of_secret(secret), service.now() + SESSION
    if token.expires_at is not None:
        ends_at = min(ends_at, token.expires_at)
    facts = [person_acted(token.name, "sign in", f"token/{token.id}")]
    await act(service, lambda: service.sessions.open(digest, token, ends_at, facts))
    person = person_of(token, digest)
    response = JSONResponse(
        {
            "who": person.who,
            "scopes": [scope for scope in SCOPES if person.may(scope)],
            "expires_at": ends_at.isoformat(),
            "csrf": proof_of_page(service.key, digest),
        },
        headers=UNKEPT,
    )
    response.set_cookie(
        service.access.cookie,
        secret,
        max_age=int((ends_at - service.now()).total_seconds()),
        path="/",
        secure=service.access.is_secure,
        httponly=True,
        samesite="strict",
    )
    return response


@router.delete("/session", status_code=204, responses=refusals())
async def close_session(request: Request, service: Ports) -> Response:
    """Sign out."""
    person: Person = request.state.person
    response = Response(status_code=204, headers=UNKEPT)
    if person.session is not None:
        session, facts = person.session, acted(person, "sign out", f"person/{person.who}")
        await act(service, lambda: service.sessions.close(session, facts))
        _persons_of(request).forget()
    response.delete_cookie(
        service.access.cookie, path="/", secure=service.access.is_secure, httponly=True,
        samesite="strict",
    )  # fmt: skip
    return response


@router.get("/tokens", response_model=list[TokenShown], responses=refusals())
def get_tokens(service: Ports, _person: Administrator) -> Response:
    """Every token, oldest first; no secret is among what is known of them."""
    return JSONResponse([token_json(token) for token in service.tokens.all()], headers=UNKEPT)


@router.post("/tokens", status_code=201, response_model=TokenMade, responses=refusals(UsageError))
async def add_token(service: Ports, person: Administrator, wish: TokenWish) -> Response:
    """Make a token. Its secret is in this answer and nowhere else."""
    token, secret = await act(
        service,
        lambda: make_token(
            service.tokens, wish.name, wish.scopes, wish.days, service.now(), person.who
        ),
    )
    return JSONResponse({**token_json(token), "secret": secret}, 201, headers=UNKEPT)


@router.delete("/tokens/{token}", response_model=TokenShown, responses=refusals(NotFound))
async def revoke_token(
    request: Request, service: Ports, person: Administrator, token: str
) -> Response:
    """Revoke a token, with all sessions that it opened."""
    facts = acted(person, "revoke token", f"token/{token}")
    revoked = await act(service, lambda: service.tokens.revoke(token, facts))
    _persons_of(request).forget()
    return JSONResponse(token_json(revoked), headers=UNKEPT)


def _token_of(service: Service, sign_in: SignIn) -> Token | None:
    """The valid token that is signed in with."""
    if sign_in.code is not None:
        linked = service.links.use(sign_in.code)
        token = linked and service.tokens.find(linked.digest)
    else:
        token = service.tokens.find(digest_of_secret((sign_in.token or "").strip()))
    return token if token is not None and token.is_valid(service.now()) else None


def _address_of(request: Request, *, behind_proxy: bool) -> str:
    """Where a request comes from; what the nearest proxy says of it, when there is one."""
    told = request.headers.get("x-forwarded-for", "") if behind_proxy else ""
    address = told.rpartition(",")[2].strip()
    return address[:64] or (request.client.host if request.client else "")


def _persons_of(request: Request) -> Persons:
    persons: Persons = request.app.state.persons
    return persons
