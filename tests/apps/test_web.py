import asyncio
import http.client
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from tests.apps.conftest import MemoryLibrary
from tests.apps.live_server import LiveServer

from matinee.apps.web.api import poster_uri, title_details, title_summary
from matinee.apps.web.app import SECURITY_HEADERS
from matinee.apps.web.library import Library

SEGMENT = bytes(range(256)) * 40
FILES = {
    "main.m3u8": b"#EXTM3U\n",
    "main.mpd": b"<MPD/>",
    "packages/p0001/v.m3u8": b"#EXTM3U\n#EXT-X-ENDLIST\n",
    "packages/p0001/main.m3u8": b"#EXTM3U\n",
    "renditions/v/init.mp4": b"init",
    "renditions/v/00001.m4s": SEGMENT,
    "renditions/v/empty.m4s": b"",
    "renditions/s/00001.vtt": b"WEBVTT\n",
    "renditions/t/00001.jpg": b"\xff\xd8",
    "packages/p0001/report.json": b"{}",
    ".hidden.json": b"{}",
    ".secret/a.json": b"{}",
    "notes.db": b"db",
    "plain": b"plain",
}


@pytest.fixture(scope="module")
def library(
    sample_report: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> MemoryLibrary:
    root = tmp_path_factory.mktemp("library")
    for path, content in FILES.items():
        file = root / "titles" / "film" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    (root / "ledger.json").write_text("secret")
    (root / "titles-private").mkdir()
    (root / "titles-private" / "a.json").write_text("secret")
    (root / "titles" / "film" / "escape.json").symlink_to(root / "ledger.json")
    (root / "titles" / "film" / "out").symlink_to(root / "titles-private")
    (root / "titles" / "film" / "inside.json").symlink_to("packages/p0001/report.json")
    (root / "titles" / "film" / "folder.json").mkdir()
    os.mkfifo(root / "titles" / "film" / "pipe.json")
    library = MemoryLibrary(root)
    library.add_title("film", sample_report, name="A <b>bold</b> & long film", credit="By 'us'")
    library.add_title("waiting", sample_report, name="Waiting", on_screen=False)
    library.add_title("bare", sample_report | {"thumbnails": None}, name="Bare")
    return library


@pytest.fixture(scope="module")
def server(library: MemoryLibrary) -> Iterator[LiveServer]:
    with LiveServer.over(library.services) as live:
        yield live


class Answer:
    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.status = response.status
        self.headers = {name.lower(): value for name, value in response.getheaders()}
        self.body = response.read()

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def ask(server: LiveServer, path: str, method: str = "GET", **headers: str) -> Answer:
    """One request, with the path sent as it is."""
    parts = urlsplit(server.address)
    connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=10)
    try:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, headers=named)
        return Answer(connection.getresponse())
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("path", "media_type"),
    [
        ("main.m3u8", "application/vnd.apple.mpegurl"),
        ("main.mpd", "application/dash+xml"),
        ("renditions/v/init.mp4", "video/mp4"),
        ("renditions/v/00001.m4s", "video/mp4"),
        ("renditions/s/00001.vtt", "text/vtt; charset=utf-8"),
        ("renditions/t/00001.jpg", "image/jpeg"),
        ("packages/p0001/report.json", "application/json"),
        ("inside.json", "application/json"),
    ],
)
def test_media_files_come_whole_with_their_type(
    server: LiveServer, path: str, media_type: str
) -> None:
    answer = ask(server, f"/media/titles/film/{path}")

    assert answer.status == 200
    assert answer.headers["content-type"] == media_type
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["accept-ranges"] == "bytes"
    assert answer.body == FILES.get(path, b"{}")


def test_only_entry_manifests_must_be_asked_for_again(server: LiveServer) -> None:
    def caching(path: str) -> str:
        return ask(server, f"/media/titles/film/{path}").headers["cache-control"]

    assert caching("main.m3u8") == caching("main.mpd") == "no-cache"
    forever = "public, max-age=31536000, immutable"
    assert caching("packages/p0001/main.m3u8") == caching("renditions/v/00001.m4s") == forever


@pytest.mark.parametrize(
    "path",
    [
        "/media/titles/../ledger.json",
        "/media/titles/film/../../ledger.json",
        "/media/titles/%2e%2e/ledger.json",
        "/media/titles/film/%2e%2e/%2e%2e/ledger.json",
        "/media/titles/film/..%2f..%2fledger.json",
        "/media/titles/film/%2e%2e%2f%2e%2e%2fledger.json",
        "/media/titles/film/..%5c..%5cledger.json",
        "/media/titles/film/%252e%252e/ledger.json",
        "/media/titles//etc/hostname.json",
        "/media/titles/film//main.m3u8",
        "/media/titles/%00.json",
        "/media/titles/film/main.m3u8%00.json",
        "/media/titles/film/escape.json",
        "/media/titles/film/out/a.json",
        "/media/titles-private/a.json",
        "/media/titles/../titles-private/a.json",
        "/media/titles/film/.hidden.json",
        "/media/titles/film/.secret/a.json",
        "/media/titles/film/notes.db",
        "/media/titles/film/plain",
        "/media/titles/film/folder.json",
        "/media/titles/film/pipe.json",
        "/media/titles/film/",
        "/media/titles/film",
        "/media/titles/",
        "/media/ledger.json",
        "/media/titles/film/missing.m4s",
        "/media/titles/film/" + "a" * 3000 + ".json",
        "/static/../app.py",
        "/static/..%2fapp.py",
        "/static/app.py",
    ],
)
def test_nothing_else_is_served(server: LiveServer, path: str) -> None:
    answer = ask(server, path)

    assert answer.status == 404
    assert b"secret" not in answer.body


def test_head_says_what_get_would(server: LiveServer) -> None:
    path = "/media/titles/film/renditions/v/00001.m4s"
    got, head = ask(server, path), ask(server, path, "HEAD")

    assert head.status == 200
    assert head.body == b""
    ignored = {"date"}
    assert {n: v for n, v in head.headers.items() if n not in ignored} == {
        n: v for n, v in got.headers.items() if n not in ignored
    }


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("bytes=0-99", SEGMENT[:100]),
        ("bytes=100-", SEGMENT[100:]),
        ("bytes=-7", SEGMENT[-7:]),
        ("bytes=10000-999999", SEGMENT[10000:]),
        ("bytes=-99999999", SEGMENT),
    ],
)
def test_a_range_gives_exactly_those_bytes(server: LiveServer, asked: str, expected: bytes) -> None:
    answer = ask(server, "/media/titles/film/renditions/v/00001.m4s", Range=asked)

    start = SEGMENT.rindex(expected) if asked != "bytes=0-99" else 0
    assert answer.status == 206
    assert answer.body == expected
    expected_range = f"bytes {start}-{start + len(expected) - 1}/{len(SEGMENT)}"
    assert answer.headers["content-range"] == expected_range
    assert answer.headers["content-length"] == str(len(expected))


@pytest.mark.parametrize("asked", ["bytes=10240-", "bytes=99999-100000", "bytes=-0"])
def test_a_range_outside_the_file_is_refused(server: LiveServer, asked: str) -> None:
    answer = ask(server, "/media/titles/film/renditions/v/00001.m4s", Range=asked)

    assert answer.status == 416
    assert answer.headers["content-range"] == f"bytes */{len(SEGMENT)}"


@pytest.mark.parametrize("asked", ["bytes=5-2", "bytes=0-1,4-5", "lines=0-1", "bytes=a-b", "x"])
def test_what_is_no_single_range_gives_the_whole_file(server: LiveServer, asked: str) -> None:
    answer = ask(server, "/media/titles/film/renditions/v/00001.m4s", Range=asked)

    assert answer.status == 200
    assert answer.body == SEGMENT


def test_if_range_of_other_bytes_gives_the_whole_file(server: LiveServer) -> None:
    path = "/media/titles/film/renditions/v/00001.m4s"
    tag = ask(server, path).headers["etag"]

    assert ask(server, path, Range="bytes=0-1", If_Range=tag).status == 206
    assert ask(server, path, Range="bytes=0-1", If_Range='"other"').status == 200
    assert ask(server, path, Range="bytes=0-1", If_Range=f"W/{tag}").status == 200


def test_a_known_tag_is_answered_without_a_body(server: LiveServer) -> None:
    path = "/media/titles/film/main.m3u8"
    tag = ask(server, path).headers["etag"]
    again = ask(server, path, If_None_Match=f'"x", W/{tag}')

    assert again.status == 304
    assert again.body == b""
    assert again.headers["cache-control"] == "no-cache"
    assert ask(server, path, If_None_Match='"x"').status == 200


def test_an_empty_file_is_served(server: LiveServer) -> None:
    path = "/media/titles/film/renditions/v/empty.m4s"

    assert (ask(server, path).status, ask(server, path).body) == (200, b"")
    assert ask(server, path, Range="bytes=0-").status == 416


def test_another_site_may_ask_for_ranges(server: LiveServer) -> None:
    asked = {"Origin": "https://player.example", "Access_Control_Request_Headers": "range"}
    answer = ask(server, "/media/titles/film/renditions/v/00001.m4s", "OPTIONS", **asked)

    assert answer.status == 204
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "Range" in answer.headers["access-control-allow-headers"]
    got = ask(server, "/media/titles/film/main.m3u8", Origin="https://player.example")
    assert "Content-Range" in got.headers["access-control-expose-headers"]
    assert "Content-Length" in got.headers["access-control-expose-headers"]


def test_media_files_cannot_be_written(server: LiveServer) -> None:
    answer = ask(server, "/media/titles/film/main.m3u8", "PUT")

    assert answer.status == 405
    assert "GET" in answer.headers["allow"]


def test_pages_carry_a_strict_policy(server: LiveServer) -> None:
    for path in ("/", "/watch/film", "/titles/film", "/v1/titles", "/healthz", "/nope"):
        headers = ask(server, path).headers
        for name, value in SECURITY_HEADERS.items():
            assert headers[name] == value, (path, name)
    policy = SECURITY_HEADERS["content-security-policy"]
    assert "unsafe" not in policy
    assert "http" not in policy


def test_pages_name_no_other_host_and_no_inline_code(server: LiveServer) -> None:
    for path in ("/", "/watch/film", "/titles/film", "/watch/waiting", "/nope"):
        page = ask(server, path).body.decode()
        assert "http://" not in page and "https://" not in page
        assert "style=" not in page and "onclick" not in page
        assert "<script>" not in page and "<style" not in page


def test_names_are_escaped(server: LiveServer) -> None:
    for path in ("/", "/watch/film", "/titles/film"):
        page = ask(server, path).body.decode()
        assert "<b>bold" not in page
        assert "A &lt;b&gt;bold&lt;/b&gt; &amp; long film" in page


def test_the_list_shows_titles_with_posters(server: LiveServer) -> None:
    page = ask(server, "/").body.decode()

    assert 'href="/media/titles/film/renditions/thumbs/00001.jpg"' in page
    assert 'href="/watch/film"' in page
    assert 'href="/watch/waiting"' not in page
    assert page.index("A &lt;b&gt;bold") < page.index("Not on screen") < page.index("Waiting")


def test_an_empty_library_says_how_to_begin(tmp_path: Path) -> None:
    with LiveServer.over(MemoryLibrary(tmp_path).services) as server:
        answer = ask(server, "/")

    assert answer.status == 200
    assert b"matinee publish" in answer.body


def test_titles_are_listed_as_json(server: LiveServer) -> None:
    titles = ask(server, "/v1/titles").json

    assert [title["id"] for title in titles] == ["film", "bare", "waiting"]
    assert set(titles[0]) == {"id", "name", "state", "credit", "poster", "duration"}
    assert titles[0]["state"] == "published"
    assert titles[0]["duration"] == 120.0
    assert titles[0]["poster"].startswith("/media/titles/film/renditions/thumbs/00001.jpg#xywh=")
    assert (titles[1]["poster"], titles[2]["poster"]) == (None, None)
    assert titles[2]["state"] == "hidden"


def test_a_title_comes_with_its_report(server: LiveServer, sample_report: dict[str, Any]) -> None:
    title = ask(server, "/v1/titles/film").json

    assert title["report"] == sample_report
    assert title["media"] == {
        "hls": "/media/titles/film/main.m3u8",
        "dash": "/media/titles/film/main.mpd",
    }
    assert title["packages"] == [
        {
            "id": "p0001",
            "state": "ready",
            "made_at": "2026-11-01T18:30:00+00:00",
            "current": True,
        }
    ]
    assert ask(server, "/v1/titles/waiting").json["media"] is None
    assert ask(server, "/v1/titles/film?package=p0001").status == 200


@pytest.mark.parametrize("path", ["/v1/titles/none", "/v1/titles/film?package=none", "/v1/none"])
def test_errors_of_the_api_are_problem_documents(server: LiveServer, path: str) -> None:
    answer = ask(server, path)

    assert answer.status == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json["code"] == "not_found"
    assert answer.json["status"] == 404
    assert ask(server, "/v1/titles", "POST").status == 405
    assert ask(server, "/v1/titles", "POST").json["code"] == "method_not_allowed"


@pytest.mark.parametrize("path", ["/watch/none", "/titles/none", "/nope", "/titles/film?package=x"])
def test_people_get_a_page_for_what_is_missing(server: LiveServer, path: str) -> None:
    answer = ask(server, path)

    assert answer.status == 404
    assert answer.headers["content-type"].startswith("text/html")
    assert b"All titles" in answer.body


def test_a_defect_gives_no_detail_away(tmp_path: Path, sample_report: dict[str, Any]) -> None:
    library = MemoryLibrary(tmp_path)
    library.add_title("film", sample_report)
    library.assets.clear()
    with LiveServer.over(library.services) as server:
        answer = ask(server, "/v1/titles/film")
        page = ask(server, "/titles/film")

    assert (answer.status, answer.json["code"]) == (500, "internal")
    assert page.status == 500
    assert b"Traceback" not in answer.body + page.body
    assert "content-security-policy" in page.headers


def test_the_poster_lies_inside_the_sheet(library: MemoryLibrary) -> None:
    views = asyncio.run(Library(library.services).views())
    poster = poster_uri(views[0])

    assert poster is not None
    x, y, width, height = (int(part) for part in poster.split("#xywh=")[1].split(","))
    assert x + width <= 5 * 160 and y + height <= 6 * 90
    assert title_details(views[0]).items() >= title_summary(views[0]).items()


def test_health_answers(server: LiveServer) -> None:
    assert ask(server, "/healthz").json == {"status": "ok"}
