"""The whole service with its rows in PostgreSQL: a film arrives, is on screen and is verified."""

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.conftest import Ended, run_ffmpeg
from tests.databases import Postgres
from tests.service.running import Up, new_library, put

from matinee.config import Settings
from matinee.wiring.library import DATABASE, open_library

pytestmark = [pytest.mark.slow, pytest.mark.tools]

Run = Callable[..., Ended]


TITLE_FILE = """deadline = 2021-05-01
priority = 3

[languages]
sound = ["fr"]
"""


@pytest.fixture
def silent_film(short_film: Path, tmp_path: Path) -> Path:
    """A film that does not say what is spoken in it."""
    path = tmp_path / "silent.mp4"
    maps = ("-map", "0:v", "-map", "0:a:0", "-c", "copy", "-metadata:s:a:0", "language=und")
    run_ffmpeg("-i", short_film, *maps, path)
    return path


def test_a_film_is_published_as_its_title_file_wishes_and_retried_and_verified(
    postgres: Postgres, silent_film: Path, ladder: Path, matinee: Run, tmp_path: Path
) -> None:
    library, watched = new_library(tmp_path, ladder), tmp_path / "watched"
    watched.mkdir()
    database = postgres.empty().render_as_string(hide_password=False)
    with Up(library, ["--watch", watched, "--database", database]).running() as up:
        put(silent_film, watched, "late", TITLE_FILE)
        run = up.ended("late.mp4")
        assert (run["state"], run["title"], run["priority"]) == ("done", "late", 3)
        title = up.get("/v1/titles/late")
        (sound,) = [r for r in title["report"]["renditions"] if r["type"] == "audio"]
        assert title["media"] is not None
        assert sound["language"] == "fr"
        assert any("as was told" in note for note in title["report"]["source"]["notes"])

        (late,) = up.events("run.late")
        assert late["data"]["run"] == run["id"]
        assert late["data"]["deadline"] == run["deadline"] == "2021-05-01T00:00:00+00:00"
        assert late["data"]["expected"] > run["started_at"]
        cell = up.get(f"/v1/runs/{run['id']}/cells/144p/0")
        assert cell["encoded"]["parameters"]["preset"] == "ultrafast"

        opened = open_library(Settings(library, 1, database=database))
        before = len(opened.ledger.attempts(run["id"]))
        retried = matinee("retry", run["id"], "--library", library)
        assert retried.exit_code == 0, retried.err
        again = up.ended("late.mp4")
        assert again["state"] == "done" and again["queued_at"] > run["ended_at"]
        assert len(opened.ledger.attempts(run["id"])) == before
        opened.engine.dispose()
    assert not (library / DATABASE).exists()
    verified = matinee("verify", "late", "--library", library, "--database", database)
    assert verified.exit_code == 0, verified.err
