"""What short commands do without: loading it takes longer than all that they do."""

import subprocess
import sys
from pathlib import Path

import pytest
from tests.conftest import environment, run_ffmpeg

LOADED = "import sys; print(*(name for name in sys.argv[1:] if name in sys.modules))"
INSPECT = "from matinee.apps.cli.main import run; sys.argv[1:] = ['inspect', 'film.mp4']; run()"
READ = (
    "from pathlib import Path; import matinee.adapters.reading;"
    "from matinee.adapters.pyav_inspect import inspect_film, look_at;"
    "inspect_film(Path('film.mp4')); look_at(Path('film.mp4'))"
)
PUBLISH = "import matinee.apps.cli.publish, matinee.apps.cli.planning, matinee.wiring.publishing"


def loaded(program: str, folder: Path, *names: str) -> list[str]:
    """Which of the modules a program has loaded at its end."""
    code = f"import sys; names = sys.argv[1:]; {program}; sys.argv[1:] = names; {LOADED}"
    done = subprocess.run(
        [sys.executable, "-c", code, *names], cwd=folder, env=environment(),
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout.splitlines()[-1].split()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("loading")
    run_ffmpeg(
        "-f", "lavfi", "-i", "testsrc2=s=64x36:r=25:d=1", "-f", "lavfi", "-i", "sine=d=1",
        "-c:v", "libx264", "-pix_fmt", "yuv420p", "-c:a", "aac", folder / "film.mp4",
    )  # fmt: skip
    return folder


@pytest.mark.tools
def test_who_reads_a_film_loads_no_numpy(folder: Path) -> None:
    assert loaded(READ, folder, "av", "numpy", "asyncio") == ["av"]


@pytest.mark.tools
def test_inspect_loads_what_it_tells_and_no_more(folder: Path) -> None:
    heavy = ("av", "asyncio", "sqlalchemy", "langcodes", "rich", "matinee.ports.tools")

    assert loaded(INSPECT, folder, "numpy", *heavy) == ["numpy"]


def test_publish_loads_what_few_runs_need_only_when_they_need_it(tmp_path: Path) -> None:
    seldom = ("av", "alembic", "langcodes", "rich", "fastapi", "psycopg")

    assert loaded(PUBLISH, tmp_path, "sqlalchemy", *seldom) == ["sqlalchemy"]
