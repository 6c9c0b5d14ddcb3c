"""``kill -9`` of a service's processes, a full disk, a folder without rights, a clock that jumps.

The short form, seeded; the long one is ``make chaos``.
"""

import json
import subprocess
from pathlib import Path

import pytest
from tests.chaos.scene import UNDER, false_clock
from tests.chaos.storm import FIRST_FILMS, run_apart

pytestmark = [pytest.mark.tools, pytest.mark.slow]

KILLS = 5


@pytest.mark.timeout(600)
def test_whatever_dies_when_films_are_published_once_and_no_event_is_lost_or_doubled(
    tmp_path: Path,
) -> None:
    if subprocess.run([*UNDER, "true"], check=False, capture_output=True).returncode:
        pytest.skip("NOT RUN: this kernel lets nobody mount a disk")

    done = run_apart(tmp_path, KILLS, seed=20261126)

    assert done.returncode == 0
    outcome = json.loads(done.stdout)
    assert not outcome["faults"], "\n".join(outcome["faults"])
    assert outcome["exit_code"] == 0
    assert sum(outcome["kills"].values()) == KILLS
    assert {"full", "unwritable"} <= outcome["weathers"].keys()
    assert ("clock" in outcome["weathers"]) == (false_clock() is not None)
    assert outcome["films"] >= FIRST_FILMS
