"""A library in a real bucket: published through kills, proven, served, mended, as in a folder."""

import asyncio
import json
import shutil
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from tests.apps.live_server import LiveServer, ask
from tests.conftest import Ended, environment
from tests.flows.crash import command, kill_tree
from tests.s3_server import S3Server

from matinee.config import read_settings
from matinee.core.ids import digest_of
from matinee.wiring.library import open_store

pytestmark = [pytest.mark.tools, pytest.mark.slow]


class Scene:
    """A bucket and what one machine keeps for it."""

    def __init__(self, s3: S3Server, folder: Path, matinee: Callable[..., Ended]) -> None:
        self.bucket = s3.bucket()
        self.library = f"s3://{self.bucket}/films/library"
        self.files = f"{s3.filer}/buckets/{self.bucket}/films/library"
        self.state = folder / "state"
        self.variables = {**s3.variables, "MATINEE_STATE": str(self.state)}
        self._matinee = matinee

    def run(self, *arguments: object) -> Ended:
        return self._matinee(*arguments, "--library", self.library, **self.variables)

    def do(self, method: str, *arguments: Any) -> Any:
        """What a method of the library's store gives."""
        with pytest.MonkeyPatch.context() as patch:
            for name, value in self.variables.items():
                patch.setenv(name, value)
            store = open_store(read_settings(self.library, None))
            return asyncio.run(getattr(store, method)(*arguments))

    def store_key(self, address: str) -> str:
        return address.removeprefix(f"{self.library}/")

    def keys_of(self, role: str) -> list[str]:
        """Where the outputs of a role are, which may have a ``%``."""
        (database,) = self.state.glob("*/matinee.db")
        with closing(sqlite3.connect(database)) as connection:
            rows = connection.execute(
                "SELECT key FROM location JOIN derivation_output USING (digest)"
                " WHERE role LIKE ? ORDER BY key", (role,),
            )  # fmt: skip
            return [key for (key,) in rows]

    def begin(self, film: Path, options: list[str]) -> "subprocess.Popen[bytes]":
        """A publish that is in the middle of its encodes."""
        process = subprocess.Popen(
            [*command(film, Path(), options), "--library", self.library],
            env={**environment(), **self.variables},
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        deadline = time.monotonic() + 60
        while not list(self.state.glob("*/scratch/runs/*/chunks/*/*.mp4")):
            assert process.poll() is None and time.monotonic() < deadline
        return process


@pytest.fixture(scope="module")
def scene(
    s3: S3Server, tmp_path_factory: pytest.TempPathFactory, matinee: Callable[..., Ended]
) -> Scene:
    return Scene(s3, tmp_path_factory.mktemp("bucket"), matinee)


@pytest.fixture(scope="module")
def story(
    scene: Scene, film: Path, ladder: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Any]:
    """What publishing said: while the film was written to, killed, and left alone at last."""
    copy = tmp_path_factory.mktemp("films") / film.name
    shutil.copy(film, copy)
    options = ["--ladder", str(ladder), "--no-scores", "--json"]

    with scene.begin(copy, options) as written_to:
        with copy.open("ab") as file:
            file.write(b"\0")
        refused, _ = written_to.communicate(timeout=60)
    with scene.begin(film, options) as killed:
        kill_tree(killed)
    told = scene.run("publish", film, *options)
    assert told.exit_code == 0, told.err
    return {"refused": json.loads(refused), "published": told.json}


def test_a_film_that_is_written_to_meanwhile_is_not_published(story: dict[str, Any]) -> None:
    assert story["refused"]["state"] == "refused"
    assert story["refused"]["error"]["code"] == "source.changed"


def test_after_a_kill_the_same_command_goes_on_to_the_same_package_as_in_a_folder(
    scene: Scene, story: dict[str, Any], published: tuple[Path, dict[str, Any]]
) -> None:
    document, in_folder = story["published"], published[1]
    title = f"{scene.library}/titles/{document['title']}"

    assert document["state"] == "published"
    assert document["package"].rpartition("/")[2] == in_folder["package"].rpartition("/")[2]
    assert document["package"].startswith(f"{title}/packages/")
    assert (document["hls"], document["dash"]) == (f"{title}/main.m3u8", f"{title}/main.mpd")


def test_nothing_is_left_in_scratch(scene: Scene, story: dict[str, Any]) -> None:
    assert story
    (scratch,) = scene.state.glob("*/scratch")
    assert [path for path in scratch.rglob("*") if path.is_file()] == []


def test_a_second_run_makes_nothing(
    scene: Scene, story: dict[str, Any], film: Path, ladder: Path
) -> None:
    again = scene.run("publish", film, "--ladder", ladder, "--no-scores", "--json").json

    assert again["derivations"]["ran"] == 0
    assert again["package"] == story["published"]["package"]


@pytest.fixture(scope="module")
def server(scene: Scene, story: dict[str, Any]) -> Iterator[LiveServer]:
    assert story
    with LiveServer.over(scene.library, **scene.variables) as live:
        yield live


def test_every_file_is_served_as_it_was_published(
    server: LiveServer, story: dict[str, Any], published: tuple[Path, dict[str, Any]]
) -> None:
    title = published[0] / "titles" / story["published"]["title"]
    files = [path for path in title.rglob("*") if path.is_file()]
    assert len(files) > 50

    for path in files:
        address = f"/media/titles/{title.name}/{path.relative_to(title).as_posix()}"
        assert digest_of(ask(server, address).body) == digest_of(path.read_bytes()), address


def test_pages_and_reports_come_out_of_the_bucket(
    server: LiveServer, story: dict[str, Any]
) -> None:
    answer = ask(server, f"/v1/titles/{story['published']['title']}")

    assert answer.status == 200
    assert answer.json["report"]["verdicts"]


def test_the_bucket_itself_says_what_a_player_must_know(
    scene: Scene, story: dict[str, Any]
) -> None:
    document = story["published"]

    def headers(address: str) -> tuple[str, str]:
        with urlopen(address.replace(scene.library, scene.files), timeout=10) as answer:
            return answer.headers["content-type"], answer.headers["cache-control"]

    forever = "public, max-age=31536000, immutable"
    assert headers(document["hls"]) == ("application/vnd.apple.mpegurl", "no-cache")
    assert headers(document["dash"]) == ("application/dash+xml", "no-cache")
    assert headers(f"{document['package']}/manifest.mpd") == ("application/dash+xml", forever)


def test_taking_off_and_going_back_are_seen_in_the_bucket(
    scene: Scene, story: dict[str, Any]
) -> None:
    title, entry = story["published"]["title"], scene.store_key(story["published"]["hls"])

    assert scene.run("unpublish", title).exit_code == 0
    assert scene.do("size", entry) is None
    assert scene.run("rollback", title, "--json").json["state"] == "published"
    assert scene.do("size", entry) > 0


def test_damage_is_found_and_mended(
    scene: Scene, story: dict[str, Any], film: Path, ladder: Path
) -> None:
    """A segment that is wrong, and a chunk that is: the one that would mend it."""
    publish = ("publish", film, "--ladder", ladder, "--no-scores", "--json")
    title = story["published"]["title"]
    (segment, *_), (chunk, *_) = scene.keys_of("renditions/video-%m4s"), scene.keys_of("chunk")
    assert scene.run("verify", title).exit_code == 0
    for key in (segment, chunk):
        scene.do("write", key, bytes(scene.do("size", key)))

    found = scene.run("verify", title, "--json")
    assert found.exit_code == 6
    assert segment.partition("/renditions/")[2] in found.out
    scene.do("delete", segment)
    assert scene.run(*publish).json["error"]["code"] == "object.damaged"
    assert scene.run(*publish).json["package"] == story["published"]["package"]
    assert scene.run("verify", title).exit_code == 0

    scene.do("write", segment, bytes(scene.do("size", segment)))
    repaired = scene.run("repair", title)
    assert repaired.exit_code == 0, repaired.err
    assert scene.run("verify", title).exit_code == 0
