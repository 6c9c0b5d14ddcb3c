"""Files may have any name that the system allows: it is a name, never an address or an option."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.conftest import TINY_LADDER, Ended, environment, run_ffmpeg
from tests.forks import run_module

from matinee.config import Settings
from matinee.wiring.library import open_library

pytestmark = pytest.mark.tools

NAMES = (
    b"with spaces.mp4",
    b"single ' and double \" quotes.mp4",
    b"two\nlines.mp4",
    b"a\ttab and \x1b[31mred.mp4",
    b"-y.mp4",
    b"--plan.mp4",
    b"100%d %s %05d.mp4",
    "Здравствуйте, 映画 شريط é.mp4".encode(),
    b"caf\xe9 in Latin-1.mp4",
    b"l" * 251 + b".mp4",
    b"http:film.mp4",
    b"https:film.mp4",
    b"concat:film.mp4|other.mp4",
    b"pipe:0.mp4",
    b"file:film.mp4",
    b"data:video,film.mp4",
    b"subfile,,start,0,end,9,,:film.mp4",
    b"film.mp4:de",
    b"[red]film[bold.mp4",
    b"back\\slash.mp4",
    b"$(id) `id` ; id & id.mp4",
    b"*?[a].mp4",
    b".mp4",
    b"film",
)


@pytest.fixture(scope="session")
def content(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("name") / "film.mp4"
    run_ffmpeg(
        "-f", "lavfi", "-i", "testsrc2=s=64x36:r=24:d=1", "-pix_fmt", "yuv420p", "-c:v", "libx264",
        path,
    )  # fmt: skip
    return path.read_bytes()


Run = Callable[..., Ended]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs the program in the folder of the films."""

    def matinee(*arguments: str | bytes) -> Ended:
        done = run_module(
            "matinee", *arguments, folder=tmp_path, timeout_s=240,
            variables={**environment(), "MATINEE_LIBRARY": str(tmp_path / "library")},
        )  # fmt: skip
        return Ended(done.returncode, done.stdout.decode(), done.stderr.decode())

    return matinee


def put(folder: Path, name: bytes, content: bytes) -> bytes:
    Path(os.fsdecode(os.path.join(os.fsencode(folder), name))).write_bytes(content)  # noqa: PTH118
    return name


def test_a_film_of_any_name_is_planned_and_its_name_told_in_json(
    content: bytes, tmp_path: Path, run: Run
) -> None:
    for name in NAMES:
        put(tmp_path, name, content)

    ended = run("publish", "--plan", "--json", "--", *NAMES)

    assert ended.err == ""
    told = [json.loads(line) for line in ended.out.splitlines()]
    assert [os.fsencode(plan["film"]) for plan in told] == list(NAMES)
    assert [plan["frames"] for plan in told] == [24] * len(NAMES)


def test_a_plan_for_people_is_of_printable_lines(content: bytes, tmp_path: Path, run: Run) -> None:
    for name in NAMES:
        put(tmp_path, name, content)

    ended = run("publish", "--plan", "--", *NAMES)

    assert ended.exit_code == 0, ended.err
    heads = [line for line in ended.out.splitlines() if not line.startswith(" ")]
    assert len(heads) == 2 * len(NAMES)
    assert all(line.isprintable() for line in ended.out.splitlines())


@pytest.mark.parametrize("name", [b"two\nlines.mp4", b"http:film.mp4", b"caf\xe9 in Latin-1.mp4"])
def test_a_film_of_an_odd_name_is_inspected(
    name: bytes, content: bytes, tmp_path: Path, run: Run
) -> None:
    put(tmp_path, name, content)

    assert os.fsencode(run("inspect", "--json", "--", name).json["film"]) == name
    assert run("inspect", "--", name).exit_code == 0


@pytest.mark.parametrize("name", [b"two\nlines.mp4", b"caf\xe9 in Latin-1.mp4", b"\x1b[31m.mp4"])
def test_the_refusal_of_a_film_of_an_odd_name_is_one_printable_line(
    name: bytes, tmp_path: Path, run: Run
) -> None:
    put(tmp_path, name, b"not a film")

    ended = run("publish", "--json", "--", name)

    assert ended.exit_code == 3
    assert len(ended.err.splitlines()) == 2
    assert all(line.isprintable() for line in ended.err.splitlines())
    assert os.fsencode(ended.json["film"]) == name


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        (b"100%d 'http:' \"x\".mp4", "100%d 'http:' \"x\""),
        (b"two\n lines caf\xe9.mp4", "two lines caf\N{REPLACEMENT CHARACTER}"),
        (b"l" * 251 + b".mp4", "l" * 251),
    ],
    ids=["signs", "not Unicode", "255 bytes"],
)  # fmt: skip
def test_a_film_of_an_odd_name_is_published_and_listed(
    name: bytes, shown: str, content: bytes, tmp_path: Path, run: Run
) -> None:
    put(tmp_path, name, content)
    (tmp_path / "tiny.toml").write_text(TINY_LADDER)

    ended = run("publish", "--ladder", "tiny.toml", "--no-scores", "--json", "--", name)

    assert ended.exit_code == 0, ended.err
    assert ended.json["name"] == shown
    assert run("list", "--json").json[0]["name"] == shown
    assert all(
        line.isprintable() for line in run("show", "--", ended.json["title"]).out.split("\n")
    )
    (title,) = open_library(Settings(tmp_path / "library", 1)).titles.all()
    assert title.film == f"{shown}.mp4"
