"""``kill -9`` of backups, restores and collections: the short form, seeded."""

import random
from pathlib import Path
from typing import Any

import pytest
from tests.flows.keep import PARTS
from tests.flows.killing import Scene

pytestmark = [pytest.mark.tools, pytest.mark.slow]


@pytest.mark.parametrize("part", PARTS)
def test_what_is_killed_loses_nothing_and_does_no_finished_work_again(
    part: str, stocked: tuple[Path, Any], film: Path, ladder: Path, tmp_path: Path
) -> None:
    library, document = stocked
    scene = Scene(film, ladder, library, document["title"])

    PARTS[part](scene, tmp_path, 1, random.Random(20261128))
