"""A film whose rungs come from itself, made once by the program: tests leave it as it is."""

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.comparisons import LADDER, compared_film
from tests.conftest import Ended
from tests.films import Films
from tests.per_shot import Made
from tests.shared import made_once

Run = Callable[..., Ended]

FITTED = LADDER.replace("crf = 30", 'crf = 30\nsettings = "per-title"\nslowest_kbps = 20').replace(
    "maxrate_kbps = 500", "maxrate_kbps = 3000"
)


def publish_fitted(factory: pytest.TempPathFactory, films: Films, matinee: Run) -> Made:
    """The film by ``FITTED``; the ladder lies beside the library."""

    def make(folder: Path) -> Made:
        ladder, library = folder / "fitted.toml", folder / "library"
        ladder.write_text(FITTED)
        command = ("publish", compared_film(films), "--library", library, "--json")
        ended = matinee(*command, "--ladder", ladder, "--proofs", "packets")
        assert ended.exit_code == 0, ended.err
        return Made(library, ended.json)

    return made_once(factory, "fitted", make)
