"""What the tests of the running service share with those of its pages: a browser."""

from pathlib import Path

import pytest
from tests.apps.conftest import browser, open_viewer
from tests.conftest import make_film, run_ffmpeg
from tests.shared import made_once

__all__ = ["browser", "open_viewer"]


@pytest.fixture(scope="session")
def short_film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_once(
        tmp_path_factory, "short-film", lambda folder: make_film(folder / "short.mp4", 4.5)
    )


@pytest.fixture(scope="session")
def long_film(tmp_path_factory: pytest.TempPathFactory, film: Path) -> Path:
    """Minutes of film, that are minutes of work for a slow ladder."""

    def make(folder: Path) -> Path:
        path = folder / "long.mp4"
        tracks = ("-map", "0:v", "-map", "0:a:0", "-c", "copy")
        run_ffmpeg("-stream_loop", 7, "-i", film, *tracks, path)
        return path

    return made_once(tmp_path_factory, "long-film", make)
