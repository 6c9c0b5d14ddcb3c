"""A real store: its webhook starts work, its objects are fetched in bounded memory."""

import asyncio
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from obstore.store import S3Store
from tests.conftest import environment
from tests.s3_server import S3Server
from tests.ways.running import ROOT, Service, free_port

from matinee.adapters.foreign_buckets import ForeignBucket
from matinee.adapters.places import Places, PlaceUnknown
from matinee.core.errors import LibraryFull, SourceChanged, SourceUnreadable
from matinee.core.room import Room

if TYPE_CHECKING:
    from obstore import ObjectMeta

GUIDE = ROOT / "docs" / "guide" / "ways-in.md"
KEY = "in/my film +ü%.mkv"

FETCHER = """
import asyncio, resource, sys
from pathlib import Path
from matinee.adapters.places import Places
from matinee.core.room import Room
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
path = asyncio.run(Places(Room()).fetch(sys.argv[1], Path(sys.argv[2])))
print(path)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.fixture(scope="module")
def told() -> Iterator[tuple[Service, S3Server]]:
    """A store that tells our service of its changes."""
    port = free_port()
    # Not pytest's own folder, whose path is too long for the server's sockets.
    with tempfile.TemporaryDirectory(prefix="s3-") as name:
        folder = Path(name)
        (folder / "store").mkdir()
        example = re.findall(r"```toml\n(\[notification.*?)```", GUIDE.read_text(), re.DOTALL)[0]
        hook = f"http://127.0.0.1:{port}/"
        told = example.replace("https://matinee.example/", hook).replace('"..."', '"store"')
        (folder / "store" / "notification.toml").write_text(told)
        with S3Server.started(folder / "store") as server:
            variables = {**server.variables, "MATINEE_BUCKETS": "s3://films/in"}
            service = Service(folder / "library", variables=variables, port=port)
            with service.running():
                yield service, server


def store_of(server: S3Server, bucket: str) -> S3Store:
    names = server.variables
    return S3Store(
        bucket,
        config={
            "endpoint": server.endpoint, "region": "us-east-1",
            "virtual_hosted_style_request": False,
            "access_key_id": names["AWS_ACCESS_KEY_ID"],
            "secret_access_key": names["AWS_SECRET_ACCESS_KEY"],
        },
        client_options={"allow_http": True},
    )  # fmt: skip


def told_of(service: Service, count: int) -> list[tuple[str, str]]:
    deadline = time.monotonic() + 30
    while len(events := service.events()) < count:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return [(event.type, event.data["place"]) for event in events]


def test_a_stores_own_webhook_tells_of_films_that_come_and_go(
    told: tuple[Service, S3Server],
) -> None:
    service, server = told
    store = store_of(server, "films")
    store.put("outside.mkv", b"film")
    store.put(KEY, b"film")
    store.put("in/large.mkv", b"x" * (6 << 20), chunk_size=5 << 20)  # in several parts
    told_of(service, 2)
    store.rename("in/large.mkv", "in/moved.mkv")
    store.delete(KEY)

    assert sorted(told_of(service, 5)) == [
        ("film.arrived", "s3://films/in/large.mkv"),
        ("film.arrived", "s3://films/in/moved.mkv"),
        ("film.arrived", f"s3://films/{KEY}"),
        ("film.removed", "s3://films/in/large.mkv"),
        ("film.removed", f"s3://films/{KEY}"),
    ]


def test_documents_over_http_are_answered(told: tuple[Service, S3Server]) -> None:
    service, _ = told

    def post(body: bytes, who: str = "store") -> tuple[int, dict[str, object]]:
        answer = service.ask("POST", "/bucket-events", body, who=who)
        return answer.status, json.loads(answer.body)

    assert post(b'{"Event": "s3:TestEvent", "Bucket": "films"}') == (200, {"heard": 0})
    other = {"eventName": "ObjectCreated:Put", "s3": {"bucket": {"name": "others"},
                                                  "object": {"key": "a.mkv"}}}  # fmt: skip
    assert post(json.dumps({"Records": [other]}).encode()) == (200, {"heard": 0})
    for body in (b"", b"{", b"[]", b"{}", b"\xff", b"[" * 100_000, b" " * (1 << 21)):
        status, problem = post(body)
        assert (status, problem["code"]) == (400, "bucket.document")
    assert post(b"{}", who="")[0] == 400


def test_an_object_is_fetched_in_bounded_memory(
    told: tuple[Service, S3Server], tmp_path: Path
) -> None:
    _, server = told
    store = store_of(server, "films")
    content = os.urandom(1 << 20) * 96
    store.put("big/film.de.forced.srt", content, chunk_size=16 << 20)
    run = subprocess.run(
        [sys.executable, "-c", FETCHER, "s3://films/big/film.de.forced.srt", str(tmp_path)],
        env={**environment(), **server.variables}, check=True, capture_output=True, text=True,
    )  # fmt: skip
    path, grown_kib = run.stdout.splitlines()

    assert Path(path).read_bytes() == content
    assert Path(path).parent == tmp_path
    assert Path(path).name.endswith(".de.forced.srt")
    assert int(grown_kib) < 72 * 1024, "the object was in memory as a whole"


def places(server: S3Server, room: Room | None = None) -> Places:
    return Places(room or Room(), lambda name: ForeignBucket(name, store_of(server, name)))


def test_what_cannot_be_fetched_is_told_and_leaves_nothing(
    told: tuple[Service, S3Server], tmp_path: Path
) -> None:
    _, server = told
    store_of(server, "films").put("other/a.mkv", b"film")
    full = Room(floor=1 << 60)
    for room, place, error in (
        (Room(), "s3://films/other/none.mkv", SourceUnreadable),
        (full, "s3://films/other/a.mkv", LibraryFull),
        (Room(), "https://example.com/a.mkv", PlaceUnknown),
        (Room(), "s3://films", PlaceUnknown),
    ):
        with pytest.raises(error):
            asyncio.run(places(server, room).fetch(place, tmp_path))
    assert list(tmp_path.iterdir()) == []


class ReplacedAfterHead:
    """A store in which somebody replaces each object as soon as it was asked for."""

    def __init__(self, store: S3Store) -> None:
        self._store = store
        self.get = store.get

    def head(self, key: str) -> "ObjectMeta":
        found = self._store.head(key)
        self._store.put(key, b"another film")
        return found


def test_an_object_that_is_replaced_while_it_is_read_is_told(
    told: tuple[Service, S3Server], tmp_path: Path
) -> None:
    _, server = told
    store = store_of(server, "films")
    store.put("other/b.mkv", b"film")
    backend: Any = ReplacedAfterHead(store)

    with pytest.raises(SourceChanged):
        asyncio.run(
            Places(Room(), lambda name: ForeignBucket(name, backend)).fetch(
                "s3://films/other/b.mkv", tmp_path
            )
        )


def test_local_places_are_themselves(tmp_path: Path) -> None:
    fetching = Places(Room())
    assert asyncio.run(fetching.fetch("/films/a b.mkv", tmp_path)) == Path("/films/a b.mkv")
    odd = asyncio.run(fetching.fetch("file:///films/fi%FFlm%20x.mkv", tmp_path))
    assert os.fsencode(odd) == b"/films/fi\xfflm x.mkv"
