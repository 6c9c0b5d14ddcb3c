"""The origin: what players fetch, from a library with files that must never leave it."""

import asyncio
from collections.abc import Iterator

import pytest
from tests.apps.cinema import TITLE
from tests.apps.live_server import Answer, LiveServer, ask
from tests.apps.shelf import Shelf
from tests.s3_server import S3Server

from matinee.adapters.buckets import bucket_objects
from matinee.ports.store import ObjectStore
from matinee.stages.together import in_turn

pytestmark = pytest.mark.tools

MEDIA = f"/media/titles/{TITLE}/"


@pytest.fixture(scope="module", params=["folder", "bucket"])
def server(request: pytest.FixtureRequest, shelf: Shelf) -> Iterator[LiveServer]:
    """A server of the shelf's files, where they are and out of a bucket."""
    if request.param == "folder":
        with LiveServer.over(shelf.library) as live:
            yield live
        return
    s3: S3Server = request.getfixturevalue("s3")
    bucket = s3.bucket()
    variables = {
        **s3.variables,
        "MATINEE_DATABASE": f"sqlite:///{shelf.library / 'matinee.db'}",
        "MATINEE_STATE": str(shelf.library / "state"),
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in variables.items():
            patch.setenv(name, value)
        store = bucket_objects("s3", bucket, "films", s3.endpoint)
        asyncio.run(_fill(store, shelf))
    with LiveServer.over(f"s3://{bucket}/films", **variables) as live:
        yield live


async def _fill(store: ObjectStore, shelf: Shelf) -> None:
    """Every file of the shelf, those too that must never be served."""
    await in_turn(
        lambda path: store.write(path.relative_to(shelf.library).as_posix(), path),
        [
            path
            for path in (shelf.library / "ledger.json", *shelf.library.glob("titles*/**/*"))
            if path.is_file() and not (path.is_symlink() and path.name == "escape.json")
        ],
        at_once=16,
    )


def ask_segment(server: LiveServer, shelf: Shelf, method: str = "GET", **headers: str) -> Answer:
    return ask(server, MEDIA + shelf.segment.relative_to(shelf.title).as_posix(), method, **headers)


@pytest.mark.parametrize(
    ("pattern", "media_type"),
    [
        ("main.m3u8", "application/vnd.apple.mpegurl"),
        ("main.mpd", "application/dash+xml"),
        ("packages/*/main.m3u8", "application/vnd.apple.mpegurl"),
        ("packages/*/manifest.mpd", "application/dash+xml"),
        ("renditions/video-288p-*/init.mp4", "video/mp4"),
        ("renditions/video-288p-*/00001.m4s", "video/mp4"),
        ("renditions/audio-en*/00001.m4s", "video/mp4"),
        ("renditions/text-es*/00001.vtt", "text/vtt; charset=utf-8"),
        ("renditions/thumb*/00001.jpg", "image/jpeg"),
        ("public.json", "application/json"),
        ("inside.json", "application/json"),
    ],
)
def test_media_files_come_whole_with_their_type(
    server: LiveServer, shelf: Shelf, pattern: str, media_type: str
) -> None:
    file = shelf.file(pattern)
    answer = ask(server, MEDIA + file.relative_to(shelf.title).as_posix())

    assert answer.status == 200
    assert answer.headers["content-type"] == media_type
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["accept-ranges"] == "bytes"
    assert answer.body == file.read_bytes()


def test_every_file_of_the_package_is_served(server: LiveServer, shelf: Shelf) -> None:
    files = [
        file.relative_to(shelf.title).as_posix()
        for folder in ("packages", "renditions")
        for file in (shelf.title / folder).rglob("*")
        if file.is_file()
    ]
    assert len(files) > 60
    assert {path for path in files if ask(server, MEDIA + path, "HEAD").status != 200} == set()


def test_only_entry_manifests_and_previews_must_be_asked_for_again(
    server: LiveServer, shelf: Shelf
) -> None:
    def caching(path: str) -> str:
        return ask(server, MEDIA + path).headers["cache-control"]

    assert caching("main.m3u8") == caching("main.mpd") == "no-cache"
    assert caching("preview/video-00001.m4s") == "no-cache"
    forever = "public, max-age=31536000, immutable"
    assert caching(f"packages/{shelf.package}/main.m3u8") == forever
    assert ask_segment(server, shelf).headers["cache-control"] == forever


@pytest.mark.parametrize(
    "path",
    [
        "/media/titles/../ledger.json",
        "/media/titles/{title}/../../ledger.json",
        "/media/titles/%2e%2e/ledger.json",
        "/media/titles/{title}/%2e%2e/%2e%2e/ledger.json",
        "/media/titles/{title}/..%2f..%2fledger.json",
        "/media/titles/{title}/%2e%2e%2f%2e%2e%2fledger.json",
        "/media/titles/{title}/..%5c..%5cledger.json",
        "/media/titles/{title}/%252e%252e/ledger.json",
        "/media/titles//etc/hostname.json",
        "/media/titles/{title}//main.m3u8",
        "/media/titles/%00.json",
        "/media/titles/{title}/main.m3u8%00.json",
        "/media/titles/{title}/escape.json",
        "/media/titles/{title}/out/a.json",
        "/media/titles-private/a.json",
        "/media/titles/../titles-private/a.json",
        "/media/titles/{title}/.hidden.json",
        "/media/titles/{title}/.secret/a.json",
        "/media/titles/{title}/notes.db",
        "/media/titles/{title}/plain",
        "/media/titles/{title}/folder.json",
        "/media/titles/{title}/pipe.json",
        "/media/titles/{title}/",
        "/media/titles/{title}",
        "/media/titles/",
        "/media/ledger.json",
        "/media/matinee.db",
        "/media/titles/../matinee.db",
        "/media/titles/{title}/missing.m4s",
        "/media/titles/waiting/main.m3u8",
        "/media/titles/{title}/" + "a" * 3000 + ".json",
        "/static/../app.py",
        "/static/..%2fapp.py",
        "/static/app.py",
    ],
)
def test_nothing_else_is_served(server: LiveServer, path: str) -> None:
    answer = ask(server, path.format(title=TITLE))

    assert answer.status == 404
    assert b"secret" not in answer.body


def test_head_says_what_get_would(server: LiveServer, shelf: Shelf) -> None:
    got, head = ask_segment(server, shelf), ask_segment(server, shelf, "HEAD")

    assert head.status == 200
    assert head.body == b""
    ignored = {"date"}
    assert {n: v for n, v in head.headers.items() if n not in ignored} == {
        n: v for n, v in got.headers.items() if n not in ignored
    }


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("bytes=0-99", slice(100)),
        ("bytes=100-", slice(100, None)),
        ("bytes=-7", slice(-7, None)),
        ("bytes=10000-99999999", slice(10_000, None)),
        ("bytes=-99999999", slice(None)),
    ],
)
def test_a_range_gives_exactly_those_bytes(
    server: LiveServer, shelf: Shelf, asked: str, expected: slice
) -> None:
    whole = shelf.segment.read_bytes()
    answer = ask_segment(server, shelf, Range=asked)

    start, end, _ = expected.indices(len(whole))
    assert answer.status == 206
    assert answer.body == whole[expected]
    assert answer.headers["content-range"] == f"bytes {start}-{end - 1}/{len(whole)}"
    assert answer.headers["content-length"] == str(end - start)


@pytest.mark.parametrize("asked", ["bytes={size}-", "bytes=99999999-99999999", "bytes=-0"])
def test_a_range_outside_the_file_is_refused(server: LiveServer, shelf: Shelf, asked: str) -> None:
    size = shelf.segment.stat().st_size
    answer = ask_segment(server, shelf, Range=asked.format(size=size))

    assert answer.status == 416
    assert answer.headers["content-range"] == f"bytes */{size}"


@pytest.mark.parametrize("asked", ["bytes=5-2", "bytes=0-1,4-5", "lines=0-1", "bytes=a-b", "x"])
def test_what_is_no_single_range_gives_the_whole_file(
    server: LiveServer, shelf: Shelf, asked: str
) -> None:
    answer = ask_segment(server, shelf, Range=asked)

    assert answer.status == 200
    assert answer.body == shelf.segment.read_bytes()


def test_if_range_of_other_bytes_gives_the_whole_file(server: LiveServer, shelf: Shelf) -> None:
    tag = ask_segment(server, shelf).headers["etag"]

    def status(if_range: str) -> int:
        return ask_segment(server, shelf, Range="bytes=0-1", If_Range=if_range).status

    assert (status(tag), status('"other"'), status(f"W/{tag}")) == (206, 200, 200)


def test_a_known_tag_is_answered_without_a_body(server: LiveServer) -> None:
    path = MEDIA + "main.m3u8"
    tag = ask(server, path).headers["etag"]
    again = ask(server, path, If_None_Match=f'"x", W/{tag}')

    assert again.status == 304
    assert again.body == b""
    assert again.headers["cache-control"] == "no-cache"
    assert ask(server, path, If_None_Match='"x"').status == 200


def test_an_empty_file_is_served(server: LiveServer) -> None:
    path = MEDIA + "empty.m4s"

    assert (ask(server, path).status, ask(server, path).body) == (200, b"")
    assert ask(server, path, Range="bytes=0-").status == 416


def test_another_site_may_ask_for_ranges(server: LiveServer, shelf: Shelf) -> None:
    asked = {"Origin": "https://player.example", "Access_Control_Request_Headers": "range"}
    answer = ask_segment(server, shelf, "OPTIONS", **asked)

    assert answer.status == 204
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "Range" in answer.headers["access-control-allow-headers"]
    got = ask(server, MEDIA + "main.m3u8", Origin="https://player.example")
    assert "Content-Range" in got.headers["access-control-expose-headers"]
    assert "Content-Length" in got.headers["access-control-expose-headers"]


def test_media_files_cannot_be_written(server: LiveServer) -> None:
    answer = ask(server, MEDIA + "main.m3u8", "PUT")

    assert answer.status == 405
    assert "GET" in answer.headers["allow"]
