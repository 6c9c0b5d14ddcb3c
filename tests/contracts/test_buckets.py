"""What a library in a bucket promises beyond what every object store does."""

import asyncio
import json
import resource
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from tests.conftest import environment
from tests.patience import comes_true
from tests.s3_server import S3Server
from tests.wire import wire

from matinee.adapters.buckets import bucket_objects
from matinee.core.errors import LibraryError, LibraryUnreachable, UsageError
from matinee.core.ids import digest_of
from matinee.ports.store import ObjectStore

WRITER = """
import asyncio, sys
from pathlib import Path
from matinee.adapters.buckets import bucket_objects
from matinee.assets.files import digest_of_file
bucket, endpoint, film = sys.argv[1:]
store = bucket_objects("s3", bucket, "", endpoint)
asyncio.run(store.write("films/big", Path(film), digest=digest_of_file(Path(film))[0]))
"""


@pytest.fixture
def server(s3: S3Server, monkeypatch: pytest.MonkeyPatch) -> S3Server:
    """The server, with its credentials in the environment."""
    for name, value in s3.variables.items():
        monkeypatch.setenv(name, value)
    return s3


def opened(server: S3Server, bucket: str, endpoint: str | None = None) -> ObjectStore:
    return bucket_objects("s3", bucket, "", endpoint or server.endpoint)


def listing(server: S3Server, folder: str) -> list[str]:
    """What lies in a folder of the server, unfinished uploads too."""
    request = Request(
        f"{server.filer}/buckets/{folder}/?limit=100", headers={"Accept": "application/json"}
    )
    try:
        with urlopen(request, timeout=10) as answer:
            return [entry["FullPath"] for entry in json.load(answer)["Entries"] or ()]
    except HTTPError as nothing_there:
        nothing_there.close()
        return []


def test_whoever_fetches_an_object_is_told_what_it_is(server: S3Server) -> None:
    bucket = server.bucket()
    store = opened(server, bucket)

    asyncio.run(store.write("a/main.mpd", b"x", media_type="application/dash+xml", changes=True))
    asyncio.run(store.write("a/1.m4s", b"x", media_type="video/mp4"))

    def headers(key: str) -> tuple[str, str]:
        with urlopen(f"{server.filer}/buckets/{bucket}/{key}", timeout=10) as answer:
            return answer.headers["content-type"], answer.headers["cache-control"]

    assert headers("a/main.mpd") == ("application/dash+xml", "no-cache")
    assert headers("a/1.m4s") == ("video/mp4", "public, max-age=31536000, immutable")


@pytest.mark.parametrize("size", [100, 9 * 2**20], ids=["one PUT", "in parts"])
def test_a_byte_that_is_flipped_on_the_way_is_refused(
    server: S3Server, tmp_path: Path, size: int
) -> None:
    film, bucket = tmp_path / "film", server.bucket()
    film.write_bytes(b"MARK" + bytes(size))

    with wire(server.endpoint, lambda data: data.replace(b"MARK", b"MARL"), bytes) as endpoint:
        store = opened(server, bucket, endpoint)
        with pytest.raises(LibraryError, match="BadDigest"):
            asyncio.run(store.write("film", film))

    assert asyncio.run(opened(server, bucket).size("film")) is None


def test_a_reading_that_breaks_off_is_taken_up_again(server: S3Server) -> None:
    bucket, content = server.bucket(), bytes(range(256)) * 12_000
    asyncio.run(opened(server, bucket).write("film", content))
    passed, cuts = 0, 0

    def cut(data: bytes) -> bytes:
        nonlocal passed, cuts
        passed += len(data)
        if passed > 1_000_000 * (cuts + 1) and cuts < 2:
            cuts += 1
            return b""
        return data

    async def read(store: ObjectStore) -> bytes:
        found = await store.look("film")
        assert found is not None
        pieces = await store.stream("film", 100, found.size_bytes, found.tag)
        return b"".join([piece async for piece in pieces])

    with wire(server.endpoint, bytes, cut) as endpoint:
        read_all = asyncio.run(read(opened(server, bucket, endpoint)))

    assert cuts == 2
    assert read_all == content[100:]


def test_a_killed_writer_leaves_nothing_to_see(server: S3Server, tmp_path: Path) -> None:
    film, bucket = tmp_path / "film", server.bucket()
    with film.open("wb") as file:
        file.truncate(2**30)
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, bucket, server.endpoint, film],
        env={**environment(), **server.variables},
    )
    deadline = time.monotonic() + 60
    try:
        while not listing(server, f"{bucket}/.uploads"):
            assert writer.poll() is None and time.monotonic() < deadline
    finally:
        writer.kill()
        writer.wait()

    store = opened(server, bucket)
    assert asyncio.run(store.size("films/big")) is None
    asyncio.run(store.write("films/big", b"again"))
    assert asyncio.run(store.read("films/big")) == b"again"


def test_an_upload_that_fails_leaves_no_parts(server: S3Server, tmp_path: Path) -> None:
    film, bucket = tmp_path / "film", server.bucket()
    film.write_bytes(bytes(17 * 2**20))

    with pytest.raises(LibraryError):
        asyncio.run(opened(server, bucket).write("film", film, digest=digest_of(b"other")))

    # The upload is given up beside what goes on: the server may hear of it a moment later.
    assert comes_true(lambda: listing(server, f"{bucket}/.uploads") == [], within_s=5)


def test_a_film_is_stored_and_fetched_in_bounded_memory(server: S3Server, tmp_path: Path) -> None:
    film, bucket = tmp_path / "film", server.bucket()
    film.write_bytes(bytes(96 * 2**20))
    store = opened(server, bucket)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    asyncio.run(store.write("film", film))
    copy = asyncio.run(store.as_file("film", tmp_path / "scratch"))

    assert copy.stat().st_size == film.stat().st_size
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 80 * 1024


def test_a_bucket_that_is_not_there_is_said(server: S3Server) -> None:
    with pytest.raises(LibraryError, match="NoSuchBucket") as refused:
        opened(server, "none-of-that-name")
    assert "make the bucket" in refused.value.hint


def test_wrong_credentials_are_said_and_not_shown(
    server: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket = server.bucket()
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a-wrong-secret")
    with pytest.raises(LibraryError, match="SignatureDoesNotMatch") as refused:
        opened(server, bucket)
    assert "credentials" in refused.value.hint
    assert "a-wrong-secret" not in f"{refused.value}{refused.value.hint}"

    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    with pytest.raises(LibraryError, match="no credentials"):
        opened(server, bucket)


def test_a_server_that_is_away_may_be_asked_again(server: S3Server) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]

    address = f"http://127.0.0.1:{port}"
    with pytest.raises(LibraryUnreachable, match=f"no answer from {address}/") as away:
        opened(server, "films", address)
    assert away.value.retryable


def test_a_key_that_is_none_is_refused_before_the_bucket_is_asked(server: S3Server) -> None:
    with pytest.raises(UsageError):
        asyncio.run(opened(server, server.bucket()).stream("a/../b", 0, 0, "x"))
