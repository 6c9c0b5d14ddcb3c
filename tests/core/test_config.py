"""Addresses of libraries and databases, and what is kept of them."""

from pathlib import Path

import pytest

from matinee.adapters.sandbox.rules import tool_environment
from matinee.config import (
    Bucket,
    DatabaseUnsupported,
    LibraryUnsupported,
    bucket_of,
    read_settings,
    state_folder,
)

HIDDEN = "hunter2"


@pytest.fixture(autouse=True)
def _nothing_told(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        "MATINEE_LIBRARY", "MATINEE_DATABASE", "MATINEE_STATE", "AWS_ENDPOINT_URL",
        "AWS_ENDPOINT_URL_S3",
    ):  # fmt: skip
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("address", "bucket"),
    [
        ("s3://films", Bucket("s3", "films", "")),
        ("s3://films/", Bucket("s3", "films", "")),
        ("s3://my.films-1/a library/of mine/", Bucket("s3", "my.films-1", "a library/of mine")),
        ("gs://films/x", Bucket("gs", "films", "x")),
        ("gcs://films/x", Bucket("gs", "films", "x")),
        ("az://films/x", Bucket("az", "films", "x")),
        ("/a/folder", None),
        ("file:///a/folder", None),
        ("s3", None),
    ],
)
def test_an_address_names_a_bucket_or_a_folder(address: str, bucket: Bucket | None) -> None:
    assert bucket_of(address) == bucket


@pytest.mark.parametrize(
    "address",
    [
        "s3://",
        "s3:///path",
        "s3://films/../other",
        "s3://films//x",
        "s3://films/a\nb",
        "s3://-films/x",
        f"s3://key:{HIDDEN}@films/x",
        f"s3://films/x?secret={HIDDEN}",
        f"s3://films#{HIDDEN}",
        f"http://user:{HIDDEN}@host/films",
        "ftp://films/x",
        "file://host/films",
    ],
)
def test_an_address_that_is_none_is_refused_and_no_secret_in_it_shown(address: str) -> None:
    with pytest.raises(LibraryUnsupported) as refused:
        read_settings(address, None)

    assert HIDDEN not in f"{refused.value} {refused.value.hint}"


def test_what_is_in_a_bucket_has_an_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MATINEE_LIBRARY", "s3://films/library")
    settings = read_settings(None, None)

    assert settings.address == "s3://films/library"
    assert settings.place("titles/a/main.mpd") == "s3://films/library/titles/a/main.mpd"


def test_each_bucket_has_a_folder_of_its_own_on_this_machine(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MATINEE_STATE", str(tmp_path))
    here, there = "http://127.0.0.1:8333", "http://127.0.0.1:9000"
    buckets = [
        Bucket("s3", "films", "a", here),
        Bucket("s3", "films", "b", here),
        Bucket("s3", "films-a", "", here),
        Bucket("s3", "films", "a", there),
        Bucket("s3", "films", "a"),
    ]

    folders = {state_folder(bucket) for bucket in buckets}
    assert len(folders) == len(buckets)
    assert {folder.parent for folder in folders} == {tmp_path}


def test_the_endpoint_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "https://one.example/")
    assert read_settings("s3://films", None).bucket == Bucket(
        "s3", "films", "", "https://one.example"
    )

    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "https://two.example")
    assert read_settings("s3://films", None).bucket == Bucket(
        "s3", "films", "", "https://two.example"
    )


@pytest.mark.parametrize("address", ["sqlite:////a/b.db", "postgresql://user@host/name"])
def test_a_database_is_taken_from_the_option_then_the_environment(
    monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setenv("MATINEE_DATABASE", address)
    assert read_settings("/a", None).database == address
    assert read_settings("/a", None, "sqlite:////c.db").database == "sqlite:////c.db"


@pytest.mark.parametrize("address", [f"mysql://u:{HIDDEN}@host/x", HIDDEN, f":{HIDDEN}"])
def test_a_database_of_another_kind_is_refused_and_not_shown(address: str) -> None:
    with pytest.raises(DatabaseUnsupported) as refused:
        read_settings("/a", None, address)

    assert HIDDEN not in f"{refused.value} {refused.value.hint}"


def test_a_password_is_neither_in_what_settings_say_of_themselves_nor_given_to_tools(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MATINEE_DATABASE", f"postgresql://u:{HIDDEN}@host/x")
    monkeypatch.setenv("MATINEE_TOKEN", HIDDEN)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", HIDDEN)

    assert HIDDEN not in repr(read_settings("/a", None))
    assert HIDDEN not in str(tool_environment(None))
