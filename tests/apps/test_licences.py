"""Keys for players: who gets them, in which form, and who does not."""

import base64
import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from tests.apps.live_service import ELSEWHERE, LOOPBACK, Answer, LiveService, live_service

from matinee.adapters.keys import SECRET_FILE
from matinee.apps.web.licences import licence, read_licence_request
from matinee.core.errors import MatineeError
from matinee.core.ids import digest_of
from matinee.media.encryption import ContentKey, Encryption, Keyring
from matinee.ports.catalog import Package, Title
from matinee.ports.keys import keys_of
from matinee.wiring.keys import open_keys
from matinee.wiring.library import now

FILM, OTHER = "film", "other"
LABELS = ("video", "audio")


def stocked(live: LiveService) -> dict[str, dict[str, ContentKey]]:
    """Two encrypted titles on screen, and one that is not encrypted; gives their keys."""
    library = live.library
    open_keys(library.settings, "library").prepare()
    keys = {}
    for title in (FILM, OTHER, "clear"):
        source = digest_of(title.encode())
        library.titles.add(Title(title, f"The {title}", source, "f.mp4", "", now(), None))
        settings: dict[str, Any] = {}
        if title != "clear":
            keys[title] = keys_of(open_keys(library.settings, "library"), title, LABELS)
            ring = Keyring(Encryption("cbcs"), keys[title])
            settings["encryption"] = ring.as_json()
        report = digest_of(b"{}")
        package = Package("a" * 16, title, "ready", now(), {}, report, settings, {"duration": 3})
        library.packages.add(package)
        library.packages.point(title, package.id)
    return keys


def encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def ask(live: LiveService, place: str, *ids: bytes, **options: Any) -> Answer:
    body = {"kids": [encoded(one) for one in ids], "type": "temporary"}
    return live.ask(f"{place}clearkey", "POST", body, **options)


@pytest.fixture
def away(tmp_path: Path) -> Iterator[LiveService]:
    with live_service(tmp_path, ELSEWHERE) as live:
        yield live


def signed(live: LiveService, title: str) -> str:
    return live.door.address(title, 3.0)


def test_a_licence_has_the_keys_that_are_asked_for_and_no_others(tmp_path: Path) -> None:
    with live_service(tmp_path, LOOPBACK) as live:
        keys, place = stocked(live)[FILM], f"/media/titles/{FILM}/"
        both = ask(live, place, keys["video"].id, keys["audio"].id)
        one = ask(live, place, keys["audio"].id, bytes(16))
        fetched = live.ask(f"{place}keys/{keys['video'].id.hex()}.key")

    assert both.status == 200 and both.headers["content-type"] == "application/json"
    assert both.headers["cache-control"] == "no-store"
    assert both.headers["access-control-allow-origin"] == "*"
    assert both.json["type"] == "temporary" and len(both.json["keys"]) == 2
    for label in LABELS:
        key = {"kty": "oct", "kid": encoded(keys[label].id), "k": encoded(keys[label].key)}
        assert key in both.json["keys"]
    assert [key["kid"] for key in one.json["keys"]] == [encoded(keys["audio"].id)]
    assert (fetched.status, fetched.body) == (200, keys["video"].key)
    assert fetched.headers["cache-control"] == "no-store"


def test_keys_are_behind_the_door_of_the_segments(away: LiveService) -> None:
    keys = stocked(away)
    plain, place = f"/media/titles/{FILM}/", signed(away, FILM)
    wanted = keys[FILM]["video"].id

    assert ask(away, plain, wanted, secret=None).status == 404
    assert ask(away, place, wanted, secret=None).status == 200
    file = f"keys/{wanted.hex()}.key"
    assert away.ask(plain + file, secret=None).status == 404
    assert away.ask(place + file, secret=None).body == keys[FILM]["video"].key
    assert ask(away, place.replace(FILM, OTHER), wanted, secret=None).status == 404
    assert ask(away, place.replace("/s/", "/s/1"), wanted, secret=None).status == 404
    assert ask(away, plain, wanted, secret=away.token("upload")).status == 404
    assert ask(away, plain, wanted, secret=away.token("read")).status == 200
    away.library.desk.open_to_all(FILM, is_public=True)
    assert ask(away, signed(away, OTHER), wanted, secret=None).status == 404


def test_a_session_asks_for_a_licence_without_the_proof_of_its_page(away: LiveService) -> None:
    """The player does not know of it, and nothing is changed by it."""
    wanted = stocked(away)[FILM]["video"].id
    entered = away.ask(
        "/v1/session", "POST", {"token": away.secret}, secret=None, origin=away.address
    )
    cookie = entered.headers["set-cookie"].partition(";")[0]

    answer = ask(away, f"/media/titles/{FILM}/", wanted, secret=None, cookie=cookie)

    assert answer.status == 200
    forged = away.ask(f"/v1/titles/{FILM}/hide", "POST", {}, secret=None, cookie=cookie)
    assert forged.status == 403


def test_no_key_of_a_title_that_is_off_the_screen_or_of_another(tmp_path: Path) -> None:
    with live_service(tmp_path, LOOPBACK) as live:
        keys = stocked(live)
        asked = partial(ask, live, f"/media/titles/{FILM}/")
        assert asked(keys[OTHER]["video"].id).status == 404
        assert asked(keys[FILM]["video"].id).status == 200
        assert ask(live, "/media/titles/The film/".replace(" ", "%20"), bytes(16)).status == 404
        assert ask(live, "/media/titles/clear/", bytes(16)).status == 404
        live.library.packages.point(FILM, None)
        assert asked(keys[FILM]["video"].id).status == 404


def test_another_key_than_the_one_of_the_package_is_never_given(tmp_path: Path) -> None:
    with live_service(tmp_path, LOOPBACK) as live:
        wanted = stocked(live)[FILM]["video"].id
        (tmp_path / SECRET_FILE).write_bytes(bytes(32))
        answer = ask(live, f"/media/titles/{FILM}/", wanted)

    assert (answer.status, answer.body) == (500, b"Internal Server Error\n")


def test_pages_and_players_are_told_where_licences_are(tmp_path: Path) -> None:
    with live_service(tmp_path, LOOPBACK) as live:
        keys = stocked(live)
        report = live.library.settings.library / "objects"
        digest = digest_of(b"{}")
        (report / digest[:2]).mkdir(parents=True, exist_ok=True)
        (report / digest[:2] / digest).write_bytes(b"{}")
        told = live.ask(f"/v1/titles/{FILM}").json["media"]
        clear = live.ask("/v1/titles/clear").json["media"]
        place = told["licence"].removesuffix("clearkey")
        assert ask(live, place, keys[FILM]["audio"].id).status == 200

    assert clear["licence"] is None and clear["hls"].endswith("main.m3u8")


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"[]", b'"kids"', b'{"kids": []}', b'{"kids": [7]}', b'{"kids": ["AAAA"]}',
        b'{"kids": "AAAAAAAAAAAAAAAAAAAAAA"}', b'{"kids": null}', b"[" * 50_000,
        json.dumps({"kids": ["A" * 22] * 65}).encode(),
        json.dumps({"kids": ["A" * 22], "type": 7}).encode(),
        json.dumps({"kids": ["/" * 22]}).encode(),
    ],
)  # fmt: skip
def test_what_is_no_request_for_a_licence_is_refused(body: bytes) -> None:
    with pytest.raises(MatineeError, match="ClearKey licence"):
        read_licence_request(body)


def test_a_request_is_read_as_the_standard_spells_it() -> None:
    """Encrypted Media Extensions, section 9.1.3."""
    body = b'{"kids": ["LwVHf8JLtPrv2GUXFW2v_A"], "type": "persistent-license"}'
    ids, kind = read_licence_request(body)

    assert (ids, kind) == (["2f05477fc24bb4faefd86517156daffc"], "persistent-license")
    assert json.loads(
        licence({ids[0]: bytes.fromhex("dbd05477fc24bb4faefd86517156daff")}, kind)
    ) == {
        "keys": [{"kty": "oct", "kid": "LwVHf8JLtPrv2GUXFW2v_A", "k": "29BUd_wku0-u_YZRcVba_w"}],
        "type": "persistent-license",
    }


def test_other_methods_and_larger_bodies_are_refused(tmp_path: Path) -> None:
    with live_service(tmp_path, LOOPBACK) as live:
        stocked(live)
        place = f"/media/titles/{FILM}/clearkey"
        assert live.ask(place).status == 405
        asked = live.ask(place, "OPTIONS", origin="https://elsewhere.example", secret=None)
        assert asked.status == 204 and "POST" in asked.headers["access-control-allow-methods"]
        assert live.ask(place, "POST", b" " * 70_000).status == 413
        assert live.ask(place, "POST", b"{}").status == 422
