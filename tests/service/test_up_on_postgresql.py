"""The whole service with its rows in PostgreSQL: a film arrives, is on screen and is verified."""

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.conftest import Ended
from tests.databases import Postgres
from tests.service.running import Up, new_library, put

from matinee.wiring.library import DATABASE

pytestmark = [pytest.mark.slow, pytest.mark.tools]

Run = Callable[..., Ended]


def test_a_film_is_published_verified_and_found_again(
    postgres: Postgres, short_film: Path, ladder: Path, matinee: Run, tmp_path: Path
) -> None:
    library, watched = new_library(tmp_path, ladder), tmp_path / "watched"
    watched.mkdir()
    where = ["--database", postgres.empty().render_as_string(hide_password=False)]
    with Up(library, ["--watch", watched, *where]).running() as up:
        put(short_film, watched, "Kept elsewhere")
        run = up.ended("Kept elsewhere.mp4")
        assert (run["state"], run["title"]) == ("done", "kept-elsewhere")
        assert up.get("/v1/titles/kept-elsewhere")["media"] is not None
        assert [event["type"] for event in up.events("title.published")] == ["title.published"]
    assert not (library / DATABASE).exists()

    verified = matinee("verify", "kept-elsewhere", "--library", library, *where)
    assert verified.exit_code == 0, verified.err
    film = watched / "Kept elsewhere.mp4"
    settings = ("--ladder", ladder, "--no-scores", "--json", "--library", library, *where)
    again = matinee("publish", film, *settings)
    assert again.exit_code == 0, again.err
    assert again.json["derivations"]["ran"] == 0
    assert again.json["title"] == "kept-elsewhere"
