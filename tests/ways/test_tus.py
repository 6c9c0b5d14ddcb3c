"""The tus protocol, clause by clause, against a real server that is killed and started again.

Headings are those of https://tus.io/protocols/resumable-upload, version 1.0.0.
"""

import base64
import hashlib
import socket
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from tests.ways.running import BODY, Service, raw_head, send_raw


def checksum(kind: str, content: bytes) -> str:
    return f"{kind} {base64.b64encode(hashlib.new(kind, content).digest()).decode()}"


def metadata(**fields: str) -> str:
    pairs = ((k, base64.b64encode(v.encode()).decode()) for k, v in fields.items())
    return ",".join(f"{key} {value}" for key, value in pairs)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    limits = {"largest": 5_000_000, "quota": 15_000_000}
    with Service.started(tmp_path_factory.mktemp("tus") / "library", **limits) as service:
        yield service


@pytest.fixture
def library(tmp_path: Path) -> Path:
    return tmp_path / "library"


def arrived(service: Service, path: str) -> list[Any]:
    """The facts about an upload."""
    subject = f"film/upload/{path.rpartition('/')[2]}"
    return [(e.type, e.data) for e in service.events() if e.subject == subject]


# Core protocol


def test_head_tells_offset_and_length_and_is_not_cached(service: Service) -> None:
    answer = service.ask("HEAD", service.create(100))

    assert answer.status == 200
    told = {"upload-offset": "0", "upload-length": "100", "cache-control": "no-store"}
    assert told.items() <= answer.headers.items()


def test_head_of_what_is_not_there_tells_no_offset(service: Service) -> None:
    answer = service.ask("HEAD", f"/uploads/{'0' * 32}")

    assert answer.status == 404
    assert "upload-offset" not in answer.headers


def test_patch_moves_the_offset_by_what_came(service: Service) -> None:
    path = service.create(10)

    first = service.patch(path, 0, b"12345")
    second = service.patch(path, 5, b"678")

    assert [(a.status, a.headers["upload-offset"]) for a in (first, second)] == [
        (204, "5"), (204, "8"),
    ]  # fmt: skip
    assert service.offset(path) == 8


def test_patch_at_another_offset_is_a_conflict_and_changes_nothing(service: Service) -> None:
    path = service.create(10)
    service.patch(path, 0, b"12345")

    for wrong in (0, 4, 6):
        assert service.patch(path, wrong, b"xxx").status == 409
    assert service.offset(path) == 5


def test_patch_of_another_content_type_is_refused(service: Service) -> None:
    path = service.create(10)
    assert service.patch(path, 0, b"12345", Content_Type="video/mp4").status == 415
    assert service.offset(path) == 0


def test_patch_of_what_is_not_there_is_404(service: Service) -> None:
    assert service.patch(f"/uploads/{'0' * 32}", 0, b"x").status == 404


@pytest.mark.parametrize("offset", ["", "-1", "1.5", "x", "9" * 30])
def test_an_offset_is_a_number(service: Service, offset: str) -> None:
    assert service.patch(service.create(10), 0, b"x", Upload_Offset=offset).status == 400


def test_more_than_was_announced_is_refused(service: Service) -> None:
    path = service.create(10)
    assert service.patch(path, 0, b"x" * 11).status == 413
    assert service.offset(path) == 0


def test_options_tell_what_the_server_can_without_a_version(service: Service) -> None:
    answer = service.ask("OPTIONS", "/uploads", Tus_Resumable="9.9.9")

    assert answer.status == 204
    told = {
        "tus-version": "1.0.0",
        "tus-max-size": "5000000",
        "tus-extension": "creation,creation-with-upload,termination,expiration,checksum",
        "tus-checksum-algorithm": "sha1,sha256,md5",
    }
    assert told.items() <= answer.headers.items()


@pytest.mark.parametrize("method", ["HEAD", "PATCH", "DELETE"])
def test_another_version_is_refused_and_nothing_is_done(service: Service, method: str) -> None:
    path = service.create(10)

    answer = service.ask(
        method, path, b"12345" if method == "PATCH" else None,
        Tus_Resumable="0.2.2", Content_Type=BODY, Upload_Offset=0,
    )  # fmt: skip

    assert (answer.status, answer.headers["tus-version"]) == (412, "1.0.0")
    assert service.offset(path) == 0


def test_every_answer_tells_the_version(service: Service) -> None:
    answers = [
        service.ask("POST", "/uploads", Upload_Length=5), service.ask("POST", "/uploads"),
        service.ask("HEAD", "/uploads/none"), service.ask("PATCH", "/uploads/none"),
    ]  # fmt: skip
    assert {answer.headers["tus-resumable"] for answer in answers} == {"1.0.0"}


def test_a_method_may_be_told_in_a_header(service: Service) -> None:
    path = service.create(5)
    answer = service.ask(
        "POST", path, b"12345", X_HTTP_Method_Override="PATCH", Content_Type=BODY, Upload_Offset=0
    )
    assert (answer.status, answer.headers["upload-offset"]) == (204, "5")


# Creation


def test_creation_gives_an_address(service: Service) -> None:
    answer = service.ask("POST", "/uploads", Upload_Length=5)

    assert answer.status == 201
    assert service.offset(answer.headers["location"]) == 0


@pytest.mark.parametrize("length", ["", "-1", "x", "1e3"])
def test_creation_needs_a_length(service: Service, length: str) -> None:
    answer = service.ask("POST", "/uploads", Upload_Length=length)
    assert (answer.status, answer.code) == (400, "upload.malformed")


def test_creation_above_the_largest_is_413(service: Service) -> None:
    answer = service.ask("POST", "/uploads", Upload_Length=5_000_001)
    assert (answer.status, answer.code) == (413, "upload.too_large")


def test_metadata_come_back_as_they_were(service: Service) -> None:
    told = metadata(filename="film ü.mkv", filetype="video/mp4") + ",x-empty"
    path = service.create(5, Upload_Metadata=told)
    assert service.ask("HEAD", path).headers["upload-metadata"] == told


@pytest.mark.parametrize("told", ["filename ***", "a YQ==,a YQ==", " , ", "filename /w=="])
def test_metadata_that_are_none_are_refused(service: Service, told: str) -> None:
    answer = service.ask("POST", "/uploads", Upload_Length=5, Upload_Metadata=told)
    assert (answer.status, answer.code) == (400, "upload.malformed")


def test_an_empty_film_is_whole_at_once(service: Service) -> None:
    path = service.create(0)
    assert [kind for kind, _ in arrived(service, path)] == ["film.arrived"]


def test_extensions_that_are_not_told_of_are_refused(service: Service) -> None:
    for told in ({"Upload_Defer_Length": 1}, {"Upload_Concat": "partial", "Upload_Length": 5}):
        assert service.ask("POST", "/uploads", **told).status == 400


# Creation with upload


def test_creation_with_upload_takes_the_first_bytes(service: Service) -> None:
    answer = service.ask("POST", "/uploads", b"123", Upload_Length=5, Content_Type=BODY)

    assert (answer.status, answer.headers["upload-offset"]) == (201, "3")
    assert service.patch(answer.headers["location"], 3, b"45").status == 204


def test_creation_with_other_bytes_is_refused(service: Service) -> None:
    answer = service.ask("POST", "/uploads", b"123", Upload_Length=5, Content_Type="text/plain")
    assert answer.status == 415


# Expiration


def test_an_unfinished_upload_tells_when_it_expires(service: Service) -> None:
    created = service.ask("POST", "/uploads", Upload_Length=5)
    path = created.headers["location"]

    assert created.headers["upload-expires"].endswith("GMT")
    assert "upload-expires" in service.patch(path, 0, b"123").headers
    assert "upload-expires" not in service.patch(path, 3, b"45").headers


# Checksum


@pytest.mark.parametrize("kind", ["sha1", "sha256", "md5"])
def test_bytes_with_their_checksum_count(service: Service, kind: str) -> None:
    path = service.create(10)
    assert service.patch(path, 0, b"12345", Upload_Checksum=checksum(kind, b"12345")).status == 204
    assert service.offset(path) == 5


def test_bytes_with_another_checksum_are_forgotten(service: Service) -> None:
    path = service.create(10)
    service.patch(path, 0, b"12345")

    wrong = service.patch(path, 5, b"x7890", Upload_Checksum=checksum("sha1", b"67890"))
    assert (wrong.status, wrong.code) == (460, "upload.checksum")
    assert service.offset(path) == 5

    service.patch(path, 5, b"67890", Upload_Checksum=checksum("sha1", b"67890"))
    assert film_of(service, path) == b"1234567890"


@pytest.mark.parametrize("told", ["crc7 AAAA", "sha1 ***", "sha1", ""])
def test_checksums_that_are_not_known_are_refused(service: Service, told: str) -> None:
    path = service.create(10)
    assert service.patch(path, 0, b"12345", Upload_Checksum=told).status in {400, 460}
    assert service.offset(path) == 0


def test_bytes_with_a_checksum_that_are_cut_off_do_not_count(service: Service) -> None:
    path = service.create(500_000)
    head = raw_head(0, 500_000) | {"Upload-Checksum": checksum("sha1", b"x" * 500_000)}
    with closing(send_raw(service.port, head, path, b"x" * 300_000)):
        pass
    assert service.offset(path) == 0


# Termination


def test_a_removed_upload_is_gone(service: Service) -> None:
    path = service.create(10)
    service.patch(path, 0, b"12345")

    assert service.ask("DELETE", path).status == 204
    assert service.ask("HEAD", path).status == 404
    assert not (service.library / path.strip("/")).exists()
    assert arrived(service, path) == []


def test_a_whole_upload_that_is_removed_is_told_of(service: Service) -> None:
    path = service.create(5)
    service.patch(path, 0, b"12345")
    service.ask("DELETE", path)

    assert [kind for kind, _ in arrived(service, path)] == ["film.arrived", "film.removed"]


# What Matinee adds


def film_of(service: Service, path: str) -> bytes:
    ((_, data),) = arrived(service, path)
    return Path(data["place"]).read_bytes()


def test_a_whole_film_arrives_with_its_wishes(service: Service) -> None:
    told = metadata(
        filename="C:\\films\\Sintel ü.mkv", name="Sintel", priority="7", public="true",
        **{"languages.sound": "en,de", "type": "video/x-matroska", "relativePath": "null"},
    )  # fmt: skip
    path = service.create(5, Upload_Metadata=told)
    service.patch(path, 0, b"12345")

    assert arrived(service, path) == [("film.arrived", {
        "origin": "upload", "name": "Sintel ü.mkv", "size_bytes": 5, "sidecars": [],
        "place": str(service.library / path.strip("/") / "film"),
        "wishes": {"name": "Sintel", "priority": 7, "public": True,
                   "languages": {"sound": ["en", "de"]}},
    })]  # fmt: skip
    assert film_of(service, path) == b"12345"


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "..", "a\\..\\b", "x" * 900])
def test_a_files_name_never_becomes_a_path(service: Service, name: str) -> None:
    path = service.create(1, Upload_Metadata=metadata(filename=name))
    service.patch(path, 0, b"x")

    ((_, data),) = arrived(service, path)
    assert data["place"] == str(service.library / path.strip("/") / "film")
    assert "/" not in data["name"] and len(data["name"]) <= 255


def test_wishes_without_a_meaning_are_refused_before_a_byte_is_sent(service: Service) -> None:
    for told in (metadata(priority="high"), metadata(surprise="x"), metadata(ladder="../x")):
        answer = service.ask("POST", "/uploads", Upload_Length=5, Upload_Metadata=told)
        assert (answer.status, answer.code) == (400, "title_file.invalid")


@pytest.mark.parametrize("path", ["/uploads/..%2f..", "/uploads/x", f"/uploads/{'g' * 32}"])
def test_an_address_never_becomes_a_path(service: Service, path: str) -> None:
    assert service.ask("HEAD", path).status == 404
    assert service.ask("DELETE", path).status == 404


def test_an_upload_is_its_owners_alone(service: Service) -> None:
    path = service.create(5)
    assert service.ask("HEAD", path, who="bob").status == 404
    assert service.ask("DELETE", path, who="bob").status == 404
    assert service.offset(path) == 0


def test_a_film_that_is_not_the_one_announced_does_not_arrive(service: Service) -> None:
    good, bad = (hashlib.sha256(one).hexdigest() for one in (b"12345", b"other"))
    right = service.create(5, Upload_Metadata=metadata(sha256=good))
    wrong = service.create(5, Upload_Metadata=metadata(sha256=bad))

    assert service.patch(right, 0, b"12345").status == 204
    assert service.patch(wrong, 0, b"12345").status == 460
    assert [kind for kind, _ in arrived(service, right)] == ["film.arrived"]
    assert arrived(service, wrong) == []
    assert service.ask("HEAD", wrong).status == 404


def broken_off(service: Service, path: str) -> socket.socket:
    """A request of 4 MB that hangs when more than half of it has come."""
    connection = send_raw(service.port, raw_head(0, 4_000_000), path, b"x" * 2_500_000)
    data = service.library / path.strip("/") / "data"
    deadline = time.monotonic() + 30
    while data.stat().st_size < 2 << 20:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return connection


def test_a_connection_that_breaks_keeps_what_came(service: Service) -> None:
    path = service.create(4_000_000)
    broken_off(service, path).close()
    assert 2 << 20 <= service.offset(path) <= 2_500_000


def test_a_connection_that_hangs_blocks_nobody(service: Service) -> None:
    path = service.create(4_000_000)
    with closing(broken_off(service, path)):
        offset = service.offset(path)
        assert service.patch(path, offset, b"y" * (4_000_000 - offset)).status == 204
    assert film_of(service, path) == b"x" * offset + b"y" * (4_000_000 - offset)


def test_after_kill_9_an_upload_goes_on_from_what_was_acknowledged(library: Path) -> None:
    content = bytes(range(256)) * 200_000  # more than is kept at a time
    with Service.started(library) as service:
        path = service.create(len(content))
        service.patch(path, 0, content[:1000])
        rest = raw_head(1000, len(content) - 1000)
        with closing(send_raw(service.port, rest, path, content[1000 : 40 << 20])):
            deadline = time.monotonic() + 30
            while offset_on_disk(library, path) < 16 << 20 and time.monotonic() < deadline:
                time.sleep(0.01)
            service.kill()
        acknowledged = offset_on_disk(library, path)
        service.start()
        offset = service.offset(path)
        assert offset == acknowledged >= 16 << 20
        service.patch(path, offset, content[offset:])
        assert film_of(service, path) == content


def offset_on_disk(library: Path, path: str) -> int:
    return int((library / path.strip("/") / "offset").read_bytes())


def test_films_that_were_whole_when_the_server_died_arrive_once(library: Path) -> None:
    with Service.started(library) as service:
        paths = [service.create(5) for _ in range(3)]
        service.patch(paths[2], 0, b"12345")
        service.kill()
        folders = [library / path.strip("/") for path in paths]
        for folder in folders[:2]:
            (folder / "data").write_bytes(b"12345")
            (folder / "offset").write_text("5".zfill(20))
        (folders[1] / "data").rename(folders[1] / "film")
        (folders[2] / "told").unlink()
        for _ in range(2):
            service.start()
            assert [film_of(service, path) for path in paths] == [b"12345"] * 3
            assert [service.offset(path) for path in paths] == [5] * 3
            service.kill()


def test_a_token_has_a_quota_of_its_own(service: Service) -> None:
    for _ in range(3):
        assert service.ask("POST", "/uploads", who="eve", Upload_Length=4_990_000).status == 201
    answer = service.ask("POST", "/uploads", who="eve", Upload_Length=4_990_000)

    assert (answer.status, answer.code) == (507, "upload.quota")
    assert service.ask("POST", "/uploads", who="mallory", Upload_Length=4_990_000).status == 201
