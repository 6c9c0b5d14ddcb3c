"""Three ways in, one service: what comes by any of them plays without another command."""

import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from obstore.store import S3Store
from requests import RequestException
from tests.apps.viewer import Viewer
from tests.conftest import Ended
from tests.s3_server import S3Server
from tests.service.running import Up, eventually, longer, new_library, put
from tests.ways.running import free_port, kill_when_kept
from tusclient.client import TusClient
from tusclient.exceptions import TusCommunicationError

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.tools,
    pytest.mark.usefixtures("browser"),  # first of all: without one there is nothing to wait for
]

Run = Callable[..., Ended]
MIB = 1 << 20
UPLOADED = 48 * MIB
KILLED_AT = (16 * MIB, 32 * MIB)
HOOK = """
[notification.webhook]
enabled = true
endpoint = "http://127.0.0.1:{port}/bucket-events"
bearer_token = "{token}"
path_prefixes = ["/buckets/films"]
"""


def test_films_that_come_by_three_ways_play_without_another_command(
    open_viewer: Callable[..., Viewer], short_film: Path, ladder: Path, matinee: Run, tmp_path: Path
) -> None:
    library, port, watched = new_library(tmp_path, ladder), free_port(), tmp_path / "watched"
    watched.mkdir()
    store_token, upload_token = (new_token(matinee, library, name) for name in ("store", "ada"))
    with store_that_tells(port, store_token) as server:
        bucket = server.bucket()
        variables = {**server.variables, "MATINEE_BUCKETS": f"s3://{bucket}"}
        with Up(library, ["--watch", watched], variables, port=port).running() as up:
            put(short_film, watched, "Watched")
            film = tmp_path / "film.mp4"
            film.write_bytes(longer(short_film, UPLOADED))
            upload(film, up, upload_token)
            eventually(lambda: is_listed(up), up)
            store_of(server, bucket).put("in/Told of.mp4", longer(short_film, 64))

            titles = eventually(lambda: all_published(up, 3), up)
            assert titles == {"watched": "Watched", "uploaded": "Uploaded", "told-of": "Told of"}
            arrivals = [event["data"]["origin"] for event in up.events("film.arrived")]
            assert sorted(arrivals) == ["bucket", "upload", "watch"]
            for title in titles:
                viewer = open_viewer(up.address)
                viewer.open(f"/watch/{title}?autoplay&format=hls")
                viewer.until("window.matinee && matinee.state().time > 1.5", 60)
                assert viewer.state()["error"] is None


def new_token(matinee: Run, library: Path, name: str) -> str:
    ended = matinee("token", "add", name, "--scope", "upload", "--library", library)
    assert ended.exit_code == 0, ended.err
    return ended.out.strip()


@contextmanager
def store_that_tells(port: int, token: str) -> Iterator[S3Server]:
    """A store that tells a service at that port of its changes."""
    # Not pytest's own folder, whose path is too long for the server's sockets.
    with tempfile.TemporaryDirectory(prefix="s3-") as name:
        (Path(name) / "notification.toml").write_text(HOOK.format(port=port, token=token))
        with S3Server.started(Path(name)) as server:
            yield server


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


def upload(film: Path, up: Up, token: str) -> None:
    """Upload it by another's client, cut off twice because the server dies and starts again."""
    client = TusClient(f"{up.address}/uploads", headers={"Authorization": f"Bearer {token}"})
    metadata = {"filename": film.name, "name": "Uploaded"}
    with film.open("rb") as stream:
        uploader = client.uploader(file_stream=stream, metadata=metadata)
        uploader.set_url(uploader.create_url())
        for offset in KILLED_AT:
            killer = threading.Thread(
                target=kill_when_kept, args=(up.library / "uploads", offset, up.kill)
            )
            killer.start()
            with suppress(RequestException, TusCommunicationError):
                uploader.upload()
            killer.join()
            up.start()
            uploader.offset = uploader.get_offset()
            assert offset <= uploader.offset < film.stat().st_size
        uploader.upload()


def is_listed(up: Up) -> bool:
    """Whether the bucket was listed since the start; it is not again for a quarter of an hour."""
    marks = (up.library / "scratch" / "listings").glob("*.json")
    return any(mark.stat().st_mtime_ns > up.begun_ns for mark in marks)


def all_published(up: Up, count: int) -> dict[str, str] | None:
    """Names of the titles on screen by their ids, when there are so many."""
    titles = {title["id"]: title["name"] for title in up.get("/v1/titles?state=published")}
    return titles if len(titles) == count else None
