"""Every row of the table of refusals, and that the documentation has this table."""

import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.hostile.canary import Canary
from tests.hostile.page import PAGE, with_tables
from tests.hostile.rows import ROWS, Row
from tests.hostile.scene import Scene, document, error_lines, leftovers, shown

pytestmark = pytest.mark.tools


@pytest.fixture(scope="session")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("base")


@pytest.fixture
def scene(tmp_path: Path, films: Path) -> Iterator[Scene]:
    with Canary(tmp_path) as canary:
        yield Scene(tmp_path, films, canary)


def marked(row: Row) -> object:
    marks = [pytest.mark.xfail(strict=True, reason=row.flaw)] if row.flaw else []
    return pytest.param(row, marks=marks, id=row.name)


@pytest.mark.parametrize("row", [marked(row) for row in ROWS])
def test_it_ends_as_the_table_says(row: Row, scene: Scene) -> None:
    started = time.monotonic()
    ended = row.play(scene)
    sys.stdout.write(f"{row.name}: {time.monotonic() - started:.1f} s\n")

    told = document(ended)
    assert "Traceback" not in ended.err and "Traceback" not in ended.out
    assert told is not None, ended.err
    assert (told["state"], ended.exit_code) == (row.state, row.exit_code), ended.err
    assert not scene.canary.sings()
    assert leftovers(scene.library) == []
    if row.state == "published":
        return
    error = told["error"]
    assert error["code"] == row.code
    assert re.search(row.message, error["message"])
    assert error["hint"]
    (line,) = error_lines(ended)
    assert line.endswith(f"[{row.code}]")
    assert f"\n  {error['hint'].splitlines()[0][:100]}" in ended.err
    assert shown(scene.library) == []


def test_the_page_has_the_table() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert page == with_tables(page), "write it anew with: python -m tests.hostile.page"


def test_a_refusal_names_the_film_and_not_the_object_that_has_its_bytes(scene: Scene) -> None:
    ended = scene.publish(scene.file("notes.mp4", "not a film\n" * 1000))

    assert "notes.mp4" in ended.err
    assert not re.search(r"[0-9a-f]{64}", ended.err + ended.out)


def test_every_row_has_a_name_of_its_own() -> None:
    assert len({row.name for row in ROWS}) == len({row.given for row in ROWS}) == len(ROWS)


def test_the_canary_sings_when_its_file_is_opened(scene: Scene) -> None:
    assert not scene.canary.sings()
    scene.canary.path.open("rb").close()
    assert scene.canary.sings()


def test_the_canary_sings_when_its_port_is_called(scene: Scene) -> None:
    import socket

    port = int(scene.canary.url.split(":")[2].split("/")[0])
    socket.create_connection(("127.0.0.1", port)).close()
    assert scene.canary.sings()
