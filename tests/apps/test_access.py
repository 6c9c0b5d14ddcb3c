"""Who gets in: tokens, scopes, sessions, hosts, signed addresses."""

import json
import re
import resource
import signal
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.apps.live_service import ELSEWHERE, Answer, LiveService, live_service

from matinee.apps.web.access import SCOPES, AddressOpen, Person, access_for, all_of, host_of
from matinee.apps.web.credentials import KEY_FILE, Links, signing_key, write_private
from matinee.apps.web.errors import TooManyTries
from matinee.apps.web.tries import MOST_OF_ALL, MOST_OF_ONE, WINDOW_S, Tries
from matinee.core.errors import LibraryError, LibraryFull
from matinee.core.ids import digest_of
from matinee.core.signing import KEY_BYTES
from matinee.ports.catalog import Title
from matinee.ports.runs import Wish
from matinee.wiring.library import now


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveService]:
    """On 127.0.0.1."""
    with live_service(tmp_path_factory.mktemp("home")) as service:
        yield service


@pytest.fixture(scope="module")
def away(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveService]:
    """As others reach it, by TLS."""
    folder = tmp_path_factory.mktemp("away")
    for title in ("open", "closed"):
        path = folder / "titles" / title / "main.m3u8"
        path.parent.mkdir(parents=True)
        path.write_text("#EXTM3U\n")
        (path.parent / "a.m4s").write_bytes(b"segment")
    with live_service(folder, ELSEWHERE) as service:
        titles = service.library.titles
        for title in ("open", "closed"):
            source = digest_of(title.encode())
            titles.add(Title(title, title, source, f"{title}.mp4", "", now(), None))
        service.library.desk.open_to_all("open", is_public=True)
        yield service


def sign_in(live: LiveService, **given_: Any) -> tuple[Answer, dict[str, str]]:
    """The answer, and the headers that a page sends from then on."""
    answer = live.ask("/v1/session", "POST", given_, secret=None)
    cookie = answer.headers.get("set-cookie", "").partition(";")[0]
    page = {"cookie": cookie, "origin": live.address, "host": live.address[7:]}
    return answer, {**page, "x_matinee_csrf": answer.json.get("csrf", "")}


# Scopes


@given(st.sets(st.sampled_from([*SCOPES, "unknown"])))
def test_scopes_contain_one_another_and_nothing_else(scopes: set[str]) -> None:
    granted = all_of(scopes)

    assert granted <= set(SCOPES)
    assert granted >= scopes & set(SCOPES)
    assert ("admin" in granted) == ("admin" in scopes)
    assert ("operate" in granted) == bool(scopes & {"operate", "admin"})
    assert ("read" in granted) == bool(scopes - {"upload", "unknown"})
    assert not Person("x", all_of({"unknown"})).scopes


CALLS = [
    ("/v1/runs", "GET", None, "read"),
    ("/metrics", "GET", None, "read"),
    ("/", "GET", None, "read"),
    ("/v1/runs/none/cancel", "POST", {}, "operate"),
    ("/v1/runs/none", "PATCH", {"priority": 1}, "operate"),
    ("/v1/titles/none", "PATCH", {}, "operate"),
    ("/v1/titles/none/hide", "POST", {}, "operate"),
    ("/v1/deliveries/1/replay", "POST", {}, "operate"),
    ("/v1/tokens", "GET", None, "admin"),
    ("/v1/tokens/none", "DELETE", None, "admin"),
]


@pytest.mark.parametrize(("path", "method", "body", "needed"), CALLS)
def test_a_call_needs_its_scope(
    away: LiveService, path: str, method: str, body: Any, needed: str
) -> None:
    allowed = {
        "read": {"read", "operate", "admin"}, "operate": {"operate", "admin"}, "admin": {"admin"},
    }[needed]  # fmt: skip
    for scope in SCOPES:
        answer = away.ask(path, method, body, secret=away.token(scope))
        assert (answer.status == 403) == (scope not in allowed), (scope, answer.body)
        if answer.status == 403 and path not in {"/", "/metrics"}:
            assert answer.json["code"] == "access.denied"
    stranger = away.ask(path, method, body, secret=None)
    assert stranger.status == 401
    assert stranger.headers["www-authenticate"].startswith("Bearer")


def test_tokens_end_and_are_revoked(home: LiveService) -> None:
    made = home.ask("/v1/tokens", "POST", {"name": "ci", "scopes": ["operate"], "days": 1}).json
    secret = made.pop("secret")
    assert home.ask("/v1/session", secret=secret).json["scopes"] == ["read", "upload", "operate"]
    listed = home.ask("/v1/tokens").json
    assert made["id"] in {token["id"] for token in listed}
    assert "secret" not in listed[0]

    assert home.ask(f"/v1/tokens/{made['id']}", "DELETE").json["revoked_at"]
    assert home.ask("/v1/runs", secret=secret).status == 401
    short = home.token("read", days=1e-9)
    assert home.ask("/v1/runs", secret=short).json["code"] == "access.unknown"
    assert home.ask("/v1/runs", authorization="Basic YTpi", secret=None).status == 401


def test_no_secret_is_kept(home: LiveService) -> None:
    made = home.ask(
        "/v1/tokens", "POST", {"name": "kept", "scopes": ["read"]}, idempotency_key="secret"
    ).json
    _, page = sign_in(home, token=made["secret"])
    home.ask("/v1/runs/none/cancel", "POST", {}, secret=None, **page, idempotency_key="x")

    library = home.library.settings.library
    kept = b"".join(path.read_bytes() for path in library.rglob("*") if path.is_file())
    assert b"kept" in kept
    assert made["secret"].encode() not in kept
    assert page["cookie"].partition("=")[2].encode() not in kept


# On this machine


def test_on_this_machine_strangers_read_and_change_nothing(home: LiveService) -> None:
    for path in ("/v1/runs", "/v1/events", "/v1/titles", "/", "/studio", "/metrics"):
        assert home.ask(path, secret=None).status == 200, path
    for path, method, body, needed in CALLS:
        if needed != "read":
            assert home.ask(path, method, body, secret=None).status == 401, path
    assert home.ask("/v1/session", secret=None).json == {
        "who": "anyone", "scopes": ["read"], "expires_at": None,
    }  # fmt: skip


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8642", "127.0.0.1.evil.example"])
def test_another_name_for_this_machine_gets_nothing(home: LiveService, host: str) -> None:
    for path in ("/v1/titles", "/", "/static/site.css", "/healthz", "/v1/session"):
        answer = home.ask(path, host=host)
        assert answer.status == 421, path
    for known in (f"localhost:{home.port}", "127.0.0.1", "LOCALHOST:1"):
        assert home.ask("/healthz", host=known).status == 200


def test_addresses_that_others_reach_need_tls() -> None:
    for address in ("0.0.0.0", "::", "192.0.2.1", "films.example"):  # noqa: S104
        with pytest.raises(AddressOpen):
            access_for(address, has_certificate=False, behind_proxy=False)
        assert not access_for(address, has_certificate=True, behind_proxy=False).reading_is_open
    for address in ("127.0.0.1", "::1", "localhost", "127.1.2.3"):
        access = access_for(address, has_certificate=False, behind_proxy=False)
        assert access.reading_is_open and access.knows_host(
            f"[{address}]:1" if ":" in address else address
        )
        proxied = access_for(address, has_certificate=False, behind_proxy=True)
        assert not proxied.reading_is_open and proxied.is_secure


@given(st.text(max_size=40))
def test_no_host_header_breaks_the_check(header: str) -> None:
    access = access_for("127.0.0.1", has_certificate=False, behind_proxy=False)
    known = access.knows_host(header)

    assert known == (host_of(header) in access.hosts)


# Sessions


def test_a_session_acts_from_its_own_page_alone(home: LiveService) -> None:
    answer, page = sign_in(home, token=home.token("operate"))
    assert re.fullmatch(
        r"matinee=[\w-]{43}; HttpOnly; Max-Age=\d+; Path=/; SameSite=strict",
        answer.headers["set-cookie"],
    )
    assert home.ask("/v1/session", secret=None, cookie=page["cookie"]).json["who"] == "operate"

    def cancel(**headers: str) -> int:
        path = "/v1/runs/of-a-page/cancel"
        return home.ask(path, "POST", {}, secret=None, **headers).status

    home.library.runs.submit(Wish("of-a-page", "publish", "a.mp4", {"place": "/a"}))
    assert cancel(**{**page, "origin": "http://127.0.0.1:9"}) == 403
    assert cancel(**{**page, "origin": "null"}) == 403
    assert cancel(**{**page, "x_matinee_csrf": "x" * 22}) == 403
    assert cancel(cookie=page["cookie"]) == 403
    assert cancel(**page) == 200
    events = home.ask("/v1/events?type=person.acted&subject=person/operate").json
    assert {"sign in", "cancel"} <= {event["data"]["act"] for event in events}


def test_signing_out_ends_the_session(home: LiveService) -> None:
    _, page = sign_in(home, token=home.token("operate"))
    elsewhere = {**page, "origin": "https://evil.example"}
    assert home.ask("/v1/session", "DELETE", secret=None, **elsewhere).status == 403

    out = home.ask("/v1/session", "DELETE", secret=None, **page)
    assert (out.status, 'matinee=""' in out.headers["set-cookie"]) == (204, True)
    assert home.ask("/v1/session", secret=None, cookie=page["cookie"]).json["who"] == "anyone"


def test_revoking_a_token_ends_its_sessions(home: LiveService) -> None:
    made = home.ask("/v1/tokens", "POST", {"name": "short", "scopes": ["admin"]}).json
    _, page = sign_in(home, token=made["secret"])
    assert home.ask("/v1/tokens", secret=None, cookie=page["cookie"]).status == 200

    home.ask(f"/v1/tokens/{made['id']}", "DELETE")
    assert home.ask("/v1/tokens", secret=None, cookie=page["cookie"]).status == 401


def test_a_link_signs_in_once(home: LiveService) -> None:
    token = home.service.tokens.all()[0]
    _, _, code = home.service.links.make(token).partition("#code=")

    first, page = sign_in(home, code=code)
    assert (first.status, first.json["who"]) == (200, "administrator")
    assert home.ask("/v1/tokens", secret=None, cookie=page["cookie"]).status == 200
    assert sign_in(home, code=code)[0].status == 401
    clock = [0.0]
    links = Links(lambda: clock[0])
    late = links.make(token).partition("#code=")[2]
    clock[0] = 3601
    assert links.use(late) is None


def test_failing_to_sign_in_is_slowed_down(tmp_path: Path) -> None:
    with live_service(tmp_path) as live:
        for _ in range(MOST_OF_ONE):
            assert sign_in(live, token="mat_" + "x" * 43)[0].status == 401
        refused, _ = sign_in(live, token=live.secret)
        assert (refused.status, refused.json["code"]) == (429, "access.too_many")
        assert 0 < int(refused.headers["retry-after"]) <= WINDOW_S
        assert live.ask("/v1/runs").status == 200  # a token that is right is not slowed down


@given(st.lists(st.tuples(st.sampled_from("abc"), st.floats(0, 30)), max_size=60))
def test_tries_are_counted_for_each_address_in_its_minute(fails: list[tuple[str, float]]) -> None:
    clock = [0.0]
    tries = Tries(lambda: clock[0])
    for address, passed in fails:
        clock[0] += passed
        tries.failed(address)
    tries.check("another")
    clock[0] += WINDOW_S
    for address in "abc":
        tries.check(address)


def test_many_addresses_together_are_slowed_down_too() -> None:
    tries = Tries(lambda: 0.0)
    for number in range(MOST_OF_ALL):
        tries.failed(str(number))
    with pytest.raises(TooManyTries):
        tries.check("another")


# Elsewhere


def test_elsewhere_people_are_sent_to_sign_in(away: LiveService) -> None:
    page = away.ask("/studio/runs?a=b", secret=None, accept="text/html,*/*")
    assert page.status == 303
    assert page.headers["location"] == "/studio/sign-in?to=%2Fstudio%2Fruns%3Fa%3Db"
    for path in ("/studio/sign-in", "/healthz", "/v1/session"):
        assert away.ask(path, secret=None).status == 200, path


def test_elsewhere_the_cookie_is_for_tls_and_this_host_alone(away: LiveService) -> None:
    answer, _ = sign_in(away, token=away.secret)
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-matinee=")
    for word in ("Secure", "HttpOnly", "SameSite=strict", "Path=/"):
        assert word in cookie
    assert "Domain" not in cookie


def test_media_open_by_signature_or_to_all(away: LiveService) -> None:
    door = away.door
    signed = door.address("closed", 60)
    for name, secret, status in (
        ("/media/titles/open/main.m3u8", None, 200),
        ("/media/titles/closed/main.m3u8", None, 404),
        ("/media/titles/closed/main.m3u8", away.token("read"), 200),
        ("/media/titles/closed/main.m3u8", away.token("upload"), 404),
        (f"{signed}main.m3u8", None, 200),
        (f"{signed}a.m4s", None, 200),
        (f"{signed}../open/main.m3u8", None, 404),
        (signed.replace("closed", "open") + "main.m3u8", None, 404),
        (signed.replace("/s/1", "/s/2") + "main.m3u8", None, 404),
        ("/media/s/x/titles/closed/main.m3u8", None, 404),
        ("/media/none", None, 404),
    ):
        assert away.ask(name, secret=secret).status == status, name
    segment = away.ask(f"{signed}a.m4s", secret=None)
    assert segment.headers["cache-control"].startswith("private")
    assert segment.headers["access-control-allow-origin"] == "*"
    preflight = away.ask("/media/titles/closed/a.m4s", "OPTIONS", secret=None)
    assert preflight.status == 204


def test_the_signing_key_is_made_once_and_for_us_alone(tmp_path: Path) -> None:
    key = signing_key(tmp_path)
    assert len(key) == KEY_BYTES
    assert signing_key(tmp_path) == key
    path = tmp_path / KEY_FILE
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in tmp_path.iterdir()] == [KEY_FILE]

    path.chmod(0o640)
    with pytest.raises(LibraryError, match="others may read"):
        signing_key(tmp_path)
    path.chmod(0o600)
    path.write_bytes(b"short")
    with pytest.raises(LibraryError, match="no signing key"):
        signing_key(tmp_path)


def test_a_private_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    path, small = tmp_path / "private", resource.getrlimit(resource.RLIMIT_FSIZE)
    write_private(path, b"before")
    handled = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 16, small[1]))
    try:
        with pytest.raises(LibraryFull, match="private cannot be written"):
            write_private(path, bytes(1 << 17))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, small)
        signal.signal(signal.SIGXFSZ, handled)

    assert path.read_bytes() == b"before"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_the_form_of_the_api_is_told_to_readers(home: LiveService) -> None:
    document = json.loads(home.ask("/v1/openapi.json").body)
    assert document["openapi"].startswith("3.1")
    assert "/v1/runs/{run}/cells/{rung}/{chunk}" in document["paths"]
