"""A film at a target of VMAF, made once by the program: tests leave it as it is."""

import sqlite3
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.comparisons import LADDER, compared_film
from tests.conftest import Ended
from tests.films import Films
from tests.shared import made_once

Run = Callable[..., Ended]
TARGET, MARGIN = 85.0, 1.5
CHUNKS, SHOTS = 3, 10
WIDE = LADDER.replace("maxrate_kbps = 500", "maxrate_kbps = 3000")
"""A ladder whose caps allow what is asked for."""


@dataclass(frozen=True)
class Made:
    """A library with the film at a target, and what was printed."""

    library: Path
    document: dict[str, Any]

    @property
    def title(self) -> str:
        return str(self.document["title"])

    def steps(self) -> Counter[str]:
        """How many derivations there are of each function."""
        with sqlite3.connect(f"file:{self.library / 'matinee.db'}?mode=ro", uri=True) as database:
            return Counter(name for (name,) in database.execute("select function from derivation"))

    def newest(self, function: str, role: str) -> str:
        """The digest of what the newest derivation of a function gave."""
        query = (
            "select o.digest from derivation d "
            "join derivation_output o on o.derivation = d.sequence "
            "where d.function = ? and o.role = ? order by d.sequence desc limit 1"
        )
        with sqlite3.connect(f"file:{self.library / 'matinee.db'}?mode=ro", uri=True) as database:
            return str(database.execute(query, (function, role)).fetchone()[0])


def publish_targeted(factory: pytest.TempPathFactory, films: Films, matinee: Run) -> Made:
    """The film at ``TARGET`` by ``WIDE``; the ladder lies beside the library."""

    def make(folder: Path) -> Made:
        ladder, library = folder / "wide.toml", folder / "library"
        ladder.write_text(WIDE)
        command = ("publish", compared_film(films), "--library", library, "--json")
        ended = matinee(*command, "--ladder", ladder, "--target-vmaf", TARGET)
        assert ended.exit_code == 0, ended.err
        return Made(library, ended.json)

    return made_once(factory, "targeted", make)
