"""Subtitles that come by upload belong to the film that names them."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.ways.running import Service
from tests.ways.test_tus import arrived, metadata

SRT = b"1\n00:00:01,000 --> 00:00:02,000\nGuten Morgen\n"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with Service.started(tmp_path_factory.mktemp("tus") / "library", keep_s=3600) as service:
        yield service


def subtitles(service: Service, filename: str, content: bytes = SRT, **more: str) -> str:
    """Send a file of subtitles; gives the id of its upload."""
    told = metadata(kind="subtitles", filename=filename, **more)
    path = service.create(len(content), Upload_Metadata=told)
    assert service.patch(path, 0, content).status == 204
    return path.rpartition("/")[2]


def film(service: Service, *beside: str) -> str:
    told = metadata(filename="film.mkv", subtitles=",".join(beside))
    return service.create(5, Upload_Metadata=told)


def test_they_come_with_their_film_by_what_their_names_tell(service: Service) -> None:
    ids = [
        subtitles(service, "My Film.de.forced.SRT"),
        subtitles(
            service, "x.vtt", b"WEBVTT\n\n00:01.000 --> 00:02.000\nHello\n", language="pt-BR"
        ),
        subtitles(service, "film.cc.srt"),
    ]
    assert all(arrived(service, f"/uploads/{one}") == [] for one in ids)
    path = film(service, *ids)
    service.ask("DELETE", f"/uploads/{ids[0]}")  # the film has them as its own by now
    service.patch(path, 0, b"12345")

    ((kind, data),) = arrived(service, path)
    assert kind == "film.arrived"
    places = [Path(one["place"]) for one in data["sidecars"]]
    assert [place.name for place in places] == [
        "subtitles-01.de.forced.srt", "subtitles-02.pt-BR.vtt", "subtitles-03.und.cc.srt",
    ]  # fmt: skip
    assert [place.read_bytes()[:6] for place in places] == [SRT[:6], b"WEBVTT", SRT[:6]]
    assert {place.parent for place in places} == {service.library / path.strip("/")}


def test_they_are_kept_over_a_restart_of_the_service(service: Service) -> None:
    path = film(service, subtitles(service, "film.fr.srt"))
    service.kill()
    service.start()
    service.patch(path, 0, b"12345")

    ((_, data),) = arrived(service, path)
    assert Path(data["sidecars"][0]["place"]).read_bytes() == SRT


def test_a_film_waits_for_no_subtitles_that_are_not_there(service: Service) -> None:
    half = service.create(9, Upload_Metadata=metadata(kind="subtitles", filename="a.srt"))
    others = subtitles(service, "film.fr.srt")
    whole_film = service.create(5).rpartition("/")[2]
    for one, who in (
        (half.rpartition("/")[2], "ada"), ("0" * 32, "ada"), (whole_film, "ada"), (others, "bob"),
    ):  # fmt: skip
        told = metadata(filename="film.mkv", subtitles=one)
        answer = service.ask("POST", "/uploads", who=who, Upload_Length=5, Upload_Metadata=told)
        assert (answer.status, answer.code) == (400, "upload.alone"), one


@pytest.mark.parametrize(
    "told",
    [
        {"kind": "poster", "filename": "a.jpg"},
        {"kind": "subtitles", "filename": "a.txt"},
        {"kind": "subtitles", "filename": "a.srt", "language": "no such"},
        {"kind": "subtitles", "filename": "a.srt", "priority": "3"},
        {"kind": "subtitles", "filename": "a.srt", "subtitles": "0" * 32},
        {"filename": "film.mkv", "subtitles": "../x"},
    ],
)
def test_what_has_no_meaning_is_refused_before_a_byte_is_sent(
    service: Service, told: dict[str, str]
) -> None:
    answer = service.ask("POST", "/uploads", Upload_Length=5, Upload_Metadata=metadata(**told))
    assert (answer.status, answer.code) == (400, "upload.malformed")


def test_subtitles_are_small(service: Service) -> None:
    told = metadata(kind="subtitles", filename="a.srt")
    answer = service.ask("POST", "/uploads", Upload_Length=33 << 20, Upload_Metadata=told)
    assert (answer.status, answer.code) == (413, "upload.too_large")
